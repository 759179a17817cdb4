"""From rows of a file (COCO results, a CSV), one box each, to boxes per image."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import FloatArray, IntArray
from mmmammo.structures import MammoError


def boxes_by_image(
    image_ids: Sequence[Hashable], row_image_ids: Sequence[Hashable], boxes: npt.ArrayLike, name: str = 'boxes'
) -> list[FloatArray]:
    """Truth or ignored regions, for :func:`~mmmammo.evaluation.functional.flatten_images`.

    Args:
        image_ids: Every image, each once; images without a row get no box.
        row_image_ids: (r,) image of each row.
        boxes: (r, 4) xyxy.
        name: What the rows are, for messages.

    Returns:
        Per image (m, 4), in the order of the rows.

    Raises:
        MammoError: If an image is named twice, or a row names an unknown one or has no box.
    """
    xyxy = _row_boxes(name, boxes, len(row_image_ids))
    order, ends = _rows_of_images(image_ids, row_image_ids, name)
    return np.split(xyxy[order], ends)[: len(image_ids)]


def detections_by_image(
    image_ids: Sequence[Hashable],
    row_image_ids: Sequence[Hashable],
    boxes: npt.ArrayLike,
    scores: npt.ArrayLike,
    name: str = 'detections',
) -> list[tuple[FloatArray, FloatArray]]:
    """Detections, for :func:`~mmmammo.evaluation.functional.flatten_images`.

    Args:
        image_ids: Every image, each once; images without a row get no detection.
        row_image_ids: (r,) image of each row.
        boxes: (r, 4) xyxy.
        scores: (r,) in [0, 1].
        name: What the rows are, for messages.

    Returns:
        Per image ``(boxes (n, 4), scores (n,))``, in the order of the rows.

    Raises:
        MammoError: If an image is named twice, or a row names an unknown one, or has no box or no score.
    """
    xyxy = _row_boxes(name, boxes, len(row_image_ids))
    values = np.asarray(scores, dtype=np.float64)
    if values.shape != (len(xyxy),):
        raise MammoError(
            name, field='scores', found=f'shape {values.shape}', expected=f'({len(xyxy)},)', remedy='one score per row'
        )
    bad = np.flatnonzero(~((values >= 0) & (values <= 1)))
    if len(bad):
        raise MammoError(
            name,
            field=f'row {bad[0]}, score',
            found=values[bad[0]].item(),
            expected='a number in [0, 1]',
            remedy='look for nan in the model; give probabilities, not logits or per cent',
        )
    order, ends = _rows_of_images(image_ids, row_image_ids, name)
    return list(zip(np.split(xyxy[order], ends), np.split(values[order], ends), strict=True))[: len(image_ids)]


def _rows_of_images(
    image_ids: Sequence[Hashable], row_image_ids: Sequence[Hashable], name: str
) -> tuple[IntArray, list[int]]:
    """Rows in order of their image, and where each image's rows end."""
    index: dict[Any, int] = {}
    for i, image_id in enumerate(image_ids):
        if index.setdefault(image_id, i) != i:
            raise MammoError(
                'image_ids',
                field=f'row {i}',
                found=f'{image_id!r}, already in row {index[image_id]}',
                expected='each image once',
                remedy='drop the repeat',
            )
    images = np.empty(len(row_image_ids), dtype=np.int64)
    for row, image_id in enumerate(row_image_ids):
        if image_id not in index:
            raise MammoError(
                name,
                field=f'row {row}, image id',
                found=repr(image_id),
                expected=f'one of the {len(index)} images of the ground truth',
                remedy='evaluate against the annotations that the model was run on; 7 and "7" differ',
            )
        images[row] = index[image_id]
    counts = np.bincount(images, minlength=len(index))
    return np.argsort(images, kind='stable'), np.cumsum(counts)[:-1].tolist()


def _row_boxes(name: str, boxes: npt.ArrayLike, num_rows: int) -> FloatArray:
    xyxy = np.asarray(boxes, dtype=np.float64)
    xyxy = xyxy.reshape(-1, 4) if xyxy.size == 0 else xyxy
    if xyxy.shape != (num_rows, 4):
        raise MammoError(
            name, field='boxes', found=f'shape {xyxy.shape}', expected=f'({num_rows}, 4)', remedy='one box per row'
        )
    good = np.isfinite(xyxy).all(axis=1) & (xyxy[:, 2:] >= xyxy[:, :2]).all(axis=1)
    if not good.all():
        row = int(np.argmin(good))
        raise MammoError(
            name,
            field=f'row {row}, box',
            found=xyxy[row].tolist(),
            expected='finite x1 <= x2 and y1 <= y2',
            remedy='give (x1, y1, x2, y2); COCO files hold (x, y, w, h)',
        )
    return xyxy
