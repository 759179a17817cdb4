"""Slides a patch classifier over a view: the mode, the scales, and what may be asked of which network."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
import numpy.typing as npt
import torch
from mmengine.logging import MMLogger
from mmpretrain.models.classifiers import BaseClassifier
from torch import Tensor
from torch.nn import functional

from mmmammo.models.sliding.agreement import Agreement, spread
from mmmammo.models.sliding.dense_scores import score_blocks
from mmmammo.models.sliding.focal_probability import undo_focal
from mmmammo.models.sliding.padding_reach import PaddingReach, padding_reach
from mmmammo.models.sliding.settings import SlidingSettings, refused
from mmmammo.models.sliding.window_grid import Mask, WindowGrid
from mmmammo.models.sliding.window_scores import classify, pad_image, score_windows
from mmmammo.structures import Heatmap

FloatMap = npt.NDArray[np.float32]
Scores = npt.NDArray[np.floating]


class PatchSlider:
    """Turns a classifier of patches into heatmaps of views.

    Args:
        model: Its head gives independent probabilities. Modes other than ``exact`` want no neck and a head with a
            ``score_map``, such as :class:`mmmammo.models.classifiers.PatchHead`.
        settings: See there.

    Attributes:
        agreement: With ``exact``, of the first view in mode ``dense``; ``None`` before and in other modes.

    Raises:
        MammoError: If there is to be context, and the head would judge it as part of the window.
    """

    def __init__(self, model: BaseClassifier, settings: SlidingSettings) -> None:
        self.model = model
        self.settings = settings
        self.agreement: Agreement | None = None
        self._reach: PaddingReach | None = None
        if settings.context and getattr(model.head, 'cells', None) is None:
            remedy = 'give the classifier that was trained with this context, or context=0'
            raise refused('context', f'{settings.context} pixels, and a head without cells', 'head.cells', remedy)

    @torch.no_grad()
    def __call__(self, image: Tensor, black: Tensor, breast: Mask | None = None) -> Heatmap:
        """The heatmap of a view.

        Windows that hold no breast are left out, which changes no value where there is breast: every window over a
        place of the breast holds it.

        Args:
            image: (c, h, w), normalised as the classifier wants it; any size.
            black: (c,) what black is in each channel.
            breast: (h, w); everything if ``None`` or empty.

        Raises:
            MammoError: If the mode means nothing for this network; see :meth:`reach_of`.
        """
        shape = (image.shape[1], image.shape[2])
        if breast is None or not breast.any():
            breast = np.ones(shape, dtype=bool)
        maps = [self._at_scale(image, black, breast, scale) for scale in self.settings.scales]
        finest = min(maps, key=lambda heatmap: heatmap.cell)
        aligned = np.stack([_at_cells_of(finest, heatmap) for heatmap in maps])
        values = _mean(aligned) if self.settings.combine == 'mean' else np.fmax.reduce(aligned)
        return Heatmap(values, finest.cell, shape)

    @torch.no_grad()
    def window_scores(self, image: Tensor, black: Tensor, wanted: Mask | None = None) -> Scores:
        """Scores of single windows at scale 1.

        Args:
            image: (c, h, w), normalised.
            black: (c,).
            wanted: (rows, columns) of windows, see :class:`WindowGrid`; all by default.

        Returns:
            (classes, rows, columns), nan where not wanted.

        Raises:
            MammoError: As calling does.
        """
        grid = WindowGrid((image.shape[1], image.shape[2]), self.settings.window, self.settings.stride)
        wanted = np.ones(grid.counts, dtype=bool) if wanted is None else wanted
        padded = pad_image(image, grid, self.settings.context, black)
        if self.settings.mode == 'exact':
            return self._exact(padded, grid, wanted)
        scores = self._blocks(padded, grid, wanted)
        if self.settings.mode == 'dense' and self.settings.check and self.agreement is None:
            some = spread(wanted, self.settings.check)
            self.agreement = Agreement.of(scores[:, some], self._exact(padded, grid, some)[:, some])
            MMLogger.get_current_instance().info(f'dense against exact: {self.agreement}')
        return scores

    def reach_of(self, channels: int) -> PaddingReach:
        """What ties this network's features to their window, measured once.

        Args:
            channels: Of its input.

        Raises:
            MammoError: If the network has no map of scores, window and stride are no whole cells of its feature, or
                mode ``context`` cannot be exact: with squeeze-excite or attention, or with less context than the
                padding reaches.
        """
        if self._reach is None:
            if getattr(self.model, 'neck', None) is not None or not hasattr(self.model.head, 'score_map'):
                found = f'{type(self.model.head).__name__}, neck {type(getattr(self.model, "neck", None)).__name__}'
                remedy = "use mmmammo.PatchHead, or mode='exact'"
                raise refused('head', found, 'a head with a score_map, and no neck', remedy)
            reach = padding_reach(self.model.backbone, self.settings.window, channels)
            self._require_whole_cells(reach.stride)
            self._judge(reach)
            self._reach = reach
        return self._reach

    def _require_whole_cells(self, cell: int) -> None:
        sizes = (self.settings.window, self.settings.stride, self.settings.context)
        if any(size % cell for size in sizes):
            found = f'window {sizes[0]}, stride {sizes[1]}, context {sizes[2]}'
            remedy = "correct them, or use mode='exact'"
            raise refused('window, stride, context', found, f'multiples of {cell}, the cells of the backbone', remedy)
        if self.settings.context and self.model.head.cells != sizes[0] // cell:
            remedy = 'slide with the window that the classifier was trained with'
            raise refused('window', f'{sizes[0]} pixels', f'{self.model.head.cells * cell}, by head.cells', remedy)

    def _judge(self, reach: PaddingReach) -> None:
        """Refuse what cannot be exact in mode ``context``, warn of it in mode ``dense``."""
        name = type(self.model.backbone).__name__
        ties = ' and '.join(reach.ties)
        if self.settings.mode == 'dense':
            if ties:
                MMLogger.get_current_instance().warning(
                    f'{name} has {ties}: a feature depends on the whole input, so that blocks of a larger one are not '
                    "those of a window. Mode 'dense' is a guess here; see its agreement with 'exact'."
                )
        elif ties:
            remedy = "use mode='exact', or another backbone"
            raise refused('backbone', f'{name} with {ties}', 'convolutions and poolings alone', remedy)
        elif reach.context is None or self.settings.context < reach.context:
            needs = 'more than can be given' if reach.context is None else f'at least {reach.context} pixels'
            remedy = 'train and slide with that context, or use another mode'
            raise refused('context', f'{self.settings.context} pixels', f'{needs} with {name}', remedy)

    def _at_scale(self, image: Tensor, black: Tensor, breast: Mask, scale: float) -> Heatmap:
        """Of the resized view; cells are those of the view as it is."""
        image, breast = _resized(image, breast, scale)
        grid = WindowGrid((image.shape[1], image.shape[2]), self.settings.window, self.settings.stride)
        cells = grid.cells_of(breast)
        scores = self.window_scores(image, black, grid.windows_on(cells))
        values = grid.heatmap(undo_focal(scores, self.settings.focal_gamma) if self.settings.focal_gamma else scores)
        shape = (image.shape[1], image.shape[2])
        return Heatmap(np.where(cells, values, np.float32(np.nan)), self.settings.stride / scale, shape)

    def _exact(self, padded: Tensor, grid: WindowGrid, wanted: Mask) -> Scores:
        settings = self.settings
        score = partial(classify, self.model, bfloat16=settings.bfloat16)
        return score_windows(score, padded, grid, wanted, settings.context, settings.batch_size)

    def _blocks(self, padded: Tensor, grid: WindowGrid, wanted: Mask) -> Scores:
        settings, reach = self.settings, self.reach_of(len(padded))
        return score_blocks(
            self.model,
            padded,
            grid,
            wanted,
            settings.context,
            reach.stride,
            self._overlap(reach) // reach.stride,
            settings.tile,
            settings.bfloat16,
        )

    def _overlap(self, reach: PaddingReach) -> int:
        """Pixels."""
        hopeless = reach.ties or reach.context is None
        wanted = self.settings.window // 2 if hopeless else reach.context
        wanted = wanted if self.settings.overlap is None else self.settings.overlap
        return -(-wanted // reach.stride) * reach.stride


def _resized(image: Tensor, breast: Mask, scale: float) -> tuple[Tensor, Mask]:
    if scale == 1:
        return image, breast
    height, width = (max(1, round(side * scale)) for side in image.shape[1:])
    how = {'mode': 'area'} if scale < 1 else {'mode': 'bilinear', 'align_corners': False}
    resized = functional.interpolate(image[None], (height, width), **how)[0]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR  # any share of breast counts
    return resized, cv2.resize(breast.astype(np.float32), (width, height), interpolation=method) > 0


def _at_cells_of(finest: Heatmap, other: Heatmap) -> FloatMap:
    """(classes, rows, columns) what a heatmap of the same view says at the centres of the finest one's cells."""
    rows, columns = (
        np.minimum((np.arange(count) + 0.5) * finest.cell / other.cell, last - 1).astype(np.intp)
        for count, last in zip(finest.values.shape[1:], other.values.shape[1:], strict=True)
    )
    values: FloatMap = other.values[:, rows[:, None], columns]
    return values


def _mean(maps: npt.ArrayLike) -> FloatMap:
    """Over the first axis, of what is not nan."""
    values = np.asarray(maps)
    counts = np.isfinite(values).sum(axis=0)
    sums = np.nansum(values, axis=0)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0).astype(np.float32)
