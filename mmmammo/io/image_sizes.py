"""The size of a raster image from its header, read before memory is taken for its pixels.

Pillow reads headers too, but refuses more than the decoder does (a note with a wrong checksum, pixels of types that it
has no name for), and of entries that a TIFF has twice it takes the other one.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping
from typing import Literal

from PIL.PpmImagePlugin import PpmImageFile

from mmmammo.io.codestream import jpeg_header

Size = tuple[int, int]
"""Rows and columns."""

_UNREADABLE = (SyntaxError, ValueError, LookupError, OSError, EOFError, TypeError, struct.error)
_FIRST_CHUNK = b'\0\0\0\rIHDR'
_COLUMNS, _ROWS = 256, 257  # tags of TIFF
_NUMBERS = {1: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4}  # bytes of an integer by its TIFF type


def image_size(data: bytes, file_format: str) -> Size | None:
    """Rows and columns that the header of a file promises.

    Args:
        data: The file.
        file_format: As of :func:`mmmammo.io.raster.raster_format`.

    Returns:
        ``None`` if the header does not say.
    """
    try:
        return _READERS[file_format](data)
    except _UNREADABLE:
        return None


def _png(data: bytes) -> Size | None:
    if data[8:16] != _FIRST_CHUNK:
        return None
    columns, rows = struct.unpack_from('>II', data, 16)
    return rows, columns


def _jpeg(data: bytes) -> Size | None:
    header = jpeg_header(data)
    return None if header is None else header.shape[:2]


def _pgm(data: bytes) -> Size:
    columns, rows = PpmImageFile(io.BytesIO(data)).size  # not Image.open, whose limits of size are not ours
    return rows, columns


def _tiff(data: bytes) -> Size | None:
    """Of the first directory; the largest numbers, should it have an entry twice."""
    order: Literal['little', 'big'] = 'little' if data[:2] == b'II' else 'big'

    def number(at: int, length: int) -> int:
        if at + length > len(data):
            raise EOFError
        return int.from_bytes(data[at : at + length], order)

    begin = number(4, 4)
    sides: dict[int, int] = {}
    for at in range(begin + 2, begin + 2 + 12 * number(begin, 2), 12):
        tag = number(at, 2)
        if tag in (_COLUMNS, _ROWS):
            sides[tag] = max(sides.get(tag, 0), number(at + 8, _NUMBERS[number(at + 2, 2)]))
    return sides[_ROWS], sides[_COLUMNS]


_READERS: Mapping[str, Callable[[bytes], Size | None]] = {'png': _png, 'jpeg': _jpeg, 'pgm': _pgm, 'tiff': _tiff}
