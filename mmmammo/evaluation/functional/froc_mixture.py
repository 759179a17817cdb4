"""Two models as one: the images of the first, then those of the second, with weights that say whose detections count.

A permutation test exchanges models patient by patient, so detections of both stand in one list. Their scores need not
mean the same; what each costs in false positives does, and is the scale that they share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.froc import FROCCurve, froc_area, froc_recall_at
from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, IntArray
from mmmammo.evaluation.functional.matches import Matches

_JUST = 1e-3  # of a false positive
Readings = Callable[[npt.ArrayLike], FloatArray]
"""(num_images,) weights -> (k + 1,) recall at each FPI and, last, the area."""


def mixed_readings(
    first: Matches, second: Matches, fps_per_image: Sequence[float], fauc_limit: float = 1.0
) -> Readings:
    """A function from the weights of both models' images, (2 * num_images,), to the readings of the mixture.

    Both thresholds are lowered together, so that each model has always spent the same false positives on all images.
    The detections of one score enter little by little, as the straight line between two operating points has it. So
    the curve of one model alone is its own, whatever the scale of its scores and however many are equal, and the
    mixture does not depend on which model's tie comes first.

    Args:
        first: Detections of one model, matched to the lesions.
        second: Of the other, on the same images and lesions.
        fps_per_image: Where to read the recall.
        fauc_limit: Where the area ends.
    """
    models = [_Sweep.of(model) for model in (first, second)]
    farthest = max([fauc_limit, *fps_per_image])
    fp_images = np.ones(first.num_images, dtype=bool) if first.fp_images is None else first.fp_images
    grids = [_grid(models, place) for place in _stops(models, farthest * fp_images.sum())]

    def read(image_weights: npt.ArrayLike) -> FloatArray:
        weights = np.split(np.asarray(image_weights, dtype=np.float64), 2)
        num_images = sum(of[fp_images].sum() for of in weights) or np.nan
        num_lesions = sum(of[first.lesion_image].sum() for of in weights) or np.nan
        for grid in grids:
            found, spent = (
                models[0].counts(which, weights[0], grid) + models[1].counts(which, weights[1], grid)
                for which in ('is_true_positive', 'is_false_positive')
            )
            if spent[-1] > farthest * num_images:
                break
        curve = FROCCurve(spent / num_images, found / num_lesions, -grid)
        return np.append(froc_recall_at(curve, fps_per_image), froc_area(curve, fauc_limit))

    return read


def side_by_side(first: Matches, second: Matches, same_scale: bool = False) -> Matches:
    """Both models as one, for statistics that take detections one by one, such as average precision.

    Args:
        first: Detections of one model, matched to the lesions.
        second: Of the other, on the same images and lesions.
        same_scale: Whether a score means the same in both models. If not, it is replaced by what the detection costs,
            and equal scores of one model become different ones, in the order that they have.
    """
    scores = np.concatenate([model.scores if same_scale else -_costs(model) for model in (first, second)])
    order = np.argsort(-scores, kind='stable')

    def merged(name: str, shift: int = 0) -> IntArray:
        values = getattr(second, name)
        both: IntArray = np.append(getattr(first, name), np.where(values < 0, values, values + shift))
        return both

    n, g = first.num_images, len(first.lesion_image)
    merged_matches = Matches(
        scores=scores,
        detection=merged('detection', len(first.detection)),
        image=merged('image', n),
        lesion=merged('lesion', g),
        ignored=np.append(first.ignored, second.ignored),
        lesion_image=merged('lesion_image', n),
        num_images=2 * n,
        fp_images=None if first.fp_images is None else np.tile(first.fp_images, 2),
    )
    return merged_matches.detections(order)


@dataclass(frozen=True, eq=False)
class _Sweep:
    """A model's detections that count, and where on the common scale each of its operating points lies.

    Args:
        matches: No ignored detections.
        ends: (t,) detections down to each operating point; the first is none.
        places: (t,) rising.
    """

    matches: Matches
    ends: IntArray
    places: FloatArray

    @classmethod
    def of(cls, model: Matches) -> _Sweep:
        """With the detections of equal score in one operating point."""
        matches = model.detections(model.is_true_positive | model.is_false_positive)
        is_last = np.append(matches.scores[1:] != matches.scores[:-1], True)[: len(matches.scores)]
        ends = np.append(0, np.flatnonzero(is_last) + 1)
        return cls(matches, ends, _places(np.append(0, np.cumsum(matches.is_false_positive))[ends]))

    def counts(self, which: str, weights: FloatArray, grid: FloatArray) -> FloatArray:
        """(len(grid),) weighted detections of a kind that have entered at each place."""
        stop = int(np.searchsorted(self.places, grid[-1])) + 1  # the point at or beyond the last place
        ends, places = self.ends[:stop], self.places[:stop]
        kind: BoolArray = getattr(self.matches, which)[: ends[-1]]
        summed = np.append(0.0, np.cumsum(kind * weights[self.matches.image[: ends[-1]]]))[ends]
        entered: FloatArray = np.maximum.accumulate(np.interp(grid, places, summed))  # rounding may not make it fall
        return entered


def _costs(matches: Matches) -> FloatArray:
    """(d,) place of each detection, had all scores been different."""
    return _places(np.append(0, np.cumsum(matches.is_false_positive)))[1:]


def _places(cost: IntArray) -> FloatArray:
    """(t,) strictly rising: false positives down to each point, and just beyond it what comes without another one."""
    first = np.searchsorted(cost, cost, side='left')
    points = np.searchsorted(cost, cost, side='right') - first
    return cost.astype(np.float64) + _JUST * ((np.arange(len(cost)) - first) / points)


def _stops(models: Sequence[_Sweep], false_positives: float) -> list[float]:
    """A third beyond what is read in the sample itself, then twice as far each time, then the end."""
    end = max(model.places[-1] for model in models)
    stops, wanted = [], false_positives * 4 / 3 + 100
    while wanted < end:
        stops.append(float(wanted))
        wanted *= 2
    return [*stops, float(end)]


def _grid(models: Sequence[_Sweep], stop: float) -> FloatArray:
    """All places of either model up to a place, that place included."""
    places = np.unique(np.concatenate([*(model.places for model in models), [stop]]))
    kept: FloatArray = places[places <= stop]
    return kept
