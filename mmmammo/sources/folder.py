"""Any folder of exams, DICOM or PNG, with or without annotations.

::

    <raw>/<exam>/…                 a folder per exam, at any depth; names are free
    <raw>/0_L-CC.png, …            or one flat folder: files are grouped by what stands before side and view
    <raw>/annotations.csv          optional, see :mod:`mmmammo.sources.annotations_csv`

Files of one folder that belong to several studies (DICOM) or have several prefixes (other images) are several exams:
studies are never mixed. ``patient_id`` is a digest of DICOM's PatientID, so that a prepared set carries no identity.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmmammo.io import MammogramError, parse_view_name, read_meta
from mmmammo.sources.annotations_csv import FILE_NAME, read_annotations
from mmmammo.structures import ImageRecord, Laterality, MammoError, MammogramMeta, View

CATEGORIES: tuple[str, ...] = ('mass', 'calcification', 'distortion', 'asymmetry')

_NO_IMAGES = {'.csv', '.json', '.txt', '.md', '.xml', '.html', '.pdf', '.xls', '.xlsx', '.log', '.zip', '.sr', '.py'}
_NO_IMAGE_NAMES = {'DICOMDIR', 'Thumbs.db', 'LICENSE', 'README'}


def list_records(raw: Path) -> Iterator[ImageRecord]:
    """Every file below ``raw`` that may be an image; what is none is told when it is read.

    Args:
        raw: The folder.

    Raises:
        MammoError: If the folder is missing or holds no file, or ``annotations.csv`` is wrong.
    """
    raw = Path(raw)
    paths = list_image_files(raw)
    table = read_annotations(raw / FILE_NAME, {path.relative_to(raw).as_posix() for path in paths}, CATEGORIES)
    files = [_look(path) for path in paths]
    studies = _studies_per_folder(files)
    for file in files:
        relative = file.path.relative_to(raw).as_posix()
        exam_id = _exam_id(raw, file, studies[file.path.parent])
        said = table.get(relative)
        yield ImageRecord(
            path=file.path,
            relative_path=relative,
            exam_id=exam_id,
            patient_id=_patient_id(file.meta, exam_id),
            laterality=file.laterality,
            view=file.view,
            findings=said.findings if said else (),
            labels=said.labels if said else {},
            split=said.split if said else None,
        )


def list_image_files(raw: Path) -> list[Path]:
    """Files below a folder that may be images, sorted; links that lead out of the folder are left alone.

    Raises:
        MammoError: If there is no such folder, or no such file in it.
    """
    if not raw.is_dir():
        raise _error(raw, 'folder', 'no such folder', 'a folder of DICOM or PNG files', 'check the path')
    root = raw.resolve()
    found = []
    for folder, names, files in os.walk(raw):
        names[:] = sorted(name for name in names if not name.startswith('.'))
        found += [Path(folder, name) for name in sorted(files) if _may_be_image(name)]
    paths = [path for path in found if path.resolve().is_relative_to(root)]
    if not paths:
        raise _error(raw, 'files', 'no image', 'DICOM or PNG files, in a folder per exam', 'check the path')
    return paths


@dataclass(frozen=True, eq=False)
class _File:
    """What a file says without its pixels; ``meta`` is ``None`` if it cannot be read."""

    path: Path
    meta: MammogramMeta | None
    study: str
    laterality: Laterality
    view: View


def _look(path: Path) -> _File:
    try:
        meta = read_meta(path)
    except MammogramError:
        meta = None
    laterality, view = parse_view_name(path.stem)
    if meta is not None and meta.laterality is not Laterality.UNKNOWN:
        laterality = meta.laterality
    if meta is not None and meta.view is not View.UNKNOWN:
        view = meta.view
    study = _digest('study', meta.study_uid) if meta is not None and meta.study_uid else _prefix(path.stem)
    return _File(path, meta, '' if meta is None else study, laterality, view)


def _prefix(stem: str) -> str:
    """What stands before side and view: ``'0'`` of ``0_L-CC`` and of ``0_R-CC_benign``."""
    words = re.split(r'[\W_]+', stem)
    for position, word in enumerate(words):
        if parse_view_name(word) != (Laterality.UNKNOWN, View.UNKNOWN):
            return '-'.join(words[:position])
    return ''


def _studies_per_folder(files: list[_File]) -> dict[Path, set[str]]:
    studies: dict[Path, set[str]] = {file.path.parent: set() for file in files}
    for file in files:
        if file.meta is not None:
            studies[file.path.parent].add(file.study)
    return studies


def _exam_id(raw: Path, file: _File, studies: set[str]) -> str:
    """The folder's name; with the study where the folder holds several."""
    relative = file.path.parent.relative_to(raw).as_posix()
    folder = raw.resolve().name if relative == '.' else relative
    return f'{folder}-{file.study}' if len(studies) > 1 and file.study else folder


def _patient_id(meta: MammogramMeta | None, exam_id: str) -> str:
    return _digest('patient', meta.patient_id) if meta is not None and meta.patient_id else exam_id


def _digest(kind: str, text: str) -> str:
    return f'{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}'


def _may_be_image(name: str) -> bool:
    return not (name.startswith('.') or name in _NO_IMAGE_NAMES or Path(name).suffix.lower() in _NO_IMAGES)


def _error(where: Path, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy=remedy)
