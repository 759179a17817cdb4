"""INbreast: "INbreast Release 1.0" or a mirror of it, in whatever folder it lies.

::

    AllDICOMs/<File Name>_<patient hash>_MG_<L|R>_<CC|ML|FB>_ANON.dcm   the images; ML means MLO
    AllXML/<File Name>.xml                                              outlines, of annotated images only
    INbreast.csv  INbreast.xls                                          see mmmammo.sources.inbreast_tables
    AllROI  MedicalReports  PectoralMuscle  INbreast.pdf  README.txt    not read

The hash in the file name is the only patient id; an exam is the hash and the half-year of acquisition. There is no
pathology: ``cancer`` is a label only if asked for, and then nothing but another name of BI-RADS. An image whose table
and file name contradict each other about side or view is refused, and so is one that lacks the outlines it should have,
because it would pass for one without findings.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mmmammo.io import MammogramError, read_meta
from mmmammo.sources.inbreast_outlines import CATEGORIES, read_findings
from mmmammo.sources.inbreast_tables import Description, Tables, describe, half_year_of, read_tables
from mmmammo.sources.listing import link_refusal, list_files, missing_file, missing_row, own_file, written_name
from mmmammo.sources.protocol import CountCheck, SourceOption, chosen
from mmmammo.sources.tables import Row
from mmmammo.structures import Finding, ImageRecord, MammoError, Policy, Problem, View

__all__ = ['CATEGORIES', 'OPTIONS', 'POLICIES', 'count_checks', 'count_skipped', 'list_records']

OPTIONS: tuple[SourceOption, ...] = (
    SourceOption('cancer', ('none', 'birads'), 'none', 'label cancer by BI-RADS (0 up to 3, 1 from 4a), or not at all'),
)
POLICIES: Mapping[Problem, Policy] = {}

_NAME = re.compile(
    r'(?P<name>\d{8})_(?P<patient>[0-9a-fA-F]{16})_MG_(?P<side>[LR])_(?P<view>CC|MLO|ML|FB)_ANON\.dcm', re.IGNORECASE
)
_OUTLINES = re.compile(r'\d{8}\.xml', re.IGNORECASE)
_PIXEL_MM = 0.07
_PUBLISHED_BIRADS = {'1': 67, '2': 220, '3': 23, '4a': 13, '4b': 8, '4c': 22, '5': 49, '6': 8}
_PUBLISHED_VIEWS = {'L': 209, 'R': 201, 'CC': 203, 'MLO': 206, 'FB': 1}


@dataclass(frozen=True, eq=False)
class _Download:
    """What lies below the folder.

    Args:
        raw: The folder.
        files: All files.
        tables: What the rows say.
        images: Every file that may be an image, with what its name says: ``None`` if nothing.
        outlines: Files of outlines by file name.
    """

    raw: Path
    files: tuple[Path, ...]
    tables: Tables
    images: Mapping[Path, re.Match[str] | None]
    outlines: Mapping[str, Path]


def list_records(raw: Path, **options: str) -> Iterator[ImageRecord]:
    """Every image of the folder and every row without one, in the order of their names.

    Args:
        raw: The folder of the release, or one above it.
        **options: ``cancer``.

    Raises:
        MammoError: If there is no table, a table is not as published, or there are no outlines at all.
    """
    download = _look(Path(raw))
    with_cancer = chosen(options, OPTIONS)['cancer'] == 'birads'
    firsts = {match['name']: path for path, match in reversed(download.images.items()) if match}
    records = [_record(download, path, match, firsts, with_cancer) for path, match in download.images.items()]
    records += [_missing(download.raw, name, row) for name, row in download.tables.rows.items() if name not in firsts]
    yield from sorted(records, key=lambda record: record.relative_path)


def count_skipped(raw: Path) -> int:
    """Files that are neither images nor read: drawings of OsiriX, reports, documents."""
    download = _look(Path(raw))
    return len(download.files) - len(download.images) - len(download.outlines) - len(download.tables.read)


def count_checks(raw: Path, **options: str) -> tuple[CountCheck, ...]:
    """Counts beside those of INbreast.xls and of the outlines."""
    download = _look(Path(raw))
    rows, checks = download.tables.rows.values(), []
    found = Counter(row.text(column, '') for row in rows for column in ('Laterality', 'View', 'Bi-Rads'))
    for name, number in {**_PUBLISHED_VIEWS, **{f'BI-RADS {k}': n for k, n in _PUBLISHED_BIRADS.items()}}.items():
        checks.append(_check(f'rows, {name}', found[name.removeprefix('BI-RADS ')], number, 'not the published table'))
    partly = 'not everything was downloaded'
    named = {match['name']: match['patient'] for match in download.images.values() if match}
    exams = {
        (named[name], row.text('Acquisition date', '')) for name, row in download.tables.rows.items() if name in named
    }
    masses = [finding for finding in _all_findings(download) if finding[1].category == 'mass']
    return (
        _check('rows', len(rows), 410, 'not the published table'),
        *checks,
        _check('images', len(download.images), 410, partly),
        _check('exams', len(exams), 115, partly),
        _check('images with outlines', len(download.outlines), 343, partly),
        _check('outlines of masses', len(masses), 116, partly),
        _check('images with an outlined mass', len(set(masses)), 107, partly),
        *(check for table in download.tables.read for check in table.extra_columns()),
    )


def _check(what: str, found: int, published: int, explanation: str) -> CountCheck:
    return CountCheck(what, found, published, '' if found == published else explanation)


def _all_findings(download: _Download) -> Iterator[tuple[Path, Finding]]:
    """Findings of the files that can be read; what is wrong with the others is told when their images are prepared."""
    for path in download.outlines.values():
        try:
            findings, _ = read_findings(own_file(path, download.raw), None)
        except MammoError:
            continue
        yield from ((path, finding) for finding in findings)


def _look(raw: Path) -> _Download:
    files = list_files(raw)
    tables = read_tables(raw, files)
    images = {path: _NAME.fullmatch(path.name) for path in files if path.suffix.lower() == '.dcm'}
    outlines: dict[str, Path] = {}
    for path in files:
        if _OUTLINES.fullmatch(path.name) and outlines.setdefault(path.stem, path) is not path:
            found = f'{written_name(outlines[path.stem], raw)} and {written_name(path, raw)}'
            raise _error(raw, 'outlines', found, 'one file for an image', 'leave one of them there')
    if not outlines:
        raise _error(raw, 'outlines', 'none', 'AllXML/<File Name>.xml', 'take the folder AllXML from the release')
    return _Download(raw, files, tables, images, outlines)


def _record(
    download: _Download, path: Path, match: re.Match[str] | None, firsts: Mapping[str, Path], with_cancer: bool
) -> ImageRecord:
    """The record of a file; what is wrong with it is its refusal, so that the others go on."""
    name = written_name(path, download.raw)
    patient = match['patient'].lower() if match else Path(name).stem
    record = ImageRecord(path, name, exam_id=patient, patient_id=patient, pixel_spacing_mm=_PIXEL_MM)
    try:
        row = _row(download, record, match, firsts)
        record = replace(record, exam_id=f'{patient}-{half_year_of(row)}')
        said = describe(row, download.tables.marks.get(row.text('File Name')), with_cancer)
        record = replace(record, laterality=said.laterality, view=said.view, labels=said.labels)
        _check_name(row, said, record.path)
        findings, notes = _findings(download, path, row, said)
    except MammoError as err:
        return replace(record, refused=err)
    return replace(record, findings=findings, notes=notes)


def _row(download: _Download, record: ImageRecord, match: re.Match[str] | None, firsts: Mapping[str, Path]) -> Row:
    """The row of an image.

    Raises:
        MammoError: If the file must not be used, or there is none.
    """
    where = record.relative_path
    if refused := link_refusal(record.path, download.raw.resolve()):
        raise refused
    if match is None:
        expected = '<File Name>_<patient hash>_MG_<L|R>_<CC|ML|FB>_ANON.dcm'
        raise _error(where, 'file name', record.path.name, expected, 'restore its name, or leave it out')
    first = firsts[match['name']]
    if first is not record.path:
        found = f'{match["name"]}, as {written_name(first, download.raw)} has'
        raise _error(where, 'file name', found, 'one image of it', 'leave one of them out')
    row = download.tables.rows.get(match['name'])
    if row is None:
        raise missing_row(where, download.tables.read[0].path, match['name'])
    return row


def _check_name(row: Row, said: Description, path: Path) -> None:
    side, view = path.stem.upper().split('_')[3:5]
    if said.laterality != side:
        raise row.error('Laterality', said.laterality, f'{side}, as the name of the file says')
    if said.view != {'ML': View.MLO}.get(view, view):
        raise row.error('View', said.view, f'{view}, as the name of the file says')


def _findings(
    download: _Download, path: Path, row: Row, said: Description
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    name = row.text('File Name')
    outlines = download.outlines.get(name)
    if outlines is None:
        if said.is_normal:
            return (), ()
        expected = f'{name}.xml, because BI-RADS is {said.labels["birads"]}'
        raise _error(name, 'outlines', 'no such file', expected, 'take it from AllXML of the release')
    return read_findings(own_file(outlines, download.raw), _shape(path))


def _shape(path: Path) -> tuple[int, int] | None:
    """(h, w) as the header says; ``None`` if it does not, as will be told when the image is prepared."""
    try:
        facts = read_meta(path).attributes
    except MammogramError:
        return None
    return (facts['rows'], facts['columns']) if {'rows', 'columns'} <= facts.keys() else None


def _missing(raw: Path, name: str, row: Row) -> ImageRecord:
    """A row without a file; whose it is, only the name of the file would say."""
    path = f'AllDICOMs/{name}.dcm'
    refused = missing_file(path, row.path, row.position)
    return ImageRecord(raw / path, path, exam_id=name, patient_id=name, refused=refused)


def _error(where: str | Path, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy=remedy)
