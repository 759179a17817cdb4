"""The part of a view that the four-view model looks at."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from mmcv.transforms import BaseTransform

from mmmammo.datasets.transforms.randomness import call_generator
from mmmammo.datasets.transforms.tracking import current_affine
from mmmammo.io import read_png16
from mmmammo.preprocessing import segment_breast
from mmmammo.preprocessing.nyu_crop import BUFFER, ITERATIONS, NYUCrop, nyu_crop
from mmmammo.preprocessing.nyu_window import (
    WINDOW_SIZES,
    WINDOW_SPACING_MM,
    cut_window,
    noisy_window,
    optimal_centre,
    resized,
    standardised,
)
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import Affine, MammoError, View

_SPACING_TOLERANCE = 0.15
BREASTS = ('above_zero', 'segmented')


@TRANSFORMS.register_module()
class LoadPatchHeatmaps(BaseTransform):
    """Read the heatmaps of a patch classifier, which ``tools/patch_heatmaps.py`` writes.

    Required Keys:

    - img, heatmap_paths (of :class:`~mmmammo.datasets.FourViewDataset`)

    Added Keys:

    - heatmaps (np.float32, (n, h, w) in [0, 1]: benign, malignant)

    Raises:
        MammoError: If one is missing, or is not as large as the image.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the heatmaps."""
        results['heatmaps'] = np.stack([self._read(path, results['img'].shape) for path in results['heatmap_paths']])
        return results

    @staticmethod
    def _read(path: str, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
        remedy = (
            'python tools/patch_heatmaps.py CONFIG PATCH_WEIGHTS writes what is missing; or use an image-only config'
        )
        if not Path(path).is_file():
            raise MammoError(path, field='heatmap', found='no such file', expected='a PNG', remedy=remedy)
        heatmap = read_png16(path)
        if heatmap.shape != shape:
            raise MammoError(
                path, field='size (h, w)', found=heatmap.shape, expected=f'{shape}, the image', remedy=remedy
            )
        return heatmap


@TRANSFORMS.register_module()
class NYUWindow(BaseTransform):
    """Cut the window that shows most of the breast, with noise if wanted, and standardise it.

    Required Keys:

    - img (h, w, facing right), view
    - heatmaps (optional, (n, h, w))

    Modified Keys:

    - img: the window, (h, w), standardised; with heatmaps (h, w, 1 + n), these as they are; with ``crops``
      (crops, 1 + n, h, w)
    - img_shape, homography_matrix (the latter of a single window)

    Args:
        sizes: (h, w) by view. Of the published ones a warning says where ``pixel_spacing_mm`` is not about theirs.
        iterations: See :func:`~mmmammo.preprocessing.nyu_crop.nyu_crop`.
        buffer: Likewise.
        position_noise: Pixels that a window may be off, each way.
        size_noise: Pixels that it may be higher or lower; it is brought back to its size by bicubic interpolation.
        crops: Windows with noise of their own per image, for the mean over test-time crops; 0 for a single one.
        seed: Of the noise, together with ``img_id``: then an image has the same windows in every run. By default noise
            is drawn anew, as training wants it.
        breast: ``'above_zero'``, for images whose background is black, or ``'segmented'``, which blackens it first.

    Raises:
        MammoError: If a view has no size, pixels were mirrored (by ``ExamFlip``), nothing of the breast is left, or an
            argument makes no sense.
    """

    def __init__(
        self,
        sizes: Mapping[str, Sequence[int]] = WINDOW_SIZES,
        iterations: int = ITERATIONS,
        buffer: int = BUFFER,
        position_noise: int = 0,
        size_noise: int = 0,
        crops: int = 0,
        seed: int | None = None,
        breast: str = 'above_zero',
    ) -> None:
        self.sizes = {View(name): (int(size[0]), int(size[1])) for name, size in sizes.items()}
        if breast not in BREASTS:
            raise _error('breast', repr(breast), f'one of {BREASTS}')
        if min(iterations, buffer, position_noise, size_noise, crops) < 0:
            raise _error('iterations, buffer, noise, crops', 'a number below 0', 'numbers from 0 on')
        if any(min(size) <= size_noise for size in self.sizes.values()):
            raise _error('size_noise', size_noise, 'less than the sides of the windows')
        self.iterations, self.buffer = iterations, buffer
        self.noise = (position_noise, size_noise)
        self.crops = crops
        self.seed = seed
        self.breast = breast

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Cut."""
        view = View.parse(results['view'])
        if view not in self.sizes:
            raise _error('view', results['view'], f'one of {", ".join(self.sizes)}', results.get('img_path', ''))
        if results.get('mirrored', False):
            raise _error('mirrored', 'pixels that face left', 'those of the file', results.get('img_path', ''))
        size = self.sizes[view]
        self._compare_spacing(results.get('pixel_spacing_mm'))
        image, crop = self.crop(results)
        planes = crop.cut(np.concatenate([image[None], results.pop('heatmaps', image[None][:0])]))
        centre = optimal_centre(planes[0], crop.rightmost[1], crop.bottommost[0], view, size)
        generator, shape = self._generator(results), planes[0].shape
        windows = [noisy_window(centre, size, shape, *self.noise, generator) for _ in range(max(self.crops, 1))]
        cuts = [self._cut(planes, window, size) for window in windows]
        if self.crops:
            results['img'] = np.stack(cuts)
        else:
            results['img'] = cuts[0][0] if len(planes) == 1 else np.ascontiguousarray(cuts[0].transpose(1, 2, 0))
            to_crop = Affine.translation(-crop.window[2], -crop.window[0])
            results['homography_matrix'] = (_affine(windows[0], size) @ to_crop @ current_affine(results)).matrix
        results['img_shape'] = size
        return results

    def crop(self, results: Mapping[str, Any]) -> tuple[npt.NDArray[np.float32], NYUCrop]:
        """The image on black, and the crop of its breast.

        Args:
            results: With ``img``, and ``img_path`` for messages.

        Raises:
            MammoError: If nothing of the breast is left.
        """
        image = results['img']
        if self.breast == 'segmented':
            image = np.where(segment_breast(image), image, np.float32(0))
        try:
            return image, nyu_crop(image, True, self.iterations, self.buffer)
        except MammoError as err:
            where = results.get('img_path', 'image')
            raise MammoError(where, field=err.field, found=err.found, expected=err.expected, remedy=err.remedy) from err

    def _compare_spacing(self, spacing_mm: float | None) -> None:
        """Warn of published windows over pixels of another size, in which a breast is larger or smaller."""
        if spacing_mm is None or self.sizes != WINDOW_SIZES:
            return
        if abs(spacing_mm / WINDOW_SPACING_MM - 1) > _SPACING_TOLERANCE:
            warnings.warn(
                f'windows of NYU are for pixels of {WINDOW_SPACING_MM} mm, and here are some of {spacing_mm:.3g} mm: '
                'breasts have another size than those that the weights were trained on. Remedy: prepare the set with '
                f'--spacing {WINDOW_SPACING_MM}; coarser files are not enlarged',
                stacklevel=2,
            )

    def _generator(self, results: Mapping[str, Any]) -> np.random.Generator:
        if self.seed is None and any(self.noise):
            return call_generator()
        return np.random.default_rng([self.seed or 0, int(results.get('img_id', 0))])

    @staticmethod
    def _cut(
        planes: npt.NDArray[np.float32], window: tuple[int, int, int, int], size: tuple[int, int]
    ) -> npt.NDArray[np.float32]:
        cut = resized(cut_window(planes, window), size)
        return np.concatenate([standardised(cut[0])[None], cut[1:]])

    def __repr__(self) -> str:
        sizes = ', '.join(f'{view} {size[0]} x {size[1]}' for view, size in self.sizes.items())
        return f'{type(self).__name__}({sizes}, noise={self.noise}, crops={self.crops}, breast={self.breast!r})'


def _affine(window: tuple[int, int, int, int], size: tuple[int, int]) -> Affine:
    """Pixels of the cut from those of the crop."""
    top, bottom, left, right = window
    return Affine.scaling(size[1] / (right - left), size[0] / (bottom - top)) @ Affine.translation(-left, -top)


def _error(field: str, found: object, expected: str, where: str = 'NYUWindow') -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy='correct the config')
