"""RSNA Screening Mammography Breast Cancer Detection, as Kaggle gives it.

::

    <raw>/train.csv   test.csv                     one row per image; test.csv may be absent
    <raw>/train_images/<patient_id>/<image_id>.dcm
    <raw>/test_images/<patient_id>/<image_id>.dcm

The image folders may be links; ``<raw>`` may also be a folder above. All images of a patient are her one exam: the
tables know no dates. Files say hardly more than the side, so the view is that of the table. Labels are of the breast,
or (age, site, density) of the patient; images of ``test_images`` have no diagnosis.

Numbers are read with and without a decimal point (``61.0``), as both kinds of copies exist. What is wrong with pixels
is found in the pixels (all black, values beyond BitsStored, the window of another depth); what only a reader sees is in
:data:`BAD_IMAGES`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmmammo.sources.folds import patient_folds
from mmmammo.sources.listing import (
    link_refusal,
    list_files,
    list_linked,
    may_be_image,
    missing_file,
    missing_row,
    only_file,
    own_file,
    written_name,
)
from mmmammo.sources.protocol import CountCheck, SourceOption, chosen
from mmmammo.sources.rsna_counts import checks_of
from mmmammo.sources.tables import Row, Table, read_table
from mmmammo.structures import ImageRecord, Laterality, MammoError, Policy, Problem, View

TRAIN, TEST = 'train.csv', 'test.csv'
FOLDERS: Mapping[str, str] = {TRAIN: 'train_images', TEST: 'test_images'}
CATEGORIES: tuple[str, ...] = ('lesion',)
"""A class list is needed; there are no boxes."""

OPTIONS: tuple[SourceOption, ...] = (
    SourceOption('folds', ('0', '2', '3', '4', '5', '10'), '0', 'write a fold by patient into the label `fold`'),
    SourceOption('fold_seed', ('121', '1'), '121', 'of the folds; 1 is that of the self-distillation of paper 2'),
    SourceOption('listed', ('quarantine', 'accept'), 'quarantine', 'images that others found to be unusable'),
)
POLICIES: Mapping[Problem, Policy] = {}
BAD_IMAGES: Mapping[str, str] = {
    '1942326353': 'all pixels are zero',
    '1760744211': 'bright stripes across the image',
    '495314563': 'a background as bright as tissue',
    '1181948538': 'the breast is cut off by the border',
    '1428845821': 'the breast is cut off by the border',
    '2121614268': 'the breast is cut off by the border',
    '802890376': 'the breast cannot be told from its background',
    '936880795': 'the breast cannot be told from its background',
    '1074322983': 'the breast cannot be told from its background',
    '1249735234': 'the breast cannot be told from its background',
}
"""Reason by image id, from those who looked at them; left out unless ``listed`` says otherwise."""

_COLUMNS = ('site_id', 'patient_id', 'image_id', 'laterality', 'view', 'age', 'implant', 'machine_id')
_DIAGNOSES = ('cancer', 'biopsy', 'invasive')
_OF_TRAIN = (*_DIAGNOSES, 'BIRADS', 'density', 'difficult_negative_case')
_SIDES = {'L': Laterality.LEFT, 'R': Laterality.RIGHT}
_VIEWS = {name: View(name) for name in ('CC', 'MLO', 'ML', 'LM', 'LMO', 'AT')}
_FLAGS = {'0': 0, '1': 1, '0.0': 0, '1.0': 1}
_TRUTHS = {'True': True, 'False': False, 'TRUE': True, 'FALSE': False, '1': True, '0': False}
_BIRADS = {text: str(n) for n in range(3) for text in (f'{n}', f'{n}.0')}
_DENSITIES = {letter: letter for letter in 'ABCD'}
_ID = re.compile(r'\d{1,12}')


@dataclass(frozen=True, eq=False)
class Download:
    """What lies on the disk.

    Args:
        raw: What the user gave.
        root: The folder of the tables.
        resolved: ``raw`` without links.
        files: All, sorted.
        train: One row per image.
        test: Likewise; ``None`` where it was not downloaded.
    """

    raw: Path
    root: Path
    resolved: Path
    files: tuple[Path, ...]
    train: Table
    test: Table | None

    @property
    def tables(self) -> list[Table]:
        """Those that are there."""
        return [table for table in (self.train, self.test) if table is not None]

    def images(self, table: str) -> list[Path]:
        """Files of the image folder of a table, by its name, that may be images."""
        folder = self.root / FOLDERS[table]
        return [path for path in self.files if path.is_relative_to(folder) and may_be_image(path.name)]


def list_records(raw: Path, **options: str) -> Iterator[ImageRecord]:
    """Every image of ``train.csv`` in its order, then of ``test.csv``, then what else is there.

    An image is refused with the reason if the disk lacks it, its row holds an unknown value or contradicts itself, or
    it is one of :data:`BAD_IMAGES`.

    Args:
        raw: The download.
        **options: See :data:`OPTIONS`.

    Raises:
        MammoError: If ``train.csv`` is missing, a table is damaged, an id is none, an image has two rows, an option is
            none, or there are fewer patients than folds.
    """
    values = chosen(options, OPTIONS)
    download = read_download(raw)
    folds = folds_of(download.train, values)
    listed: dict[Path, int] = {}
    for table in download.tables:
        for row in table.rows:
            record = _record(download, table, row, folds, values['listed'] == 'quarantine')
            if record.path in listed:
                raise row.error('image_id', f'that of row {listed[record.path]} again', 'one row per image')
            listed[record.path] = row.position
            yield record
    yield from _unlisted(download, listed)


def count_skipped(raw: Path) -> int:
    """Files that are neither images nor tables that are read."""
    download = read_download(raw)
    return len(download.files) - sum(len(download.images(table)) for table in FOLDERS) - len(download.tables)


def count_checks(raw: Path, **options: str) -> tuple[CountCheck, ...]:
    """Counts of ``train.csv`` beside those of Kaggle's, columns that nobody reads, and how the folds came out."""
    download = read_download(raw)
    folds = folds_of(download.train, chosen(options, OPTIONS))
    return checks_of(download.tables, len(download.images(TRAIN)), folds)


def read_download(raw: Path) -> Download:
    """Find and read the tables.

    Raises:
        MammoError: If ``train.csv`` is missing, or a table is damaged or a link out of the folder.
    """
    raw = Path(raw)
    files = list_files(raw)
    path = only_file(raw, files, TRAIN)
    if path is None:
        remedy = 'name the folder of the download, and fetch its tables too'
        raise MammoError(raw, field=TRAIN, found='no such file', expected='the table of the images', remedy=remedy)
    for folder in FOLDERS.values():
        files = list_linked(files, path.with_name(folder))
    train = read_table(path, (*_COLUMNS, *_OF_TRAIN))
    test = own_file(path.with_name(TEST), raw)
    table = read_table(test, (*_COLUMNS, 'prediction_id')) if test.is_file() else None
    return Download(raw, path.parent, raw.resolve(), files, train, table)


def folds_of(train: Table, values: Mapping[str, str]) -> dict[str, int]:
    """Fold by patient; empty if none are asked for.

    All rows count, with and without an image on the disk, so that a part of the download has the folds of the whole.
    """
    if values['folds'] == '0':
        return {}
    patients = [row.text('patient_id') for row in train.rows]
    positive = [_FLAGS.get(row.cells['cancer']) == 1 for row in train.rows]
    return patient_folds(patients, positive, int(values['folds']), int(values['fold_seed']))


def _record(download: Download, table: Table, row: Row, folds: Mapping[str, int], leave_out: bool) -> ImageRecord:
    patient, image = (_identifier(row, column) for column in ('patient_id', 'image_id'))
    path = download.root / FOLDERS[table.path.name.lower()] / patient / f'{image}.dcm'
    record = ImageRecord(path, written_name(path, download.raw), exam_id=patient, patient_id=patient)
    try:
        record = _described(record, row, table is download.train)
    except MammoError as err:
        return replace(record, refused=err)
    if patient in folds and table is download.train:
        record = replace(record, labels={**record.labels, 'fold': folds[patient]})
    refused = _refusal(download, record, row)
    if refused is None and leave_out and image in BAD_IMAGES:
        refused = _listed(record.relative_path, BAD_IMAGES[image])
    return replace(record, refused=refused)


def _identifier(row: Row, column: str) -> str:
    """An id, which is a file name too: nothing else than digits can lead out of the folder."""
    text = row.text(column)
    if not _ID.fullmatch(text):
        raise row.error(column, text, 'a number')
    return text


def _described(record: ImageRecord, row: Row, is_train: bool) -> ImageRecord:
    """What the row says; images of Kaggle's test have no diagnosis, and stay the test."""
    return replace(
        record,
        laterality=row.choice('laterality', _SIDES),
        view=row.choice('view', _VIEWS),
        labels=_acquisition(row) | (_diagnosis(row) if is_train else {'prediction_id': row.text('prediction_id')}),
        split=None if is_train else 'test',
    )


def _acquisition(row: Row) -> dict[str, Any]:
    labels = {
        'implant': row.choice('implant', _FLAGS),
        'machine': str(row.integer('machine_id')),
        'site': str(row.integer('site_id')),
        'age': row.number('age', None),
    }
    return {name: value for name, value in labels.items() if value is not None}


def _diagnosis(row: Row) -> dict[str, Any]:
    """Labels of the breast. An invasive tumour is cancer, and every cancer was found by biopsy."""
    labels = {name: row.choice(name, _FLAGS) for name in _DIAGNOSES}
    for name, other in (('invasive', 'cancer'), ('cancer', 'biopsy')):
        if labels[name] > labels[other]:
            raise row.error(name, 1, f'0, because {other} is 0')
    found = {
        **labels,
        'birads': row.choice('BIRADS', _BIRADS, None),
        'density': row.choice('density', _DENSITIES, None),
        'difficult_negative': row.choice('difficult_negative_case', _TRUTHS),
    }
    return {name: value for name, value in found.items() if value is not None}


def _refusal(download: Download, record: ImageRecord, row: Row) -> MammoError | None:
    for path in (record.path.parent, record.path):
        if refused := link_refusal(path, download.resolved):
            return refused
    return None if record.path.is_file() else missing_file(record.relative_path, row.path, row.position)


def _listed(name: str, why: str) -> MammoError:
    remedy = 'look at it; prepare with --listed accept to use it nevertheless'
    return MammoError(name, field='list of bad images', found=why, expected='an image that is not on it', remedy=remedy)


def _unlisted(download: Download, listed: Mapping[Path, int]) -> Iterator[ImageRecord]:
    """Refused records of files without a row."""
    for table in FOLDERS:
        for path in download.images(table):
            if path not in listed:
                name, patient = written_name(path, download.raw), path.parent.name
                refused = missing_row(name, download.root / table, path.stem)
                yield ImageRecord(path, name, exam_id=patient, patient_id=patient, refused=refused)
