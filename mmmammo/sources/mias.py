"""mini-MIAS: 322 film scans of 161 women, 1024 x 1024 pixels of 200 um, with circles around what was found.

::

    all-mias/mdb001.pgm … mdb322.pgm      8-bit
    all-mias/Info.txt                     text, then lines such as "mdb005 F CIRC B 477 133 30"; see mias_table
    all-mias/README  Licence              not read

An odd number and the even one after it are one woman: even is the left breast, odd the right. All images are MLO.
X and Y have their origin at the bottom left. Nobody says whether Y counts the lowest row as 0; it is taken to, which
may be off by one pixel of 0.2 mm. Images of another size are refused: the circles are in pixels of this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mmmammo.sources.listing import link_refusal, list_files, missing_file, missing_row, only_file, written_name
from mmmammo.sources.mias_table import Entry, Line, read_info
from mmmammo.sources.protocol import CountCheck, SourceOption, chosen
from mmmammo.structures import FilmScan, Finding, ImageRecord, Laterality, MammoError, Policy, Problem, View

CATEGORIES: tuple[str, ...] = ('mass', 'calcification', 'distortion', 'asymmetry')
OPTIONS: tuple[SourceOption, ...] = ()
POLICIES: Mapping[Problem, Policy] = {Problem.BURNED_IN: Policy.MEND}

_TABLE = 'Info.txt'
_IMAGE = re.compile(r'mdb\d{3}\.pgm', re.IGNORECASE)
_HEADER = re.compile(rb'P5\s+(?:#[^\n]*\n\s*)*(\d+)\s+(?:#[^\n]*\n\s*)*(\d+)\s')
_SIDE = 1024
_PIXEL_MM = 0.2
_CIRCLE_POINTS = 48


def list_records(raw: Path, **options: str) -> Iterator[ImageRecord]:
    """Every image of the folder and every line without one, in the order of their names.

    Args:
        raw: The folder ``all-mias``, or one above it.
        **options: None.

    Raises:
        MammoError: If there is no ``Info.txt``, or it is another one.
    """
    chosen(options, OPTIONS)
    raw = Path(raw)
    files = list_files(raw)
    table = _table(raw, files)
    entries = read_info(table)
    records, seen = [], set[str]()
    for path in _images(files):
        reference = path.stem.lower()
        record = _record(raw, path, table, entries.get(reference))
        if reference in seen and record.refused is None:
            again = _error(path, 'file name', f'{path.name} again', 'one image of it', 'leave one of them out')
            record = replace(record, refused=again)
        records.append(record)
        seen.add(reference)
    records += [_missing(raw, table, name, entry) for name, entry in entries.items() if name not in seen]
    yield from sorted(records, key=lambda record: record.relative_path)


def count_skipped(raw: Path) -> int:
    """Files that are neither images nor the table."""
    files = list_files(Path(raw))
    return len(files) - len(_images(files)) - (only_file(Path(raw), files, _TABLE) is not None)


def count_checks(raw: Path, **options: str) -> tuple[CountCheck, ...]:
    """Counts beside those of the page of the data set."""
    raw = Path(raw)
    files = list_files(raw)
    entries, images = read_info(_table(raw, files)), len(_images(files))
    lines = sum(len(entry.lines) for entry in entries.values())
    women = len({_woman(name) for name in entries})
    told = {
        'images of Info.txt': (len(entries), 322, 'not the published table'),
        'women': (women, 161, 'not the published table'),
        'lines': (lines, 330, 'not the published table'),
        'images': (images, 322, 'not everything was downloaded'),
    }
    return tuple(CountCheck(what, n, known, '' if n == known else why) for what, (n, known, why) in told.items())


def _table(raw: Path, files: tuple[Path, ...]) -> Path:
    path = only_file(raw, files, _TABLE)
    if path is None:
        raise _error(raw, 'table', 'none', _TABLE, 'unpack the archive, and point --raw at the folder all-mias')
    return path


def _images(files: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple(path for path in files if path.suffix.lower() == '.pgm')


def _record(raw: Path, path: Path, table: Path, entry: Entry | None) -> ImageRecord:
    """The record of a file; what is wrong with it is its refusal, so that the others go on."""
    name, reference = written_name(path, raw), path.stem.lower()
    if not _IMAGE.fullmatch(path.name):
        refused = _error(name, 'file name', path.name, 'mdb001.pgm to mdb322.pgm', 'restore its name, or leave it out')
        return ImageRecord(path, name, exam_id=reference, patient_id=reference, refused=refused)
    refused = link_refusal(path, raw.resolve())
    if entry is None:
        entry, refused = Entry(0), refused or missing_row(name, table, reference)
    refused = refused or entry.refused or _other_size(path, name)
    return ImageRecord(
        path,
        name,
        exam_id=_woman(reference),
        patient_id=_woman(reference),
        laterality=_side(reference),
        view=View.MLO,
        findings=tuple(_finding(line) for line in entry.lines if line.circle is not None),
        labels=_labels(entry),
        refused=refused,
        pixel_spacing_mm=_PIXEL_MM,
        film=FilmScan(),
        notes=tuple(_without_place(line) for line in entry.lines if line.category and line.circle is None),
    )


def _missing(raw: Path, table: Path, reference: str, entry: Entry) -> ImageRecord:
    name = f'{reference}.pgm'
    return ImageRecord(
        raw / name,
        name,
        exam_id=_woman(reference),
        patient_id=_woman(reference),
        laterality=_side(reference),
        view=View.MLO,
        refused=missing_file(name, table, entry.position),
    )


def _woman(reference: str) -> str:
    """mdb001 and mdb002 are of one woman."""
    return f'mias-{(int(reference[3:]) + 1) // 2:03d}'


def _side(reference: str) -> Laterality:
    return Laterality.RIGHT if int(reference[3:]) % 2 else Laterality.LEFT


def _other_size(path: Path, name: str) -> MammoError | None:
    """What is wrong with the size in the header; a file without a readable one is judged when it is prepared."""
    try:
        with path.open('rb') as file:
            match = _HEADER.match(file.read(1024))
    except OSError:
        return None
    if match is None or (int(match[1]), int(match[2])) == (_SIDE, _SIDE):
        return None
    found, expected = f'{int(match[1])} x {int(match[2])} pixels', f'{_SIDE} x {_SIDE}, those of mini-MIAS'
    return _error(name, 'size', found, expected, 'take the images of mini-MIAS, to which the circles belong')


def _labels(entry: Entry) -> dict[str, Any]:
    """The tissue is of another scale than BI-RADS, so it is only ``density_source``."""
    if not entry.lines:
        return {}
    return {
        'cancer': int(any(line.pathology == 'malignant' for line in entry.lines)),
        'density_source': entry.lines[0].tissue,
        'findings': sorted({line.category for line in entry.lines if line.category}),
    }


def _finding(line: Line) -> Finding:
    """The circle, from an index of pixels counted from below to continuous coordinates from above."""
    column, row, radius = line.circle or (0, 0, 0)
    centre = np.array([column + 0.5, _SIDE - 1 - row + 0.5])
    turn = np.linspace(0, 2 * np.pi, _CIRCLE_POINTS, endpoint=False)
    outline = centre + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    x, y = centre.tolist()
    return Finding(
        bbox=(x - radius, y - radius, x + radius, y + radius),
        category=str(line.category),
        pathology=line.pathology,
        polygons=(outline,),
        attributes=dict(line.attributes),
    )


def _without_place(line: Line) -> str:
    note = f' ({line.note})' if line.note else ''
    return f'{line.category} without coordinates{note} kept as a label of the image only'


def _error(where: str | Path, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy=remedy)
