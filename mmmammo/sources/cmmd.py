"""CMMD, the Chinese Mammography Database (TCIA): 8-bit views of biopsied breasts, with a spreadsheet of what was found.

::

    CMMD/<D1-0001 | D2-0001>/<study>/<series>/1-1.dcm …    2 or 4 images; names say neither side nor view
    CMMD_clinicaldata_revision.xlsx                        one row per biopsied breast; as CSV of the same name too

Side and view are in the header of each file: ImageLaterality and ViewCodeSequence. The table has no row for the other
breast of a patient with four images. Others take that for normal; here it has no label ``cancer`` unless
``--other-breast normal`` is given. There are no boxes.

``labels`` has ``cancer``, ``findings`` (mass, calcification or both), ``subtype`` (of D2) and ``part`` (D1 or D2).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmmammo.sources.headers import read_headers
from mmmammo.sources.listing import link_refusal, list_files, only_file, written_name
from mmmammo.sources.protocol import CountCheck, SourceOption, chosen
from mmmammo.sources.spreadsheets import read_spreadsheet
from mmmammo.sources.tables import Row, Table, read_table
from mmmammo.structures import ImageRecord, Laterality, MammoError, MammogramMeta, Policy, Problem, View

CATEGORIES: tuple[str, ...] = ('mass', 'calcification')
OPTIONS: tuple[SourceOption, ...] = (
    SourceOption(
        'other_breast',
        ('unknown', 'normal'),
        'unknown',
        'what the breast without a row is: not said, or without cancer',
    ),
)
POLICIES: Mapping[Problem, Policy] = {}

_TABLE = 'CMMD_clinicaldata_revision'
_COLUMNS = ('ID1', 'LeftRight', 'Age', 'number', 'abnormality', 'classification')
_SUBTYPE = 'subtype'
_PATIENT = re.compile(r'(D[12])-\d{4}')
_SIDES = {'L': Laterality.LEFT, 'R': Laterality.RIGHT}
_CANCER = {'Benign': 0, 'Malignant': 1}
_FINDINGS = {'mass': ['mass'], 'calcification': ['calcification'], 'both': ['mass', 'calcification']}
_SUBTYPES = {name: name for name in ('Luminal A', 'Luminal B', 'HER2-enriched', 'triple negative')}
Breast = tuple[str, Laterality]


@dataclass(frozen=True, eq=False)
class _Image:
    """One file, and what its place and header say.

    Args:
        path: The file.
        name: Relative to the folder.
        patient: ``None`` if no folder says it.
        study: Name of the folder below that of the patient, or ''.
        meta: ``None`` if the header cannot be read.
    """

    path: Path
    name: str
    patient: str | None
    study: str
    meta: MammogramMeta | None

    @property
    def breast(self) -> Breast:
        """Whose and which."""
        return self.patient or '', Laterality.UNKNOWN if self.meta is None else self.meta.laterality


def list_records(raw: Path, **options: str) -> Iterator[ImageRecord]:
    """Every image of the folder and a refused record for every breast of the table that lacks images.

    Args:
        raw: The folder of the download.
        **options: ``other_breast``.

    Raises:
        MammoError: If there is no table, or it is another one.
    """
    raw = Path(raw)
    files = list_files(raw)
    table = _read_table(raw, files)
    rows, paths = _rows_by_breast(table), _images(files)
    links = {path: refused for path in paths if (refused := link_refusal(path, raw.resolve()))}
    own = [path for path in paths if path not in links]
    headers = dict(zip(own, read_headers(own), strict=True))
    images = [_look(path, raw, headers.get(path)) for path in paths]
    normal = chosen(options, OPTIONS)['other_breast'] == 'normal'
    records = [_record(image, rows, table, normal, links.get(image.path)) for image in images]
    found = Counter(image.breast for image in images)
    records += [record for breast, said in rows.items() for record in _missing(raw, breast, said[0], found[breast])]
    yield from sorted(records, key=lambda record: record.relative_path)


def count_skipped(raw: Path) -> int:
    """Files that are neither DICOM nor the table."""
    files = list_files(Path(raw))
    return len(files) - len(_images(files)) - (_table_path(Path(raw), files) is not None)


def count_checks(raw: Path, **options: str) -> tuple[CountCheck, ...]:
    """Counts beside those of the collection's page."""
    raw = Path(raw)
    files = list_files(raw)
    table = _read_table(raw, files)
    words = Counter(row.text(column, '') for row in table.rows for column in ('abnormality', 'classification'))
    patients = [patient for path in _images(files) if (patient := _patient_of(path, raw)[0])]
    parts = Counter(patient[:2] for patient in set(patients))
    other = 'not the published table'
    partly = 'not everything was downloaded'
    told = {
        'rows (breasts)': (len(table.rows), 1872, other),
        'Benign': (words['Benign'], 556, other),
        'Malignant': (words['Malignant'], 1316, other),
        'mass': (words['mass'], 1149, other),
        'calcification': (words['calcification'], 262, other),
        'both': (words['both'], 461, other),
        'images': (len(patients), 5202, partly),
        'patients': (len(set(patients)), 1775, partly),
        'patients of D1': (parts['D1'], 1026, partly),
        'patients of D2': (parts['D2'], 749, partly),
    }
    checks = (CountCheck(what, n, known, '' if n == known else why) for what, (n, known, why) in told.items())
    return (*checks, *table.extra_columns())


def _images(files: Sequence[Path]) -> tuple[Path, ...]:
    return tuple(path for path in files if path.suffix.lower() == '.dcm')


def _table_path(raw: Path, files: tuple[Path, ...]) -> Path | None:
    return only_file(raw, files, f'{_TABLE}.csv') or only_file(raw, files, f'{_TABLE}.xlsx')


def _read_table(raw: Path, files: tuple[Path, ...]) -> Table:
    path = _table_path(raw, files)
    if path is None:
        remedy = 'take it from the page of the collection, and put it beside the folder CMMD'
        raise _error(raw, 'table', 'none', f'{_TABLE}.xlsx, or .csv', remedy)
    read = read_table if path.suffix.lower() == '.csv' else read_spreadsheet
    return read(path, _COLUMNS, (_SUBTYPE,))


def _rows_by_breast(table: Table) -> dict[Breast, list[Row]]:
    """Rows by patient and side; one of unknown side is kept as such, and spoils the other rows of the patient only.

    Raises:
        MammoError: If a row names no patient.
    """
    rows: dict[Breast, list[Row]] = {}
    for row in table.rows:
        side = _SIDES.get(row.text('LeftRight', ''), Laterality.UNKNOWN)
        rows.setdefault((row.text('ID1'), side), []).append(row)
    return rows


def _look(path: Path, raw: Path, meta: MammogramMeta | None) -> _Image:
    patient, study = _patient_of(path, raw)
    return _Image(path, written_name(path, raw), patient, study, meta)


def _patient_of(path: Path, raw: Path) -> tuple[str | None, str]:
    """The folder that has the name of a patient, and the one below it."""
    folders = path.relative_to(raw).parts[:-1]
    for position, folder in enumerate(folders):
        if _PATIENT.fullmatch(folder):
            return folder, folders[position + 1] if position + 1 < len(folders) else ''
    return None, ''


def _record(
    image: _Image, rows: Mapping[Breast, Sequence[Row]], table: Table, normal: bool, refused: MammoError | None
) -> ImageRecord:
    """The record of a file; what is wrong with it is its refusal, so that the others go on."""
    patient = image.patient or Path(image.name).with_suffix('').as_posix()
    labels: dict[str, Any] = {}
    try:
        labels = {} if refused else _labels(image, rows, table, normal)
    except MammoError as err:
        refused = err
    return ImageRecord(
        image.path,
        image.name,
        exam_id=f'{patient}-{image.study}' if image.study else patient,
        patient_id=patient,
        laterality=image.breast[1],
        view=View.UNKNOWN if image.meta is None else image.meta.view,
        labels=labels,
        refused=refused,
    )


def _labels(image: _Image, rows: Mapping[Breast, Sequence[Row]], table: Table, normal: bool) -> dict[str, Any]:
    """What the table says about the breast; a file without a readable header is judged when it is prepared."""
    if image.patient is None:
        expected = 'a folder above it such as D1-0001'
        raise _error(image.name, 'folder', 'no patient', expected, 'restore the folders of the download')
    if image.meta is None:
        return {}
    patient, side = image.breast
    spoilt = rows.get((patient, Laterality.UNKNOWN), ())
    for row in spoilt:
        row.choice('LeftRight', _SIDES)
    if side is Laterality.UNKNOWN:
        expected = 'L or R, to find its row of the table'
        raise _error(image.name, 'ImageLaterality (0020,0062)', 'nothing', expected, 'download the file again')
    said = rows.get((patient, side), ())
    if len(said) > 1:
        raise said[1].error('ID1', f'{patient} {side}', f'a breast that is not in row {said[0].position} too')
    if said:
        return _labels_of(said[0])
    if (patient, side.other) not in rows:
        raise _error(image.name, 'table', f'no row for {patient}', f'one in {table.path.name}', 'leave the image out')
    return {'part': patient[:2], **({'cancer': 0} if normal else {})}


def _labels_of(row: Row) -> dict[str, Any]:
    labels = {
        'cancer': row.choice('classification', _CANCER),
        'findings': row.choice('abnormality', _FINDINGS),
        'part': row.text('ID1')[:2],
        'age': row.number('Age', None),
        'subtype': row.choice(_SUBTYPE, _SUBTYPES, None),
    }
    return {key: value for key, value in labels.items() if value is not None}


def _missing(raw: Path, breast: Breast, row: Row, found: int) -> Iterator[ImageRecord]:
    """A refused record for a breast of which the table says that there are more images, or for a row of no breast."""
    patient, side = breast
    name = f'CMMD/{patient} {side}'
    try:
        row.choice('LeftRight', _SIDES)
        expected = row.integer('number')
        if found >= expected:
            return
        where, there = f'{row.path.name} row {row.position}', f'{found} of {expected} images'
        refused = _error(name, where, there, 'all of this breast', 'download them too, if you want them')
    except MammoError as err:
        refused = err
    yield ImageRecord(raw / name, name, exam_id=patient, patient_id=patient, laterality=side, refused=refused)


def _error(where: str | Path, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy=remedy)
