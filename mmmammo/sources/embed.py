"""EMBED Open Data, the Emory Breast Imaging Dataset: all exams of women over years, with boxes, BI-RADS and pathology.

::

    <raw>/tables/EMBED_OpenData_metadata_reduced.csv   one row per file; EMBED_OpenData_metadata.csv will do
    <raw>/tables/EMBED_OpenData_clinical.csv           one row per finding; …_clinical_reduced.csv will do
    <raw>/images/cohort_1/<patient>/<study>/<series>/<SOP Instance UID>.dcm

Nobody has all of it: women and exams of which no file is there are not spoken of, and a file that is missing in an
exam of which others are there is told. A file is found by its name, wherever it lies below the folder; the folders of
``anon_dicom_path`` are those of the authors.

A box says where a radiologist circled something, not which row of the clinical table that is. It gets the category and
the pathology that all rows of the breast agree on; else it is a ``lesion`` with ``attributes['categories']``. Some
boxes are those of the mirrored image (issues 5 and 9 of the authors' repository); they are found in the pixels, see
:mod:`mmmammo.prepare.facing`.

What was verified: names and meaning of columns are those of the authors' README, legend and notebooks. No file of the
dataset was at hand.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from mmmammo.sources.embed_clinical import (
    CATEGORIES,
    categories_of,
    identifier,
    labels_of_breast,
    pathology_of,
    read_clinical,
    rows_of_breast,
)
from mmmammo.sources.listing import link_refusal, list_files, missing_file, missing_row, only_file, written_name
from mmmammo.sources.protocol import CountCheck, SourceOption, chosen
from mmmammo.sources.tables import Row, Table, read_table
from mmmammo.structures import Finding, ImageRecord, Laterality, MammoError, Policy, Problem, View

OPTIONS: tuple[SourceOption, ...] = (
    SourceOption(
        'pathology_days',
        ('0', '180', '365'),
        '180',
        'how many days after an exam the pathology of the same breast is still its own',
    ),
)
POLICIES: Mapping[Problem, Policy] = {}
METADATA = ('EMBED_OpenData_metadata_reduced.csv', 'EMBED_OpenData_metadata.csv')
CLINICAL = ('EMBED_OpenData_clinical.csv', 'EMBED_OpenData_clinical_reduced.csv')

_REQUIRED = ('empi_anon', 'acc_anon', 'anon_dicom_path', 'FinalImageType', 'ImageLateralityFinal', 'ViewPosition')
_COUNTS = ('num_roi', 'num_ROI')
_OPTIONAL = (
    'spot_mag',
    *_COUNTS,
    'ROI_coords',
    'match_level',
    'BreastImplantPresent',
    'Manufacturer',
    'ManufacturerModelName',
)
_SIDES = {'L': Laterality.LEFT, 'R': Laterality.RIGHT}
_TYPES = {'2D': 0, 'cview': 1, 'C-view': 1}
_FLAGS = {'0': 0, '1': 1, '0.0': 0, '1.0': 1}
_IMPLANTS = {'YES': 1, 'NO': 0}
_FILE = re.compile(r'[\w.-]+\.dcm')
_DEPTH = 5


@dataclass(frozen=True, eq=False)
class _Download:
    """What lies on the disk.

    Args:
        raw: The folder.
        files: All, sorted.
        images: By name; names are unique.
        metadata: One row per file of the whole dataset.
        rows: Of it, by name of the file.
        clinical: One row per finding.
        of_patient: Its rows, by patient.
    """

    raw: Path
    files: tuple[Path, ...]
    images: Mapping[str, Path]
    metadata: Table
    rows: Mapping[str, Row]
    clinical: Table
    of_patient: Mapping[str, list[Row]]


def list_records(raw: Path, **options: str) -> Iterator[ImageRecord]:
    """Every image on the disk, and those missing in exams of which others are there.

    Args:
        raw: The folder of the download.
        **options: ``pathology_days``.

    Raises:
        MammoError: If a table is missing or damaged, or two files have one name.
    """
    days = int(chosen(options, OPTIONS)['pathology_days'])
    download = _look(Path(raw))
    records = [_record(download, path, days) for path in download.images.values()]
    yield from sorted([*records, *_missing(download)], key=lambda record: record.relative_path)


def count_skipped(raw: Path) -> int:
    """Files that are neither DICOM nor one of the two tables that are read."""
    download = _look(Path(raw))
    return len(download.files) - len(download.images) - 2


def count_checks(raw: Path, **options: str) -> tuple[CountCheck, ...]:
    """Rows and images beside the counts of the authors' notebook."""
    download = _look(Path(raw))
    told = {
        f'rows of {download.metadata.path.name}': (len(download.metadata.rows), 480_323, 'not the released table'),
        f'rows of {download.clinical.path.name}': (len(download.clinical.rows), 81_776, 'not the released table'),
        'images': (len(download.images), 480_323, 'not everything was downloaded'),
    }
    return tuple(CountCheck(what, n, known, '' if n == known else why) for what, (n, known, why) in told.items())


def _look(raw: Path) -> _Download:
    files = list_files(raw)
    metadata = read_table(_table(raw, files, METADATA), _REQUIRED, _OPTIONAL, only_known=True)
    clinical, of_patient = read_clinical(_table(raw, files, CLINICAL))
    rows: dict[str, Row] = {}
    for row in metadata.rows:
        name = _file_name(row)
        if rows.setdefault(name, row) is not row:
            raise row.error('anon_dicom_path', f'the file of row {rows[name].position} again', 'one row per file')
    return _Download(raw, files, _images(raw, files), metadata, rows, clinical, of_patient)


def _table(raw: Path, files: tuple[Path, ...], names: Sequence[str]) -> Path:
    """The first that is there."""
    for name in names:
        if (path := only_file(raw, files, name)) is not None:
            return path
    remedy = 'fetch the folder tables of the bucket too, and name the folder above it'
    raise _error(raw, names[0], 'no such file', f'it, or {names[1]}', remedy)


def _file_name(row: Row) -> str:
    """The last part of the path alone is used: it can lead nowhere."""
    name = PurePosixPath(row.text('anon_dicom_path')).name
    if not _FILE.fullmatch(name):
        raise row.error('anon_dicom_path', name, 'a path that ends in <SOP Instance UID>.dcm')
    return name


def _images(raw: Path, files: Sequence[Path]) -> dict[str, Path]:
    images: dict[str, Path] = {}
    for path in files:
        if path.suffix == '.dcm' and images.setdefault(path.name, path) is not path:
            found = f'{written_name(images[path.name], raw)} and {written_name(path, raw)}'
            raise _error(raw, 'images', found, 'each file once', 'leave one of them there')
    return images


def _record(download: _Download, path: Path, days: int) -> ImageRecord:
    """The record of a file; what is wrong with it is its refusal, so that the others go on."""
    name, row = written_name(path, download.raw), download.rows.get(path.name)
    if row is None:
        alone = Path(name).with_suffix('').as_posix()
        refused = missing_row(name, download.metadata.path, path.name)
        return ImageRecord(path, name, exam_id=alone, patient_id=alone, refused=refused)
    patient = identifier(row, 'empi_anon')
    record = ImageRecord(path, name, exam_id=identifier(row, 'acc_anon'), patient_id=patient)
    if refused := link_refusal(path, download.raw.resolve()):
        return replace(record, refused=refused)
    try:
        return _described(record, row, download.of_patient.get(patient, []), days)
    except MammoError as err:
        return replace(record, refused=err)


def _described(record: ImageRecord, row: Row, of_patient: Sequence[Row], days: int) -> ImageRecord:
    side = row.choice('ImageLateralityFinal', _SIDES)
    of_breast = rows_of_breast(of_patient, record.exam_id, side)
    labels = labels_of_breast(of_breast, of_patient, side, days) | _acquisition(row)
    return replace(
        record,
        laterality=side,
        view=View.parse(row.text('ViewPosition', None)),
        labels=labels,
        findings=_findings(row, of_breast, labels),
    )


def _acquisition(row: Row) -> dict[str, Any]:
    """What the table says of the image; the quality gate decides about the first three."""
    labels = {
        'synthetic_2d': row.choice('FinalImageType', _TYPES) or None,
        'magnification': row.choice('spot_mag', _FLAGS, None) or None,
        'implant': row.choice('BreastImplantPresent', _IMPLANTS, None),
        'manufacturer': row.text('Manufacturer', None),
        'machine': row.text('ManufacturerModelName', None),
    }
    return {name: value for name, value in labels.items() if value is not None}


def _findings(row: Row, of_breast: Sequence[Row], labels: Mapping[str, Any]) -> tuple[Finding, ...]:
    boxes = _numbers(row, 'ROI_coords')
    column = next((name for name in _COUNTS if row.has(name)), None)
    if column is not None and row.integer(column) != len(boxes):
        raise row.error(column, row.text(column), f'{len(boxes)}, as many as there are ROI_coords')
    levels = _numbers(row, 'match_level')
    found = categories_of(of_breast)
    findings = []
    for i, box in enumerate(boxes):
        attributes: dict[str, Any] = {'categories': found} if len(found) > 1 else {}
        attributes |= {'match_level': levels[i]} if i < len(levels) else {}
        category = found[0] if len(found) == 1 else 'lesion'
        finding = Finding(_corners(row, box), category, pathology=pathology_of(of_breast), attributes=attributes)
        findings.append(replace(finding, birads=labels.get('birads')))
    return tuple(findings)


def _numbers(row: Row, column: str) -> list[Any]:
    """A list as the table writes it, ``[[1, 2, 3, 4]]`` or ``()``; empty where the cell is."""
    text, expected = row.text(column, '[]'), 'a list such as [[10, 20, 30, 40]]'
    try:
        values = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as err:
        raise row.error(column, text, expected) from err
    if not isinstance(values, (list, tuple)):
        raise row.error(column, text, expected)
    return list(values)


def _corners(row: Row, box: Any) -> tuple[float, float, float, float]:
    """Corners x1, y1, x2, y2 of what the table has as ymin, xmin, ymax, xmax."""
    if not (isinstance(box, (list, tuple)) and len(box) == 4 and all(isinstance(x, (int, float)) for x in box)):
        raise row.error('ROI_coords', box, 'four numbers: ymin, xmin, ymax, xmax')
    y1, x1, y2, x2 = map(float, box)
    return x1, y1, x2, y2


def _missing(download: _Download) -> Iterator[ImageRecord]:
    """Refused records of files that lack in exams of which other files are there."""
    there = {identifier(row, 'acc_anon') for name, row in download.rows.items() if name in download.images}
    for name, row in download.rows.items():
        exam = identifier(row, 'acc_anon')
        if name not in download.images and exam in there and row.text('FinalImageType', '') in _TYPES:
            where = _expected(row)
            refused = missing_file(where, row.path, row.position)
            patient = identifier(row, 'empi_anon')
            yield ImageRecord(download.raw / where, where, exam_id=exam, patient_id=patient, refused=refused)


def _expected(row: Row) -> str:
    """Where the authors have a file: ``images/cohort_1/<patient>/<study>/<series>/<file>``."""
    parts = [part for part in PurePosixPath(row.text('anon_dicom_path')).parts if part not in ('..', '/')]
    return '/'.join(['images', *parts[-_DEPTH:]])


def _error(where: str | Path, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy=remedy)


__all__ = ['CATEGORIES', 'OPTIONS', 'POLICIES', 'count_checks', 'count_skipped', 'list_records']
