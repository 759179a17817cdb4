"""Tables that a download holds as Excel files, old (``.xls``) or new (``.xlsx``)."""

from __future__ import annotations

import datetime
import io
import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import pandas as pd
from xlrd import XLRDError
from xlrd.compdoc import CompDocError

from mmmammo.io.elements import shortened
from mmmammo.sources.tables import Table, table_of
from mmmammo.structures import MammoError

_ENGINES = {'.xls': 'xlrd', '.xlsx': 'openpyxl'}
_ENGINE_OPTIONS = {'.xls': lambda: {'logfile': io.StringIO()}, '.xlsx': dict}  # xlrd prints what it finds odd
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

    Numbers without a fraction are written without one: ``20586908``, not ``20586908.0``.

    Args:
        path: An ``.xls`` or ``.xlsx`` file.
        required: Columns that must be there.
        optional: Columns that are read where they are there.
        sheet: Its name or number; no other one is looked into.

    Raises:
        MammoError: If the file or the sheet cannot be read, or a required column is missing.
    """
    suffix = path.suffix.lower()
    try:
        cells = pd.read_excel(
            path,
            sheet_name=sheet,
            header=None,
            dtype=object,
            na_filter=False,
            engine=_ENGINES[suffix],
            engine_kwargs=_ENGINE_OPTIONS[suffix](),
        )
    except OSError as err:
        raise _error(path, (err.strerror or str(err)).lower()) from err
    except _UNREADABLE as err:
        raise _error(path, f'no sheet that can be read ({shortened(err)})') from err
    return table_of(path, [[_text(cell) for cell in row] for row in cells.to_numpy()], required, optional)


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
