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


def jpeg_header(frame: bytes) -> JPEGHeader | None:
    """Walk the segments up to the frame header; ``None`` if there is none, or it is cut off."""
    position = 2 if frame[:2] == b'\xff\xd8' else len(frame)
    while position + 10 <= len(frame) and frame[position] == 0xFF:
        if frame[position + 1] in _FRAME_HEADERS:
            precision, *shape = struct.unpack_from('>BHHB', frame, position + 4)
            return JPEGHeader(frame[position + 1], precision, tuple(shape))
        position += 2 + int.from_bytes(frame[position + 2 : position + 4], 'big')
    return None
