"""Grey raster images: PNG, and the PGM, TIFF and JPEG files that older datasets consist of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.io.errors import CorruptFile, UnsupportedPixelData
from mmmammo.io.image_sizes import image_size
from mmmammo.io.limits import require_size
from mmmammo.io.view_names import parse_view_name
from mmmammo.structures import Mammogram, MammogramMeta, Problem

SIGNATURES = {
    b'\x89PNG\r\n\x1a\n': 'png',
    b'P5': 'pgm',
    b'II*\0': 'tiff',
    b'MM\0*': 'tiff',
    b'\xff\xd8\xff': 'jpeg',
}
"""First bytes of the formats that are read."""

_DEPTHS = (8, 10, 12, 14, 16)


def raster_format(head: bytes) -> str | None:
    """Name of the raster format that a file with these first bytes has, or ``None``."""
    return next((name for signature, name in SIGNATURES.items() if head.startswith(signature)), None)


def significant_bits(largest: int) -> int:
    """The least of 8, 10, 12, 14 and 16 bits that holds ``largest``: the depth of a detector inside 16-bit pixels."""
    return next((bits for bits in _DEPTHS if largest < 2**bits), _DEPTHS[-1])


def raster_meta(path: Path, file_format: str, bits_stored: int | None = None) -> MammogramMeta:
    """Side and projection from the file name; a raster image says nothing else."""
    laterality, view = parse_view_name(path.stem)
    return MammogramMeta(
        laterality=laterality, view=view, bits_stored=bits_stored, attributes={'file_format': file_format}
    )


def read_raster(path: Path, file_format: str) -> Mammogram:
    """Read a grey image whose brightest possible value is white.

    A 16-bit file often holds the 12 bits of the detector: its depth is taken as the least usual one that holds the
    largest value found, and written to ``meta.bits_stored``.

    Raises:
        CorruptFile: If the file cannot be decoded, or every pixel has the same value.
        UnsupportedPixelData: If the image has colours, or pixels other than 8- or 16-bit integers.
    """
    stored = grey_channel(path, decode_raster(path))
    largest = int(stored.max())
    if largest == stored.min():
        raise constant_image(path, 'pixels', largest)
    bits = significant_bits(largest)
    pixels = stored.astype(np.float32) / np.float32(2**bits - 1)
    return Mammogram(pixels, raster_meta(path, file_format, bits))


def decode_raster(path: Path) -> npt.NDArray[Any]:
    """Decode without any conversion.

    Raises:
        CorruptFile: If there is no such file, it is of no format of :data:`SIGNATURES`, or it cannot be decoded.
        UnsupportedPixelData: If it is larger than :data:`mmmammo.io.limits.LARGEST`.
    """
    try:
        encoded = path.read_bytes()
    except OSError as err:
        raise unreadable(path, err) from err
    size = image_size(encoded, raster_format(encoded) or '')
    if size is not None:
        require_size(path, 'image size', *size)
    try:
        image = None if size is None else cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:  # a header that promises an absurd size
        image = None
    if image is None:
        raise CorruptFile(
            path,
            field='image data',
            found=f'{len(encoded)} bytes that cannot be decoded',
            expected='a complete image file',
            remedy='copy or export the file again',
        )
    return np.asarray(image)


def grey_channel(path: Path, image: npt.NDArray[Any]) -> npt.NDArray[np.unsignedinteger]:
    """The image itself, or one of three equal channels (a fourth is opacity).

    Raises:
        UnsupportedPixelData: If it has colours, or pixels other than 8- or 16-bit integers.
    """
    if image.dtype not in (np.uint8, np.uint16):
        raise _not_grey(path, f'pixels of type {image.dtype}')
    if image.ndim == 3:
        grey = image[..., 0]
        if any(not np.array_equal(grey, image[..., i]) for i in range(1, min(image.shape[2], 3))):
            raise _not_grey(path, 'a colour image')
        image = np.ascontiguousarray(grey)
    return image


def unreadable(path: Path, err: OSError) -> CorruptFile:
    """The error for a path that is no readable file."""
    return CorruptFile(
        path,
        field='file',
        found=(err.strerror or str(err)).lower(),
        expected='a readable file',
        remedy='check the path and its permissions',
    )


def constant_image(path: Path, field: str, value: object) -> CorruptFile:
    """The error for an image without any content."""
    return CorruptFile(
        path,
        field=field,
        found=f'one value everywhere: {value}',
        expected='a breast on a dark ground',
        remedy='export the image again; if the archive shows it empty as well, leave it out',
        problem=Problem.BLACK,
    )


def _not_grey(path: Path, found: str) -> UnsupportedPixelData:
    return UnsupportedPixelData(
        path,
        field='pixels',
        found=found,
        expected='one grey channel of 8 or 16 bits',
        remedy='export the image as 16-bit grey PNG, or use the DICOM file',
    )
