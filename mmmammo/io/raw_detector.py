"""A picture of a raw detector image, as far as physics goes.

What a vendor makes of its raw images is its own: edge enhancement, equalisation of the thickness, tone curves. This is
only the beginning of it, the attenuation of the beam: it has the anatomy and not the looks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from mmmammo.io.elements import number, text
from mmmammo.io.stored_values import StoredValues
from mmmammo.io.voi import DisplayTable, modality_values

_BRIGHTEST = 0.999  # of the tissue; what is above, such as metal, is white too


def developed_table(stored: StoredValues, dataset: Dataset, where: Path) -> DisplayTable:
    """Display values of a raw image: logarithm, inversion where the air is bright, and a stretch from air to tissue.

    PixelIntensityRelationshipSign says whether more X-rays give higher values (1, the breast is dark) or lower ones
    (-1). Where it is silent the air tells: it is the most frequent value, and brighter or darker than most others.
    Counts (PixelIntensityRelationship other than LOG) of a bright air are turned into attenuation by their logarithm.

    Args:
        stored: Of the image.
        dataset: Its header.
        where: Its file, for messages.

    Raises:
        UnsupportedPixelData: If the rescale slope is 0.
    """
    values = modality_values(stored.values, dataset, where)
    counts = np.bincount(stored.patterns.ravel(), minlength=len(values)) * ~stored.padding
    air = values[int(counts.argmax())]
    air_is_bright = _air_is_bright(values, counts, air, dataset)
    if air_is_bright and (text(dataset, 'PixelIntensityRelationship') or 'LIN').upper() != 'LOG':
        values, air = -np.log(np.maximum(values, 1)), -np.log(max(air, 1))
    elif air_is_bright:
        values, air = -values, -air
    return DisplayTable(_stretched(values, counts, air), 'developed', air_is_bright)


def _air_is_bright(
    values: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], air: float, dataset: Dataset
) -> bool:
    sign = number(dataset, 'PixelIntensityRelationshipSign')
    if sign in (1, -1):
        return sign == 1
    return int(counts[values > air].sum()) < int(counts[values < air].sum())


def _stretched(values: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], air: float) -> npt.NDArray[np.float32]:
    """From the air, which becomes black, to the densest tissue, which becomes white."""
    order = np.argsort(values, kind='stable')
    tissue = counts[order] * (values[order] > air)
    reached = np.cumsum(tissue)
    white = values[order][int(np.searchsorted(reached, _BRIGHTEST * reached[-1]))] if reached[-1] else air
    return np.clip((values - air) / max(white - air, 1e-12), 0, 1).astype(np.float32)
