"""The tables of a download: read by column name, every complaint with file, row and column.

::

    table = read_table(raw / 'train.csv', required=('image_id', 'view'), optional=('age',))
    for row in table.rows:
        view = row.choice('view', {'CC': View.CC, 'MLO': View.MLO})
        age = row.number('age', default=None)
"""

from __future__ import annotations

import codecs
import csv
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mmmammo.io.elements import shortened
from mmmammo.sources.protocol import CountCheck
from mmmammo.structures import MammoError, Problem

T = TypeVar('T')
D = TypeVar('D')


class _Needed:
    """The default of getters that have none: an empty cell is then an error."""


NEEDED = _Needed()
_CHUNK = 2**20
_BYTE_ORDER_MARKS = {b'\xef\xbb\xbf': 'utf-8-sig', b'\xff\xfe': 'utf-16', b'\xfe\xff': 'utf-16'}


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a table.

    Args:
        path: The table.
        position: As a spreadsheet shows it: the header is row 1, and a line break inside quotes begins no row.
        cells: Text by column, without spaces around it; ``''`` where the cell is empty.
    """

    path: Path
    position: int
    cells: Mapping[str, str]

    def has(self, column: str) -> bool:
        """Whether the column is in the table and the cell is not empty."""
        return bool(self.cells.get(column))

    def text(self, column: str, default: D | _Needed = NEEDED) -> str | D:
        """The cell as it stands.

        Args:
            column: Its name.
            default: For an empty cell and a column that the table lacks; without one, those are errors.

        Raises:
            MammoError: If there is nothing and no default; so with every getter.
        """
        return self.cells.get(column) or self._nothing(column, default)

    def integer(self, column: str, default: D | _Needed = NEEDED) -> int | D:
        """The cell as a whole number; ``61.0`` is one too.

        Raises:
            MammoError: If it is none.
        """
        if not self.has(column):
            return self._nothing(column, default)
        value = self.number(column)
        if not value.is_integer():
            raise self.error(column, self.cells[column], 'a whole number')
        return int(value)

    def number(self, column: str, default: D | _Needed = NEEDED) -> float | D:
        """The cell as a finite number.

        Raises:
            MammoError: If it is none.
        """
        if not self.has(column):
            return self._nothing(column, default)
        text = self.cells[column]
        try:
            value = float(text)
        except ValueError as err:
            raise self.error(column, text, 'a number') from err
        if not math.isfinite(value):
            raise self.error(column, text, 'a finite number')
        return value

    def choice(self, column: str, meanings: Mapping[str, T], default: D | _Needed = NEEDED) -> T | D:
        """What the cell means.

        Args:
            column: Its name.
            meanings: By cell text, exactly as written.
            default: For an empty cell.

        Raises:
            MammoError: For any other text, with the list of those that have a meaning.
        """
        if not self.has(column):
            return self._nothing(column, default)
        text = self.cells[column]
        if text not in meanings:
            raise self.error(column, text, f'one of {", ".join(meanings)}')
        return meanings[text]

    def _nothing(self, column: str, default: D | _Needed) -> D:
        if isinstance(default, _Needed):
            raise self.error(column, 'nothing', 'a value')
        return default

    def error(self, column: str, found: object, expected: str, remedy: str = '') -> MammoError:
        """A complaint about a cell; its reason names the table, for reports that name the image only."""
        return MammoError(
            self.path,
            field=f'{self.path.name} row {self.position}, {column}',
            found=shortened(found),
            expected=expected,
            remedy=remedy or 'compare the row with the published table; correct it, or download the table again',
            problem=Problem.TABLES,
        )


@dataclass(frozen=True, eq=False)
class Table:
    """A table that was read.

    Args:
        path: The file.
        columns: As in its header; of equal names the second ends in ``.1``, the third in ``.2``.
        extra: Those that nobody asked for.
        rows: All that are not blank.
    """

    path: Path
    columns: tuple[str, ...]
    extra: tuple[str, ...]
    rows: tuple[Row, ...]

    def extra_columns(self) -> tuple[CountCheck, ...]:
        """A line for the summary that names the columns nobody reads; none if there are none."""
        if not self.extra:
            return ()
        names = shortened(', '.join(self.extra))
        return (CountCheck(f'unknown columns of {self.path.name}', len(self.extra), 0, f'not read: {names}'),)


def read_table(
    path: Path,
    required: Sequence[str],
    optional: Sequence[str] = (),
    *,
    delimiter: str = ',',
    absent: Collection[str] = ('', 'nan'),
    only_known: bool = False,
) -> Table:
    """Read a table by the names of its columns, in any order.

    UTF-8, with or without byte order mark, UTF-16 with one, and else Latin-1; any line ends.

    Args:
        path: The file.
        required: Columns that must be there.
        optional: Columns that are read where they are there.
        delimiter: Between cells.
        absent: What an empty cell is written as, in small letters.
        only_known: Rows keep the cells of these columns only, for tables that have a hundred more.

    Raises:
        MammoError: If the file cannot be read, a required column is missing, a quote is not closed, or a row has too
            few or too many cells.
    """
    form = f', separated by {delimiter!r}'
    return table_of(
        path, _records(path, delimiter), required, optional, absent=absent, form=form, only_known=only_known
    )


def table_of(
    path: Path,
    records: Iterable[Sequence[str]],
    required: Sequence[str],
    optional: Sequence[str] = (),
    *,
    absent: Collection[str] = ('', 'nan'),
    form: str = '',
    only_known: bool = False,
) -> Table:
    """The table that cells make, the first record being the header; for what is no CSV file.

    Args:
        path: Where they are from.
        records: All, blank ones too, so that their index is that of the spreadsheet.
        required: Columns that must be there.
        optional: Columns that are read where they are there.
        absent: What an empty cell is written as, in small letters.
        form: How the file should be written, for the complaint.
        only_known: As of :func:`read_table`.

    Raises:
        MammoError: If a required column is missing, or a row has too few or too many cells.
    """
    records = iter(records)
    columns = _column_names(next(records, []))
    if missing := [name for name in required if name not in columns]:
        raise _structure_error(
            path,
            f'column {", ".join(missing)}',
            f'only {shortened(", ".join(columns), 400)}' if columns else 'an empty file',
            f'a table with {", ".join(required)}{form}',
        )
    known = {*required, *optional}
    kept = known if only_known else set(columns)
    rows = tuple(
        Row(path, position, _cells(path, position, record, columns, absent, kept))
        for position, record in enumerate(records, start=2)
        if any(cell.strip() for cell in record)
    )
    return Table(path, columns, tuple(name for name in columns if name not in known), rows)


def _records(path: Path, delimiter: str) -> Iterator[list[str]]:
    """All records as they are read, blank lines as empty ones, so that their index is that of the spreadsheet."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would be waited for
            raise _structure_error(path, 'table', 'no regular file', 'a table', 'leave it out')
        with path.open(encoding=_encoding(path), errors='replace', newline='') as file:
            reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
            try:
                yield from reader
            except csv.Error as err:
                expected = 'cells in closed quotes, or without'
                raise _structure_error(path, f'line {reader.line_num}', err, expected) from err
    except OSError as err:
        found = 'no such file' if isinstance(err, FileNotFoundError) else err.strerror
        raise _structure_error(path, 'table', found, 'a table that can be read') from err


def _encoding(path: Path) -> str:
    """That of the byte order mark; else UTF-8 if all of the file is, or Latin-1."""
    decoder = codecs.getincrementaldecoder('utf-8')()
    with path.open('rb') as file:
        beginning = file.read(3)
        for mark, encoding in _BYTE_ORDER_MARKS.items():
            if beginning.startswith(mark):
                return encoding
        try:
            decoder.decode(beginning)
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b'', final=True)
        except UnicodeDecodeError:
            return 'latin-1'
    return 'utf-8'


def _column_names(header: Sequence[str]) -> tuple[str, ...]:
    """Stripped, told apart, and without the empty ones that stray delimiters at the end make."""
    names = [' '.join(name.split()) for name in header]
    while names and not names[-1]:
        names.pop()
    seen: dict[str, int] = {}
    columns = []
    for position, written in enumerate(names, start=1):
        name = written or f'column {position}'
        repeat = seen[name] = seen.get(name, -1) + 1
        columns.append(f'{name}.{repeat}' if repeat else name)
    return tuple(columns)


def _cells(
    path: Path,
    position: int,
    record: Sequence[str],
    columns: Sequence[str],
    absent: Collection[str],
    kept: Collection[str],
) -> dict[str, str]:
    """Cells of the columns that are kept; empty ones beyond the last are the stray delimiters of some exports."""
    cells = [cell.strip() for cell in record]
    cells = ['' if cell.lower() in absent else cell for cell in cells]
    if len(cells) < len(columns) or any(cells[len(columns) :]):
        remedy = 'quote cells that hold a delimiter, or download the table again'
        expected = f'{len(columns)}, as in the header'
        raise _structure_error(path, f'{path.name} row {position}', f'{len(cells)} cells', expected, remedy)
    return {name: cell for name, cell in zip(columns, cells, strict=False) if name in kept}


def _structure_error(
    path: Path, field: str, found: object, expected: str, remedy: str = 'download the table again, and do not edit it'
) -> MammoError:
    return MammoError(path, field=field, found=found, expected=expected, remedy=remedy)
