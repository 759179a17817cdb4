"""Whole image, overview and window: what the Attention model of paper 4 needs of a view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmmammo.datasets.transforms.randomness import call_generator
from mmmammo.datasets.transforms.view_framing import moved, window_size
from mmmammo.datasets.transforms.view_packing import VIEW_META_KEYS, PackView
from mmmammo.preprocessing.framing import cut_window, overview
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import Affine, MammoError
from mmmammo.structures.windows import window_corners

ATTENTION_META_KEYS = (*VIEW_META_KEYS, 'landmarks', 'overview_affine')


@TRANSFORMS.register_module()
class AddOverview(BaseTransform):
    """Add what the Holistic model sees of an image: ``ResizeToWidth``, then ``CentreCrop``, exactly as in its tests.

    Required Keys: img.

    Added Keys:

    - overview (np.float32, (h, w))
    - overview_affine ((3, 3), overview from the current image)

    Args:
        width: To resize to.
        size: Of the overview: side of a square, or (height, width).
    """

    def __init__(self, width: int, size: int | Sequence[int]) -> None:
        self.width = width
        self.size = window_size('AddOverview', size)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add it."""
        results['overview'], affine = overview(results['img'], self.width, self.size)
        results['overview_affine'] = affine.matrix
        return results


@TRANSFORMS.register_module()
class CropAtAttention(BaseTransform):
    """Cut a window round the centre of attention, at the image's own resolution.

    Required Keys: img, attention_centre ((2,) in its pixels; ``mmmammo.AttentionCentresHook`` provides it).

    Modified Keys: img, img_shape, homography_matrix.

    Args:
        size: Of the window: side of a square, or (height, width).
        jitter: The centre moves by up to this many pixels along each axis, uniformly.

    Raises:
        MammoError: If the image has no centre.
    """

    def __init__(self, size: int | Sequence[int], jitter: int = 64) -> None:
        self.size = window_size('CropAtAttention', size)
        self.jitter = jitter

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Cut; the window stays inside the image as long as it fits."""
        centre = results.get('attention_centre')
        if centre is None:
            raise MammoError(
                results.get('img_path', 'image'),
                field='attention_centre',
                found='nothing',
                expected='a point: where the Holistic model looks',
                remedy='train with tools/train.py, where AttentionCentresHook finds the points, or give the dataset '
                'the file it wrote (attention_centres=…)',
            )
        image = results['img']
        shift = call_generator().uniform(-self.jitter, self.jitter, 2)
        x, y = window_corners(np.add(centre, shift), self.size, image.shape[::-1])[0].tolist()
        moved(results, cut_window(image, (x, y), self.size), Affine.translation(-x, -y))
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size}, jitter={self.jitter})'


@TRANSFORMS.register_module()
class PackAttentionView(PackView):
    """``PackView`` with the overview beside the whole image: ``{'inputs', 'overview', 'data_samples'}``.

    Required Keys: img, overview, and those of ``PackView``.

    Args:
        meta_keys: Keys copied to the meta information, where present.
    """

    def __init__(self, meta_keys: Sequence[str] = ATTENTION_META_KEYS) -> None:
        super().__init__(meta_keys=meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack both."""
        packed: dict[str, Any] = super().transform(results)
        return packed | {'overview': self.format_input(results['overview'])}
