"""From a prepared file to an array."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from mmcv.transforms import BaseTransform

from mmmammo.io import read_decoded, read_png16
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import MammoError


@TRANSFORMS.register_module()
class LoadMammogram(BaseTransform):
    """Read a prepared PNG as float32 in [0, 1]; 16 bits go without a step through 8.

    The array is (h, w): the transforms of mmcv and mmdet accept it, and OpenCV would drop a third axis of length one
    at the first resize. :class:`PackMammogram` adds the channel.

    Required Keys:

    - img_path
    - height, width
    - mirrored (bool, optional; set by :class:`ExamFlip`)

    Added Keys:

    - img (np.float32, (h, w))
    - img_shape, ori_shape

    Args:
        keep_decoded: Whether the pixels are kept decoded in ``<set>/decoded``, see :func:`mmmammo.io.read_decoded`:
            images of 16 bits are then read faster than PNG of 8. They take about three times the disk of the PNG.
        full_range: Whether each image is stretched so that its darkest pixel is 0 and its brightest 1 (min-max),
            beyond the window it was prepared with. An image of one value becomes 0.

    Raises:
        MammoError: If the file is missing, is no grey PNG of 8 or 16 bits, or its size is not that of the annotation
            file.
    """

    def __init__(self, keep_decoded: bool = False, full_range: bool = False) -> None:
        self.keep_decoded = keep_decoded
        self.full_range = full_range

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the image."""
        image = self._read(results)
        expected = (results['height'], results['width'])
        if image.shape != expected:
            raise MammoError(
                results['img_path'],
                field='image size (h, w)',
                found=image.shape,
                expected=f'{expected}, as its annotation file says',
                remedy='prepare the set again: images and annotations are not of one run',
            )
        if results.get('mirrored', False):
            image = np.ascontiguousarray(image[:, ::-1])
        results['img'] = _stretched(image) if self.full_range else image
        results['img_shape'] = results['ori_shape'] = image.shape
        return results

    def _read(self, results: dict[str, Any]) -> npt.NDArray[np.float32]:
        return (read_decoded if self.keep_decoded else read_png16)(results['img_path'])

    def __repr__(self) -> str:
        return f'{type(self).__name__}(keep_decoded={self.keep_decoded}, full_range={self.full_range})'


def _stretched(image: np.ndarray) -> np.ndarray:
    low, high = image.min(), image.max()
    return (image - low) / (high - low) if high > low else np.zeros_like(image)
