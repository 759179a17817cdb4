"""An encoder of JPEG Lossless with selection value 1 (ITU-T T.81, process 14), for files that no library here writes.

It is meant for small images: one Huffman table gives every category of difference a code of five bits, which any
decoder reads and no archive would choose.
"""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

_CODE_BITS = 5
_CATEGORIES = 17
_WORD_BITS = 32
_SOI, _EOI = b'\xff\xd8', b'\xff\xd9'
_APP0, _SOF3, _DHT, _SOS = 0xE0, 0xC3, 0xC4, 0xDA


def encode_jpeg_lossless(pixels: npt.NDArray[np.uint16], precision: int) -> bytes:
    """One grey image as a complete JPEG stream.

    Args:
        pixels: (h, w), each below ``2 ** precision``.
        precision: Bits of a sample, 2 to 16.
    """
    height, width = pixels.shape
    jfif = _segment(_APP0, b'JFIF\0\x01\x02\0\0\x01\0\x01\0\0')
    lengths = [0] * 16
    lengths[_CODE_BITS - 1] = _CATEGORIES
    table = _segment(_DHT, bytes([0, *lengths, *range(_CATEGORIES)]))
    frame = _segment(_SOF3, struct.pack('>BHHB', precision, height, width, 1) + b'\x01\x11\0')
    scan = _segment(_SOS, b'\x01\x01\0\x01\0\0')
    return _SOI + jfif + table + frame + scan + _entropy_coded(_differences(pixels, precision)) + _EOI


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack('>BBH', 0xFF, marker, len(content) + 2) + content


def _differences(pixels: npt.NDArray[np.uint16], precision: int) -> npt.NDArray[np.int64]:
    """Each sample less the one to its left, modulo 2^16, in (-2^15, 2^15].

    The first of a row has the one above it as its prediction, the first of all half the range.
    """
    values = pixels.astype(np.int64)
    predicted = np.empty_like(values)
    predicted[:, 1:] = values[:, :-1]
    predicted[1:, 0] = values[:-1, 0]
    predicted[0, 0] = 2 ** (precision - 1)
    return (values - predicted + 2**15 - 1) % 2**16 - (2**15 - 1)


def _entropy_coded(differences: npt.NDArray[np.int64]) -> bytes:
    """Code of the category, then so many bits of the difference, less one in the negative; 2^15 has none."""
    values = differences.ravel()
    category = np.ceil(np.log2(np.abs(values) + 1)).astype(np.int64)
    extra_bits = np.where(category == 16, 0, category)
    extra = np.where(values < 0, values - 1, values) & ((1 << extra_bits) - 1)
    used = _CODE_BITS + extra_bits
    words = (category << extra_bits | extra) << (_WORD_BITS - used)
    bits = np.unpackbits(words.astype('>u4').view(np.uint8).reshape(-1, _WORD_BITS // 8), axis=1)
    stream = bits[np.arange(_WORD_BITS) < used[:, None]]
    padding = np.ones(-len(stream) % 8, dtype=np.uint8)
    return np.packbits(np.concatenate([stream, padding])).tobytes().replace(b'\xff', b'\xff\0')
