"""The table of exams: AUC of every run, and its difference from the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmmammo.evaluation.functional import (
    AUCComparison,
    AUCInterval,
    PairedDifference,
    auc,
    bootstrap_ci,
    delong_interval,
    delong_test,
    paired_difference,
    rank_scores,
)
from mmmammo.evaluation.functional.inputs import IntArray
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.evaluation.summary.exam_rules import ExamRule
from mmmammo.evaluation.summary.exam_runs import ExamRun, same_exams
from mmmammo.evaluation.summary.known_images import images_of_table
from mmmammo.evaluation.summary.same_women import SaidOfImages, require_same_women
from mmmammo.io.intake import first_of
from mmmammo.structures import MammoError


@dataclass(frozen=True, eq=False)
class ExamRow:
    """A line of the table of exams.

    Args:
        name: Of the model.
        rule: How its exams were scored.
        delong: AUC with DeLong's interval: exams count as independent.
        low: Lower bound of the bootstrap, which draws patients.
        high: Upper bound.
        against_first: DeLong's paired comparison with the first model, this minus the first; ``None`` of the first.
        paired: The same by bootstrap and permutation of patients.
    """

    name: str
    rule: ExamRule
    delong: AUCInterval
    low: Reading
    high: Reading
    against_first: AUCComparison | None = None
    paired: PairedDifference | None = None


def exam_table(runs: Sequence[ExamRun], bootstrap: int = 2000, seed: int = 0) -> list[ExamRow]:
    """Every run's AUC of exams, and its difference from the first one.

    Args:
        runs: On the same exams.
        bootstrap: Replicates, and as many permutations; 0 for DeLong only.
        seed: Of both.

    Raises:
        MammoError: If exams or labels differ, or exams of one id are of different women.
    """
    same_exams(runs)
    require_same_women([SaidOfImages(run.name, images_of_table(run.table)) for run in runs])
    first = runs[0]
    for run in runs[1:]:
        if (run.labels != first.labels).any():
            odd = [exam for exam, a, b in zip(run.exams, run.labels, first.labels, strict=True) if a != b]
            raise MammoError(
                run.name,
                field='labels',
                found=f'others for {first_of(odd)}',
                expected=f'those of {first.name}',
                remedy='give labels for all (--annotations and --label): a box is not a cancer; '
                'and test all models on one prepared set',
            )
    return [_row(run, None if run is first else first, bootstrap, seed) for run in runs]


def _row(run: ExamRun, first: ExamRun | None, bootstrap: int, seed: int) -> ExamRow:
    low, high = _interval(run, bootstrap, seed)
    row = ExamRow(run.name, run.rule, delong_interval(run.labels, run.scores), low, high)
    if first is None:
        return row
    compared = delong_test(run.labels, run.scores, first.scores)
    return replace(row, against_first=compared, paired=_paired(run, first, bootstrap, seed) if bootstrap else None)


def _interval(run: ExamRun, bootstrap: int, seed: int) -> tuple[Reading, Reading]:
    area = auc(run.labels, run.scores)
    if area.reason or not bootstrap:
        nothing = Reading.undefined(area.reason or 'no bootstrap')
        return nothing, nothing

    def read(rows: IntArray) -> float:
        return auc(run.labels[rows], run.scores[rows])

    drawn = bootstrap_ci(read, run.patients, bootstrap, seed=seed)
    if drawn.reason:
        return Reading.undefined(drawn.reason), Reading.undefined(drawn.reason)
    return Reading(float(drawn.low)), Reading(float(drawn.high))


def _paired(run: ExamRun, first: ExamRun, bootstrap: int, seed: int) -> PairedDifference:
    labels = np.tile(run.labels, 2)
    ranks = np.append(rank_scores(run.scores), rank_scores(first.scores))  # exchanging models needs one scale
    return paired_difference(lambda i: auc(labels[i], ranks[i]), run.patients, bootstrap, seed=seed)
