"""Exams of a screening programme: scores of readers, and the two AUCs of paper 4's Table 1.

Models: a breast is the sum of its images, an exam the maximum of its breasts (:func:`exam_scores`). One reader: the
maximum of the breasts; two readers: their sum per breast, then the maximum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.aggregation import breast_scores, exam_scores
from mmmammo.evaluation.functional.auc import auc, auc_by_fold
from mmmammo.evaluation.functional.bootstrap import bootstrap_ci
from mmmammo.evaluation.functional.delong import AUCInterval, delong_interval
from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, IntArray
from mmmammo.evaluation.functional.labelled_scores import finite_scores, known_ids, same_length
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.evaluation.functional.sampling import SCREENING_OUTCOMES, screening_tasks
from mmmammo.structures import MammoError

N_CONTROLS = 5000
"""Of the rest, in paper 4's AUCs."""
FOUR_IMAGES = (('L', 'CC'), ('L', 'MLO'), ('R', 'CC'), ('R', 'MLO'))
_WORDS = {**{name: name for name in SCREENING_OUTCOMES}, 'none': 'normal'}


@dataclass(frozen=True, eq=False)
class CohortAUC:
    """One cell of Table 1.

    Args:
        delong: AUC of all folds' exams at once, with DeLong's interval: exams count as independent.
        low: Lower bound of the bootstrap, which draws women; nan without bootstrap.
        high: Upper bound.
        fold_mean: Mean of the folds' AUCs; nan with its reason where a fold has no cancer, or there are no folds.
        n_cases: Exams with the cancers in question.
        n_controls: Others that were scored.
        n_controls_known: Others that there are.
    """

    delong: AUCInterval
    low: Reading
    high: Reading
    fold_mean: Reading
    n_cases: int
    n_controls: int
    n_controls_known: int


def screening_outcomes(outcomes: Sequence[Any]) -> tuple[str, ...]:
    """Outcomes in the words of ``SCREENING_OUTCOMES``; ``'none'``, as a prepared set says, is ``'normal'``.

    Raises:
        MammoError: On any other word, with its row.
    """
    for row, outcome in enumerate(outcomes):
        if outcome not in _WORDS:
            raise MammoError(
                'screening_outcomes',
                field=f'outcomes[{row}]',
                found=repr(outcome),
                expected=f'one of {tuple(_WORDS)}',
                remedy='map the outcome of the programme to these',
            )
    return tuple(_WORDS[outcome] for outcome in outcomes)


def four_image_exams(exam_ids: Sequence[Any], lateralities: Sequence[str], views: Sequence[str]) -> BoolArray:
    """(n,) whether the image's exam has exactly one L-CC, L-MLO, R-CC and R-MLO. Paper 4 leaves out all others.

    Raises:
        MammoError: If the columns differ in length, or an exam has no id.
    """
    where = 'four_image_exams'
    exams = known_ids(where, exam_ids, 'exam_ids')
    same_length(where, exam_ids=exams, lateralities=lateralities, views=views)
    total = Counter(exams)
    of_the_four = {(e, s, v) for e, s, v in zip(exams, lateralities, views, strict=True) if (s, v) in FOUR_IMAGES}
    different = Counter(exam for exam, _, _ in of_the_four)
    return np.array([total[exam] == len(FOUR_IMAGES) == different[exam] for exam in exams], dtype=bool)


def reader_exam_scores(
    exam_ids: Sequence[Any], lateralities: Sequence[str], readers: Sequence[npt.ArrayLike]
) -> dict[str, float]:
    """Exam -> score of one reader, or of several together.

    Args:
        exam_ids: (n,) of images.
        lateralities: (n,) ``'L'`` or ``'R'``.
        readers: Per reader (n,) scores of the image's breast, nan where there is none. All images of a breast say the
            same.

    Returns:
        nan for an exam of which a reader's score of a breast is missing: a maximum over what is there would be too low.

    Raises:
        MammoError: If images of one breast differ, or the columns are malformed.
    """
    exams = np.array(known_ids('reader_exam_scores', exam_ids, 'exam_ids'), dtype=object)
    sides = np.array(list(lateralities), dtype=object)
    columns = [np.asarray(values, dtype=np.float64) for values in readers]
    same_length('reader_exam_scores', exam_ids=exams, **{f'reader{i}': c for i, c in enumerate(columns, start=1)})
    missing = np.isnan(np.sum(columns, axis=0))
    incomplete = set(exams[missing].tolist())
    whole = np.array([exam not in incomplete for exam in exams], dtype=bool)
    scores = dict.fromkeys(sorted(incomplete), float('nan'))
    if whole.any():
        breasts = [_of_breasts(exams[whole], sides[whole], values[whole]) for values in columns]
        rows = [row for reader in breasts for row in reader.items()]
        found = exam_scores(
            [score for _, score in rows], [exam for (exam, _), _ in rows], [side for (_, side), _ in rows]
        )
        scores |= dict(zip(found.exam_ids, found.scores.tolist(), strict=True))
    return dict(sorted(scores.items()))


def cohort_aucs(
    outcomes: Sequence[Any],
    scores: npt.ArrayLike,
    patients: Sequence[Any],
    folds: Sequence[Any] | None = None,
    *,
    n_controls: int | None = N_CONTROLS,
    seed: int = 0,
    bootstrap: int = 2000,
    level: float = 0.95,
) -> dict[str, CohortAUC]:
    """The row of a model or reader in Table 1: ``'screening'`` and ``'screening_interval'``.

    Args:
        outcomes: (n,) of exams, see :func:`screening_outcomes`.
        scores: (n,) of exams, on any scale.
        patients: (n,) the bootstrap draws them.
        folds: (n,) that holds the exam; ``None`` without cross-validation.
        n_controls: Others drawn as :func:`screening_tasks` does; all if there are fewer. ``None`` takes all of them.
        seed: Of draw and bootstrap.
        bootstrap: Replicates; 0 for none.
        level: Coverage of the intervals.

    Raises:
        MammoError: On an unknown outcome, a score that is not finite, or columns of unequal length.
    """
    words = screening_outcomes(outcomes)
    values = finite_scores('cohort_aucs', scores)
    women = known_ids('cohort_aucs', patients, 'patients')
    same_length('cohort_aucs', outcomes=words, scores=values, patients=women)
    most = len(words) if n_controls is None else n_controls
    cells = {}
    for task, chosen in screening_tasks(words, most, seed).items():
        rows, labels = chosen.rows, chosen.labels
        low, high = _bootstrap(labels, values[rows], [women[row] for row in rows], bootstrap, seed, level)
        cells[task] = CohortAUC(
            delong=delong_interval(labels, values[rows], level),
            low=low,
            high=high,
            fold_mean=_fold_mean(labels, values[rows], None if folds is None else [folds[row] for row in rows]),
            n_cases=int(labels.sum()),
            n_controls=int((~labels).sum()),
            n_controls_known=len(words) - int(labels.sum()),
        )
    return cells


def _of_breasts(exams: npt.NDArray[Any], sides: npt.NDArray[Any], values: FloatArray) -> dict[tuple[str, str], float]:
    """(exam, side) -> score, of images that repeat it."""
    exam_ids, lateralities = exams.tolist(), sides.tolist()
    most = breast_scores(values, exam_ids, lateralities, 'max')
    least = breast_scores(-values, exam_ids, lateralities, 'max')
    for name, high, low in zip(most.ids, most.scores, -least.scores, strict=True):
        if high != low:
            raise MammoError(
                'reader_exam_scores',
                field=f'breast {name}',
                found=f'{low:g} and {high:g}',
                expected='one score of a reader for all images of a breast',
                remedy='correct the table of the readers',
            )
    places = [(name.rpartition('_')[0], name.rpartition('_')[2]) for name in most.ids]
    return dict(zip(places, most.scores.tolist(), strict=True))


def _bootstrap(
    labels: BoolArray, scores: FloatArray, patients: Sequence[str], n: int, seed: int, level: float
) -> tuple[Reading, Reading]:
    area = auc(labels, scores)
    reason = area.reason or (None if n else 'no bootstrap')
    if reason is None:

        def read(rows: IntArray) -> float:
            return auc(labels[rows], scores[rows])

        drawn = bootstrap_ci(read, patients, n, level=level, seed=seed)
        low, high = float(drawn.low), float(drawn.high)
        reason = drawn.reason or (f'all replicates are {low:g}' if low == high else None)
        if reason is None:
            return Reading(low), Reading(high)
    return Reading.undefined(reason), Reading.undefined(reason)


def _fold_mean(labels: BoolArray, scores: FloatArray, folds: Sequence[Any] | None) -> Reading:
    if folds is None or len({str(fold) for fold in folds}) < 2:
        return Reading.undefined('no folds')
    return auc_by_fold(labels, scores, [str(fold) for fold in folds]).mean
