"""What a geometric transform must keep in step with the pixels: landmarks, boxes, masks, labels.

Landmarks stay in prepared pixels; ``homography_matrix``, which every geometric transform of mmdet accumulates, takes
them to current ones. A deformation that no matrix can express moves the landmarks themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from mmdet.structures.mask import BitmapMasks

from mmmammo.structures import Affine, BreastLandmarks, MammoError

_INSTANCE_KEYS = ('gt_bboxes', 'gt_bboxes_labels', 'gt_ignore_flags', 'gt_masks')


def current_affine(results: Mapping[str, Any]) -> Affine:
    """Current pixel from prepared pixel, as accumulated so far; the identity before the first step."""
    matrix = results.get('homography_matrix')
    return Affine.identity() if matrix is None else Affine(matrix)


def landmark_points(landmarks: BreastLandmarks) -> npt.NDArray[np.float64]:
    """All points of ``landmarks`` as (n, 2): contour, nipple, the two ends of the pectoral line, the edge if any."""
    parts = [landmarks.contour, landmarks.nipple[None], landmarks.pectoral_line]
    return np.concatenate(parts if landmarks.pectoral_edge is None else [*parts, landmarks.pectoral_edge])


def with_points(landmarks: BreastLandmarks, points: npt.ArrayLike) -> BreastLandmarks:
    """``landmarks`` with other coordinates, in the order of :func:`landmark_points`."""
    points = np.asarray(points, dtype=np.float64)
    count = len(landmarks.contour)
    edge = None if landmarks.pectoral_edge is None else points[count + 3 :]
    line = points[count + 1 : count + 3]
    return replace(landmarks, contour=points[:count], nipple=points[count], pectoral_line=line, pectoral_edge=edge)


def current_bitmaps(results: Mapping[str, Any]) -> BitmapMasks:
    """The masks of the instances as uint8 bitmaps of the current image size; polygons are rasterised.

    Raises:
        MammoError: If the masks belong to an image of another size.
    """
    masks = results['gt_masks']
    size, expected = (masks.height, masks.width), results['img'].shape[:2]
    if size != expected:
        raise MammoError(
            f'pipeline, image {results.get("img_path", "")}',
            field='size of gt_masks (h, w)',
            found=size,
            expected=f'that of the image, {expected}',
            remedy='in a training pipeline put LoadAnnotations before Resize',
        )
    if isinstance(masks, BitmapMasks):
        return masks
    return BitmapMasks(masks.to_ndarray().astype(np.uint8), masks.height, masks.width)


def keep_instances(results: dict[str, Any], index: npt.NDArray[np.integer]) -> None:
    """Reduce boxes, labels, ignore flags and masks, as far as present, to the instances ``index``."""
    for key in _INSTANCE_KEYS:
        if key in results:
            results[key] = results[key][index]
