"""How far the anchor of each lesion of a test was, kept so that patients can be drawn later.

``anchors.npz``, beside ``metrics.json``, is NumPy's compressed format without pickles:

=================  ======  ===================================================================================
``image_ids``      (n,)    text, of every image of the test, also of those without a lesion
``patient_ids``    (n,)    text, pseudonymous; empty where not known
``lesion_image``   (g,)    place among the images
``distances``      (g,)    L1 distance of a lesion from its initial anchor, cxcywh in shares of the image
``sides``          (g,)    root of the lesion's area in prepared pixels
``keys``           (q,)    text, what each number is called, e.g. ``atd/small/100``
``ks``             (q,)    of how many of the largest distances it is the mean
``least``          (q,)    side from which on a lesion counts, inclusive
``greatest``       (q,)    side up to which it counts, inclusive
=================  ======  ===================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.io.array_tables import read_arrays, write_arrays


@dataclass(frozen=True, eq=False)
class AnchorTable:
    """Lesions of a test, and what was read off their distances.

    Args:
        image_ids: (n,).
        patient_ids: (n,) empty where not known.
        lesion_image: (g,) place among the images.
        distances: (g,) see :func:`mmmammo.evaluation.functional.anchor_distances`.
        sides: (g,) root of the area in prepared pixels.
        keys: (q,) names of the numbers.
        ks: (q,) how many of the largest distances.
        sizes: (q,) least and greatest side, both included.
    """

    image_ids: tuple[str, ...]
    patient_ids: tuple[str, ...]
    lesion_image: npt.NDArray[np.int64]
    distances: npt.NDArray[np.float64]
    sides: npt.NDArray[np.float64]
    keys: tuple[str, ...]
    ks: tuple[int, ...]
    sizes: tuple[tuple[float, float], ...]


def write_anchors(path: str | Path, table: AnchorTable) -> None:
    """Write a compressed ``.npz``; its folder is made, and it appears whole or not at all.

    Args:
        path: Ends in ``.npz``.
        table: What to write.
    """
    sizes = np.array(table.sizes, dtype=np.float64).reshape(-1, 2)
    arrays = {
        'image_ids': np.array(table.image_ids, dtype=str),
        'patient_ids': np.array(table.patient_ids, dtype=str),
        'lesion_image': table.lesion_image,
        'distances': table.distances,
        'sides': table.sides,
        'keys': np.array(table.keys, dtype=str),
        'ks': np.array(table.ks, dtype=np.int64),
        'least': sizes[:, 0],
        'greatest': sizes[:, 1],
    }
    write_arrays(path, arrays)


def read_anchors(path: str | Path) -> AnchorTable:
    """Read what :func:`write_anchors` wrote.

    Raises:
        MammoError: If there is no such file, or it is another one.
    """
    return read_arrays(path, _built, 'ATDMetric(path=…)')


def _built(stored: Mapping[str, npt.NDArray[Any]]) -> AnchorTable:
    return AnchorTable(
        image_ids=tuple(stored['image_ids'].tolist()),
        patient_ids=tuple(stored['patient_ids'].tolist()),
        lesion_image=stored['lesion_image'],
        distances=stored['distances'],
        sides=stored['sides'],
        keys=tuple(stored['keys'].tolist()),
        ks=tuple(stored['ks'].tolist()),
        sizes=tuple(zip(stored['least'].tolist(), stored['greatest'].tolist(), strict=True)),
    )
