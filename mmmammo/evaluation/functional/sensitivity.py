"""Sensitivity at the level that the question is about: box, lesion, image, breast, exam or patient.

A unit counts as found when any of its lesion boxes is; false positives are counted per image at every level, so that
the curves share one axis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmmammo.evaluation.functional.froc import DEFAULT_FPS_PER_IMAGE, FROCResult, froc_result
from mmmammo.evaluation.functional.inputs import IntArray
from mmmammo.evaluation.functional.matches import Matches, count_units
from mmmammo.structures import ImagePrediction, MammoError

LEVELS = ('box', 'lesion', 'image', 'breast', 'exam', 'patient')
"""What is found or missed. A lesion seen in two views is two boxes and one lesion; a *case* is an exam."""

_NEEDS = {
    'box': (),
    'image': (),
    'lesion': ('exams', 'lesion_ids'),
    'breast': ('exams', 'lateralities'),
    'exam': ('exams',),
    'patient': ('patients',),
}
_UNKNOWN_SIDE = 'U'


@dataclass(frozen=True, eq=False)
class ImageRecords:
    """Which exam, breast and patient an image belongs to, and which lesion a box shows.

    Only what a level needs must be given: ``exams`` for exams, and ``lateralities`` or ``lesion_ids`` with it for
    breasts or lesions.

    Args:
        exams: Per image.
        lateralities: Per image, ``'L'``, ``'R'`` or ``'U'``. An image of unknown side is a breast of its own.
        patients: Per image.
        lesion_ids: Per lesion box, image after image; the same for one lesion in every view of its exam. A box
            without id (``None`` or empty) is a lesion of its own.
    """

    exams: Sequence[str] | None = None
    lateralities: Sequence[str] | None = None
    patients: Sequence[str] | None = None
    lesion_ids: Sequence[str | None] | None = None

    @classmethod
    def of_predictions(cls, images: Sequence[ImagePrediction]) -> ImageRecords:
        """Those of a run. ``lesion_ids`` is left out when no image has any: the source does not link views."""
        lesion_ids = [name for image in images for name in image.gt_lesion_ids or ('',) * len(image.gt_boxes)]
        return cls(
            exams=[image.exam_id for image in images],
            lateralities=[image.laterality for image in images],
            patients=[image.patient_id for image in images],
            lesion_ids=lesion_ids if any(lesion_ids) else None,
        )


def froc_by_level(
    matches: Matches,
    records: ImageRecords,
    levels: Sequence[str] = LEVELS,
    fps_per_image: Sequence[float] = DEFAULT_FPS_PER_IMAGE,
    fauc_limit: float = 1.0,
) -> dict[str, FROCResult]:
    """One FROC per level.

    Args:
        matches: Detections matched to lesion boxes.
        records: What the images and boxes belong to.
        levels: Of :data:`LEVELS`.
        fps_per_image: Where to read the sensitivity.
        fauc_limit: Where the area ends.

    Returns:
        Level -> result, in the order asked for; its ``n_lesions`` counts the units of that level.

    Raises:
        MammoError: If a level is unknown, or the records lack what it needs.
    """
    return {
        level: froc_result(at_level(matches, records, level), fps_per_image, fauc_limit)
        for level in dict.fromkeys(levels)
    }


def at_level(matches: Matches, records: ImageRecords, level: str) -> Matches:
    """The matches with the units of a level in place of lesion boxes, for any function that takes matches.

    Raises:
        MammoError: If the level is unknown, or the records lack what it needs.
    """
    if level == 'box':
        return matches
    return count_units(matches, lesion_units(matches.lesion_image, matches.num_images, records, level))


def lesion_units(lesion_image: IntArray, num_images: int, records: ImageRecords, level: str) -> IntArray:
    """Which unit each lesion box belongs to.

    Args:
        lesion_image: (g,) image of each lesion box.
        num_images: Number of images.
        records: What the images and boxes belong to.
        level: One of :data:`LEVELS`.

    Returns:
        (g,) numbers, the same for boxes of one unit.

    Raises:
        MammoError: If the level is unknown, or the records lack what it needs for an image with a lesion.
    """
    if level not in LEVELS:
        raise MammoError(
            'sensitivity', field='level', found=repr(level), expected=f'one of {LEVELS}', remedy='correct the name'
        )
    columns = {name: _column(records, name, lesion_image, num_images, level) for name in _NEEDS[level]}
    numbers: dict[tuple[object, ...], int] = {}
    units = []
    for box, image in enumerate(lesion_image.tolist()):
        key = _unit_key(level, box, image, {name: column[box] for name, column in columns.items()})
        units.append(numbers.setdefault(key, len(numbers)))
    return np.array(units, dtype=np.int64)


def _unit_key(level: str, box: int, image: int, of_box: Mapping[str, str]) -> tuple[object, ...]:
    if level == 'box' or (level == 'lesion' and not of_box['lesion_ids']):
        return ('box', box)
    if level == 'image' or (level == 'breast' and of_box['lateralities'] == _UNKNOWN_SIDE):
        return ('image', image)
    return tuple(of_box.values())


def _column(records: ImageRecords, name: str, lesion_image: IntArray, num_images: int, level: str) -> list[str]:
    """One entry per lesion box."""
    values = getattr(records, name)
    per_box = name == 'lesion_ids'
    length = len(lesion_image) if per_box else num_images
    if values is None or len(values) != length:
        raise MammoError(
            f'sensitivity per {level}',
            field=name,
            found='nothing' if values is None else f'{len(values)} entries',
            expected=f'{length}, one per {"lesion box" if per_box else "image"}',
            remedy=f'give {name}, or leave the level {level!r} out',
        )
    if per_box:
        return [value or '' for value in values]
    column = [values[image] for image in lesion_image.tolist()]
    for image, value in zip(lesion_image.tolist(), column, strict=True):
        if not value:
            raise MammoError(
                f'image {image}',
                field=name,
                found=repr(value),
                expected=f'a value, as the image has a lesion and the level is {level!r}',
                remedy=f'complete it, or leave the level {level!r} out',
            )
    return column
