"""How well each heatmap of a test meets the lesions of its image, kept so that patients can be drawn later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.io.array_tables import read_arrays, write_arrays

_NONE: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class LocalisationTable:
    """One row per image, and what the accuracies were read at.

    Args:
        image_ids: (n,).
        patient_ids: (n,) empty where not known.
        best_ious: (n, T) rows of :func:`mmmammo.evaluation.functional.best_iou_per_threshold`; nan without
            lesion.
        iou_thrs: (k,) IoUs.
        keys: (k + 1,) what the accuracies and their mean are called.
        frozen: (k,) threshold of each, from another split; ``None`` if the best on these images were taken.
    """

    image_ids: tuple[str, ...]
    patient_ids: tuple[str, ...]
    best_ious: npt.NDArray[np.float64]
    iou_thrs: tuple[float, ...]
    keys: tuple[str, ...]
    frozen: tuple[float, ...] | None = None


def write_localisation(path: str | Path, table: LocalisationTable) -> None:
    """Write a compressed ``.npz``; its folder is made, and it appears whole or not at all.

    Args:
        path: Ends in ``.npz``.
        table: What to write.
    """
    arrays = {
        'image_ids': np.array(table.image_ids, dtype=str),
        'patient_ids': np.array(table.patient_ids, dtype=str),
        'best_ious': table.best_ious,
        'iou_thrs': np.array(table.iou_thrs, dtype=np.float64),
        'keys': np.array(table.keys, dtype=str),
        'frozen': np.array(_NONE if table.frozen is None else table.frozen, dtype=np.float64),
    }
    write_arrays(path, arrays)


def read_localisation(path: str | Path) -> LocalisationTable:
    """Read what :func:`write_localisation` wrote.

    Raises:
        MammoError: If there is no such file, or it is another one.
    """
    return read_arrays(path, _built, 'LocalisationMetric(path=…)')


def _built(stored: Mapping[str, npt.NDArray[Any]]) -> LocalisationTable:
    frozen = tuple(stored['frozen'].tolist())
    return LocalisationTable(
        image_ids=tuple(stored['image_ids'].tolist()),
        patient_ids=tuple(stored['patient_ids'].tolist()),
        best_ious=stored['best_ious'],
        iou_thrs=tuple(stored['iou_thrs'].tolist()),
        keys=tuple(stored['keys'].tolist()),
        frozen=frozen or None,
    )
