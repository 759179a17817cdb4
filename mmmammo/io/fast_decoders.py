"""The decoder that takes the least time for a transfer syntax, and those of pydicom where it is absent or fails.

Measured on views of 3328 x 2560 pixels by ``benchmarks/decode.py``: the PackBits of imagecodecs reads RLE in an eighth
of the time of pydicom's own decoder, its libjpeg-turbo JPEG Lossless in a fifth of that of libjpeg, and CharLS JPEG-LS
in a third of that of libjpeg. JPEG 2000 takes the same time everywhere: all of them are OpenJPEG.

Other functions of imagecodecs end the process where a file is damaged (``dicomrle_decode``, ``ljpeg_decode``,
``jpegsof3_decode``); pylibjpeg-rle raises what is no ``Exception``. They are not used.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import Decoder
from pydicom.uid import UID, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless, RLELossless

from mmmammo.io.codestream import first_frame, jpeg_header, stream_shape
from mmmammo.io.elements import UNREADABLE

UNDECODABLE = (*UNREADABLE, RuntimeError, IndexError, StopIteration, MemoryError)
"""What decoders raise on a stream that they cannot read."""

_Pixels = npt.NDArray[np.integer]
_AS_STORED: dict[str, Any] = {'raw': True, 'correct_unused_bits': False, 'view_only': True}
_RLE_HEADER = 64  # bytes: the number of segments, then where each begins
_LOSSLESS = 0xC3  # the frame header of JPEG Lossless


def decoded(decoder: Decoder, dataset: Dataset) -> _Pixels:
    """Stored values of the first frame.

    Args:
        decoder: pydicom's, for the transfer syntax.
        dataset: With a pixel module that is complete.

    Returns:
        (h, w) of the size and the sign that the pixel module says.

    Raises:
        Exception: One of :data:`UNDECODABLE`, if no decoder reads it.
    """
    _check_size(dataset)
    fastest = FASTEST.get(decoder.UID)
    if fastest is not None:
        try:
            return fastest(decoder, dataset)
        except (*UNDECODABLE, ImportError):
            pass  # absent, or stricter than the writer of the stream
    return by_pydicom(decoder, dataset, _THEN.get(decoder.UID, ''))


def _check_size(dataset: Dataset) -> None:
    """See that no decoder takes memory for another image than the tags describe: a damaged header may ask for much."""
    declared, shape = (dataset.Rows, dataset.Columns, 1), stream_shape(dataset)
    if shape not in (None, declared):
        raise ValueError(f'a stream of {shape[0]}x{shape[1]} pixels with {shape[2]} samples')


def by_pydicom(decoder: Decoder, dataset: Dataset, plugin: str = '') -> _Pixels:
    """By one plugin of pydicom, or by any of them."""
    pixels: _Pixels = decoder.as_array(dataset, index=0, decoding_plugin=plugin, **_AS_STORED)[0]
    return pixels


def _by_charls(decoder: Decoder, dataset: Dataset) -> _Pixels:
    return by_pydicom(decoder, dataset, 'pyjpegls')


def _by_packbits(_: Decoder, dataset: Dataset) -> _Pixels:
    """RLE: each byte of a pixel has its own segment, the highest first (PS3.5 annex G)."""
    from imagecodecs import packbits_decode

    frame = first_frame(dataset)
    size, pixels = _bytes_per_pixel(dataset), dataset.Rows * dataset.Columns
    count, *begins = struct.unpack_from('<16I', frame)
    bounds = [*begins[:size], len(frame)]
    if count != size or bounds[0] != _RLE_HEADER or bounds != sorted(bounds):
        raise ValueError(f'{count} RLE segments at {bounds}')
    planes = [
        np.frombuffer(packbits_decode(frame[begin:end]), np.uint8, count=pixels) for begin, end in pairwise(bounds)
    ]
    interleaved = planes[0] if size == 1 else cv2.merge(planes[::-1])
    return _shaped(interleaved.view(f'<u{size}'), dataset)


def _by_turbo(_: Decoder, dataset: Dataset) -> _Pixels:
    """JPEG Lossless, and no other process of JPEG."""
    from imagecodecs import jpeg8_decode

    frame = first_frame(dataset)
    header = jpeg_header(frame)
    if header is None or header.marker != _LOSSLESS:
        raise ValueError(f'{header} where a frame header of JPEG Lossless should be')
    pixels, size = jpeg8_decode(frame), _bytes_per_pixel(dataset)
    if pixels.itemsize > size:
        raise ValueError(f'samples of {header.precision} bits for pixels of {8 * size}')
    return _shaped(pixels.astype(f'<u{size}', copy=False), dataset)


def _bytes_per_pixel(dataset: Dataset) -> int:
    return int(dataset.BitsAllocated) // 8


def _shaped(patterns: npt.NDArray[np.unsignedinteger], dataset: Dataset) -> _Pixels:
    """Bit patterns as stored values of the image."""
    sign = 'i' if dataset.PixelRepresentation else 'u'
    return patterns.reshape(dataset.Rows, dataset.Columns).view(f'<{sign}{patterns.itemsize}')


FASTEST: Mapping[UID, Callable[[Decoder, Dataset], _Pixels]] = {
    RLELossless: _by_packbits,
    JPEGLossless: _by_turbo,
    JPEGLosslessSV1: _by_turbo,
    JPEGLSLossless: _by_charls,
    JPEGLSNearLossless: _by_charls,
}
_THEN = {RLELossless: 'pydicom'}  # and never pylibjpeg-rle, which somebody may have installed
