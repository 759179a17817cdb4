"""From image scores to breasts and exams.

Paper 4: the score of a breast is the *sum* over its images, that of an exam the *maximum* over its breasts; two models
are averaged image by image *before* that, and two readers' scores of a breast are added like two images. RSNA entries
take the mean over a breast's images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, IntArray
from mmmammo.evaluation.functional.labelled_scores import (
    binary_labels,
    finite_scores,
    known_ids,
    option,
    same_length,
    unique_ids,
)
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.structures import Laterality, MammoError


def _sum(scores: FloatArray, group: IntArray, num_groups: int) -> FloatArray:
    return np.bincount(group, scores, minlength=num_groups).astype(np.float64)


def _mean(scores: FloatArray, group: IntArray, num_groups: int) -> FloatArray:
    return _sum(scores, group, num_groups) / np.bincount(group, minlength=num_groups)


def _max(scores: FloatArray, group: IntArray, num_groups: int) -> FloatArray:
    highest = np.full(num_groups, -np.inf)
    np.maximum.at(highest, group, scores)
    return highest


def _noisy_or(scores: FloatArray, group: IntArray, num_groups: int) -> FloatArray:
    with np.errstate(divide='ignore'):  # certain: log 0, and 1 in the end
        none: FloatArray = np.exp(_sum(np.log1p(-scores), group, num_groups))
    return 1 - none


_RULES: dict[str, Callable[[FloatArray, IntArray, int], FloatArray]] = {
    'max': _max,
    'mean': _mean,
    'noisy_or': _noisy_or,
    'sum': _sum,
}
AGGREGATION_RULES = tuple(_RULES)
"""``'noisy_or'`` is ``1 - prod(1 - p)``, the chance of at least one if all were independent; it needs probabilities."""


@dataclass(frozen=True, eq=False)
class GroupScores:
    """One score per breast or exam.

    Args:
        ids: (g,) sorted: exam id, or ``exam_L`` and ``exam_R``.
        exam_ids: (g,).
        scores: (g,).
        labels: (g,) whether any image of the group is positive; ``None`` if no labels were given.
        n_images: (g,) images behind each score. Sums over fewer images are not comparable with sums over more.
    """

    ids: tuple[str, ...]
    exam_ids: tuple[str, ...]
    scores: FloatArray
    labels: BoolArray | None
    n_images: IntArray


def exam_score(
    image_scores: npt.ArrayLike,
    lateralities: Sequence[str],
    breast_rule: str = 'sum',
    exam_rule: str = 'max',
) -> Reading:
    """Score of one exam, by default after paper 4: sum over each breast's images, maximum over the breasts.

    Args:
        image_scores: (n,) one per image (or per reader and breast), in any order.
        lateralities: (n,) ``'L'`` or ``'R'``.
        breast_rule: One of ``AGGREGATION_RULES``, over the images of a breast.
        exam_rule: The same, over the breasts.

    Returns:
        nan with its reason for an exam without images.

    Raises:
        MammoError: On a score that is not finite, an unknown side, unequal lengths or an unknown rule.
    """
    if not len(lateralities) and not np.size(image_scores):
        return Reading.undefined('no image')
    one_exam = ['exam'] * len(lateralities)
    return Reading(float(exam_scores(image_scores, one_exam, lateralities, breast_rule, exam_rule).scores[0]))


def breast_scores(
    image_scores: npt.ArrayLike,
    exam_ids: Sequence[Any],
    lateralities: Sequence[str],
    rule: str = 'sum',
    *,
    labels: npt.ArrayLike | None = None,
    image_ids: Sequence[Any] | None = None,
    unknown_side: str = 'refuse',
) -> GroupScores:
    """One score per breast of each exam.

    Args:
        image_scores: (n,).
        exam_ids: (n,).
        lateralities: (n,) ``'L'`` or ``'R'``.
        rule: One of ``AGGREGATION_RULES``. RSNA's pF1 is usually taken of means.
        labels: (n,) 0 or 1; a breast is positive if one of its images is.
        image_ids: (n,) when given, an image that occurs twice is refused.
        unknown_side: ``'refuse'`` an image of unknown side, or let it be a breast of its ``'own'``, as FROC does.

    Raises:
        MammoError: On a score that is not finite, an unknown side that is refused, unequal lengths, a repeated image or
            an unknown rule; with row and value.
    """
    where = 'breast_scores'
    option(where, 'unknown_side', repr(unknown_side), "'refuse' or 'own'", good=unknown_side in ('refuse', 'own'))
    scores = finite_scores(where, image_scores, 'image_scores')
    same_length(where, image_scores=scores, exam_ids=exam_ids, lateralities=lateralities)
    if image_ids is not None:
        same_length(where, image_scores=scores, image_ids=image_ids)
        unique_ids(where, image_ids, 'image_ids')
    sides = _sides(where, lateralities) if unknown_side == 'refuse' else _own_sides(lateralities)
    exams = known_ids(where, exam_ids, 'exam_ids')
    keys = np.array([f'{exam}_{side}' for exam, side in zip(exams, sides, strict=True)], dtype=object)
    return _grouped(where, scores, keys, np.array(exams, dtype=object), rule, labels)


def exam_scores(
    image_scores: npt.ArrayLike,
    exam_ids: Sequence[Any],
    lateralities: Sequence[str],
    breast_rule: str = 'sum',
    exam_rule: str = 'max',
    *,
    labels: npt.ArrayLike | None = None,
    image_ids: Sequence[Any] | None = None,
    unknown_side: str = 'refuse',
) -> GroupScores:
    """One score per exam, by default after paper 4; see :func:`exam_score` and :func:`breast_scores`.

    Raises:
        MammoError: As :func:`breast_scores`.
    """
    said: dict[str, Any] = {'labels': labels, 'image_ids': image_ids, 'unknown_side': unknown_side}
    breasts = breast_scores(image_scores, exam_ids, lateralities, breast_rule, **said)
    exams = np.array(breasts.exam_ids, dtype=object)
    grouped = _grouped('exam_scores', breasts.scores, exams, exams, exam_rule, breasts.labels)
    group = np.unique(exams, return_inverse=True)[1]
    n_images = np.bincount(group, breasts.n_images, minlength=len(grouped.ids)).astype(np.int64)
    return GroupScores(grouped.ids, grouped.exam_ids, grouped.scores, grouped.labels, n_images)


def _grouped(
    where: str,
    scores: FloatArray,
    keys: npt.NDArray[np.object_],
    exam_ids: npt.NDArray[np.object_],
    rule: str,
    labels: npt.ArrayLike | None,
) -> GroupScores:
    option(where, 'rule', repr(rule), f'one of {AGGREGATION_RULES}', good=rule in AGGREGATION_RULES)
    if rule == 'noisy_or':
        finite_scores(where, scores, probabilities=True)
    ids, first, group = np.unique(keys, return_index=True, return_inverse=True)
    positive = None
    if labels is not None:
        is_positive = binary_labels(where, labels)
        same_length(where, scores=scores, labels=is_positive)
        positive = np.bincount(group, is_positive, minlength=len(ids)) > 0
    return GroupScores(
        ids=tuple(ids.tolist()),
        exam_ids=tuple(exam_ids[first].tolist()),
        scores=_RULES[rule](scores, group, len(ids)),
        labels=positive,
        n_images=np.bincount(group, minlength=len(ids)),
    )


def _own_sides(lateralities: Sequence[str]) -> list[str]:
    """Each unknown one with its row, so that no two are the same."""
    sides = [Laterality.parse(side) for side in lateralities]
    return [f'{side}{row}' if side is Laterality.UNKNOWN else str(side) for row, side in enumerate(sides)]


def _sides(where: str, lateralities: Sequence[str]) -> list[Laterality]:
    sides = [Laterality.parse(side) for side in lateralities]
    if Laterality.UNKNOWN in sides:
        row = sides.index(Laterality.UNKNOWN)
        raise MammoError(
            where,
            field=f'lateralities[{row}]',
            found=repr(str(list(lateralities)[row])),
            expected='L or R',
            remedy='complete it from the header or leave the image out; the side is not guessed',
        )
    return sides
