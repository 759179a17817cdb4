"""Stored values from displayed brightness: the inverse of each VOI transform, and the tags that declare it.

The forward transforms are those of DICOM PS3.3 C.11.2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from mmmammo.phantom.vendors import Vendor

PADDING_LIMIT = 30
"""Highest stored value that a vendor with padding reserves for air."""
_SIGMOID_WIDTH = 0.25  # of the range; the usable values then reach 3e-4 and 1 - 3e-4
_LINEAR_ENDS = (0.06, 0.88)  # of the range
_LUT_EXPONENT = 1.25


def store(image: npt.NDArray[np.float32], vendor: Vendor) -> npt.NDArray[np.uint16]:
    """Values to write so that the vendor's VOI transform shows ``image``, to within quantisation.

    Args:
        image: (h, w) in [0, 1] as displayed, 0 in air.
        vendor: How to store it.
    """
    top = 2**vendor.bits_stored - 1
    shown = 1 - image if vendor.inverted else image
    stored = np.rint(_invert(shown, vendor.voi) * top)
    if vendor.padding:
        stored = np.maximum(stored, PADDING_LIMIT + 1)
    air = top if vendor.inverted else 0
    return np.where(image > 0, np.clip(stored, 0, top), air).astype(np.uint16)


def declare(dataset: Dataset, vendor: Vendor) -> None:
    """Write the tags of the vendor's VOI transform."""
    count = 2**vendor.bits_stored
    if vendor.voi == 'lut':
        dataset.VOILUTSequence = Sequence([_lut_item('NORMAL', vendor, 1.0), _lut_item('HARDER', vendor, 1.3)])
        return
    if vendor.voi == 'sigmoid':
        centre, width = (count - 1) / 2, _SIGMOID_WIDTH * (count - 1)
        dataset.WindowCenter = [centre, centre + 60, centre - 84]
        dataset.WindowWidth = [width, 0.83 * width, 1.17 * width]
        dataset.WindowCenterWidthExplanation = ['NORMAL', 'HARDER', 'SOFTER']
        dataset.VOILUTFunction = 'SIGMOID'
        return
    low, high = _LINEAR_ENDS if vendor.voi == 'linear' else (0.0, 1.0)
    first, last = low * (count - 1), high * (count - 1)
    dataset.WindowCenter = f'{(first + last + 1) / 2:.6g}'
    dataset.WindowWidth = f'{last - first + 1:.6g}'
    dataset.VOILUTFunction = 'LINEAR'


def _invert(shown: npt.NDArray[np.float32], voi: str) -> npt.NDArray[np.float64]:
    """Stored values as fractions of the range."""
    values = np.asarray(shown, dtype=np.float64)
    if voi == 'linear':
        return _LINEAR_ENDS[0] + values * (_LINEAR_ENDS[1] - _LINEAR_ENDS[0])
    if voi == 'sigmoid':
        inner = np.clip(values, 1e-6, 1 - 1e-6)
        return 0.5 + _SIGMOID_WIDTH / 4 * np.log(inner / (1 - inner))
    return np.asarray(values ** (1 / _LUT_EXPONENT) if voi == 'lut' else values)


def _lut_item(name: str, vendor: Vendor, hardness: float) -> Dataset:
    top = 2**vendor.bits_stored - 1
    curve = (np.arange(top + 1) / top) ** (_LUT_EXPONENT * hardness)
    item = Dataset()
    item.LUTDescriptor = [top + 1, 0, vendor.bits_stored]
    item.LUTExplanation = name
    item.add_new('LUTData', 'OW', np.rint(curve * top).astype('<u2').tobytes())
    return item
