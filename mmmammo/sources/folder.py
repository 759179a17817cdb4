"""Any folder of exams, DICOM or PNG, with or without annotations.

::

    <raw>/<exam>/…                 a folder per exam, at any depth; names are free
    <raw>/<patient>/<exam>/…       or one per patient, with a folder per exam in it
    <raw>/0_L-CC.png, …            or one flat folder: files are grouped by what stands before side and view
    <raw>/annotations.csv          optional, see :mod:`mmmammo.sources.annotations_csv`

DICOM files are grouped by StudyInstanceUID wherever they lie: studies are never mixed, and the series folders of one
study are one exam. ``patient_id`` is a digest of DICOM's PatientID: a pseudonym, the same in every set, from which a
short or guessable id can be found by trial. Where no file says it, it is a folder above the exam, but for those that
sort exams (``cancer``, ``train``, see :mod:`mmmammo.sources.folder_patients`), else the exam.
Names of folders and files go into the prepared set as they are.

No link is followed out of the folder, nor into a folder. Each is a record that is refused with its reason, so that no
file vanishes silently; files whose names say that they are no images are counted only.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mmmammo.io import MammogramError, parse_view_name, read_meta
from mmmammo.sources.annotations_csv import FILE_NAME, ImageAnnotation, read_annotations
from mmmammo.sources.folder_patients import patients_of_exams
from mmmammo.sources.listing import link_refusal, may_be_image, refuse_folder, written_name
from mmmammo.sources.protocol import CountCheck, SourceOption
from mmmammo.structures import ImageRecord, Laterality, MammoError, MammogramMeta, Policy, Problem, View

CATEGORIES: tuple[str, ...] = ('mass', 'calcification', 'distortion', 'asymmetry')
OPTIONS: tuple[SourceOption, ...] = ()
POLICIES: Mapping[Problem, Policy] = {}

_NOBODY = {'', 'ANON', 'ANONYMOUS', 'ANONYMIZED', 'ANONYMISED', 'NONE', 'UNKNOWN', 'REMOVED', '0'}
_NOTHING = (Laterality.UNKNOWN, View.UNKNOWN)
MOST_IMAGES = 16
"""In a folder whose files are taken for one exam though neither header nor name says what they show."""


def list_records(raw: Path, **options: str) -> Iterator[ImageRecord]:
    """Every file below ``raw`` that may be an image; what is none is told when it is read.

    Args:
        raw: The folder.
        **options: None.

    Raises:
        MammoError: If the folder is missing or holds no file, or ``annotations.csv`` is wrong.
    """
    raw = Path(raw)
    entries = _entries(raw)
    names = {path: written_name(path, raw) for path in entries}
    table = _annotations(raw, set(names.values()))
    said = {path: table.get(name, ImageAnnotation()) for path, name in names.items()}
    files = [_look(path, names[path]) for path, refused in entries.items() if refused is None]
    links = [_link(path, names[path]) for path, refused in entries.items() if refused is not None]
    raw_name = written_name(raw.resolve(), raw.resolve().parent)
    places = [(said[file.path].exam_id, place.levels) for file, place in zip(files, _exam_places(files), strict=True)]
    exams = [name or '-'.join(levels) or raw_name for name, levels in places]
    patients = _patient_ids(files, exams, _paths_of(exams, places, raw_name))
    records = [_record(f, exam, patients[exam], said[f.path]) for f, exam in zip(files, exams, strict=True)]
    of_links = ['-'.join(place.levels) or raw_name for place in _exam_places([*files, *links])[len(files) :]]
    records += _refused(links, of_links, entries, records)
    yield from sorted(records, key=lambda record: record.path)


def count_skipped(raw: Path) -> int:
    """Files in folders that are looked into, hidden ones too, whose names say that they are no images."""
    names = [name for _, _, files in _walk(Path(raw)) for name in files if not may_be_image(name)]
    return len(names) - (Path(raw) / FILE_NAME).is_file()


def count_checks(raw: Path, **options: str) -> tuple[CountCheck, ...]:
    """None: nobody has published what lies in a folder of one's own."""
    return ()


def _walk(raw: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """As ``os.walk``: folders that are links are named, not entered; hidden ones not even named."""
    for folder, names, files in os.walk(raw, onerror=refuse_folder):
        names[:] = [name for name in names if not name.startswith('.')]
        yield folder, names, files


def _entries(raw: Path) -> dict[Path, MammoError | None]:
    """What may be an image, sorted, and why it must not be opened.

    Raises:
        MammoError: If there is no such folder, or no such file in it.
    """
    if not raw.is_dir():
        raise _error(raw, 'folder', 'no such folder', 'a folder of DICOM or PNG files', 'check the path')
    root = raw.resolve()
    found = []
    for folder, names, files in _walk(raw):
        found += [Path(folder, name) for name in files if may_be_image(name)]
        found += [path for path in (Path(folder, name) for name in names) if path.is_symlink()]
    entries = {path: link_refusal(path, root) for path in sorted(found)}
    if all(entries.values()):
        there = f'no image, only links that are not followed ({len(entries)})' if entries else 'no image'
        remedy = 'put the files themselves there' if entries else 'check the path'
        raise _error(raw, 'files', there, 'DICOM or PNG files, in a folder per exam', remedy)
    return entries


def _annotations(raw: Path, files: set[str]) -> dict[str, ImageAnnotation]:
    if refused := link_refusal(raw / FILE_NAME, raw.resolve()):
        raise refused
    return read_annotations(raw / FILE_NAME, files, CATEGORIES)


@dataclass(frozen=True, eq=False)
class _File:
    """What a file says without its pixels.

    Args:
        path: The file.
        name: Relative to the raw folder.
        meta: ``None`` if it cannot be read.
        laterality: From the header, else from the name.
        view: Likewise.
        is_folder: Whether it is a link to a folder.
    """

    path: Path
    name: str
    meta: MammogramMeta | None
    laterality: Laterality
    view: View
    is_folder: bool = False

    @property
    def study(self) -> tuple[str, str] | None:
        """StudyInstanceUID with PatientID, because careless de-identification gives one UID to everybody."""
        if self.meta is None or not self.meta.study_uid:
            return None
        return self.meta.study_uid, self.meta.patient_id or ''

    @property
    def folder(self) -> PurePosixPath:
        """Where it lies, above folders that are named after a side or view only."""
        folder = PurePosixPath(self.name) if self.is_folder else PurePosixPath(self.name).parent
        while folder.name and all(parse_view_name(word) != _NOTHING for word in _words(folder.name)):
            folder = folder.parent
        return folder


def _look(path: Path, name: str) -> _File:
    try:
        meta = read_meta(path)
    except MammogramError:
        meta = None
    laterality, view = parse_view_name(path.stem)
    if meta is not None and meta.laterality is not Laterality.UNKNOWN:
        laterality = meta.laterality
    if meta is not None and meta.view is not View.UNKNOWN:
        view = meta.view
    return _File(path, name, meta, laterality, view)


def _link(path: Path, name: str) -> _File:
    """A link that is not followed: its name is all that is known."""
    return _File(path, name, None, *parse_view_name(path.stem), is_folder=path.is_dir())


class _Place(NamedTuple):
    """The folder of an exam, and what tells exams of one folder apart."""

    folder: str
    part: str

    @property
    def levels(self) -> list[str]:
        """Both, without the raw folder itself and nothing."""
        return [level for level in self if level not in ('', '.')]


def _exam_places(files: Sequence[_File]) -> list[_Place]:
    studies: dict[tuple[str, str], list[str]] = {}
    for file in files:
        if file.study is not None:
            studies.setdefault(file.study, []).append(file.folder.as_posix())
    homes = {study: os.path.commonpath(folders) or '.' for study, folders in studies.items()}
    crowded = Counter(homes.values())
    by_prefix, unnamed = _folders_of_many(files), _folders_of_unnamed(files)
    places = []
    for file in files:
        folder = file.folder.as_posix()
        if file.study is not None:
            folder = homes[file.study]
            part = _digest('study', '/'.join(file.study)) if crowded[folder] > 1 else ''
        elif folder in unnamed and (file.laterality, file.view) == _NOTHING:
            part = PurePosixPath(file.name).stem
        else:
            part = _prefix(file) if folder in by_prefix else ''
        places.append(_Place(folder, part))
    return places


def _folders_of_many(files: Sequence[_File]) -> set[str]:
    """Folders of images without study whose name prefixes mean exams.

    They do in the raw folder itself, and where a side and view occurs with two of them: ``0_L-CC`` and ``1_L-CC``.
    """
    seen: dict[tuple[str, Laterality, View], str] = {}
    folders = {'.'}
    for file in files:
        if file.study is None and (file.laterality, file.view) != _NOTHING:
            key = (file.folder.as_posix(), file.laterality, file.view)
            if seen.setdefault(key, _prefix(file)) != _prefix(file):
                folders.add(key[0])
    return folders


def _folders_of_unnamed(files: Sequence[_File]) -> set[str]:
    """Folders of more images than an exam has that say neither study nor side nor view; each is an exam of its own."""
    names = (file.study is None and (file.laterality, file.view) == _NOTHING for file in files)
    held = Counter(file.folder.as_posix() for file, is_unnamed in zip(files, names, strict=True) if is_unnamed)
    return {folder for folder, count in held.items() if count > MOST_IMAGES}


def _prefix(file: _File) -> str:
    """What stands before side and view in the name: ``'0'`` of ``0_L-CC`` and of ``0_R-CC_benign``; '' without them."""
    words = _words(PurePosixPath(file.name).stem)
    before = list(takewhile(lambda word: parse_view_name(word) == _NOTHING, words))
    return '-'.join(before) if len(before) < len(words) else ''


def _paths_of(
    exams: Sequence[str], places: Sequence[tuple[str | None, Sequence[str]]], raw_name: str
) -> dict[str, str]:
    """By exam: its folders with ``/`` between; an id that the table gives is one, unless it is that of a place."""
    derived = {'-'.join(levels) or raw_name: '/'.join(levels) or raw_name for _, levels in places}
    return {exam: derived.get(exam, exam) for exam in exams}


def _patient_ids(files: Sequence[_File], exams: Sequence[str], paths: Mapping[str, str]) -> dict[str, str]:
    """By exam: PatientID as a digest; without one a folder (:func:`patients_of_exams`), or whose other exams it has."""
    by_path = patients_of_exams(list(paths.values()))
    folders = {exam: by_path[path] for exam, path in paths.items()}
    said: dict[str, str] = {}
    for file, exam in zip(reversed(files), reversed(exams), strict=True):
        name = (file.meta.patient_id or '').strip() if file.meta is not None else ''
        if name.upper() not in _NOBODY:
            said[exam] = _digest('patient', name)
    owners: dict[str, set[str]] = {}
    for exam, patient in said.items():
        owners.setdefault(folders[exam], set()).add(patient)
    known = {folder: min(patients) for folder, patients in owners.items() if len(patients) == 1}
    return {exam: said.get(exam) or known.get(folder, folder) for exam, folder in folders.items()}


def _record(file: _File, exam: str, patient: str, said: ImageAnnotation) -> ImageRecord:
    """The annotation wins over what the file says."""
    return ImageRecord(
        path=file.path,
        relative_path=file.name,
        exam_id=exam,
        patient_id=said.patient_id or patient,
        laterality=said.laterality or file.laterality,
        view=said.view or file.view,
        findings=said.findings,
        labels=said.labels,
        split=said.split,
    )


def _refused(
    links: Sequence[_File], exams: Sequence[str], why: Mapping[Path, MammoError | None], records: Sequence[ImageRecord]
) -> Iterator[ImageRecord]:
    """Records of links, of the exams and patients as they are without them."""
    patients = {record.exam_id: record.patient_id for record in records}
    for link, exam in zip(links, exams, strict=True):
        record = _record(link, exam, patients.get(exam, exam), ImageAnnotation())
        yield replace(record, refused=why[link.path])


def _words(name: str) -> list[str]:
    return [word for word in re.split(r'[\W_]+', name) if word]


def _digest(kind: str, text: str) -> str:
    return f'{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}'


def _error(where: Path, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy=remedy)
