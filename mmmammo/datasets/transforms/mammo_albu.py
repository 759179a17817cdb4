"""Albumentations on float images, with landmarks as keypoints."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

import albumentations as A
import cv2
import numpy as np
import numpy.typing as npt
from mmdet.datasets.transforms import Albu
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks

from mmmammo.datasets.transforms.randomness import call_generator
from mmmammo.datasets.transforms.tracking import (
    current_affine,
    current_bitmaps,
    keep_instances,
    landmark_points,
    with_points,
)
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import Affine, MammoError

INEXACT = ('ElasticTransform', 'GridDistortion', 'OpticalDistortion', 'PiecewiseAffine', 'ThinPlateSpline')
"""Albumentations whose boxes and keypoints follow the pixels only roughly and are clamped to the image."""

_PROBE_LEVELS = 128**2
_BYTE_LEVELS = 256


@TRANSFORMS.register_module()
class MammoAlbu(Albu):
    """Albumentations on a float image in [0, 1], moving boxes, masks and landmarks together.

    The affine part of what was done goes to ``homography_matrix``, so after rotations, shifts, scalings, flips and
    crops the landmarks stay the prepared ones; only what no matrix can express moves them. Augmentations that work in
    8 bits, or need three channels, are refused when the pipeline is built.

    With ``labels_only`` nothing but the image is moved, for classifiers: distortions that boxes cannot follow are then
    allowed, and landmarks and the matrix, which no longer fit, are taken off the sample.

    Required Keys:

    - img (np.float32 in [0, 1], (h, w))
    - landmarks, homography_matrix (optional)
    - gt_bboxes, gt_bboxes_labels, gt_ignore_flags, gt_masks (optional)

    Modified Keys:

    - img, img_shape
    - homography_matrix, landmarks
    - gt_bboxes, gt_bboxes_labels, gt_ignore_flags, gt_masks (bitmaps afterwards)

    Args:
        transforms: Albumentations as config dicts, e.g. ``dict(type='RandomGamma', gamma_limit=(80, 120), p=0.5)``.
        min_visibility: A box that keeps less than this share of its area inside the image is dropped.
        labels_only: Whether the sample has labels and no places; see above.

    Raises:
        MammoError: If an augmentation rounds to 8 bits, cannot take a grey float image, or is one of :data:`INEXACT`
            where places are to follow; at a sample, if one with boxes is given to ``labels_only``.
    """

    def __init__(
        self, transforms: Sequence[dict[str, Any]], min_visibility: float = 0.25, labels_only: bool = False
    ) -> None:
        # keys keep their names here; the two phases below rename what albumentations receives
        super().__init__(list(transforms), keymap={'img': 'img'})
        leaves = list(_leaves(self.aug))
        for leaf in leaves:
            _check_fit(leaf, labels_only)
        self.labels_only = labels_only
        self._is_spatial = not labels_only and any(isinstance(leaf, A.DualTransform) for leaf in leaves)
        if self._is_spatial:
            self.aug = A.Compose(
                self.aug.transforms,
                bbox_params=A.BboxParams('pascal_voc', min_visibility=min_visibility, min_area=1, clip=True),
                keypoint_params=A.KeypointParams('xy', remove_invisible=False),
            )

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Augment; the random numbers follow NumPy's global state, which mmengine seeds per worker."""
        generator = call_generator()
        # one stream for all: set_random_seed would give every augmentation the same draws
        self.aug.set_random_state(generator, random.Random(int(generator.integers(2**32))))
        augmented: dict[str, Any] = super().transform(results)
        return augmented

    def _preprocess_results(self, results: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what albumentations receives, and the rest for :meth:`_postprocess_results`."""
        inputs = {'image': results['img']}
        if self.labels_only:
            _forget_places(results)
        if self._is_spatial:
            inputs['keypoints'] = _keypoints(results)
        if self._is_spatial and 'gt_bboxes' in results:
            boxes = results['gt_bboxes'].numpy()
            inputs['bboxes'] = np.column_stack([boxes, np.arange(len(boxes))]).astype(np.float32)
        if self._is_spatial and len(results.get('gt_masks', ())):
            inputs['masks'] = current_bitmaps(results).masks
        return inputs, results

    def _postprocess_results(self, outputs: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
        """Put what albumentations returned back among the rest."""
        if self._is_spatial:
            _track_points(results, outputs['keypoints'])
            _track_instances(results, outputs)
        results['img'] = np.clip(outputs['image'], 0, 1).astype(np.float32, copy=False)
        results['img_shape'] = results['img'].shape
        return results


def _leaves(compose: A.BaseCompose) -> Iterator[A.BasicTransform]:
    for transform in compose.transforms:
        if isinstance(transform, A.BaseCompose):
            yield from _leaves(transform)
        else:
            yield transform


def _forget_places(results: dict[str, Any]) -> None:
    """Take off what would no longer fit the pixels."""
    if 'gt_bboxes' in results or 'gt_masks' in results:
        raise MammoError(
            f'pipeline, image {results.get("img_path", "")}',
            field='MammoAlbu: labels_only',
            found='a sample with boxes or masks',
            expected='one with labels only',
            remedy='leave out labels_only, so that they follow the pixels',
        )
    for key in ('landmarks', 'homography_matrix'):
        results.pop(key, None)


def _check_fit(leaf: A.BasicTransform, labels_only: bool) -> None:
    name = type(leaf).__name__
    if name in INEXACT and not labels_only:
        remedy = 'use mmmammo.ElasticDeform, or labels_only=True for a classifier'
        raise _unfit(name, 'boxes and landmarks that do not follow the pixels', remedy)
    if not isinstance(leaf, A.ImageOnlyTransform):
        return
    side = math.isqrt(_PROBE_LEVELS)
    probe = np.linspace(0.1, 0.9, _PROBE_LEVELS, dtype=np.float32).reshape(side, side)
    try:
        levels = len(np.unique(leaf(image=probe, force_apply=True)['image']))
    except (IndexError, NotImplementedError, TypeError, ValueError, cv2.error) as err:
        raise _unfit(name, f'an error on a grey float image ({err})', 'leave it out') from err
    if levels <= _BYTE_LEVELS:
        raise _unfit(name, f'{levels} grey levels left of {_PROBE_LEVELS}', 'leave it out: it works in 8 bits')


def _unfit(name: str, found: str, remedy: str) -> MammoError:
    return MammoError(
        'MammoAlbu',
        field=f'transforms: {name}',
        found=found,
        expected='an augmentation of float grey images that keeps their depth',
        remedy=remedy,
    )


def _frame(shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Three corners of the image, whose images tell the affine part of what was done."""
    height, width = shape
    return np.array([[0, 0], [width, 0], [0, height]], dtype=np.float64)


def _keypoints(results: dict[str, Any]) -> npt.NDArray[np.float32]:
    """The frame and then the landmarks, in current pixels, centres at integers as albumentations has them."""
    points = _frame(results['img'].shape[:2])
    if results.get('landmarks') is not None:
        moved = current_affine(results).points(landmark_points(results['landmarks']))
        points = np.concatenate([points, moved])
    return (points - 0.5).astype(np.float32)


def _track_points(results: dict[str, Any], keypoints: npt.NDArray[np.float32]) -> None:
    before, frame = current_affine(results), _frame(results['img'].shape[:2])
    if np.array_equal(keypoints, _keypoints(results)):
        return
    points = keypoints.astype(np.float64) + 0.5
    now = _affine_between(frame, points[:3]) @ before
    results['homography_matrix'] = now.matrix.astype(np.float32)
    if results.get('landmarks') is not None:
        results['landmarks'] = with_points(results['landmarks'], now.inverse().points(points[3:]))


def _affine_between(source: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> Affine:
    ones = np.ones((3, 1))
    linear = np.linalg.solve(np.hstack([source, ones]), target).T
    return Affine(np.vstack([linear, [0, 0, 1]]))


def _track_instances(results: dict[str, Any], outputs: dict[str, Any]) -> None:
    if 'masks' in outputs:
        masks = np.ascontiguousarray(outputs['masks'])
        results['gt_masks'] = BitmapMasks(masks, *masks.shape[1:])
    if 'bboxes' in outputs:
        boxes = outputs['bboxes'].reshape(-1, 5)
        keep_instances(results, boxes[:, 4].astype(np.int64))
        results['gt_bboxes'] = HorizontalBoxes(boxes[:, :4].astype(np.float32))
