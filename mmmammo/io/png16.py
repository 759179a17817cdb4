"""Images of a prepared set: grey PNG over the full scale, of 16 bits or, if so wanted, of 8."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.io.errors import UnsupportedPixelData
from mmmammo.io.raster import decode_raster
from mmmammo.io.whole_files import written_whole
from mmmammo.structures import MammoError

_STRIP = 64  # rows


def write_png16(path: str | Path, pixels: npt.NDArray[np.floating], scratch: Path | None = None) -> None:
    """Write an image so that 1.0 becomes 65535. The file appears whole or not at all.

    Args:
        path: Target, in an existing folder.
        pixels: (h, w) in [0, 1].
        scratch: Folder on the same disk in which the file is made, and stays unfinished if the process is killed; by
            default that of the target.

    Raises:
        MammoError: If the image is not (h, w), is empty, or has values outside [0, 1] or that are not numbers.
    """
    _write(Path(path), pixels, np.uint16, scratch)


def write_png8(path: str | Path, pixels: npt.NDArray[np.floating], scratch: Path | None = None) -> None:
    """As :func:`write_png16` with 8 bits, so that 1.0 becomes 255: a sixteenth of the greys of a 12-bit detector."""
    _write(Path(path), pixels, np.uint8, scratch)


def read_png16(path: str | Path) -> npt.NDArray[np.float32]:
    """Read what :func:`write_png16` or :func:`write_png8` wrote.

    Returns:
        (h, w) in [0, 1].

    Raises:
        CorruptFile: If there is no such file, or it cannot be decoded.
        UnsupportedPixelData: If it is not a grey image of 8 or 16 bits.
    """
    return full_scale(read_stored(path))


def read_stored(path: str | Path) -> npt.NDArray[np.unsignedinteger]:
    """As :func:`read_png16`, but the (h, w) uint8 or uint16 that the file holds."""
    path = Path(path)
    stored = decode_raster(path)
    if stored.dtype not in (np.uint8, np.uint16) or stored.ndim != 2:
        raise UnsupportedPixelData(
            path,
            field='pixels',
            found=f'shape {stored.shape}, type {stored.dtype}',
            expected='a grey PNG of a prepared set',
            remedy='prepare the dataset again, or read a source image with read_mammogram',
        )
    return stored


def full_scale(stored: npt.NDArray[np.unsignedinteger]) -> npt.NDArray[np.float32]:
    """Stored values as float32 in [0, 1]."""
    shown: npt.NDArray[np.float32] = np.divide(stored, np.float32(np.iinfo(stored.dtype).max), dtype=np.float32)
    return shown


def as_read(pixels: npt.NDArray[np.floating], bits: int = 16) -> npt.NDArray[np.float32]:
    """What :func:`read_png16` would read of a file with these pixels.

    Args:
        pixels: (h, w) in [0, 1].
        bits: Of the file, 8 or 16.

    Raises:
        MammoError: As :func:`write_png16`.
    """
    _check('image', pixels)
    return full_scale(_quantised(pixels, np.uint8 if bits == 8 else np.uint16))


def _write(
    path: Path, pixels: npt.NDArray[np.floating], kind: type[np.uint8 | np.uint16], scratch: Path | None
) -> None:
    pixels = np.asarray(pixels)
    _check(path, pixels)
    # OpenCV's own defaults: naming a compression level, even the same, makes it drop its fast filter (4x slower).
    _, encoded = cv2.imencode('.png', _quantised(pixels, kind))
    with written_whole(path, 'wb', scratch=scratch) as file:
        file.write(encoded.data)


def _check(where: Path | str, pixels: npt.NDArray[np.floating]) -> None:
    """Refuse what has no place on the full scale."""
    if pixels.ndim != 2 or pixels.size == 0 or pixels.dtype.kind != 'f':
        raise _unfit(where, f'shape {pixels.shape}, type {pixels.dtype}')
    low, high = pixels.min(), pixels.max()
    if not (low >= 0 and high <= 1):  # also true of nan
        raise _unfit(where, f'values from {low} to {high}')


def _quantised(pixels: npt.NDArray[np.floating], kind: type[np.uint8 | np.uint16]) -> npt.NDArray[np.unsignedinteger]:
    """Rounded to the full scale of the type, in strips that stay in the cache."""
    white = np.float32(np.iinfo(kind).max)
    stored = np.empty(pixels.shape, dtype=kind)
    for top in range(0, len(pixels), _STRIP):
        strip = np.s_[top : top + _STRIP]
        stored[strip] = pixels[strip].astype(np.float32, copy=False) * white + np.float32(0.5)
    return stored


def _unfit(path: Path | str, found: str) -> MammoError:
    return MammoError(
        path,
        field='pixels',
        found=found,
        expected='(h, w) floating point values in [0, 1]',
        remedy='scale the image to [0, 1] before writing it',
    )
