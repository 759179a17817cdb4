"""Age, machine and pixel spacing from ``metadata.csv`` of VinDr-Mammo.

How it quotes lists and writes ages is not documented. So numbers are taken out of any list, an age that is none is
absent, and :func:`odd_ages` says how many there were.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmmammo.sources.protocol import CountCheck
from mmmammo.sources.tables import Row, Table, read_table

METADATA = 'metadata.csv'
_IMAGE = 'SOP Instance UID'
_AGE = "Patient's Age"
_SPACINGS = ('Imager Pixel Spacing', 'Pixel Spacing')
_MACHINE = {'manufacturer': 'Manufacturer', 'machine': "Manufacturer's Model Name"}
_OTHERS = (
    f'{_IMAGE}.1',
    'Series Instance UID',
    'View Position',
    'Image Laterality',
    'Photometric Interpretation',
    'Rows',
    'Columns',
    'Pixel Padding Value',
    'Pixel Padding Range Limit',
    'Window Center',
    'Window Width',
    'Rescale Intercept',
    'Rescale Slope',
    'Rescale Type',
    'Window Center & Width Explanation',
)
"""Known and not read: the files say it themselves. The table names the image twice."""

_YEARS = re.compile(r'0*(\d{1,3})(\.0)?Y?')
_NUMBER = re.compile(r'\d+\.?\d*(?:[eE]-?\d+)?')
_SQUARE = 1.01


def read_metadata(path: Path) -> tuple[Table | None, dict[str, Row]]:
    """The table, and its rows by image; nothing where it was not downloaded.

    Raises:
        MammoError: If it is damaged, or an image has two rows.
    """
    if not path.is_file():
        return None, {}
    table = read_table(path, (_IMAGE,), (_AGE, *_SPACINGS, *_MACHINE.values(), *_OTHERS))
    by_image: dict[str, Row] = {}
    for row in table.rows:
        image = row.text(_IMAGE)
        if by_image.setdefault(image, row) is not row:
            raise row.error(_IMAGE, f'that of row {by_image[image].position} again', 'one row per image')
    return table, by_image


def acquisition_labels(row: Row) -> dict[str, Any]:
    """Age in years, manufacturer and machine, as far as they are there."""
    labels: dict[str, Any] = {name: row.text(column, None) for name, column in _MACHINE.items()}
    labels['age'] = _years(row)
    return {name: value for name, value in labels.items() if value is not None}


def pixel_spacing_mm(row: Row) -> float | None:
    """At the detector, else of the pixels; ``None`` if it is neither positive nor the same in both directions (1 %)."""
    for column in _SPACINGS:
        values = [float(text) for text in _NUMBER.findall(row.text(column, ''))]
        if len(values) == 2 and 0 < max(values) <= _SQUARE * min(values):
            return sum(values) / 2
    return None


def odd_ages(rows: Iterable[Row]) -> tuple[CountCheck, ...]:
    """A line for the summary that names the first age that is none."""
    odd = [row for row in rows if row.has(_AGE) and not _YEARS.fullmatch(row.text(_AGE))]
    if not odd:
        return ()
    first = odd[0].error(_AGE, odd[0].text(_AGE), 'years such as 053Y')
    return (CountCheck('ages that are none', len(odd), 0, f'left unknown; the first is {first.reason}'),)


def _years(row: Row) -> float | None:
    """``None`` also for the zero that de-identification leaves."""
    match = _YEARS.fullmatch(row.text(_AGE, ''))
    return float(match[1]) or None if match else None
