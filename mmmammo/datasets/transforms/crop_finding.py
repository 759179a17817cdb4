"""From a mammogram to the patch of one finding."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmmammo.datasets.transforms.randomness import call_generator
from mmmammo.preprocessing.patch import crop_patch
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import MammoError


@TRANSFORMS.register_module()
class CropFinding(BaseTransform):
    """Cut out the finding of a sample as a square patch, see :func:`mmmammo.preprocessing.patch.crop_patch`.

    Required Keys:

    - img ((h, w))
    - bbox ((x1, y1, x2, y2) in its pixels)

    Modified Keys:

    - img, img_shape

    Args:
        size: Pixels of either side of the patch.
        context: Side of what is cut out, as a multiple of the longer side of the box.
        jitter: In training, how much centre and extent of the box vary at most, as a share of its sides: the boxes of
            a detector are not those of an annotator. 0 in testing.

    Raises:
        MammoError: If a number makes no sense, or the box is empty.
    """

    def __init__(self, size: int, context: float = 1.5, jitter: float = 0.0) -> None:
        if not (size > 0 and context > 0 and 0 <= jitter < 1):
            raise MammoError(
                'CropFinding',
                field='size, context, jitter',
                found=(size, context, jitter),
                expected='size and context above 0, jitter in [0, 1)',
                remedy='correct them in the config',
            )
        self.size = size
        self.context = context
        self.jitter = jitter

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace the image by the patch."""
        box = np.asarray(results['bbox'], dtype=np.float64)
        results['img'] = crop_patch(results['img'], self._moved(box), self.size, self.context)
        results['img_shape'] = results['img'].shape
        return results

    def _moved(self, box: np.ndarray) -> np.ndarray:
        if self.jitter == 0:
            return box
        centre, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        draw = call_generator().uniform(-self.jitter, self.jitter, 3)
        centre, size = centre + draw[:2] * size, size * (1 + draw[2])
        return np.concatenate([centre - size / 2, centre + size / 2])

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size}, context={self.context}, jitter={self.jitter})'
