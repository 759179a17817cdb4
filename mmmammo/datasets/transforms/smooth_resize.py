"""Resizing that neither aliases nor shows blocks."""

from __future__ import annotations

from typing import Any

import mmcv
from mmdet.datasets.transforms import Resize

from mmmammo.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SmoothResize(Resize):
    """mmdet's, by area where an image shrinks and linearly where it grows.

    Linear interpolation looks at four pixels and misses microcalcifications between them when it shrinks; OpenCV's area
    interpolation repeats pixels when it enlarges. An image that shrinks along one axis only is taken to grow.

    Args:
        **kwargs: As in :class:`mmdet.datasets.transforms.Resize`, but ``interpolation``.
    """

    def _resize_img(self, results: dict[str, Any]) -> None:
        height, width = results['img'].shape[:2]
        wanted = results['scale']
        if self.keep_ratio:
            wanted = mmcv.rescale_size((width, height), wanted)
        self.interpolation = 'area' if wanted[0] <= width and wanted[1] <= height else 'bilinear'
        super()._resize_img(results)
