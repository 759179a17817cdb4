"""What the header of a compressed image says about itself, whatever the tags around it say."""

from __future__ import annotations

import struct
from typing import NamedTuple

from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.utils import get_j2k_parameters

from mmmammo.io.elements import UNREADABLE, raw_value

_FRAME_HEADERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG, JPEG Lossless (SOF0 to SOF15) and JPEG-LS (SOF55) whose first byte is the precision."""

_CODING_STYLE, _FIRST_TILE = 0x52, 0x90  # markers of JPEG 2000: COD, and SOT, which ends the main header
_CODESTREAM, _BOXED = b'\xff\x4f\xff\x51', b'\0\0\0\x0cjP'  # how JPEG 2000 begins: alone, and as a JP2 file
_BOX_HEADER = 8  # bytes: length and kind; with a length of 1 another 8 for the true one
_END_OF_SIZ = 45  # bytes of a codestream up to the end of what its first segment says of one component


class JPEGHeader(NamedTuple):
    """The frame header of a JPEG, JPEG Lossless or JPEG-LS stream.

    Args:
        marker: Second byte of its marker, which names the process.
        precision: Bits per sample.
        shape: (h, w, samples per pixel).
    """

    marker: int
    precision: int
    shape: tuple[int, int, int]


class JPEG2000Header(NamedTuple):
    """What the main header of a JPEG 2000 codestream says of its first component.

    Args:
        shape: (h, w, components).
        precision: Bits per sample.
        is_signed: Whether samples may be negative.
        levels: How often the wavelet has halved rows and columns.
    """

    shape: tuple[int, int, int]
    precision: int
    is_signed: bool
    levels: int


def first_frame(dataset: Dataset) -> bytes:
    """The compressed first frame, its fragments put together.

    Raises:
        ValueError: If the pixels are not encapsulated, or it is not complete.
    """
    encoded = raw_value(dataset, 'PixelData')  # first: it makes an element of what was only read so far
    element = dataset.get_item('PixelData')
    if element is None or not element.is_undefined_length or not isinstance(encoded, bytes):
        raise ValueError('pixels that are not encapsulated')
    try:
        return next(generate_frames(encoded, number_of_frames=1))
    except (*UNREADABLE, StopIteration) as err:
        raise ValueError('no complete frame') from err


def stream_bits(dataset: Dataset) -> int | None:
    """Bits per pixel in the header of the first frame: JPEG 2000, JPEG Lossless, JPEG-LS, JPEG.

    Args:
        dataset: With pixel data and file meta information.

    Returns:
        ``None`` if the pixels are not compressed so, or the header cannot be read.
    """
    try:
        frame = first_frame(dataset)
    except ValueError:
        return None
    precision = get_j2k_parameters(frame).get('precision')
    if precision is not None:
        return int(precision)
    header = jpeg_header(frame)
    return None if header is None else header.precision


def stream_shape(dataset: Dataset) -> tuple[int, int, int] | None:
    """(h, w, samples per pixel) in the header of the first frame; ``None`` likewise."""
    try:
        frame = first_frame(dataset)
    except ValueError:
        return None
    begin = _codestream_in(frame) if frame.startswith(_BOXED) else 0
    if frame.startswith(_CODESTREAM, begin):
        return _size(frame[begin:])
    header = jpeg_header(frame)
    return header.shape if header and header.shape[0] else None  # else the height follows the first scan (DNL)


def _codestream_in(boxes: bytes) -> int:
    """Where it begins within the boxes of a JP2 file (ISO/IEC 15444-1 annex I); other boxes may look like one."""
    position = 0
    while position + _BOX_HEADER <= len(boxes):
        length, kind = struct.unpack_from('>I4s', boxes, position)
        header = _BOX_HEADER
        if length == 1:
            header, length = 2 * _BOX_HEADER, int.from_bytes(boxes[position + 8 : position + 16], 'big')
        if kind == b'jp2c':
            return position + header
        position += length if length >= header else len(boxes)  # 0 is: to the end
    return len(boxes)


def _size(codestream: bytes) -> tuple[int, int, int] | None:
    """Of the image area (SIZ, ISO/IEC 15444-1 A.5.1)."""
    if len(codestream) < _END_OF_SIZ:
        return None
    right, bottom, left, top = struct.unpack_from('>4I', codestream, 8)
    return bottom - top, right - left, int.from_bytes(codestream[40:42], 'big')


def jpeg_header(frame: bytes) -> JPEGHeader | None:
    """Walk the segments up to the frame header; ``None`` if there is none, or it is cut off."""
    position = 2 if frame[:2] == b'\xff\xd8' else len(frame)
    while position + 10 <= len(frame) and frame[position] == 0xFF:
        if frame[position + 1] == 0xFF:  # any number of them may fill up before a marker
            position += 1
            continue
        if frame[position + 1] in _FRAME_HEADERS:
            precision, *shape = struct.unpack_from('>BHHB', frame, position + 4)
            return JPEGHeader(frame[position + 1], precision, tuple(shape))
        position += _segment(frame, position)
    return None


def jpeg2000_header(frame: bytes) -> JPEG2000Header | None:
    """Header of a bare codestream whose image begins at its origin and whose samples are as dense as its pixels.

    Returns:
        ``None`` for every other one, for the boxes of JP2, and if the header is cut off.
    """
    if not frame.startswith(_CODESTREAM) or len(frame) < _END_OF_SIZ:
        return None
    width, height, *origin = struct.unpack_from('>4I', frame, 8)
    components, depth, *steps = struct.unpack_from('>H3B', frame, 40)
    levels = _wavelet_levels(frame)
    if any(origin) or steps != [1, 1] or levels is None:
        return None
    return JPEG2000Header((height, width, components), (depth & 0x7F) + 1, bool(depth & 0x80), levels)


def _wavelet_levels(frame: bytes) -> int | None:
    """Walk the main header up to the coding style (COD, ISO/IEC 15444-1 A.6.1)."""
    position = 2
    while position + 10 <= len(frame) and frame[position] == 0xFF and frame[position + 1] != _FIRST_TILE:
        if frame[position + 1] == _CODING_STYLE:
            return frame[position + 9]
        position += _segment(frame, position)
    return None


def _segment(frame: bytes, position: int) -> int:
    """Bytes from the marker at ``position`` to the next."""
    return 2 + int.from_bytes(frame[position + 2 : position + 4], 'big')
