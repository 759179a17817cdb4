"""Ground truth for evaluation, from the annotations of a prepared set, any COCO file, or our predictions file.

A fault of the truth changes what is counted against, so it stops the reading; rows of a model may be refused one by one
(:mod:`~mmmammo.io.detection_files`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

from mmmammo.io.coco_entries import inside
from mmmammo.io.intake import Intake, file_sha256, load_json
from mmmammo.structures import ImagePrediction, Laterality, MammoError, View

BORDER_PX = 1.0
"""A box may reach this far beyond its image; more is the sign of boxes in the pixels of another image size."""
NO_PATIENTS = 'the truth names neither patients nor exams: each image counts as a patient, so intervals are too narrow'
NO_PATIENTS_BUT_EXAMS = 'the truth names no patients: each exam counts as one'
NO_EXAMS = 'the truth names no exams: each image counts as one'


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """The images of a set with their lesions.

    Args:
        images: Without detections, in the order of the file.
        category_ids: COCO category id -> label, an index into ``categories``.
        categories: Class names.
        image_labels: Of each image: density, age, machine, …
        lesion_labels: Of each lesion box, image after image: pathology, birads, category, …
        split: Name of the split.
        intake: Of the file.
        notes: What a reader of the numbers has to know.
    """

    images: tuple[ImagePrediction, ...]
    category_ids: Mapping[int, int]
    categories: tuple[str, ...]
    image_labels: tuple[Mapping[str, Any], ...]
    lesion_labels: tuple[Mapping[str, Any], ...]
    split: str
    intake: Intake
    notes: tuple[str, ...] = ()


def read_ground_truth(path: str | Path) -> GroundTruth:
    """Read the truth.

    Images may carry ``exam_id``, ``patient_id``, ``laterality``, ``view``, ``pixel_spacing_mm`` and ``labels``,
    annotations ``lesion_id`` and ``pathology``, as a prepared set has them. Without patients each exam counts as one,
    without exams each image does, and a note says so.

    Raises:
        MammoError: With row and value, if the file is no COCO ground truth, an id is repeated or unknown, or a box is
            inverted, not finite or outside its image.
    """
    path = Path(path)
    document = _coco(path)
    category_ids, categories = _categories(path, document['categories'])
    entries = _unique(path, 'images', document['images'])
    rows: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for number, entry in enumerate(document['annotations']):
        _check_annotation(path, number, entry, entries, category_ids)
        rows[entry['image_id']].append(entry)
    identities, notes = _identities(path, list(entries.values()))
    images = tuple(
        _image(path, entry, rows[entry['id']], category_ids, identity)
        for entry, identity in zip(entries.values(), identities, strict=True)
    )
    return GroundTruth(
        images=images,
        category_ids=category_ids,
        categories=categories,
        image_labels=tuple(_labels(entry) for entry in entries.values()),
        lesion_labels=tuple(
            _lesion_labels(row, categories[category_ids[row['category_id']]])
            for image_id in entries
            for row in rows[image_id]
            if not row.get('iscrowd')
        ),
        split=_split_name(path, document),
        intake=Intake(str(path), file_sha256(path), 'annotations', len(document['annotations'])),
        notes=notes + _notes_of_points(images),
    )


def box_fault(bbox: Any, width: int, height: int) -> tuple[object, str] | None:
    """What is wrong with COCO's ``[x, y, width, height]``: ``(found, expected)``, or ``None``.

    Args:
        bbox: Anything.
        width: Of the image; 0 where unknown, and then only the sign of the sides is checked.
        height: Likewise.
    """
    expected = 'four finite numbers x, y, width, height'
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(is_number(value) for value in bbox):
        return bbox, expected
    x, y, w, h = bbox
    if w < 0 or h < 0:
        return bbox, 'a width and a height of at least 0: the box is inverted, or is x1, y1, x2, y2 of another format'
    beyond = x < -BORDER_PX or y < -BORDER_PX or x + w > width + BORDER_PX or y + h > height + BORDER_PX
    if width and height and beyond:
        return bbox, f'a box inside the image of {width} x {height}'
    return None


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether it is a finite number, and no truth value."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _coco(path: Path) -> dict[str, Any]:
    wanted = 'COCO ground truth, such as annotations/test.json of a prepared set, or a predictions.json'
    document = load_json(path, wanted)
    for key in ('images', 'annotations', 'categories'):
        entries = document.get(key) if isinstance(document, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            found = 'nothing' if entries is None else type(entries).__name__
            raise MammoError(path, field=key, found=found, expected='a list of objects', remedy=f'give {wanted}')
    if not document['images']:
        raise MammoError(path, field='images', found='none', expected='at least one', remedy='give a set with images')
    return dict(document)


def _split_name(path: Path, document: Mapping[str, Any]) -> str:
    info = document.get('info')
    named = info.get('split') if isinstance(info, dict) else None
    if named:
        return str(named)
    return path.stem if 'detections' not in document else f'{path.resolve().parent.name}/{path.stem}'


def _categories(path: Path, entries: Sequence[Mapping[str, Any]]) -> tuple[dict[int, int], tuple[str, ...]]:
    by_id = _unique(path, 'categories', entries)
    return {name: label for label, name in enumerate(by_id)}, tuple(str(entry.get('name')) for entry in by_id.values())


def _unique(path: Path, what: str, entries: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    by_id: dict[int, Mapping[str, Any]] = {}
    for number, entry in enumerate(entries):
        key = entry.get('id')
        if not isinstance(key, int) or isinstance(key, bool) or key in by_id:
            found = f'{key!r} again' if isinstance(key, int) and key in by_id else repr(key)
            raise _fault(path, f'{what}[{number}]: id', found, 'a whole number, each once')
        by_id[key] = entry
    return by_id


def _check_annotation(
    path: Path,
    number: int,
    entry: Mapping[str, Any],
    images: Mapping[int, Mapping[str, Any]],
    categories: Mapping[int, int],
) -> None:
    where = f'annotations[{number}]'
    for key, known in (('image_id', images), ('category_id', categories)):
        if not isinstance(entry.get(key), int) or entry[key] not in known:
            raise _fault(path, f'{where}: {key}', repr(entry.get(key)), f'an id of the {key[:-3]} list of this file')
    image = images[entry['image_id']]
    fault = box_fault(entry.get('bbox'), _size(image, 'width'), _size(image, 'height'))
    if fault:
        raise _fault(path, f'{where}: bbox', fault[0], fault[1])


def _notes_of_points(images: Sequence[ImagePrediction]) -> tuple[str, ...]:
    """Lesions without area, which no box can overlap."""
    points = sum(int((image.gt_boxes[:, 2:] <= image.gt_boxes[:, :2]).any(axis=1).sum()) for image in images)
    if not points:
        return ()
    return (f'{points} annotated boxes have no area: by IoU nothing finds them; match by centre or distance',)


def _identities(path: Path, entries: Sequence[Mapping[str, Any]]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """``(exam, patient)`` of each image, and how what the file lacks was made up for."""
    exams, patients = (_ids(path, entries, key) for key in ('exam_id', 'patient_id'))
    notes = () if any(exams) else (NO_EXAMS,)
    if not any(patients):
        notes = (NO_PATIENTS_BUT_EXAMS,) if any(exams) else (NO_PATIENTS,)
        patients = exams if any(exams) else [f'image {entry["id"]}' for entry in entries]
    _check_one_patient_per_exam(path, exams, patients)
    if not any(exams):
        exams = [f'image {entry["id"]}' for entry in entries]
    return list(zip(exams, patients, strict=True)), notes


def _check_one_patient_per_exam(path: Path, exams: Sequence[str], patients: Sequence[str]) -> None:
    first: dict[str, str] = {}
    for number, (exam, patient) in enumerate(zip(exams, patients, strict=True)):
        if exam and first.setdefault(exam, patient) != patient:
            found = f'{patient!r}, but {first[exam]!r} in another image of exam {exam!r}'
            raise _fault(path, f'images[{number}]: patient_id', found, 'one patient per exam')


def _ids(path: Path, entries: Sequence[Mapping[str, Any]], key: str) -> list[str]:
    """One per image: all of them, or none."""
    values = ['' if entry.get(key) is None else str(entry[key]) for entry in entries]
    if any(values) and not all(values):
        number = values.index('')
        raise _fault(path, f'images[{number}]: {key}', 'nothing', 'an id, as other images of the file have one')
    return values


def _image(
    path: Path,
    entry: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    category_ids: Mapping[int, int],
    identity: tuple[str, str],
) -> ImagePrediction:
    lesions = [row for row in rows if not row.get('iscrowd')]
    ignored = [row for row in rows if row.get('iscrowd')]
    lesion_ids = tuple(str(row.get('lesion_id') or '') for row in lesions)
    spacing = entry.get('pixel_spacing_mm')
    if spacing is not None and not (is_number(spacing) and spacing > 0):
        raise _fault(path, f'image {entry["id"]}: pixel_spacing_mm', repr(spacing), 'a positive number or null')
    return ImagePrediction(
        image_id=entry['id'],
        file_name=_file_name(path, entry),
        width=_size(entry, 'width'),
        height=_size(entry, 'height'),
        exam_id=identity[0],
        patient_id=identity[1],
        laterality=str(Laterality.parse(entry.get('laterality'))),
        view=str(View.parse(entry.get('view'))),
        gt_boxes=xyxy([row['bbox'] for row in lesions]),
        gt_labels=np.array([category_ids[row['category_id']] for row in lesions], dtype=np.int64),
        ignored_boxes=xyxy([row['bbox'] for row in ignored]),
        ignored_labels=np.array([category_ids[row['category_id']] for row in ignored], dtype=np.int64),
        gt_lesion_ids=lesion_ids if any(lesion_ids) else (),
        pixel_spacing_mm=None if spacing is None else float(spacing),
    )


def _file_name(path: Path, entry: Mapping[str, Any]) -> str:
    """Below the folder of the images, as reports show what is there; '' if it has none."""
    name = entry.get('file_name')
    try:
        return '' if name in (None, '') else inside(name)
    except (TypeError, ValueError) as err:
        expected = 'a path below the folder of the images'
        raise _fault(path, f'image {entry["id"]}: file_name', f'{name!r:.200}', expected) from err


def xyxy(boxes: Sequence[Sequence[float]]) -> npt.NDArray[np.float64]:
    """(n, 4) corners of COCO boxes."""
    array: npt.NDArray[np.float64] = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    array[:, 2:] += array[:, :2]
    return array


def _labels(entry: Mapping[str, Any]) -> dict[str, Any]:
    labels = entry.get('labels')
    return dict(labels) if isinstance(labels, dict) else {}


def _lesion_labels(row: Mapping[str, Any], category: str) -> dict[str, Any]:
    attributes = row.get('attributes') if isinstance(row.get('attributes'), dict) else {}
    plain = {key: value for key, value in (attributes or {}).items() if isinstance(value, str | int | float)}
    return plain | {key: row.get(key) for key in ('pathology', 'birads', 'lesion_id')} | {'class': category}


def _size(entry: Mapping[str, Any], key: str) -> int:
    value = entry.get(key)
    return int(value) if is_number(value) else 0


def _fault(path: Path, field: str, found: object, expected: str) -> MammoError:
    return MammoError(
        path,
        field=field,
        found=found,
        expected=expected,
        remedy='correct the ground truth; a fault in it is never skipped, as it would change what is counted',
    )
