"""Any folder of exams, DICOM or PNG, with or without annotations.

::

    <raw>/<exam>/…                 a folder per exam, at any depth; names are free
    <raw>/<patient>/<exam>/…       or one per patient, with a folder per exam in it
    <raw>/0_L-CC.png, …            or one flat folder: files are grouped by what stands before side and view, or behind
                                   them in names that begin with them (L_CC_0.png)
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

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mmmammo.io import parse_view_name
from mmmammo.sources.annotations_csv import (
    ALL_COLUMNS,
    EXAM_COLUMNS,
    FILE_NAME,
    ImageAnnotation,
    read_annotations,
)
from mmmammo.sources.folder_exams import FolderFile, digest, exam_names, exam_places
from mmmammo.sources.folder_patients import patients_of_exams
from mmmammo.sources.headers import read_headers
from mmmammo.sources.listing import link_refusal, may_be_image, walk, written_name
from mmmammo.sources.protocol import CountCheck, SourceOption
from mmmammo.structures import ImageRecord, Laterality, MammoError, MammogramMeta, Policy, Problem, View

CATEGORIES: tuple[str, ...] = ('mass', 'calcification', 'distortion', 'asymmetry')
OPTIONS: tuple[SourceOption, ...] = ()
POLICIES: Mapping[Problem, Policy] = {}


def list_records(raw: Path, **options: str) -> Iterator[ImageRecord]:
    """Every file below ``raw`` that may be an image; what is none is told when it is read.

    Args:
        raw: The folder.
        **options: None.

    Raises:
        MammoError: If the folder is missing or holds no file, or ``annotations.csv`` is wrong.
    """
    yield from _list(Path(raw), _entries(Path(raw)), ALL_COLUMNS)


def list_exams(raw: Path) -> Iterator[ImageRecord]:
    """As :func:`list_records` for those who want no truth: ``annotations.csv`` may say what it likes of findings.

    Args:
        raw: The folder.

    Raises:
        MammoError: If the folder is missing or holds no file, or the table is wrong about sides, views, exams or women.
    """
    yield from _list(Path(raw), _entries(Path(raw)), EXAM_COLUMNS)


def list_exams_of(files: Sequence[Path]) -> Iterator[ImageRecord]:
    """As :func:`list_exams`, as if nothing but these files lay in :func:`folder_of_files`, whose table counts.

    Args:
        files: Images, at least one; what is no file is refused with its reason, by itself.

    Raises:
        MammoError: If the table is wrong about sides, views, exams or women.
    """
    raw = folder_of_files(files)
    paths = [file.absolute() for file in files]
    yield from _list(raw, {path: _no_image_file(path) for path in sorted(paths)}, EXAM_COLUMNS)


def folder_of_files(files: Sequence[Path]) -> Path:
    """The deepest folder that holds all of some files."""
    return Path(os.path.commonpath([file.absolute().parent for file in files]))


def _list(raw: Path, entries: Mapping[Path, MammoError | None], columns: Sequence[str]) -> Iterator[ImageRecord]:
    names = {path: written_name(path, raw) for path in entries}
    table = _annotations(raw, set(names.values()), columns)
    said = {path: table.get(name, ImageAnnotation()) for path, name in names.items()}
    paths = [path for path, refused in entries.items() if refused is None]
    files = [_look(path, names[path], meta) for path, meta in zip(paths, read_headers(paths), strict=True)]
    links = [_link(path, names[path]) for path, refused in entries.items() if refused is not None]
    raw_name = written_name(raw.resolve(), raw.resolve().parent)
    places = exam_places(files)
    names_of = exam_names(places, raw_name)
    exams = [said[file.path].exam_id or names_of[place] for file, place in zip(files, places, strict=True)]
    folders = {name: '/'.join(place.levels) or raw_name for place, name in names_of.items()}
    patients = _patient_ids(files, exams, {exam: folders.get(exam, exam) for exam in exams})
    records = [_record(f, exam, patients[exam], said[f.path]) for f, exam in zip(files, exams, strict=True)]
    all_places = exam_places([*files, *links])
    of_all = exam_names(all_places, raw_name)
    records += _refused(links, [of_all[place] for place in all_places[len(files) :]], entries, records)
    yield from sorted(records, key=lambda record: record.path)


def count_skipped(raw: Path) -> int:
    """Files in folders that are looked into, hidden ones too, whose names say that they are no images."""
    names = [name for _, _, files in walk(Path(raw)) for name in files if not may_be_image(name)]
    return len(names) - (Path(raw) / FILE_NAME).is_file()


def count_checks(raw: Path, **options: str) -> tuple[CountCheck, ...]:
    """None: nobody has published what lies in a folder of one's own."""
    return ()


def _entries(raw: Path) -> dict[Path, MammoError | None]:
    """What may be an image, sorted, and why it must not be opened.

    Raises:
        MammoError: If there is no such folder, or no such file in it.
    """
    if not raw.is_dir():
        raise _error(raw, 'folder', 'no such folder', 'a folder of DICOM or PNG files', 'check the path')
    root = raw.resolve()
    found = []
    for folder, names, files in walk(raw):
        found += [Path(folder, name) for name in files if may_be_image(name)]
        found += [path for path in (Path(folder, name) for name in names) if path.is_symlink()]
    entries = {path: link_refusal(path, root) for path in sorted(found)}
    if all(entries.values()):
        there = f'no image, only links that are not followed ({len(entries)})' if entries else 'no image'
        remedy = 'put the files themselves there' if entries else 'check the path'
        raise _error(raw, 'files', there, 'DICOM or PNG files, in a folder per exam', remedy)
    return entries


def _no_image_file(path: Path) -> MammoError | None:
    """What is wrong with a path that somebody named."""
    if path.is_file():
        return None
    found = 'a folder' if path.is_dir() else 'no such file'
    remedy = 'name a folder by itself, not in a list' if path.is_dir() else 'check the path'
    return _error(path, 'file', found, 'a DICOM or PNG file', remedy)


def _annotations(raw: Path, files: set[str], columns: Sequence[str]) -> dict[str, ImageAnnotation]:
    if refused := link_refusal(raw / FILE_NAME, raw.resolve()):
        raise refused
    return read_annotations(raw / FILE_NAME, files, CATEGORIES, columns, ignore_others=columns != ALL_COLUMNS)


def _look(path: Path, name: str, meta: MammogramMeta | None) -> FolderFile:
    laterality, view = parse_view_name(path.stem)
    if meta is not None and meta.laterality is not Laterality.UNKNOWN:
        laterality = meta.laterality
    if meta is not None and meta.view is not View.UNKNOWN:
        view = meta.view
    return FolderFile(path, name, meta, laterality, view)


def _link(path: Path, name: str) -> FolderFile:
    """A link that is not followed: its name is all that is known."""
    return FolderFile(path, name, None, *parse_view_name(path.stem), is_folder=path.is_dir())


def _patient_ids(files: Sequence[FolderFile], exams: Sequence[str], paths: Mapping[str, str]) -> dict[str, str]:
    """By exam: PatientID as a digest; without one a folder (:func:`patients_of_exams`), or whose other exams it has.

    Args:
        files: All.
        exams: Of each file.
        paths: By exam, its folders with ``/`` between; an id that only the table gives is one.
    """
    by_path = patients_of_exams(list(paths.values()))
    folders = {exam: by_path[path] for exam, path in paths.items()}
    said: dict[str, str] = {}
    for file, exam in zip(reversed(files), reversed(exams), strict=True):
        if file.somebody:
            said[exam] = digest('patient', file.somebody)
    owners: dict[str, set[str]] = {}
    for exam, patient in said.items():
        owners.setdefault(folders[exam], set()).add(patient)
    known = {folder: min(patients) for folder, patients in owners.items() if len(patients) == 1}
    return {exam: said.get(exam) or known.get(folder, folder) for exam, folder in folders.items()}


def _record(file: FolderFile, exam: str, patient: str, said: ImageAnnotation) -> ImageRecord:
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
    links: Sequence[FolderFile],
    exams: Sequence[str],
    why: Mapping[Path, MammoError | None],
    records: Sequence[ImageRecord],
) -> Iterator[ImageRecord]:
    """Records of links, of the exams and patients as they are without them."""
    patients = {record.exam_id: record.patient_id for record in records}
    for link, exam in zip(links, exams, strict=True):
        record = _record(link, exam, patients.get(exam, exam), ImageAnnotation())
        yield replace(record, refused=why[link.path])


def _error(where: Path, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy=remedy)
