"""The annotation file of a prepared set: COCO that any COCO reader opens, with what an exam needs beside it.

The format is written down in docs/conventions.md.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmmammo.io.coco_entries import finding_from_json, finding_to_json, image_from_json, image_to_json
from mmmammo.structures import Finding, MammoError, PreparedImage

FORMAT = 'mmmammo-1'
_REMEDY = 'prepare the set again with tools/prepare_dataset.py; do not edit the file'
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
        MammoError: If an id is repeated, a finding lies outside its image or has an unknown category.
    """
    path = Path(path)
    _check(path, prepared_set)
    images = prepared_set.images
    category_ids = {name: number for number, name in enumerate(prepared_set.categories, start=1)}
    findings = [(image, finding) for image in images for finding in image.findings]
    document = {
        'info': {'format': FORMAT, 'classes': list(prepared_set.categories), **prepared_set.info},
        'licenses': [],
        'categories': [{'id': number, 'name': name} for name, number in category_ids.items()],
        'images': [image_to_json(image) for image in images],
        'annotations': [
            {'id': number, 'image_id': image.image_id, 'category_id': category_ids[finding.category]}
            | finding_to_json(finding)
            for number, (image, finding) in enumerate(findings, start=1)
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f'.{path.name}.{os.getpid()}')
    scratch.write_text(json.dumps(document), encoding='utf-8')
    scratch.replace(path)


def read_index(path: str | Path) -> PreparedSet:
    """Read an annotation file.

    Raises:
        MammoError: If the file is absent, no JSON, of another format, lacks a key, repeats an id, or holds a finding
            of an unknown category or outside its image.
    """
    path = Path(path)
    document = _load(path)
    try:
        names = {category['id']: category['name'] for category in document['categories']}
        findings: dict[int, list[Finding]] = defaultdict(list)
        for annotation in document['annotations']:
            findings[annotation['image_id']].append(finding_from_json(annotation, names[annotation['category_id']]))
        images = tuple(image_from_json(image, findings.pop(image['id'], [])) for image in document['images'])
    except KeyError as err:
        raise _broken(path, 'key', f'no {err}', 'the keys of docs/conventions.md') from err
    except (ValueError, TypeError) as err:
        raise _broken(path, 'value', err, 'the values of docs/conventions.md') from err
    if findings:
        raise _broken(path, 'annotations.image_id', sorted(findings)[:5], 'ids of images in the file')
    prepared_set = PreparedSet(images, tuple(names.values()), document['info'])
    _check(path, prepared_set)
    return prepared_set


def check_patient_disjoint(paths: Sequence[str | Path]) -> None:
    """Refuse splits that share a patient.

    Raises:
        MammoError: Naming both files and how many patients they share.
    """
    seen: dict[str, Path] = {}
    for path in map(Path, paths):
        patients = {image['patient_id'] for image in _load(path).get('images', [])}
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


def _check(path: Path, prepared_set: PreparedSet) -> None:
    """Refuse what would go wrong much later."""
    ids = [image.image_id for image in prepared_set.images]
    if len(set(ids)) < len(ids):
        raise _broken(path, 'images.id', f'{len(ids) - len(set(ids))} repeated', 'each id once')
    for image in prepared_set.images:
        for finding in image.findings:
            where = f'annotation of image {image.image_id} ({image.file_name})'
            if finding.category not in prepared_set.categories:
                raise _broken(path, f'{where}: category', finding.category, f'one of {prepared_set.categories}')
            x1, y1, x2, y2 = finding.bbox
            slack = _BORDER_TOLERANCE_PX
            if not (-slack <= x1 < x2 <= image.width + slack and -slack <= y1 < y2 <= image.height + slack):
                raise _broken(
                    path, f'{where}: bbox', finding.bbox, f'a box inside the {image.width} x {image.height} image'
                )


def _load(path: Path) -> dict[str, Any]:
    try:
        document: Any = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError as err:
        raise _broken(path, 'file', 'nothing', 'an annotation file') from err
    except ValueError as err:
        raise _broken(path, 'content', err, 'JSON') from err
    found = document.get('info', {}).get('format') if isinstance(document, dict) else type(document).__name__
    if found != FORMAT:
        raise _broken(path, 'info.format', repr(found), repr(FORMAT))
    return dict(document)


def _broken(path: Path, what: str, found: object, expected: str) -> MammoError:
    return MammoError(path, field=what, found=found, expected=expected, remedy=_REMEDY)
