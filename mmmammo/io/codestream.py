"""What the header of a compressed image says about itself, whatever the tags around it say."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.utils import get_j2k_parameters

from mmmammo.io.elements import UNREADABLE, raw_value

_FRAME_HEADERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG, JPEG Lossless (SOF0 to SOF15) and JPEG-LS (SOF55) whose first byte is the precision."""


def stream_bits(dataset: Dataset) -> int | None:
    """Bits per pixel in the header of the first frame: JPEG 2000, JPEG Lossless, JPEG-LS, JPEG.

    Args:
        dataset: With pixel data and file meta information.

    Returns:
        ``None`` if the pixels are not compressed so, or the header cannot be read.
    """
    element, encoded = dataset.get_item('PixelData'), raw_value(dataset, 'PixelData')
    if element is None or not element.is_undefined_length or not isinstance(encoded, bytes):
        return None
    try:
        frame = next(generate_frames(encoded, number_of_frames=1))
    except (*UNREADABLE, StopIteration):
        return None
    precision = get_j2k_parameters(frame).get('precision')
    return int(precision) if precision is not None else next(_jpeg_precisions(frame), None)


def _jpeg_precisions(frame: bytes) -> Iterator[int]:
    """Walk the segments up to the frame header."""
    position = 2 if frame[:2] == b'\xff\xd8' else len(frame)
    while position + 5 <= len(frame) and frame[position] == 0xFF:
        if frame[position + 1] in _FRAME_HEADERS:
            yield frame[position + 4]
            return
        position += 2 + int.from_bytes(frame[position + 2 : position + 4], 'big')
