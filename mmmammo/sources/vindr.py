"""VinDr-Mammo 1.0.0, as PhysioNet gives it.

::

    <raw>/breast-level_annotations.csv        one row per image; BI-RADS and density are of the breast
    <raw>/finding_annotations.csv             one row per box, and one per image without
    <raw>/metadata.csv                        some tags of each file; may be absent
    <raw>/SHA256SUMS.txt                      may be absent; files that differ from it are left out
    <raw>/images/<study_id>/<image_id>.dicom

``images`` may be a link to a folder elsewhere. ``<raw>`` may also be a folder above, such as that in which ``wget -r``
made ``physionet.org/files/vindr-mammo/1.0.0``. Each woman has one study, so ``study_id`` is that of exam and patient.

A box of several categories becomes one finding per category, so that a detector gets a box for each. All of them hold
``attributes['categories']``, every category of their box, and ``attributes['box']``, its number in the image: from
these a classifier of patches takes its several labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmmammo.sources.checksums import CHECKSUMS, read_checksums
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
from mmmammo.sources.protocol import CountCheck, SourceOption
from mmmammo.sources.tables import Row, Table, read_table
from mmmammo.sources.vindr_counts import checks_of
from mmmammo.sources.vindr_findings import BIRADS, BREAST_COLUMNS, CATEGORY_NAMES, FINDINGS, findings_of, read_findings
from mmmammo.sources.vindr_metadata import METADATA, acquisition_labels, pixel_spacing_mm, read_metadata
from mmmammo.structures import ImageRecord, Laterality, MammoError, Policy, Problem, View

BREASTS = 'breast-level_annotations.csv'
CATEGORIES: tuple[str, ...] = tuple(CATEGORY_NAMES.values())
OPTIONS: tuple[SourceOption, ...] = ()
POLICIES: Mapping[Problem, Policy] = {}

_SIDES = {'L': Laterality.LEFT, 'R': Laterality.RIGHT}
_VIEWS = {'CC': View.CC, 'MLO': View.MLO}
_DENSITIES = {f'DENSITY {letter}': letter for letter in 'ABCD'}
_SPLITS = {'training': 'train', 'test': 'test'}
_ID = re.compile('[0-9a-f]{32}')


@dataclass(frozen=True, eq=False)
class Download:
    """What lies on the disk.

    Args:
        raw: What the user gave.
        root: The folder of the tables.
        resolved: ``raw`` without links.
        files: All, sorted.
        breasts: One row per image.
        findings: Rows by image.
        metadata: Row by image; empty without the table.
        checksums: By path relative to ``root``.
        tables: All that were read.
    """

    raw: Path
    root: Path
    resolved: Path
    files: tuple[Path, ...]
    breasts: Table
    findings: Mapping[str, list[Row]]
    metadata: Mapping[str, Row]
    checksums: Mapping[str, str]
    tables: tuple[Table, ...]

    @property
    def images(self) -> list[Path]:
        """Files of the image folder that may be images."""
        folder = self.root / 'images'
        return [path for path in self.files if path.is_relative_to(folder) and may_be_image(path.name)]


def list_records(raw: Path, **options: str) -> Iterator[ImageRecord]:
    """Every image of the tables in their order, then what else is there.

    An image is refused with the reason if the disk lacks it, its rows hold an unknown value or contradict each other,
    or only one of the tables names it.

    Args:
        raw: The download.
        **options: None.

    Raises:
        MammoError: If a table is missing or damaged, an id is none, or an image has two rows.
    """
    download = read_download(raw)
    listed: dict[Path, int] = {}
    for row in download.breasts.rows:
        record = _record(download, row)
        if record.path in listed:
            raise row.error('image_id', f'that of row {listed[record.path]} again', 'one row per image')
        listed[record.path] = row.position
        yield record
    yield from _unlisted(download, listed)


def count_skipped(raw: Path) -> int:
    """Files that are neither images nor tables that are read."""
    download = read_download(raw)
    return len(download.files) - len(download.images) - len(download.tables) - bool(download.checksums)


def count_checks(raw: Path, **options: str) -> tuple[CountCheck, ...]:
    """Counts of the download beside those of version 1.0.0, and what its tables hold that nobody reads."""
    return checks_of(read_download(raw))


def read_download(raw: Path) -> Download:
    """Find and read the tables.

    Raises:
        MammoError: If one is missing, damaged or a link out of the folder.
    """
    raw = Path(raw)
    files = list_files(raw)
    path = only_file(raw, files, BREASTS)
    if path is None:
        remedy = 'name the folder of the download, and fetch its tables too'
        raise MammoError(raw, field=BREASTS, found='no such file', expected='the table of VinDr-Mammo', remedy=remedy)
    files = list_linked(files, path.with_name('images'))
    breasts = read_table(path, ('study_id', 'image_id', *BREAST_COLUMNS), ('series_id', 'height', 'width'))
    findings, by_image = read_findings(own_file(path.with_name(FINDINGS), raw))
    metadata, tags = read_metadata(own_file(path.with_name(METADATA), raw))
    tables = tuple(table for table in (breasts, findings, metadata) if table is not None)
    checksums = read_checksums(own_file(path.with_name(CHECKSUMS), raw))
    return Download(raw, path.parent, raw.resolve(), files, breasts, by_image, tags, checksums, tables)


def _record(download: Download, row: Row) -> ImageRecord:
    study, image = (_identifier(row, column) for column in ('study_id', 'image_id'))
    path = download.root / 'images' / study / f'{image}.dicom'
    digest = download.checksums.get(path.relative_to(download.root).as_posix())
    record = ImageRecord(path, written_name(path, download.raw), exam_id=study, patient_id=study, sha256=digest)
    try:
        record = _described(record, row, download.findings.get(image, []), download.metadata.get(image))
    except MammoError as err:
        return replace(record, refused=err)
    return replace(record, refused=_refusal(download, record, row))


def _identifier(row: Row, column: str) -> str:
    """An id, which is a file name too: nothing else than digits and letters could lead out of the folder."""
    text = row.text(column)
    if not _ID.fullmatch(text):
        raise row.error(column, text, '32 hexadecimal digits in small letters')
    return text


def _described(record: ImageRecord, row: Row, findings: list[Row], tags: Row | None) -> ImageRecord:
    """What the tables say of an image; of its side and view even if the rest is refused."""
    labels: dict[str, Any] = {
        'birads': row.choice('breast_birads', BIRADS),
        'density': row.choice('breast_density', _DENSITIES),
    }
    return replace(
        record,
        laterality=row.choice('laterality', _SIDES),
        view=row.choice('view_position', _VIEWS),
        findings=findings_of(row, findings),
        labels=labels | (acquisition_labels(tags) if tags else {}),
        split=row.choice('split', _SPLITS),
        pixel_spacing_mm=pixel_spacing_mm(tags) if tags else None,
    )


def _refusal(download: Download, record: ImageRecord, row: Row) -> MammoError | None:
    for path in (record.path.parent, record.path):
        if refused := link_refusal(path, download.resolved):
            return refused
    return None if record.path.is_file() else missing_file(record.relative_path, row.path, row.position)


def _unlisted(download: Download, listed: Mapping[Path, int]) -> Iterator[ImageRecord]:
    """Refused records of what lacks a row of its breast: files, and images of the table of findings."""
    there = [path for path in download.images if path not in listed]
    known = {path.stem for path in (*listed, *there)}
    for path in there:
        name = written_name(path, download.raw)
        yield _refused(path, name, missing_row(name, download.breasts.path, path.stem))
    for image, rows in download.findings.items():
        if image not in known:
            study = _identifier(rows[0], 'study_id') if rows[0].has('study_id') else ''
            path = download.root / 'images' / study / f'{_identifier(rows[0], "image_id")}.dicom'
            expected = f'an image of {BREASTS}'
            yield _refused(path, written_name(path, download.raw), rows[0].error('image_id', image, expected))


def _refused(path: Path, name: str, why: MammoError) -> ImageRecord:
    return ImageRecord(path, name, exam_id=path.parent.name, patient_id=path.parent.name, refused=why)
