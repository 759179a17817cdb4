"""The annotation file of a prepared set: COCO that any COCO reader opens, with what an exam needs beside it.

The format is written down in docs/conventions.md.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmmammo.io.coco_entries import REMEDY, finding_from_json, finding_to_json, image_from_json, image_to_json
from mmmammo.io.intake import load_json
from mmmammo.io.whole_files import written_whole
from mmmammo.structures import Finding, MammoError, PreparedImage

FORMAT = 'mmmammo-1'
_BORDER_TOLERANCE_PX = 1e-3


@dataclass(frozen=True, eq=False)
class PreparedSet:
    """One split of a prepared set.

    Args:
        images: In the order of the file.
        categories: Class list; a finding's ``category`` is one of them.
        info: ``format``, ``split``, ``source``, ``classes`` and whatever the writer adds.
    """

    images: tuple[PreparedImage, ...]
    categories: tuple[str, ...]
    info: Mapping[str, Any] = field(default_factory=dict)


def write_index(path: str | Path, prepared_set: PreparedSet) -> None:
    """Write an annotation file, whole or not at all.

    Raises:
        MammoError: If an id or a file name is repeated, a finding lies outside its image or has an unknown category,
            or a label is nothing JSON can hold (absent is ``None``, not nan).
    """
    path = Path(path)
    images, categories = prepared_set.images, prepared_set.categories
    _check_images(path, images)
    numbered = list(enumerate(((image, finding) for image in images for finding in image.findings), start=1))
    for number, (image, finding) in numbered:
        _check_finding(path, number, image, finding, categories)
    lists = {
        'licenses': (),
        'categories': ({'id': number, 'name': name} for number, name in enumerate(categories, start=1)),
        'images': map(image_to_json, images),
        'annotations': (
            {'id': number, 'image_id': image.image_id, 'category_id': categories.index(finding.category) + 1}
            | finding_to_json(finding)
            for number, (image, finding) in numbered
        ),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with written_whole(path) as file:
            info = {'format': FORMAT, 'classes': list(categories), **prepared_set.info}
            file.writelines(_document(info, lists))
    except (ValueError, TypeError) as err:
        raise _broken(path, 'labels, attributes or landmarks', err, 'values that JSON has') from err


def _document(info: Mapping[str, Any], lists: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterator[str]:
    """The text of the file in parts, an entry at a time: archives have entries for tens of gigabytes."""
    yield f'{{"info": {_json(info)}'
    for name, entries in lists.items():
        yield f', "{name}": ['
        for position, entry in enumerate(entries):
            yield (', ' if position else '') + _json(entry)
        yield ']'
    yield '}'


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, allow_nan=False, default=_plain)


def read_index(path: str | Path) -> PreparedSet:
    """Read an annotation file; the inverse of :func:`write_index`.

    Raises:
        MammoError: If the file is absent, no JSON or of another format; or naming the image or annotation by its id
            and the key, if a key is absent or has no sense, an id is repeated, or a finding belongs to no image, has
            an unknown category or lies outside its image.
    """
    path = Path(path)
    document = _load(path)
    images = {image.image_id: image for image in (image_from_json(entry, (), path) for entry in document['images'])}
    _check_unique(path, 'images: id', (entry['id'] for entry in document['images']))
    _check_images(path, list(images.values()))
    names = _category_names(path, document['categories'])
    findings: dict[int, list[Finding]] = defaultdict(list)
    for entry in document['annotations']:
        image_id, finding = _read_annotation(path, entry, images, names)
        findings[image_id].append(finding)
    _check_unique(path, 'annotations: id', (str(entry.get('id')) for entry in document['annotations']))
    whole = tuple(replace(image, findings=tuple(findings[key])) for key, image in images.items())
    return PreparedSet(whole, tuple(names.values()), document['info'])


def check_patient_disjoint(paths: Sequence[str | Path]) -> None:
    """Refuse splits that share a patient.

    Raises:
        MammoError: Naming both files and how many patients they share.
    """
    seen: dict[str, Path] = {}
    for path in map(Path, paths):
        patients = {image_from_json(entry, (), path).patient_id for entry in _load(path)['images']}
        for other in sorted({seen[patient] for patient in patients & seen.keys()}):
            shared = sum(seen.get(patient) == other for patient in patients)
            raise MammoError(
                path,
                field='patient_id',
                found=f'{shared} patient(s) who are also in {other}',
                expected='no patient in two splits',
                remedy='prepare the set again: splits are drawn by patient',
            )
        seen.update(dict.fromkeys(patients, path))


def _read_annotation(
    path: Path, entry: Mapping[str, Any], images: Mapping[int, PreparedImage], names: Mapping[int, str]
) -> tuple[int, Finding]:
    """One finding and the id of its image."""
    who = f'annotation {entry.get("id", "without id")}'
    for key, known in (('image_id', images), ('category_id', names)):
        if not isinstance(entry.get(key), int) or entry[key] not in known:
            raise _broken(path, f'{who}: {key}', repr(entry.get(key)), f'an id of the {key[:-3]} list of this file')
    image = images[entry['image_id']]
    finding = finding_from_json(entry, names[entry['category_id']], path)
    _check_finding(path, entry.get('id'), image, finding, tuple(names.values()))
    return image.image_id, finding


def _category_names(path: Path, entries: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Names by id; ids are 1, 2, … because a label is a position in this list."""
    ids, names = [entry.get('id') for entry in entries], [str(entry.get('name')) for entry in entries]
    if ids != list(range(1, len(entries) + 1)):
        raise _broken(path, 'categories: id', ids, f'1 to {len(entries)}, in order')
    _check_unique(path, 'categories: name', names)
    return dict(enumerate(names, start=1))


def _check_images(path: Path, images: Sequence[PreparedImage]) -> None:
    _check_unique(path, 'images: id', (image.image_id for image in images))
    _check_unique(path, 'images: file_name', (image.file_name for image in images))


def _check_unique(path: Path, field_name: str, values: Iterable[Hashable]) -> None:
    repeated = [value for value, count in Counter(values).items() if count > 1]
    if repeated:
        found = f'{len(repeated)} repeated, the first is {repeated[0]!r}'
        raise _broken(path, field_name, found, 'each once')


def _check_finding(
    path: Path, number: int | None, image: PreparedImage, finding: Finding, categories: Sequence[str]
) -> None:
    """Refuse what would go wrong much later."""
    who = f'annotation {number} (image {image.image_id}, {image.file_name})'
    if finding.category not in categories:
        raise _broken(path, f'{who}: category', repr(finding.category), f'one of {", ".join(categories)}')
    x1, y1, x2, y2 = finding.bbox
    slack = _BORDER_TOLERANCE_PX
    if not (-slack <= x1 < x2 <= image.width + slack and -slack <= y1 < y2 <= image.height + slack):
        expected = f'x1 < x2 and y1 < y2 inside the {image.width} x {image.height} image'
        raise _broken(path, f'{who}: bbox', f'(x1, y1, x2, y2) = {finding.bbox}', expected)


def _plain(value: object) -> object:
    """NumPy scalars, which tables are full of, as what they hold."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f'{value!r} is no JSON value')


def _load(path: Path) -> dict[str, Any]:
    """The document, with the three lists of COCO."""
    document = load_json(path, 'an annotation file', REMEDY)
    info = document.get('info') if isinstance(document, dict) else None
    found = info.get('format') if isinstance(info, dict) else None
    if found != FORMAT:
        raise _broken(path, 'info.format', repr(found), repr(FORMAT))
    for key in ('images', 'annotations', 'categories'):
        entries = document.get(key)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise _broken(path, key, type(entries).__name__, 'a list of objects')
    return dict(document)


def _broken(path: Path, what: str, found: object, expected: str) -> MammoError:
    return MammoError(path, field=what, found=found, expected=expected, remedy=REMEDY)
