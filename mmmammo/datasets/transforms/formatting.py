"""From the results of a pipeline to the sample that a model receives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from mmdet.datasets.transforms import PackDetInputs

from mmmammo.anatomy import check_corner_mode, node_layout, pseudo_landmarks
from mmmammo.datasets.transforms.tracking import current_affine
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import MASK_STRIDE, STANDARD_VIEWS

META_KEYS = (
    'img_id',
    'img_path',
    'ori_shape',
    'img_shape',
    'scale_factor',
    'flip',
    'flip_direction',
    'homography_matrix',
    'exam_id',
    'patient_id',
    'laterality',
    'view',
    'quality',
    'pixel_spacing_mm',
    'affine',
    'labels',
    'landmarks',
    'nodes',
    'corner_mode',
    'breast_mask',
    'lesion_ids',
)
"""What a data sample carries besides its instances."""

_SUBPIXEL_BITS = 4


def contour_mask(
    contour: npt.NDArray[np.floating], shape: tuple[int, int], stride: int = MASK_STRIDE
) -> npt.NDArray[np.bool_]:
    """Rasterise a breast outline on a coarse grid.

    Args:
        contour: (n, 2) in input pixels.
        shape: (h, w) of the input.
        stride: Input pixels per cell.

    Returns:
        (ceil(h / stride), ceil(w / stride)); a cell is inside when its centre is, or lies within half a pixel of
        the outline.
    """
    cells = [-(-side // stride) for side in shape]
    # filled at full size and then sampled: OpenCV fills every pixel that the outline touches, so that filling at the
    # coarse size would add half a cell all round; moved so that the sampled pixels have the centres of the cells
    mask = np.zeros([side * stride for side in cells], dtype=np.uint8)
    points = np.round((contour - (stride / 2 - stride // 2)) * 2**_SUBPIXEL_BITS).astype(np.int32)
    cv2.fillPoly(mask, [points], 1, shift=_SUBPIXEL_BITS)
    return mask[stride // 2 :: stride, stride // 2 :: stride].astype(bool)


@TRANSFORMS.register_module()
class PackMammogram(PackDetInputs):
    """Pack one image, with its anatomy moved to the pixels of the network input.

    Required Keys:

    - img, img_shape
    - landmarks (BreastLandmarks in prepared pixels, or None), view, homography_matrix (all optional)
    - gt_bboxes, gt_bboxes_labels, gt_masks, gt_ignore_flags, instances (optional)

    Added Keys (meta information of the data sample):

    - nodes ((n, 2) float32 in input pixels; None without landmarks, or in a view that is neither CC nor MLO)
    - corner_mode
    - breast_mask (bool, (ceil(h / 4), ceil(w / 4)); None without landmarks)
    - lesion_ids (of all ``instances``, also of those that a transform has dropped since; '' where unknown)

    Args:
        num_nodes: Pseudo-landmarks of a CC and of an MLO view.
        meta_keys: Keys copied to the meta information, where present.
        corner_mode: How far from the corner its line of nodes runs in an MLO view, see
            :func:`mmmammo.anatomy.pseudo_landmarks`. A prior has to be built with the same; a uniform one and
            :class:`mmmammo.models.LesionMatcher` reckon with ``'midpoint'``.

    Raises:
        LandmarkError: If a number of nodes cannot be laid out, or there is no such corner mode.
    """

    def __init__(
        self,
        num_nodes: Sequence[int] = (22, 26),
        meta_keys: Sequence[str] = META_KEYS,
        corner_mode: str = 'midpoint',
    ) -> None:
        super().__init__(meta_keys=tuple(meta_keys))
        check_corner_mode(corner_mode)
        self.corner_mode = corner_mode
        self.num_nodes = dict(zip(STANDARD_VIEWS, num_nodes, strict=True))
        for view, number in self.num_nodes.items():
            node_layout(view, number)  # complains about impossible numbers before any image is read

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return ``{'inputs': (1, h, w) tensor, 'data_samples': DetDataSample}``."""
        results['nodes'] = self._nodes(results)
        results['corner_mode'] = self.corner_mode
        results['breast_mask'] = self._breast_mask(results)
        results['lesion_ids'] = tuple(finding.get('lesion_id') or '' for finding in results.get('instances', ()))
        return super().transform(results)

    def _nodes(self, results: dict[str, Any]) -> npt.NDArray[np.float32] | None:
        landmarks, view = results.get('landmarks'), results.get('view')
        if landmarks is None or view not in self.num_nodes:
            return None
        nodes = pseudo_landmarks(landmarks, view, self.num_nodes[view], self.corner_mode)
        return current_affine(results).points(nodes).astype(np.float32)

    def _breast_mask(self, results: dict[str, Any]) -> npt.NDArray[np.bool_] | None:
        landmarks = results.get('landmarks')
        if landmarks is None:
            return None
        return contour_mask(current_affine(results).points(landmarks.contour), results['img_shape'][:2])
