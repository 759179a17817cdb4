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
        spacing_mm: (num_images,) millimetres per pixel, nan where unknown; ``None`` if no image says.
    """

    boxes: FloatArray
    scores: FloatArray
    image: IntArray
    gt_boxes: FloatArray
    gt_image: IntArray
    ignored_boxes: FloatArray
    ignored_image: IntArray
    num_images: int
    spacing_mm: FloatArray | None = None


def flatten_images(
    detections: ImageDetections,
    ground_truths: ImageBoxes,
    ignored: ImageBoxes | None = None,
    *,
    spacing_mm: Sequence[float | None] | None = None,
    image_sizes: Sequence[tuple[float, float]] | None = None,
) -> FlatBoxes:
    """Check the boxes of every image and lay them end to end.

    Args:
        detections: Per image ``(boxes (n, 4) xyxy, scores (n,))``, the scores in [0, 1].
        ground_truths: Per image (m, 4) xyxy.
        ignored: Per image (k, 4) regions in which detections do not count; none by default.
        spacing_mm: Per image millimetres per pixel, ``None`` or nan where unknown. Only distances need it.
        image_sizes: Per image ``(width, height)``. When given, boxes that reach more than a pixel beyond the image are
            refused: such a file is usually in the pixels of another image size.

    Raises:
        MammoError: If the lists differ in length, an array has another shape, a box is inverted, not finite or outside
            its image, or a score is no number in [0, 1]. The image is named by its index.
    """
    num_images = len(ground_truths)
    ignored = [()] * num_images if ignored is None else ignored
    _check_lengths(num_images, detections=detections, ignored=ignored, spacing_mm=spacing_mm, image_sizes=image_sizes)
    boxes, image = _concatenate('detections', [boxes for boxes, _ in detections])
    gt_boxes, gt_image = _concatenate('ground_truths', ground_truths)
    ignored_boxes, ignored_image = _concatenate('ignored', ignored)
    if image_sizes is not None:
        size = np.asarray(image_sizes, dtype=np.float64).reshape(-1, 2)
        _check_inside('detections', boxes, image, size)
        _check_inside('ground_truths', gt_boxes, gt_image, size)
    return FlatBoxes(
        boxes=boxes,
        scores=_concatenate_scores([scores for _, scores in detections], image),
        image=image,
        gt_boxes=gt_boxes,
        gt_image=gt_image,
        ignored_boxes=ignored_boxes,
        ignored_image=ignored_image,
        num_images=num_images,
        spacing_mm=None if spacing_mm is None else _spacing(spacing_mm),
    )


def check_groups(where: str, groups: Sequence[str] | npt.NDArray[Any], num_images: int) -> npt.NDArray[Any]:
    """(num_images,) patient of each image.

    Raises:
        MammoError: If there is not one per image, or one is empty.
    """
    labels = np.asarray(groups)
    if labels.shape != (num_images,):
        raise MammoError(
            where,
            field='patients',
            found=f'shape {labels.shape}',
            expected=f'({num_images},), one per image',
            remedy='give the patient of each image, in the order of the images',
        )
    for index, label in enumerate(groups):
        if label is None or label == '' or label != label:  # nan differs from itself
            raise _error('patients', index, 'patient', repr(label), 'an id', 'name the patient of every image')
    return labels


def _check_lengths(num_images: int, **lists: Sequence[Any] | None) -> None:
    for name, images in lists.items():
        if images is not None and len(images) != num_images:
            raise MammoError(
                name,
                field='number of images',
                found=len(images),
                expected=f'{num_images}, as in ground_truths',
                remedy='give one entry per image, an empty one for an image without boxes',
            )


def _spacing(spacing_mm: Sequence[float | None]) -> FloatArray:
    spacing = np.array([np.nan if value is None else value for value in spacing_mm], dtype=np.float64)
    for index in np.flatnonzero(~np.isnan(spacing) & ~((spacing > 0) & np.isfinite(spacing))):
        expected, remedy = 'a positive number of mm per pixel', 'give None where it is unknown'
        raise _error('spacing_mm', int(index), 'spacing', spacing[index], expected, remedy)
    return spacing


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
    raise _row_error(name, image, row, 'box', boxes[row], expected, 'give (x1, y1, x2, y2), not (x, y, w, h)')


def _check_inside(name: str, boxes: FloatArray, image: IntArray, size: FloatArray) -> None:
    inside = ((boxes[:, :2] >= -1) & (boxes[:, 2:] <= size[image] + 1)).all(axis=1)
    for row in np.flatnonzero(~inside):
        width, height = size[image[row]].tolist()
        expected = f'inside the image of {width:g} x {height:g}'
        remedy = 'bring boxes and image to the same pixels, or clip the boxes'
        raise _row_error(name, image, int(row), 'box', boxes[row], expected, remedy)


def _concatenate_scores(per_image: Sequence[npt.ArrayLike], image: IntArray) -> FloatArray:
    arrays = _arrays('detections', per_image, 'scores')
    counts = np.bincount(image, minlength=len(arrays)).tolist()
    for i, array in enumerate(arrays):
        if array.shape != (counts[i],):
            raise _error(
                'detections', i, 'shape of the scores', array.shape, f'({counts[i]},)', 'give one score per box'
            )
    scores = np.concatenate([np.empty(0), *arrays], dtype=np.float64)
    good = (scores >= 0) & (scores <= 1)
    if not good.all():
        row = int(np.argmin(good))
        remedy = 'look for nan in the model; give probabilities, not logits or per cent'
        raise _row_error('detections', image, row, 'score', scores[row], 'a number in [0, 1]', remedy)
    return scores


def _error(name: str, index: int, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(f'{name}[{index}]', field=field, found=found, expected=expected, remedy=remedy)


def _row_error(
    name: str, image: IntArray, row: int, field: str, found: npt.NDArray[Any], expected: str, remedy: str
) -> MammoError:
    """About one box of an image, named by its place in that image."""
    index = int(image[row])
    place = row - int(np.searchsorted(image, index))
    return _error(name, index, f'{field} {place}', found.tolist(), expected, remedy)
