"""Decoding pixel data to stored values, whatever the transfer syntax, and which of them are padding."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from mmmammo.io.coarse import coarsely_decoded
from mmmammo.io.codestream import stream_bits
from mmmammo.io.elements import label, number, quoted, raw_value, shortened, text
from mmmammo.io.errors import CorruptFile, UnsupportedPixelData
from mmmammo.io.fast_decoders import UNDECODABLE, decoded
from mmmammo.io.limits import require_size

_PIP_LINE = 'pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg pyjpegls'


@dataclass(frozen=True, eq=False)
class StoredValues:
    """The pixels as bit patterns, and what each of the n = 256 or 65,536 patterns stands for.

    Args:
        patterns: (h, w) uint8 or uint16.
        values: (n,) stored value per pattern; differs from the pattern where pixels are signed.
        present: (n,) whether any pixel has the pattern.
        padding: (n,) whether the pattern is padding.
        bits: Significant bits: BitsStored, or more where the pixels exceed it, or fewer where a codestream has fewer.
        stream_bits: What the header of a compressed image says; ``None`` without one.
        halvings: How often rows and columns were halved in decoding, before the pixels were enlarged again; 0 is all
            details.
    """

    patterns: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    values: npt.NDArray[np.int64]
    present: npt.NDArray[np.bool_]
    padding: npt.NDArray[np.bool_]
    bits: int
    stream_bits: int | None = None
    halvings: int = 0


def decode(dataset: Dataset, path: Path, rows_needed: float = math.inf) -> StoredValues:
    """Decode the only frame.

    BitsStored is not believed where the pixels exceed it, and HighBit is not used: bits beyond BitsStored that are set
    are significant bits under a wrong tag far more often than anything else.

    Args:
        dataset: With its pixel data; what its pixel module leaves unsaid is completed.
        path: Its file, for messages.
        rows_needed: See :func:`mmmammo.io.read_mammogram`.

    Raises:
        UnsupportedPixelData: If there is no pixel data, it has colours, an unusual depth or more pixels than any
            mammogram, or no decoder reads it.
        CorruptFile: If it is truncated or damaged.
    """
    _check_pixel_module(dataset, path)
    _check_pixel_data(dataset, path)
    decoder = _decoder(dataset, path)
    coarse = coarsely_decoded(decoder.UID, dataset, rows_needed)
    if coarse is not None:
        return replace(_tabulate(coarse.pixels, dataset, stream_bits(dataset)), halvings=coarse.halvings)
    try:
        pixels = decoded(decoder, dataset)
    except UNDECODABLE as err:
        raise CorruptFile(
            path,
            field=label('PixelData'),
            found=f'data that cannot be decoded ({shortened(err)})',
            expected=f'{dataset.Rows}x{dataset.Columns} pixels encoded as {decoder.UID.name}',
            remedy='copy the file again; if it stays broken, export it again from the archive',
        ) from err
    return _tabulate(pixels.astype(pixels.dtype.newbyteorder('='), copy=False), dataset, stream_bits(dataset))


def _check_pixel_data(dataset: Dataset, path: Path) -> None:
    if raw_value(dataset, 'PixelData'):
        return
    # pydicom leaves an element out that the end of the file cuts.
    if b'\xe0\x7f\x10\x00' in path.read_bytes() or b'\x7f\xe0\x00\x10' in path.read_bytes():
        raise CorruptFile(
            path,
            field=label('PixelData'),
            found='an element that the end of the file cuts off',
            expected='complete pixel data',
            remedy='copy the file again, or export it again from the archive',
        )
    raise UnsupportedPixelData(
        path,
        field=label('PixelData'),
        found='nothing',
        expected='a grey image',
        remedy='copy the file again, if it may be cut off within its header; else export the image with its pixels '
        '(headers, reports and presentation states hold none)',
    )


def _check_pixel_module(dataset: Dataset, path: Path) -> None:
    """See that the pixel module describes one grey channel of 8 or 16 bits, and complete what may be left unsaid."""
    for keyword in ('Rows', 'Columns', 'BitsAllocated'):
        if not number(dataset, keyword):
            raise CorruptFile(
                path,
                field=label(keyword),
                found=number(dataset, keyword) or 'nothing',
                expected='a positive number',
                remedy='export the image again from its archive',
            )
    rows, columns = (int(number(dataset, keyword) or 0) for keyword in ('Rows', 'Columns'))
    require_size(path, f'{label("Rows")}, {label("Columns")}', rows, columns)
    photometric = (text(dataset, 'PhotometricInterpretation') or 'MONOCHROME2').upper()
    if photometric not in ('MONOCHROME1', 'MONOCHROME2') or (number(dataset, 'SamplesPerPixel') or 1) != 1:
        found = quoted(dataset, 'PhotometricInterpretation', photometric)
        raise _unsupported(
            path, 'PhotometricInterpretation', found, 'MONOCHROME1 or MONOCHROME2', 'export the image in grey'
        )
    bits = int(number(dataset, 'BitsAllocated') or 0)
    if bits not in (8, 16):
        raise _unsupported(path, 'BitsAllocated', bits, '8 or 16', 'export the image with 16 bits per pixel')
    stored = int(number(dataset, 'BitsStored') or bits)
    dataset.add_new('PhotometricInterpretation', 'CS', photometric)
    dataset.add_new('SamplesPerPixel', 'US', 1)
    dataset.add_new('NumberOfFrames', 'IS', 1)
    dataset.add_new('PixelRepresentation', 'US', 1 if number(dataset, 'PixelRepresentation') == 1 else 0)
    dataset.add_new('BitsStored', 'US', stored if 1 <= stored <= bits else bits)


def _decoder(dataset: Dataset, path: Path) -> Decoder:
    """The decoder of the transfer syntax; for a file that names none, that of its native encoding."""
    syntax = text(dataset.file_meta, 'TransferSyntaxUID')
    if syntax is None:
        if dataset['PixelData'].is_undefined_length:
            raise _unsupported(
                path, 'TransferSyntaxUID', 'nothing, with compressed pixels', 'a transfer syntax', 'export it again'
            )
        implicit, little = dataset.original_encoding
        native = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = syntax = native
    try:
        decoder = get_decoder(UID(syntax))
    except NotImplementedError:
        decoder = None
    if decoder is None or not decoder.is_available:
        found = quoted(dataset.file_meta, 'TransferSyntaxUID')
        found = f'{UID(syntax).name} ({found})' if UID(syntax).name != syntax else found
        raise _unsupported(path, 'TransferSyntaxUID', found, 'a syntax with a decoder', f'{_PIP_LINE}, or convert it')
    return decoder


def _tabulate(pixels: npt.NDArray[np.integer], dataset: Dataset, stream: int | None) -> StoredValues:
    patterns = pixels.view(f'u{pixels.dtype.itemsize}')
    size = 256**pixels.dtype.itemsize
    present = cv2.calcHist([patterns], [0], None, [size], [0, size])[:, 0] > 0
    values = np.arange(size, dtype=patterns.dtype).view(pixels.dtype).astype(np.int64)
    bits = int(dataset.BitsStored)
    if pixels.dtype.kind == 'i' and not present[2**bits :].any():
        values = _sign_extended(values, bits)
    seen = values[present]
    needed = max(int(seen.max()), -int(seen.min()) - 1).bit_length() + (pixels.dtype.kind == 'i')
    bits = max(min(bits, stream or bits), needed)
    return StoredValues(patterns, values, present, _is_padding(values, dataset), bits, stream)


def _sign_extended(values: npt.NDArray[np.int64], bits: int) -> npt.NDArray[np.int64]:
    """Read the first 2 ** bits patterns as two's complement numbers of that many bits."""
    extended = values.copy()
    sign = 2 ** (bits - 1)
    extended[: 2**bits] = (np.arange(2**bits) ^ sign) - sign
    return extended


def _is_padding(values: npt.NDArray[np.int64], dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Values from PixelPaddingValue to PixelPaddingRangeLimit, in whichever order they are given."""
    padding = number(dataset, 'PixelPaddingValue')
    if padding is None:
        return np.zeros(len(values), dtype=bool)
    limit = number(dataset, 'PixelPaddingRangeLimit')
    ends = [_representable(end, values) for end in (padding, padding if limit is None else limit)]
    return (values >= min(ends)) & (values <= max(ends))


def _representable(value: float, values: npt.NDArray[np.int64]) -> float:
    """Undo a padding value read with the wrong sign: 63488 of signed 16-bit pixels is -2048."""
    if value > values.max():
        return value - len(values)
    return value + len(values) if value < values.min() else value


def _unsupported(path: Path, keyword: str, found: object, expected: str, remedy: str) -> UnsupportedPixelData:
    return UnsupportedPixelData(path, field=label(keyword), found=found, expected=expected, remedy=remedy)
