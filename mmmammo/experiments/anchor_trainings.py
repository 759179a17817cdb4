"""Anchors of several trainings of a DINO-like detector, measured again on patients that are drawn or exchanged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    Interval,
    PairedDifference,
    weighted_bootstrap_ci,
    weighted_paired_difference,
    weighted_top_distances,
)
from mmmammo.experiments.runs import ANCHORS, Run
from mmmammo.io.anchor_tables import AnchorTable, read_anchors
from mmmammo.structures import MammoError

Reader = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
"""(r, images) weights -> (r, keys) numbers; those of two models have the images of both, one model after the other."""


@dataclass(frozen=True, eq=False)
class AnchorTrainings:
    """How far the anchors of one model's trainings were from the lesions of the same images.

    Args:
        tables: One per training.
        keys: ATDs of the plan.
    """

    tables: tuple[AnchorTable, ...]
    keys: tuple[str, ...]

    source = ANCHORS

    @property
    def counts(self) -> dict[str, int]:
        """What the numbers stand on."""
        table = self.tables[0]
        return {
            'images': len(table.image_ids),
            'patients': len(set(table.patient_ids)),
            'lesions': len(table.lesion_image),
        }

    def rule(self, key: str) -> object:
        """Numbers of two models are compared if this is equal."""
        table = self.tables[0]
        place = table.keys.index(key)
        return table.ks[place], table.sizes[place]

    def interval(self, n: int) -> Interval:
        """Of the mean over the trainings, one entry per key; patients are drawn."""
        return weighted_bootstrap_ci(self._reader([(table,) for table in self.tables]), self.tables[0].patient_ids, n)

    def minus(self, other: AnchorTrainings, n: int) -> PairedDifference:
        """Difference of the means; training ``i`` of the one is paired with training ``i`` of the other."""
        read = self._reader(list(zip(self.tables, other.tables, strict=True)))
        return weighted_paired_difference(read, self.tables[0].patient_ids, n)

    def _reader(self, models: Sequence[tuple[AnchorTable, ...]]) -> Reader:
        readers = [distance_reader(self.keys, *tables) for tables in models]
        return lambda weights: np.mean([read(weights) for read in readers], axis=0)


def distance_reader(keys: Sequence[str], *tables: AnchorTable) -> Reader:
    """What reads ATDs off one table, or off two models' side by side; a distance means the same in both.

    Args:
        keys: Of the first table.
        *tables: One or two, of the same images.
    """
    first = tables[0]
    distances, sides = (np.concatenate([getattr(table, name) for table in tables]) for name in ('distances', 'sides'))
    image = np.concatenate([table.lesion_image + i * len(table.image_ids) for i, table in enumerate(tables)])
    places = [first.keys.index(key) for key in keys]
    chosen = [np.flatnonzero((first.sizes[i][0] <= sides) & (sides <= first.sizes[i][1])) for i in places]

    def read(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        columns = [
            weighted_top_distances(distances[rows], weights[:, image[rows]], first.ks[place])
            for place, rows in zip(places, chosen, strict=True)
        ]
        return np.stack(columns, axis=1)

    return read


def read_anchor_trainings(
    runs: Sequence[Run], keys: Sequence[str], like: AnchorTrainings | None = None
) -> AnchorTrainings | None:
    """What complete runs kept; ``None`` where a run kept nothing or knows no patients, or no key can be read off it.

    Args:
        runs: Of one row.
        keys: Metrics of the plan; those that are no ATDs are left out.
        like: Trainings whose images the runs must have.

    Raises:
        MammoError: If the runs were tested on different images.
    """
    paths = [run.folder / ANCHORS for run in runs]
    if not runs or not all(path.is_file() for path in paths):
        return None
    tables = [read_anchors(path) for path in paths]
    known = tuple(key for key in keys if all(key in table.keys for table in tables))
    if not known or not all(tables[0].patient_ids):
        return None
    first = like.tables[0] if like else tables[0]
    return AnchorTrainings(tuple(_in_order(table, first, run) for table, run in zip(tables, runs, strict=True)), known)


def _in_order(table: AnchorTable, first: AnchorTable, run: Run) -> AnchorTable:
    """The images in the order of another table's; with the same number of lesions on each."""
    place = {image: row for row, image in enumerate(first.image_ids)}
    other = sorted(set(place) ^ set(table.image_ids))
    if not other:
        to_first = np.array([place[image] for image in table.image_ids], dtype=np.int64)
        lesion_image = to_first[table.lesion_image]
        mine, theirs = (np.bincount(one, minlength=len(place)) for one in (lesion_image, first.lesion_image))
        other = [first.image_ids[row] for row in np.flatnonzero(mine != theirs)]
    if other:
        raise MammoError(
            run.folder / ANCHORS,
            field='images',
            found=f'{len(other)} of one run only, or with other lesions ({", ".join(other[:3])})',
            expected=f'the {len(place)} of the other run',
            remedy='test all runs on the same set; numbers of different sets cannot be paired',
        )
    return replace(table, image_ids=first.image_ids, patient_ids=first.patient_ids, lesion_image=lesion_image)
