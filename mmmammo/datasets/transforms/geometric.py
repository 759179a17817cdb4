"""Elastic deformation that carries landmarks, boxes and masks along."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from mmcv.transforms import BaseTransform
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks

from mmmammo.datasets.transforms.randomness import call_generator, checked_probability
from mmmammo.datasets.transforms.tracking import (
    current_affine,
    current_bitmaps,
    keep_instances,
    landmark_points,
    with_points,
)
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import MammoError

Field = npt.NDArray[np.float32]
"""(h, w, 2): output pixel p shows input pixel p + field[p]; (dx, dy) in pixels."""

MAX_MAGNITUDE = 1 / 8
"""Of the spacing. Up to here the deformation cannot fold, and inverting it by iteration converges."""

_INVERSE_STEPS = 20
_POINTS_PER_BOX = 32  # a multiple of 4, so that the four extremes are among them


def elastic_field(shape: tuple[int, int], spacing: float, magnitude: float, generator: np.random.Generator) -> Field:
    """Draw a smooth displacement: control points a ``spacing`` apart, bicubic in between.

    Args:
        shape: (h, w) of the image.
        spacing: Pixels between control points.
        magnitude: Control points move by at most this many pixels, uniformly, along each axis.
        generator: Source of the displacements.
    """
    height, width = shape
    grid = (int(np.ceil(height / spacing)) + 1, int(np.ceil(width / spacing)) + 1, 2)
    moves = generator.uniform(-magnitude, magnitude, size=grid).astype(np.float32)
    field: Field = cv2.resize(moves, (width, height), interpolation=cv2.INTER_CUBIC)
    return field


def warp_image(image: npt.NDArray[Any], field: Field, interpolation: int = cv2.INTER_LINEAR) -> npt.NDArray[Any]:
    """Deform an (h, w) or (h, w, c) image; beyond its edges it goes on as its mirror image."""
    height, width = image.shape[:2]
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    warped: npt.NDArray[Any] = cv2.remap(image, grid + field, None, interpolation, borderMode=cv2.BORDER_REFLECT_101)
    return warped


def warp_points(points: npt.ArrayLike, field: Field) -> npt.NDArray[np.float64]:
    """Move (n, 2) points with the image: solve ``p + field(p) = point`` for p by fixed-point iteration."""
    points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if not len(points):
        return points
    moved = points
    for _ in range(_INVERSE_STEPS):
        moved = points - _sample(field, moved)
    return moved


def _sample(field: Field, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # pixel centres lie at + 0.5 in our coordinates and at integers in OpenCV's
    at = (points - 0.5).astype(np.float32).reshape(-1, 1, 2)
    return cv2.remap(field, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(-1, 2)


def warp_boxes(boxes: npt.NDArray[np.floating], field: Field) -> npt.NDArray[np.float64]:
    """The upright boxes around the deformed inscribed ellipses of (n, 4) boxes, clipped to the image.

    Lesions are round: a box around the deformed corners would grow with every deformation.
    """
    angles = np.linspace(0, 2 * np.pi, _POINTS_PER_BOX, endpoint=False)
    unit = np.stack([np.cos(angles), np.sin(angles)], axis=-1) / 2
    centres, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    outlines = centres[:, None] + unit * sizes[:, None]
    moved = warp_points(outlines, field).reshape(outlines.shape)
    height, width = field.shape[:2]
    limits = np.array([width, height], dtype=np.float64)
    corners = [np.clip(extreme, 0, limits) for extreme in (moved.min(axis=1), moved.max(axis=1))]
    return np.concatenate(corners, axis=-1)


@TRANSFORMS.register_module()
class ElasticDeform(BaseTransform):
    """Deform the image smoothly, and everything in it.

    Ours rather than albumentations' ``ElasticTransform``, whose boxes and points follow the pixels only roughly and
    are clamped to the image.

    Required Keys:

    - img
    - landmarks, homography_matrix (optional)
    - gt_bboxes, gt_bboxes_labels, gt_ignore_flags, gt_masks (optional)

    Modified Keys:

    - img
    - landmarks (so that ``homography_matrix`` takes them to where they are now)
    - gt_bboxes, gt_bboxes_labels, gt_ignore_flags, gt_masks (bitmaps afterwards)

    Args:
        prob: Chance that an image is deformed.
        spacing: Current pixels between control points; about the size of the anatomy that moves as one.
        magnitude: Farthest move of a control point along each axis, in current pixels.
    """

    def __init__(self, prob: float = 0.5, spacing: float = 96, magnitude: float = 8) -> None:
        self.prob = checked_probability('ElasticDeform', prob)
        if not 0 <= magnitude <= spacing * MAX_MAGNITUDE:
            raise MammoError(
                'ElasticDeform',
                field='magnitude',
                found=magnitude,
                expected=f'at most {MAX_MAGNITUDE} of the spacing, here {spacing * MAX_MAGNITUDE}',
                remedy='lower magnitude or raise spacing; beyond it tissue folds over itself',
            )
        self.spacing = spacing
        self.magnitude = magnitude

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Deform with probability ``prob``."""
        generator = call_generator()
        if generator.random() >= self.prob:
            return results
        field = elastic_field(results['img'].shape[:2], self.spacing, self.magnitude, generator)
        self._move_landmarks(results, field)
        self._move_instances(results, field)
        results['img'] = warp_image(results['img'], field)
        return results

    def _move_landmarks(self, results: dict[str, Any], field: Field) -> None:
        landmarks = results.get('landmarks')
        if landmarks is None:
            return
        now = current_affine(results)
        moved = warp_points(now.points(landmark_points(landmarks)), field)
        results['landmarks'] = with_points(landmarks, now.inverse().points(moved))

    def _move_instances(self, results: dict[str, Any], field: Field) -> None:
        if 'gt_masks' in results:
            masks = current_bitmaps(results)
            warped = [warp_image(mask, field, cv2.INTER_NEAREST) for mask in masks.masks]
            results['gt_masks'] = BitmapMasks(warped, masks.height, masks.width)
        if 'gt_bboxes' in results:
            boxes = warp_boxes(results['gt_bboxes'].numpy(), field)
            results['gt_bboxes'] = HorizontalBoxes(boxes.astype(np.float32))
            keep_instances(results, np.flatnonzero((boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf) >= 1))

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob}, spacing={self.spacing}, magnitude={self.magnitude})'
