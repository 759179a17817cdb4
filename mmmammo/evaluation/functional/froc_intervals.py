"""Intervals of FROC readings, of one model or of the difference between two.

A replicate weighs patients; it needs neither matching nor sorting again. And of each curve only the beginning is read:
at 4 false positives per image, a detector that proposes 100 boxes per image is read at its best few per cent. So the
sweep stops as soon as the replicate has passed what is read, which gives exactly the readings of the whole curve.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.bootstrap import Interval, check_resampling, percentile_interval, resampled_counts
from mmmammo.evaluation.functional.froc import check_fps_per_image, froc_area, froc_curve, froc_recall_at
from mmmammo.evaluation.functional.froc_mixture import Readings, mixed_readings, side_by_side
from mmmammo.evaluation.functional.inputs import FloatArray, check_groups
from mmmammo.evaluation.functional.matches import Matches
from mmmammo.evaluation.functional.paired import PairedDifference, paired_result, swapped_groups
from mmmammo.structures import MammoError


def froc_interval(
    matches: Matches,
    patients: Sequence[str],
    fps_per_image: Sequence[float],
    n: int = 1000,
    seed: int = 0,
    *,
    level: float = 0.95,
    fauc_limit: float = 1.0,
) -> Interval:
    """Intervals of the recall at each FPI and, last, of the area up to ``fauc_limit``; patients are resampled.

    The readings equal those of :func:`~mmmammo.evaluation.functional.bootstrap_ci` over the images, many times faster.

    Args:
        matches: Detections matched to lesions; units and images as chosen before.
        patients: Patient of each image.
        fps_per_image: (k,).
        n: Replicates.
        seed: The same seed gives the same interval.
        level: Coverage, in (0, 1).
        fauc_limit: Where the area ends.

    Raises:
        MammoError: If an image has no patient, or an argument is out of range.
    """
    groups = _check('froc_interval', matches, patients, fps_per_image, fauc_limit, n, level)
    readings = froc_readings(matches, fps_per_image, fauc_limit)
    estimate = readings(np.ones(matches.num_images))
    replicates = _stack(readings(counts) for counts in resampled_counts(groups, n, seed))
    return percentile_interval(estimate, replicates, level, len(np.unique(groups)))


def paired_froc(
    first: Matches,
    second: Matches,
    patients: Sequence[str],
    fps_per_image: Sequence[float],
    n: int = 2000,
    seed: int = 0,
    *,
    level: float = 0.95,
    fauc_limit: float = 1.0,
    same_scale: bool = False,
) -> PairedDifference:
    """Differences of two models in recall at each FPI and, last, in area; first minus second.

    The interval draws patients, the same for both models. The permutation test exchanges the two models' detections in
    each patient with a chance of one half. So that exchanged detections compete on equal terms, both thresholds are
    lowered together, false positive by false positive; see :func:`~mmmammo.evaluation.functional.mixed_readings`.
    Neither the scale of the scores nor ties matter then.

    Args:
        first: Detections of one model, matched to the lesions.
        second: Of the other, on the same images and lesions, in the same order.
        patients: Patient of each image.
        fps_per_image: (k,).
        n: Replicates, and as many permutations.
        seed: The same seed gives the same result.
        level: Coverage, in (0, 1).
        fauc_limit: Where the area ends.
        same_scale: Whether a score means the same in both models, as in two trainings of one system. Then scores are
            exchanged as they are, which is exact however few the patients.

    Raises:
        MammoError: If the images or lesions differ, an image has no patient, or an argument is out of range.
    """
    groups = _check('paired_froc', first, patients, fps_per_image, fauc_limit, n, level)
    _check_same_truth(first, second)
    ones = np.ones(first.num_images)
    of_first, of_second = (froc_readings(m, fps_per_image, fauc_limit) for m in (first, second))
    bootstrap = _stack(of_first(counts) - of_second(counts) for counts in resampled_counts(groups, n, seed))
    if same_scale:
        of_mixture = froc_readings(side_by_side(first, second, same_scale=True), fps_per_image, fauc_limit)
    else:
        of_mixture = mixed_readings(first, second, fps_per_image, fauc_limit)
    permuted = _stack(
        of_mixture(np.append(~swap, swap)) - of_mixture(np.append(swap, ~swap))
        for swap in swapped_groups(groups, n, seed)
    )
    estimates = of_first(ones), of_second(ones)
    return paired_result(estimates, bootstrap, permuted, level, len(np.unique(groups)))


def froc_readings(matches: Matches, fps_per_image: Sequence[float], fauc_limit: float = 1.0) -> Readings:
    """A function from image weights to the readings, which looks no further down the scores than it must."""
    counted = matches.detections(matches.is_true_positive | matches.is_false_positive)
    farthest = max([fauc_limit, *fps_per_image])
    ends = _prefix_ends(counted, farthest)
    prefixes = [counted.detections(slice(end)) for end in ends]

    def read(image_weights: npt.ArrayLike) -> FloatArray:
        for prefix in prefixes:
            curve = froc_curve(prefix, image_weights)
            if curve.fps_per_image[-1] > farthest:
                break
        return np.append(froc_recall_at(curve, fps_per_image), froc_area(curve, fauc_limit))

    return read


def _prefix_ends(matches: Matches, fps_per_image: float) -> list[int]:
    """Where to stop: a third beyond the FPI in the sample itself, then twice as far each time, then the end.

    Detections of one score stay together.
    """
    num_images = matches.num_images if matches.fp_images is None else matches.fp_images.sum()
    false_positives = np.cumsum(matches.is_false_positive)
    ends = []
    wanted = fps_per_image * num_images * 4 / 3 + 100
    while len(false_positives) and 0 < wanted < false_positives[-1]:
        score = matches.scores[np.searchsorted(false_positives, wanted)]
        ends.append(int(np.searchsorted(-matches.scores, -score, side='right')))
        wanted *= 2
    return [*ends, len(matches.scores)]


def _stack(replicates: Iterable[FloatArray]) -> FloatArray:
    return np.stack(list(replicates))


def _check(
    where: str,
    matches: Matches,
    patients: Sequence[str],
    fps_per_image: Sequence[float],
    fauc_limit: float,
    n: int,
    level: float,
) -> npt.NDArray[np.generic]:
    groups = check_groups(where, patients, matches.num_images)
    check_resampling(where, groups, n, level)
    check_fps_per_image(fps_per_image, fauc_limit)
    return groups


def _check_same_truth(first: Matches, second: Matches) -> None:
    for field, one, other in (
        ('images', [first.num_images], [second.num_images]),
        ('image of each lesion', first.lesion_image, second.lesion_image),
        ('images for false positives', _fp_images(first), _fp_images(second)),
    ):
        if not np.array_equal(one, other):
            raise MammoError(
                'paired_froc',
                field=field,
                found='the two models differ',
                expected='both scored on the same images and lesions, in the same order',
                remedy='match both against one ground truth',
            )


def _fp_images(matches: Matches) -> npt.NDArray[np.bool_]:
    return np.ones(matches.num_images, dtype=bool) if matches.fp_images is None else matches.fp_images
