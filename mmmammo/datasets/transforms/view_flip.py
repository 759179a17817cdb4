"""Mirroring single images of classifiers, which know a side but no boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.datasets.transforms import RandomFlip

from mmmammo.datasets.transforms.tracking import current_affine
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import Affine, Laterality


@TRANSFORMS.register_module()
class FlipView(RandomFlip):
    """mmdet's ``RandomFlip`` that exchanges the sides with the pixels: a mirrored left breast looks like a right one.

    Flipping an image upside down leaves its chest wall, and so its side, where it is. Which breast it is of stays known
    as ``breast_side``: views of an exam that are flipped one by one still belong together.

    Required Keys:

    - img
    - laterality (optional; an unknown side stays unknown)

    Modified Keys:

    - img, laterality

    Added Keys:

    - flip, flip_direction, homography_matrix
    - breast_side (the side before, where it was exchanged)

    Args:
        prob: As the parent's: one chance, or one per direction.
        direction: Likewise: ``'horizontal'``, ``'vertical'``, ``'diagonal'``, or a list of them.
    """

    def _flip(self, results: dict[str, Any]) -> None:
        super()._flip(results)
        if 'laterality' in results and results['flip_direction'] != 'vertical':
            results.setdefault('breast_side', results['laterality'])
            results['laterality'] = Laterality(results['laterality']).other.value


@TRANSFORMS.register_module()
class AsDisplayed(BaseTransform):
    """Turn a prepared image back to how it is displayed: a left breast points right, a right breast points left.

    Prepared images have the chest wall on the left whatever the side, so the side is not to be seen in them. What
    ``affine`` says was mirrored is mirrored back, for models that learn the side or are to see what a reader sees.

    Required Keys:

    - img
    - affine (3x3, prepared pixel from source pixel)

    Modified Keys:

    - img, homography_matrix
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Mirror the image if its preparation did."""
        if np.linalg.det(np.asarray(results['affine'])[:2, :2]) < 0:
            moved = Affine.mirror(results['img'].shape[1]) @ current_affine(results)
            results['img'] = np.ascontiguousarray(results['img'][:, ::-1])
            results['homography_matrix'] = moved.matrix.astype(np.float32)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
