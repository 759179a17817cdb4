"""Overlaps of the phantom as boxes of a prepared set: what a detector that sees one view takes for lesions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mmmammo.phantom.dataset import read_json
from mmmammo.structures import MammoError, PreparedImage

Boxes = npt.NDArray[np.float64]


def overlap_boxes(images: Sequence[PreparedImage], raw: Path) -> dict[int, Boxes]:
    """The overlap decoys that each image shows.

    Args:
        images: Of a prepared phantom set.
        raw: The raw set it was prepared from.

    Returns:
        Image id -> (n, 4), xyxy in prepared pixels.

    Raises:
        MammoError: If an exam is not in the raw set, or has no such view.
    """
    truths: dict[str, dict[tuple[str, str], Boxes]] = {}
    found = {}
    for image in images:
        if image.exam_id not in truths:
            truths[image.exam_id] = _by_view(raw, image.exam_id)
        view = (image.laterality.value, image.view.value)
        if view not in truths[image.exam_id]:
            raise _error(raw / image.exam_id, ' '.join(view), sorted(truths[image.exam_id]), 'that view among them')
        found[image.image_id] = image.affine.boxes(truths[image.exam_id][view])
    return found


def _by_view(raw: Path, exam_id: str) -> dict[tuple[str, str], Boxes]:
    """(side, view) -> (n, 4) of the overlaps of an exam, in source pixels."""
    path = raw / exam_id / 'truth.json'
    if not path.is_file():
        raise _error(path, 'truth.json', 'no such file', 'the raw phantom set that the annotations were prepared from')
    return {
        (view['laterality'], view['view']): np.array(
            [decoy['bbox'] for decoy in view['decoys'] if decoy['attributes']['decoy'] == 'overlap']
        ).reshape(-1, 4)
        for view in read_json(path)['views']
    }


def _error(where: Path, field: str, found: object, expected: str) -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy='give its raw set with --raw')
