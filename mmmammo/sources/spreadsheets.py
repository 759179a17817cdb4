"""Tables that a download holds as Excel files, old (``.xls``) or new (``.xlsx``).

A small ``.xlsx`` can unpack to, or stand for, more cells than any memory holds: one in the last row and column is
enough for readers that fill the rest up. So what is unpacked is limited, and rows are kept as far as they are filled.
"""

from __future__ import annotations

import datetime
import io
import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

import pandas as pd
from openpyxl import load_workbook
from xlrd import XLRDError
from xlrd.compdoc import CompDocError

from mmmammo.io.elements import shortened
from mmmammo.sources.tables import Table, table_of
from mmmammo.structures import MammoError

_LARGEST_FILE = 2**26
_MOST_ROWS, _MOST_COLUMNS = 100_000, 256
_UNREADABLE = (
    XLRDError,
    CompDocError,
    BadZipFile,
    ParseError,
    struct.error,
    zlib.error,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    EOFError,
)  # what xlrd and openpyxl meet broken files with


def read_spreadsheet(
    path: Path, required: Sequence[str], optional: Sequence[str] = (), *, sheet: str | int = 0
) -> Table:
    """Read one sheet by the names of its columns, as :func:`mmmammo.sources.tables.read_table` reads a CSV file.

    Numbers without a fraction are written without one: ``20586908``, not ``20586908.0``. Columns beyond the 256th are
    not looked at.

    Args:
        path: An ``.xls`` or ``.xlsx`` file.
        required: Columns that must be there.
        optional: Columns that are read where they are there.
        sheet: Its name or number; no other one is looked into.

    Raises:
        MammoError: If the file or the sheet cannot be read or is larger than any such table, or a required column is
            missing.
    """
    try:
        _check_size(path, path.stat().st_size)
        cells = _new_cells(path, sheet) if path.suffix.lower() == '.xlsx' else _old_cells(path, sheet)
    except MammoError:
        raise
    except OSError as err:
        raise _error(path, (err.strerror or str(err)).lower()) from err
    except _UNREADABLE as err:
        raise _error(path, f'no sheet that can be read ({shortened(err)})') from err
    return table_of(path, cells, required, optional)


def _old_cells(path: Path, sheet: str | int) -> list[list[str]]:
    """Of an ``.xls`` file, which has at most 256 columns and 65,536 rows."""
    quiet = {'logfile': io.StringIO()}  # xlrd prints what it finds odd
    options: dict[str, Any] = {'header': None, 'dtype': object, 'na_filter': False, 'engine_kwargs': quiet}
    frame = pd.read_excel(path, sheet_name=sheet, engine='xlrd', **options)
    return [[_text(cell) for cell in row] for row in frame.to_numpy()]


def _new_cells(path: Path, sheet: str | int) -> list[list[str]]:
    """Of an ``.xlsx`` file, each row without the empty cells at its end."""
    with ZipFile(path) as archive:
        _check_size(path, sum(part.file_size for part in archive.infolist()))
    book = load_workbook(path, read_only=True, data_only=True)
    try:
        page = book[sheet] if isinstance(sheet, str) else book.worksheets[sheet]
        page.reset_dimensions()  # what the file says of itself may be wrong
        cells: list[list[str]] = []
        for row in page.iter_rows(max_col=_MOST_COLUMNS, values_only=True):
            if len(cells) == _MOST_ROWS:
                raise _error(path, f'more than {_MOST_ROWS:,} rows')
            cells.append([_text(cell) for cell in _trimmed(row)])
    finally:
        book.close()
    width = max(map(len, cells), default=0)
    return [row + [''] * (width - len(row)) for row in cells]


def _trimmed(row: Sequence[object]) -> Sequence[object]:
    length = len(row)
    while length and row[length - 1] is None:
        length -= 1
    return row[:length]


def _check_size(path: Path, size: int) -> None:
    if size > _LARGEST_FILE:
        raise _error(path, f'more than {_LARGEST_FILE >> 20} MiB, as it is or unpacked')


def _text(cell: object) -> str:
    if isinstance(cell, float):
        return '' if math.isnan(cell) else f'{cell:.15g}'
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat()
    return '' if cell is None else str(cell)


def _error(path: Path, found: str) -> MammoError:
    return MammoError(
        path,
        field='table',
        found=found,
        expected=f'a spreadsheet ({path.suffix.lower()})',
        remedy='download the file again, or save the sheet as CSV with the same name beside it',
    )
