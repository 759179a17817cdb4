"""Heatmaps of several trainings of a localiser, judged again on patients that are drawn or exchanged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    MAP_THRESHOLDS,
    Interval,
    PairedDifference,
    bootstrap_ci,
    paired_difference,
)
from mmmammo.experiments.runs import LOCALISATION, Run
from mmmammo.io.localisation_tables import LocalisationTable, read_localisation
from mmmammo.structures import MammoError

Reader = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float64]]
"""(draws,) rows -> (keys,) numbers; row ``i`` of the second model is ``i + rows``."""


@dataclass(frozen=True, eq=False)
class LocalisationTrainings:
    """How well the maps of one model's trainings meet the lesions of the same images.

    Args:
        tables: One per training, of images with a lesion.
        keys: Accuracies, and their mean.
    """

    tables: tuple[LocalisationTable, ...]
    keys: tuple[str, ...]

    source = LOCALISATION

    @property
    def counts(self) -> dict[str, int]:
        """What the numbers stand on."""
        table = self.tables[0]
        return {'images with a lesion': len(table.image_ids), 'patients': len(set(table.patient_ids))}

    def rule(self, key: str) -> object:
        """Numbers of two models are compared if this is equal."""
        return self.tables[0].iou_thrs, self.tables[0].frozen is None

    def interval(self, n: int) -> Interval:
        """Of the mean over the trainings, one entry per key; patients are drawn, thresholds chosen anew."""
        return bootstrap_ci(self._reader([(table,) for table in self.tables]), self.tables[0].patient_ids, n)

    def minus(self, other: LocalisationTrainings, n: int) -> PairedDifference:
        """Difference of the means; training ``i`` of the one is paired with training ``i`` of the other."""
        read = self._reader(list(zip(self.tables, other.tables, strict=True)))
        return paired_difference(read, self.tables[0].patient_ids, n)

    def _reader(self, models: Sequence[tuple[LocalisationTable, ...]]) -> Reader:
        places = [self.tables[0].keys.index(key) for key in self.keys]
        readers = [accuracy_reader(*tables) for tables in models]
        return lambda rows: np.mean([read(rows) for read in readers], axis=0)[places]


def read_localisation_trainings(
    runs: Sequence[Run], keys: Sequence[str], like: LocalisationTrainings | None = None
) -> LocalisationTrainings | None:
    """What complete runs kept; ``None`` where a run kept nothing or knows no patients, or no key can be read off it.

    Args:
        runs: Of one row.
        keys: Metrics of the plan; those that are no accuracies are left out.
        like: Trainings whose images the runs must have.

    Raises:
        MammoError: If the runs were tested on different images.
    """
    paths = [run.folder / LOCALISATION for run in runs]
    if not runs or not all(path.is_file() for path in paths):
        return None
    tables = [_with_lesion(read_localisation(path)) for path in paths]
    known = tuple(key for key in keys if key in tables[0].keys)
    if not known or not all(tables[0].patient_ids) or not tables[0].image_ids:
        return None
    first = like.tables[0] if like else tables[0]
    aligned = [_in_order(table, first, run) for table, run in zip(tables, runs, strict=True)]
    return LocalisationTrainings(tuple(aligned), known)


def accuracy_reader(*tables: LocalisationTable) -> Reader:
    """What reads accuracies and their mean off one table, or off two models' side by side.

    Exchanged images keep their maps as they are: a threshold is a share of the map's own maximum in both models.

    Args:
        *tables: One or two, of the same images, each with a lesion.
    """
    best_ious = np.concatenate([table.best_ious for table in tables])
    hits = []
    for i, iou_thr in enumerate(tables[0].iou_thrs):
        if tables[0].frozen is not None:
            parts = [table.best_ious[:, _column(table, i)] for table in tables]
            hits.append(np.concatenate(parts)[None] >= iou_thr)
        else:
            hits.append(np.unique((best_ious >= iou_thr).T, axis=0))
    shares = [of_iou.astype(np.float32) for of_iou in hits]

    def read(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        weights = np.bincount(rows, minlength=len(best_ious)).astype(np.float32)
        accuracy = np.array([(of_iou @ weights).max() for of_iou in shares], dtype=np.float64) / len(rows)
        return np.append(accuracy, accuracy.mean())

    return read


def _column(table: LocalisationTable, place: int) -> int:
    """Of a frozen threshold."""
    frozen = (table.frozen or ())[place]
    return int(np.argmin(np.abs(MAP_THRESHOLDS - frozen)))


def _with_lesion(table: LocalisationTable) -> LocalisationTable:
    return _rows(table, np.flatnonzero(~np.isnan(table.best_ious).any(axis=1)))


def _in_order(table: LocalisationTable, first: LocalisationTable, run: Run) -> LocalisationTable:
    place = {image: row for row, image in enumerate(table.image_ids)}
    other = sorted(set(first.image_ids) ^ set(place))
    if other or table.iou_thrs != first.iou_thrs:
        raise MammoError(
            run.folder / LOCALISATION,
            field='images',
            found=f'{len(other)} of one run only ({", ".join(other[:3])}); IoUs {table.iou_thrs}',
            expected=f'the {len(first.image_ids)} of the other run; IoUs {first.iou_thrs}',
            remedy='test all runs on the same set; numbers of different sets cannot be paired',
        )
    return _rows(table, np.array([place[image] for image in first.image_ids]))


def _rows(table: LocalisationTable, rows: npt.NDArray[np.int64]) -> LocalisationTable:
    return replace(
        table,
        image_ids=tuple(table.image_ids[row] for row in rows),
        patient_ids=tuple(table.patient_ids[row] for row in rows),
        best_ious=table.best_ious[rows],
    )
