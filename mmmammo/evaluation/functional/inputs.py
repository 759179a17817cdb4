"""Boxes of many images as a few long arrays, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.structures import MammoError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

ImageDetections = Sequence[tuple[npt.ArrayLike, npt.ArrayLike]]
"""Per image ``(boxes (n, 4) xyxy, scores (n,))``."""
ImageBoxes = Sequence[npt.ArrayLike]
"""Per image (m, 4) xyxy boxes."""


@dataclass(frozen=True, eq=False)
class FlatBoxes:
    """Detections and ground truth of all images, image after image.

    Args:
        boxes: (d, 4) xyxy.
        scores: (d,).
        image: (d,) index of each detection's image, rising.
        gt_boxes: (g, 4) xyxy.
        gt_image: (g,), rising.
        ignored_boxes: (k, 4) regions in which detections do not count.
        ignored_image: (k,), rising.
        num_images: Images without any box count too.
    """

    boxes: FloatArray
    scores: FloatArray
    image: IntArray
    gt_boxes: FloatArray
    gt_image: IntArray
    ignored_boxes: FloatArray
    ignored_image: IntArray
    num_images: int


def flatten_images(
    detections: ImageDetections, ground_truths: ImageBoxes, ignored: ImageBoxes | None = None
) -> FlatBoxes:
    """Check the boxes of every image and lay them end to end.

    Args:
        detections: Per image ``(boxes (n, 4) xyxy, scores (n,))``.
        ground_truths: Per image (m, 4) xyxy.
        ignored: Per image (k, 4) regions in which detections do not count; none by default.

    Raises:
        MammoError: If the lists differ in length, an array has another shape, a box is inverted or not finite, or a
            score is not a number. The image is named by its index.
    """
    num_images = len(ground_truths)
    ignored = [()] * num_images if ignored is None else ignored
    for name, images in (('detections', detections), ('ignored', ignored)):
        if len(images) != num_images:
            raise MammoError(
                name,
                field='number of images',
                found=len(images),
                expected=f'{num_images}, as in ground_truths',
                remedy='give one entry per image, an empty one for an image without boxes',
            )
    boxes, image = _concatenate('detections', [boxes for boxes, _ in detections])
    gt_boxes, gt_image = _concatenate('ground_truths', ground_truths)
    ignored_boxes, ignored_image = _concatenate('ignored', ignored)
    scores = _concatenate_scores([scores for _, scores in detections], image)
    return FlatBoxes(boxes, scores, image, gt_boxes, gt_image, ignored_boxes, ignored_image, num_images)


def _arrays(name: str, per_image: Sequence[npt.ArrayLike], field: str) -> list[npt.NDArray[Any]]:
    """Each image's numbers as an array, of whatever numeric type."""
    arrays = []
    for i, values in enumerate(per_image):
        try:
            array = np.asarray(values)
        except ValueError as err:  # rows of unequal length
            raise _error(name, i, field, values, 'an array of numbers', 'give every row the same length') from err
        if array.dtype.kind not in 'fiu':
            raise _error(name, i, field, array.dtype, 'numbers', 'convert them first')
        arrays.append(array)
    return arrays


def _concatenate(name: str, per_image: Sequence[npt.ArrayLike]) -> tuple[FloatArray, IntArray]:
    arrays = _arrays(name, per_image, 'boxes')
    counts = np.zeros(len(arrays), dtype=np.int64)
    for i, array in enumerate(arrays):
        if array.size:
            if array.ndim != 2 or array.shape[1] != 4:
                raise _error(name, i, 'shape of the boxes', array.shape, '(n, 4)', 'give xyxy boxes, one per row')
            counts[i] = len(array)
    boxes = np.concatenate([np.empty((0, 4)), *[array for array in arrays if array.size]], dtype=np.float64)
    image = np.repeat(np.arange(len(arrays)), counts)
    _check_boxes(name, boxes, image)
    return boxes, image


def _check_boxes(name: str, boxes: FloatArray, image: IntArray) -> None:
    if np.isfinite(boxes).all() and (boxes[:, 2:] >= boxes[:, :2]).all():
        return
    good = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] >= boxes[:, :2]).all(axis=1)
    row = int(np.argmin(good))
    expected = 'finite x1 <= x2 and y1 <= y2'
    raise _error(name, int(image[row]), 'box', boxes[row].tolist(), expected, 'give (x1, y1, x2, y2), not (x, y, w, h)')


def _concatenate_scores(per_image: Sequence[npt.ArrayLike], image: IntArray) -> FloatArray:
    arrays = _arrays('detections', per_image, 'scores')
    counts = np.bincount(image, minlength=len(arrays)).tolist()
    for i, array in enumerate(arrays):
        if array.shape != (counts[i],):
            raise _error(
                'detections', i, 'shape of the scores', array.shape, f'({counts[i]},)', 'give one score per box'
            )
    scores = np.concatenate([np.empty(0), *arrays], dtype=np.float64)
    if not np.isfinite(scores).all():
        row = int(np.argmin(np.isfinite(scores)))
        raise _error(
            'detections', int(image[row]), 'score', scores[row], 'a finite number', 'look for nan in the model'
        )
    return scores


def _error(name: str, index: int, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(f'{name}[{index}]', field=field, found=found, expected=expected, remedy=remedy)
