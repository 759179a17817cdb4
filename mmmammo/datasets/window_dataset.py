"""The patches of paper 1, and beside them windows as a sliding classifier sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.datasets.mammogram_dataset import Record
from mmmammo.datasets.patch_dataset import PatchDataset
from mmmammo.registry import DATASETS
from mmmammo.structures import MammoError


@DATASETS.register_module()
class WindowDataset(PatchDataset):
    """Patches of paper 1 and windows: squares of one size, as sliding inference cuts them out.

    The paper's patches are zoomed by the size of their finding, normal ones come from normal views alone, and all
    classes are drawn equally often, so that of ten findings and none, ten patches of eleven show one. A sliding
    classifier meets other things: windows of one size, hardly one with a finding, some beside one. So each view adds
    windows round random points of its breast, and each box windows that hold its centre; their labels are those of the
    boxes whose centre they hold.

    Args:
        ann_file: As :class:`PatchDataset`.
        window: Side of a window, in prepared pixels; that of ``sliding.window``.
        windows: How many per view, and per box.
        normal_share: Share of the draws of a ``ClassWeightedSampler`` that go to random windows and normal patches
            together; those drawn for a finding share the rest by class.
        **kwargs: As :class:`PatchDataset`.

    Raises:
        MammoError: As :class:`PatchDataset`, and if a number makes no sense.
    """

    def __init__(self, ann_file: str, window: int, windows: int = 4, normal_share: float = 0.5, **kwargs: Any) -> None:
        if window < 1 or windows < 1 or not 0 < normal_share < 1:
            raise MammoError(
                ann_file,
                field='window, windows, normal_share',
                found=(window, windows, normal_share),
                expected='at least 1, at least 1, and between 0 and 1',
                remedy='correct the config',
            )
        self.window = window
        self.windows = windows
        self.normal_share = normal_share
        super().__init__(ann_file, **kwargs)

    def sample_weights(self) -> npt.NDArray[np.float64]:
        """(n,) weights as the parent's among samples drawn for a finding; the others are all alike."""
        weights = super().sample_weights()
        normal = np.array([not self.get_cat_ids(i) for i in range(len(self))])
        if normal.any() and not normal.all():
            odds = self.normal_share / (1 - self.normal_share)
            weights[normal] = odds * weights[~normal].sum() / normal.sum()
        return weights

    def _proposals(self, views: Sequence[Record]) -> list[Record]:
        places = [(view, source) for view in views for source in (None, *range(len(view['patch_boxes'])))]
        windows = [self._window(view, source, k) for view, source in places for k in range(self.windows)]
        return super()._proposals(views) + windows

    def _window(self, view: Record, source: int | None, number: int) -> Record:
        record = self._proposal(view, source, number)
        mine = {'img_id': f'{record["img_id"]}-window', 'patch_seed': [*record['patch_seed'], 1]}
        return record | mine | {'patch_window': self.window}
