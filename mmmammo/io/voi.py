"""From stored values to display values: modality transform, value-of-interest LUT or window, inversion.

Everything works on the at most 65,536 values a pixel can have and gives one table, which is then looked up once per
pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from mmmammo.io.elements import items, label, number, numbers, quoted, raw_value, readable_numbers, text
from mmmammo.io.errors import CorruptFile, UnsupportedPixelData
from mmmammo.io.raster import significant_bits

FloatArray = npt.NDArray[np.float64]

MIN_CONTRAST = 1 / 8
"""A LUT or window that leaves less of [0, 1] between the darkest and the brightest pixel was made for other pixels.

It happens: 8-bit pixels with the window of a 12-bit image keep a sixteenth.
"""


@dataclass(frozen=True, eq=False)
class DisplayTable:
    """Display value per stored value.

    Args:
        values: (n,) float32 in [0, 1], breast bright.
        voi: What made them: ``'lut'``, ``'linear'``, ``'linear_exact'``, ``'sigmoid'`` or ``'range'``.
        inverted: Whether black and white were exchanged.
    """

    values: npt.NDArray[np.float32]
    voi: str
    inverted: bool


def display_table(
    stored: npt.NDArray[np.int64],
    live: npt.NDArray[np.bool_],
    dataset: Dataset,
    where: Path,
    use_voi: bool = True,
) -> DisplayTable:
    """Build the table of one image.

    Args:
        stored: (n,) every value a pixel can have.
        live: (n,) which of them occur in the image outside its padding; at least one.
        dataset: Header of the image.
        where: Its file, for messages.
        use_voi: Whether the LUT or window of the header is used; else the range of the values, least to greatest.

    Raises:
        CorruptFile: If a LUT contradicts its own descriptor.
        UnsupportedPixelData: If the rescale slope is 0 or the VOI LUT function is not known.
    """
    values = modality_values(stored, dataset, where)
    shown, voi = _value_of_interest(values, live, dataset, where) if use_voi else _by_range(values, live)
    inverted = is_inverted(dataset)
    if inverted:
        shown = 1 - shown
    return DisplayTable(shown.astype(np.float32), voi, inverted)


def is_inverted(dataset: Dataset) -> bool:
    """Whether low values are white: MONOCHROME1, or PresentationLUTShape INVERSE, which say the same thing once."""
    photometric, shape = text(dataset, 'PhotometricInterpretation'), text(dataset, 'PresentationLUTShape')
    return photometric == 'MONOCHROME1' or (shape or '').upper() == 'INVERSE'


def modality_values(stored: npt.NDArray[np.int64], dataset: Dataset, where: Path) -> FloatArray:
    """Modality LUT, or rescale slope and intercept (1 and 0 where absent)."""
    for item in items(dataset, 'ModalityLUTSequence')[:1]:
        return _Lut.read(item, dataset, where).lookup(stored)
    slope, intercept = number(dataset, 'RescaleSlope'), number(dataset, 'RescaleIntercept')
    if slope == 0:
        raise UnsupportedPixelData(
            where,
            field=label('RescaleSlope'),
            found='0',
            expected='a slope that keeps the pixels apart',
            remedy='correct the tag, or delete it together with RescaleIntercept',
        )
    with np.errstate(over='ignore', invalid='ignore'):
        values = stored.astype(np.float64) * (1.0 if slope is None else slope) + (intercept or 0.0)
    if not np.isfinite(values[[0, -1]]).all():
        raise UnsupportedPixelData(
            where,
            field=label('RescaleSlope'),
            found=f'{slope:g}, with which values are no longer finite',
            expected='a slope of the size of a grey level',
            remedy='correct the tag, or delete it together with RescaleIntercept',
        )
    return values


def window(values: FloatArray, center: float, width: float, function: str) -> FloatArray:
    """One of the three window functions of DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3, onto [0, 1].

    Args:
        values: After the modality transform.
        center: WindowCenter.
        width: WindowWidth; greater than 0, for ``'LINEAR'`` at least 1.
        function: ``'LINEAR'``, ``'LINEAR_EXACT'`` or ``'SIGMOID'``.
    """
    if function == 'SIGMOID':
        return 1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -700, 700)))
    if function == 'LINEAR':
        center, width = center - 0.5, width - 1
        if width == 0:
            return (values > center).astype(np.float64)
    return np.clip((values - center) / width + 0.5, 0, 1)


def _value_of_interest(
    values: FloatArray, live: npt.NDArray[np.bool_], dataset: Dataset, where: Path
) -> tuple[FloatArray, str]:
    """The first of LUT, window and value range that leaves contrast."""
    for shown, voi in (_by_lut(values, dataset, where), _by_window(values, dataset, where)):
        if shown is not None and np.ptp(shown[live]) >= MIN_CONTRAST:
            return shown, voi
    return _by_range(values, live)


def _by_range(values: FloatArray, live: npt.NDArray[np.bool_]) -> tuple[FloatArray, str]:
    low, high = values[live].min(), values[live].max()
    return np.clip((values - low) / max(high - low, 1e-12), 0, 1), 'range'


def _by_lut(values: FloatArray, dataset: Dataset, where: Path) -> tuple[FloatArray | None, str]:
    for item in items(dataset, 'VOILUTSequence')[:1]:
        if raw_value(item, 'LUTDescriptor') is not None and raw_value(item, 'LUTData') is not None:
            lut = _Lut.read(item, dataset, where)
            if lut.entries.min() < 0:
                raise _bad_lut(where, 'LUTData', f'entries from {lut.entries.min():g}', 'display values, 0 or more')
            return lut.lookup(values) / lut.white, 'lut'
    return None, 'lut'


def _by_window(values: FloatArray, dataset: Dataset, where: Path) -> tuple[FloatArray | None, str]:
    function = (text(dataset, 'VOILUTFunction') or 'LINEAR').upper()
    if function not in ('LINEAR', 'LINEAR_EXACT', 'SIGMOID'):
        raise UnsupportedPixelData(
            where,
            field=label('VOILUTFunction'),
            found=quoted(dataset, 'VOILUTFunction'),
            expected='LINEAR, LINEAR_EXACT or SIGMOID',
            remedy='correct the tag, or delete it to have the window applied linearly',
        )
    least = 1 if function == 'LINEAR' else 0
    centers, widths = readable_numbers(dataset, 'WindowCenter'), readable_numbers(dataset, 'WindowWidth')
    for center, width in zip(centers, widths, strict=False):
        if center is not None and width and width >= least:  # the first of several that is one
            return window(values, center, width, function), function.lower()
    return None, function.lower()


def has_voi(dataset: Dataset) -> bool:
    """Whether the header has a VOI LUT or a window, of use or not."""
    return bool(items(dataset, 'VOILUTSequence')) or any(readable_numbers(dataset, 'WindowWidth'))


@dataclass(frozen=True, eq=False)
class _Lut:
    """A lookup table of DICOM: values below ``first`` give the first entry, values above the last give the last."""

    first: int
    entries: FloatArray
    bits: int

    @property
    def white(self) -> int:
        """The entry that means white.

        The declared depth says it, unless the entries exceed it, or leave three quarters of it unused: then it is the
        size of the container.
        """
        needed = significant_bits(int(self.entries.max()))
        return int(2 ** (needed if self.entries.max() > 2**self.bits - 1 else min(self.bits, needed)) - 1)

    def lookup(self, values: npt.NDArray[np.int64] | FloatArray) -> FloatArray:
        index = np.clip(np.floor(values) - self.first, 0, len(self.entries) - 1).astype(np.intp)
        return self.entries[index]

    @classmethod
    def read(cls, item: Dataset, dataset: Dataset, where: Path) -> _Lut:
        descriptor = numbers(item, 'LUTDescriptor')
        if len(descriptor) != 3 or not 1 <= descriptor[2] <= 16:
            raise _bad_lut(where, 'LUTDescriptor', descriptor, 'entries, first value, and bits from 8 to 16')
        count, first, bits = int(descriptor[0]) % 2**16 or 2**16, int(descriptor[1]), int(descriptor[2])
        entries = _lut_entries(item, count, bits, little_endian=dataset.original_encoding[1] is not False)
        if len(entries) < count:
            raise _bad_lut(where, 'LUTData', f'{len(entries)} entries', f'{count}, as LUTDescriptor says')
        return cls(first, entries[:count], bits)


def _lut_entries(item: Dataset, count: int, bits: int, little_endian: bool) -> FloatArray:
    """LUTData is a list of numbers, or bytes where its representation is OW; 8-bit entries may be packed in pairs."""
    value = raw_value(item, 'LUTData')
    if not isinstance(value, bytes):
        return np.array(numbers(item, 'LUTData'))
    kind = 'u1' if bits <= 8 and len(value) < 2 * count else '<u2' if little_endian else '>u2'
    return np.frombuffer(value[: len(value) // 2 * 2], dtype=kind).astype(np.float64)


def _bad_lut(where: Path, keyword: str, found: object, expected: str) -> CorruptFile:
    return CorruptFile(
        where,
        field=label(keyword),
        found=found,
        expected=expected,
        remedy='send the image again from its archive, or delete the LUT sequence to have the window used',
    )
