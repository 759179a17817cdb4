"""Scans of films as DDSM has them: lossless JPEG, or raw values without a header, on the scale of one film scanner.

A scanner says how dark a film is on a scale of its own. Its curve gives optical density, the same for all of them: 0 is
clear film, 3 is black. As displayed, density 3.0 becomes 0 and density 0.05 becomes 1. The curves are those that the
University of South Florida published for DDSM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.io.codestream import jpeg_header
from mmmammo.io.elements import shortened
from mmmammo.io.errors import CorruptFile, UnsupportedPixelData
from mmmammo.io.limits import require_size
from mmmammo.io.mammogram import read_mammogram
from mmmammo.io.raster import constant_image, raster_meta, significant_bits, unreadable
from mmmammo.structures import FilmScan, Mammogram

Values = npt.NDArray[np.float64]

DENSITIES = 0.05, 3.0
"""Optical densities shown as 1 and as 0."""

CURVES: Mapping[str, Callable[[Values], Values]] = {
    'dba-mgh': lambda grey: (np.log10(grey + 1) - 4.80662) / -1.07553,
    'howtek-mgh': lambda grey: 3.789 - 0.00094568 * grey,
    'lumisys-wfu': lambda grey: (grey - 4096.99) / -1009.01,
    'howtek-ismd': lambda grey: 3.96604 - 0.00099055807612 * grey,
}
"""Optical density of grey values, by scanner and hospital."""

_JPEG, _END = b'\xff\xd8', b'\xff\xd9'
_CONVERT = 'decode it with the PVRG codec (jpeg -d -s FILE.LJPEG) and leave the FILE.LJPEG.1 that it writes beside it'


def read_film_scan(path: Path, scan: FilmScan) -> Mammogram:
    """Read a scan as displayed: dark where the film is, dense tissue bright.

    Args:
        path: A ``.LJPEG``, a ``.LJPEG.1`` (big-endian 16-bit values, row by row), or any file that
            :func:`mmmammo.io.read_mammogram` reads.
        scan: Its size, and the scanner if its curve is to be applied.

    Raises:
        CorruptFile: If the file cannot be decoded, or has another size.
        UnsupportedPixelData: If it is a JPEG without a decoder.
    """
    try:
        data = path.read_bytes() if path.is_file() else b''
    except OSError as err:
        raise unreadable(path, err) from err
    if path.suffix == '.1':
        stored, kind = _raw_values(data, path, scan), 'raw'
    elif data.startswith(_JPEG):
        stored, kind = _shaped(decode_ljpeg(data, path), path, scan), 'ljpeg'
    else:
        return read_mammogram(path)
    largest = int(stored.max())
    if largest == stored.min():
        raise constant_image(path, 'pixels', largest)
    bits = significant_bits(largest)
    table, shown = _display_table(scan, bits)
    meta = raster_meta(path, kind, bits)
    return Mammogram(table[stored], replace(meta, attributes={**meta.attributes, 'voi': shown}))


def decode_ljpeg(data: bytes, where: Path) -> npt.NDArray[np.uint16]:
    """Decode a lossless JPEG of one component, up to 16 bits.

    Args:
        data: The stream.
        where: Its file, for messages.

    Raises:
        CorruptFile: If it is damaged.
        UnsupportedPixelData: If there is no decoder, there are several components, or too many pixels.
    """
    if _END not in data:  # libjpeg would leave the rest black, and say nothing
        raise _undecodable(CorruptFile, where, 'a stream without its end')
    header = jpeg_header(data)
    if header is None:
        raise _undecodable(CorruptFile, where, 'a stream that libjpeg does not read (no frame header)')
    require_size(where, 'LJPEG', *header.shape[:2])
    try:
        from libjpeg.utils import decode
    except ImportError as err:
        raise _undecodable(UnsupportedPixelData, where, 'no decoder', 'install pylibjpeg-libjpeg') from err
    try:
        pixels: npt.NDArray[Any] = decode(data)
    except (RuntimeError, ValueError, KeyError) as err:
        raise _undecodable(CorruptFile, where, f'a stream that libjpeg does not read ({shortened(err)})') from err
    if pixels.ndim != 2:
        raise _undecodable(UnsupportedPixelData, where, f'{pixels.shape[-1]} components')
    return pixels.astype(np.uint16, copy=False)


def _undecodable(
    kind: type[CorruptFile | UnsupportedPixelData], where: Path, found: str, remedy: str = 'copy the file again'
) -> CorruptFile | UnsupportedPixelData:
    expected = 'a lossless JPEG of one component'
    return kind(where, field='LJPEG', found=found, expected=expected, remedy=f'{remedy}, or {_CONVERT}')


def _shaped(pixels: npt.NDArray[np.uint16], where: Path, scan: FilmScan) -> npt.NDArray[np.uint16]:
    if scan.shape in (None, pixels.shape):
        return pixels
    raise _other_size(where, f'{pixels.shape[0]} x {pixels.shape[1]} pixels', scan)


def _raw_values(data: bytes, where: Path, scan: FilmScan) -> npt.NDArray[np.uint16]:
    if scan.shape is None or len(data) != 2 * scan.shape[0] * scan.shape[1]:
        raise _other_size(where, f'{len(data)} bytes', scan)
    return np.frombuffer(data, dtype='>u2').reshape(scan.shape).astype(np.uint16)


def _other_size(where: Path, found: str, scan: FilmScan) -> CorruptFile:
    shape = 'a size from its source' if scan.shape is None else f'{scan.shape[0]} x {scan.shape[1]} pixels of 16 bits'
    return CorruptFile(where, field='size', found=found, expected=shape, remedy='copy or convert the file again')


def _display_table(scan: FilmScan, bits: int) -> tuple[npt.NDArray[np.float32], str]:
    """Display value of every grey value, and what made it."""
    grey = np.arange(2**16, dtype=np.float64)
    if scan.digitizer is None:
        return np.minimum(grey / (2**bits - 1), 1).astype(np.float32), 'range'
    clear, black = DENSITIES
    density = np.clip(CURVES[scan.digitizer](grey), clear, black)
    return ((black - density) / (black - clear)).astype(np.float32), 'optical density'
