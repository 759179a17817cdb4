"""Old Excel files (BIFF8 in an OLE2 container) as small as they can be: for downloads that consist of one.

Written from Microsoft's published descriptions [MS-XLS] and [MS-CFB].
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

Cell = str | float | int | None

_SECTOR = 512
_SMALLEST_STREAM = 4096  # shorter ones lie in another place of the container
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_BOF, _EOF, _BOUNDSHEET, _NUMBER, _LABEL = 0x0809, 0x000A, 0x0085, 0x0203, 0x0204
_GLOBALS, _WORKSHEET = 0x0005, 0x0010


def write_xls(path: Path, sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> None:
    """Write a workbook of texts and numbers; ``None`` is an empty cell.

    Args:
        path: The file.
        sheets: Rows by name of the sheet.
    """
    path.write_bytes(_container(_workbook(sheets)))


def _workbook(sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> bytes:
    bodies = [_sheet(rows) for rows in sheets.values()]
    start = _bof(_GLOBALS)
    names = [_short_text(name) for name in sheets]
    offset = len(start) + sum(10 + len(name) for name in names) + 4
    entries = b''
    for name, body in zip(names, bodies, strict=True):
        entries += _record(_BOUNDSHEET, struct.pack('<IH', offset, 0) + name)
        offset += len(body)
    return start + entries + _record(_EOF) + b''.join(bodies)


def _sheet(rows: Sequence[Sequence[Cell]]) -> bytes:
    cells = [_cell(y, x, cell) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell is not None]
    return _bof(_WORKSHEET) + b''.join(cells) + _record(_EOF)


def _cell(row: int, column: int, cell: str | float) -> bytes:
    place = struct.pack('<HHH', row, column, 0)
    if isinstance(cell, str):
        return _record(_LABEL, place + struct.pack('<HB', len(cell), 1) + cell.encode('utf-16-le'))
    return _record(_NUMBER, place + struct.pack('<d', cell))


def _short_text(text: str) -> bytes:
    return struct.pack('<BB', len(text), 1) + text.encode('utf-16-le')


def _bof(kind: int) -> bytes:
    return _record(_BOF, struct.pack('<HHHHII', 0x0600, kind, 0x0DBB, 0x07CC, 0x41, 0x06))


def _record(number: int, body: bytes = b'') -> bytes:
    return struct.pack('<HH', number, len(body)) + body


def _container(stream: bytes) -> bytes:
    """One stream named ``Workbook``: header, stream, directory, then the table of who follows whom."""
    stream = stream.ljust(_SMALLEST_STREAM, b'\0')
    stream += bytes(-len(stream) % _SECTOR)
    count = len(stream) // _SECTOR
    fat_sectors = 1
    while fat_sectors * _SECTOR // 4 < count + 1 + fat_sectors:
        fat_sectors += 1
    fat = [*range(1, count), _END, _END, *[_FAT] * fat_sectors]
    fat += [_FREE] * (fat_sectors * _SECTOR // 4 - len(fat))
    directory = (
        _entry('Root Entry', 5, child=1, start=_END, size=0)
        + _entry('Workbook', 2, child=_FREE, start=0, size=len(stream))
        + _entry('', 0, child=_FREE, start=0, size=0) * 2
    )
    header = struct.pack('<8s16xHHHHH6x', bytes.fromhex('D0CF11E0A1B11AE1'), 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack('<IIIIIIIIII', 0, fat_sectors, count, 0, _SMALLEST_STREAM, _END, 0, _END, 0, count + 1)
    places = [count + 1 + i for i in range(1, fat_sectors)]
    header += struct.pack('<108I', *places, *[_FREE] * (108 - len(places)))
    return header + stream + directory + struct.pack(f'<{len(fat)}I', *fat)


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    written = (name + '\0').encode('utf-16-le') if name else b''
    return struct.pack('<64sHBBIII36xIII', written, len(written), kind, 1, _FREE, _FREE, child, start, size, 0)
