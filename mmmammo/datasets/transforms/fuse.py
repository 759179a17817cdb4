"""A whole view as the three channels of paper 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmmammo.datasets.transforms.tracking import current_affine
from mmmammo.preprocessing.fusion import Fusion
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import Affine


@TRANSFORMS.register_module()
class CLAHEFuse(BaseTransform):
    """Stack a view with its equalisations at two scales, in float32 from the 16 bits of the file.

    Put it right after loading: patches of ``mmmammo.CutPatch`` with the same arguments are cut out of the same image.
    With ``crop``, boxes have to be loaded afterwards, by what follows ``homography_matrix``.

    Required Keys:

    - img ((h, w) float32 in [0, 1])
    - homography_matrix (optional)

    Modified Keys:

    - img ((h, w, 3))
    - img_shape, homography_matrix (with ``crop``)

    Args:
        **fusion: See :class:`~mmmammo.preprocessing.fusion.Fusion`.
    """

    def __init__(self, **fusion: Any) -> None:
        self.fusion = Fusion(**fusion)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace the image."""
        view = self.fusion.of(results['img'])
        x1, y1, x2, y2 = view.frame
        part = results['img'][y1:y2, x1:x2]
        if part.shape != results['img'].shape:
            moved = Affine.translation(-x1, -y1) @ current_affine(results)
            results['homography_matrix'] = moved.matrix.astype(np.float32)
        results['img'] = view.apply(part, y1, x1)
        results['img_shape'] = part.shape
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.fusion})'
