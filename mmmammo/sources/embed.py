"""EMBED Open Data, the Emory Breast Imaging Dataset: all exams of women over years, with boxes, BI-RADS and pathology.

::

    <raw>/tables/EMBED_OpenData_metadata_reduced.csv   one row per file; the full table is too large to be read
    <raw>/tables/EMBED_OpenData_clinical.csv           one row per finding; …_clinical_reduced.csv will do
    <raw>/images/cohort_1/<patient>/<study>/<series>/<SOP Instance UID>.dcm

Nobody has all of it: women and exams of which no file is there are not spoken of, and a file that is missing in an
exam of which others are there is told. A file is found by its name, wherever it lies below the folder; the folders of
``anon_dicom_path`` are those of the authors. ``images`` and the folders in it may be links.

A box says where a radiologist circled something, not which row of the clinical table that is. It gets the category
that all rows of the breast agree on, and so the pathology; else it is a ``lesion`` with ``attributes['categories']``.
Most suspicious breasts have no box at all: ``unboxed='refuse'`` leaves their images out, for detectors. Some boxes are
those of the mirrored image (issues 5 and 9 of the authors' repository): those that lie beside the breast are found in
the pixels (:mod:`mmmammo.prepare.facing`), others are not.

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
    LESION,
    SUSPICIOUS,
    Clinical,
    categories_of,
    identifier,
    labels_of_breast,
    pathology_of,
    read_clinical,
    rows_of_breast,
)
from mmmammo.sources.listing import (
    link_refusal,
    list_files,
    list_linked,
    missing_file,
    missing_row,
    only_file,
    written_name,
)
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
    SourceOption(
        'unboxed',
        ('keep', 'refuse'),
        'keep',
        'images without a box of a breast with cancer, or that is suspicious; without them no detector is told that '
        'nothing is there',
    ),
)
POLICIES: Mapping[Problem, Policy] = {}
METADATA = ('EMBED_OpenData_metadata_reduced.csv',)
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
        rows: Of it, by name of the file; of a file that is named again the first one.
        twice: Rows that name a file again.
        clinical: One row per finding.
        patients: By exam, of the rows whose files are there.
    """

    raw: Path
    files: tuple[Path, ...]
    images: Mapping[str, Path]
    metadata: Table
    rows: Mapping[str, Row]
    twice: Mapping[str, Row]
    clinical: Clinical
    patients: Mapping[str, set[str]]


def list_records(raw: Path, **options: str) -> Iterator[ImageRecord]:
    """Every image on the disk, and those missing in exams of which others are there.

    Args:
        raw: The folder of the download.
        **options: ``pathology_days``, ``unboxed``.

    Raises:
        MammoError: If a table is missing or damaged, or two files have one name.
    """
    values = chosen(options, OPTIONS)
    download = _look(Path(raw))
    records = [_record(download, path, values) for path in download.images.values()]
    yield from sorted([*records, *_missing(download)], key=lambda record: record.relative_path)


def count_skipped(raw: Path) -> int:
    """Files that are neither DICOM nor one of the two tables that are read."""
    download = _look(Path(raw))
    return len(download.files) - len(download.images) - 2


def count_checks(raw: Path, **options: str) -> tuple[CountCheck, ...]:
    """Rows and images beside the counts of the authors' notebook."""
    download = _look(Path(raw))
    clinical = download.clinical
    told = {
        f'rows of {download.metadata.path.name}': (len(download.metadata.rows), 480_323, 'not the released table'),
        f'rows of {clinical.table.path.name}': (len(clinical.table.rows), 81_776, 'not the released table'),
        'images': (len(download.images), 480_323, 'not everything was downloaded'),
        'findings of no exam or patient': (len(clinical.odd), 0, 'their ids are no numbers: left out'),
    }
    return tuple(CountCheck(what, n, known, '' if n == known else why) for what, (n, known, why) in told.items())


def _look(raw: Path) -> _Download:
    files = list_files(raw)
    metadata = read_table(_table(raw, files, METADATA), _REQUIRED, _OPTIONAL, only_known=True)
    clinical = read_clinical(_table(raw, files, CLINICAL))
    for folder in (images := metadata.path.parents[1] / 'images', *sorted(images.glob('*'))):
        files = list_linked(files, folder)
    named = _images(raw, files)
    rows: dict[str, Row] = {}
    twice: dict[str, Row] = {}
    patients: dict[str, set[str]] = {}
    for row in metadata.rows:
        name = _file_name(row)
        if rows.setdefault(name, row) is not row:
            twice.setdefault(name, row)
        if name in named and all(_is_identified(row, column) for column in ('acc_anon', 'empi_anon')):
            patients.setdefault(identifier(row, 'acc_anon'), set()).add(identifier(row, 'empi_anon'))
    return _Download(raw, files, named, metadata, rows, twice, clinical, patients)


def _table(raw: Path, files: tuple[Path, ...], names: Sequence[str]) -> Path:
    """The first that is there."""
    for name in names:
        if (path := only_file(raw, files, name)) is not None:
            return path
    remedy = 'fetch the folder tables of the bucket too, and name the folder above it'
    raise _error(raw, names[0], 'no such file', ', or '.join(names), remedy)


def _file_name(row: Row) -> str:
    """The last part of the path alone is used: it can lead nowhere. '' where it names no file."""
    return PurePosixPath(row.text('anon_dicom_path', '')).name


def _is_identified(row: Row, column: str) -> bool:
    try:
        identifier(row, column)
    except MammoError:
        return False
    return True


def _images(raw: Path, files: Sequence[Path]) -> dict[str, Path]:
    images: dict[str, Path] = {}
    for path in files:
        if path.suffix == '.dcm' and images.setdefault(path.name, path) is not path:
            found = f'{written_name(images[path.name], raw)} and {written_name(path, raw)}'
            raise _error(raw, 'images', found, 'each file once', 'leave one of them there')
    return images


def _record(download: _Download, path: Path, values: Mapping[str, str]) -> ImageRecord:
    """The record of a file; what is wrong with it is its refusal, so that the others go on."""
    name, row = written_name(path, download.raw), download.rows.get(path.name)
    alone = Path(name).with_suffix('').as_posix()
    record = ImageRecord(path, name, exam_id=alone, patient_id=alone)
    if row is None:
        return replace(record, refused=missing_row(name, download.metadata.path, path.name))
    if refused := link_refusal(path, download.raw.resolve()):
        return replace(record, refused=refused)
    try:
        exam, patient = _whose(download, path.name, row)
        record = replace(record, exam_id=exam, patient_id=patient, boxes_may_be_mirrored=True)
        return _described(record, row, download.clinical, values)
    except MammoError as err:
        return replace(record, refused=err)


def _whose(download: _Download, name: str, row: Row) -> tuple[str, str]:
    """Exam and patient.

    Raises:
        MammoError: If the tables do not agree about them.
    """
    exam, patient = (identifier(row, column) for column in ('acc_anon', 'empi_anon'))
    if name in download.twice:
        raise row.error('anon_dicom_path', f'the file of row {download.twice[name].position} too', 'one row per file')
    told = {identifier(said, 'empi_anon') for said in download.clinical.of_exam.get(exam, ())}
    others = sorted((download.patients.get(exam, set()) | told) - {patient})
    if others:
        raise row.error('empi_anon', f'{patient}, but {others[0]} in another row of the exam', 'one woman per exam')
    return exam, patient


def _described(record: ImageRecord, row: Row, clinical: Clinical, values: Mapping[str, str]) -> ImageRecord:
    side = row.choice('ImageLateralityFinal', _SIDES)
    of_exam = clinical.of_exam.get(record.exam_id, [])
    of_patient = clinical.of_patient.get(record.patient_id, [])
    labels = labels_of_breast(of_exam, of_patient, side, int(values['pathology_days'])) | _acquisition(row)
    findings = _findings(row, rows_of_breast(of_exam, side), side, labels)
    suspicious = labels.get('cancer') == 1 or labels.get('birads') in SUSPICIOUS
    if values['unboxed'] == 'refuse' and suspicious and not findings:
        found, remedy = 'no box in a suspicious breast', 'prepare with --unboxed keep to use the image nevertheless'
        raise row.error('ROI_coords', found, 'one, or a breast in which nothing was seen', remedy)
    return replace(
        record,
        laterality=side,
        view=View.parse(row.text('ViewPosition', None)),
        labels=labels,
        findings=findings,
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


def _findings(row: Row, of_breast: Sequence[Row], side: Laterality, labels: Mapping[str, Any]) -> tuple[Finding, ...]:
    boxes = _boxes(row)
    column = next((name for name in _COUNTS if row.has(name)), None)
    # the authors' own table counts places without a box: ((825, 563, 1343, 890), ())
    empty = row.text('ROI_coords', '').replace(' ', '').count('()') if boxes else 0
    if column is not None and not len(boxes) <= row.integer(column) <= len(boxes) + empty:
        raise row.error(column, row.text(column), f'{len(boxes)}, as many as there are ROI_coords')
    levels, found = _levels(row), categories_of(of_breast)
    findings = []
    for i, box in enumerate(boxes):
        attributes: dict[str, Any] = {'categories': found} if len(found) > 1 else {}
        attributes |= {'match_level': levels[i]} if len(levels) == len(boxes) else {}
        category = found[0] if len(found) == 1 else LESION
        finding = Finding(box, category, pathology=pathology_of(of_breast, side), attributes=attributes)
        findings.append(replace(finding, birads=labels.get('birads')))
    return tuple(findings)


def _boxes(row: Row) -> list[tuple[float, float, float, float]]:
    """Corners x1, y1, x2, y2 of what the table has as ymin, xmin, ymax, xmax, in lists of any depth.

    Raises:
        MammoError: If the cell is no list of fours.
    """
    text = row.text('ROI_coords', '()')
    numbers = list(_flat(_literal(text)))
    if not all(isinstance(x, (int, float)) for x in numbers) or len(numbers) % 4:
        raise row.error('ROI_coords', text, 'lists of four numbers: [[ymin, xmin, ymax, xmax]]')
    fours = [numbers[i : i + 4] for i in range(0, len(numbers), 4)]
    return [(float(x1), float(y1), float(x2), float(y2)) for y1, x1, y2, x2 in fours]


def _levels(row: Row) -> list[Any]:
    """1 where a box was drawn, 2 where it was copied from another image; nothing where that cannot be read."""
    return [level for level in _flat(_literal(row.text('match_level', '()'))) if level in (1, 2)]


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def _flat(values: Any) -> Iterator[Any]:
    if isinstance(values, (list, tuple)):
        for value in values:
            yield from _flat(value)
    else:
        yield values


def _missing(download: _Download) -> Iterator[ImageRecord]:
    """Refused records of files that lack in exams of which other files are there."""
    for name, row in download.rows.items():
        lacks = name not in download.images and row.text('FinalImageType', '') in _TYPES and _FILE.fullmatch(name)
        if lacks and _is_identified(row, 'acc_anon') and identifier(row, 'acc_anon') in download.patients:
            where = _expected(row)
            refused = missing_file(where, row.path, row.position)
            exam = identifier(row, 'acc_anon')
            patient = min(download.patients[exam])
            yield ImageRecord(download.raw / where, where, exam_id=exam, patient_id=patient, refused=refused)


def _expected(row: Row) -> str:
    """Where the authors have a file: ``images/cohort_1/<patient>/<study>/<series>/<file>``."""
    parts = [part for part in PurePosixPath(row.text('anon_dicom_path')).parts if part not in ('..', '/')]
    return '/'.join(['images', *parts[-_DEPTH:]])


def _error(where: str | Path, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy=remedy)


__all__ = ['CATEGORIES', 'OPTIONS', 'POLICIES', 'count_checks', 'count_skipped', 'list_records']
