"""Table 1 of paper 4 as an MMEngine metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmmammo.evaluation.functional import N_CONTROLS, CohortAUC, ScoreMeasure, cohort_aucs, exam_scores, log_odds
from mmmammo.evaluation.functional.inputs import FloatArray
from mmmammo.evaluation.metrics.classification_metric import ScoreMetric, TableColumns
from mmmammo.evaluation.metrics.classifier_samples import identity_of, sample_error, scores_of_sample
from mmmammo.evaluation.metrics.gathered_metric import patients_of, require
from mmmammo.evaluation.metrics.log_table import log_table
from mmmammo.registry import METRICS

TASKS = {'screening': 'screening cancers against the rest', 'screening_interval': 'all cancers against normal exams'}
CASES = {'screening': ('screening',), 'screening_interval': ('screening', 'interval')}
OUTCOME = 'exam_outcome'


@dataclass(frozen=True)
class CohortImage:
    """What is kept of an image.

    Args:
        image_id: ``img_id`` of the sample.
        score: In [0, 1].
        outcome: Of the exam.
        exam_id: Its exam.
        patient_id: Empty where the sample has none.
        laterality: ``'L'`` or ``'R'``.
    """

    image_id: Any
    score: float
    outcome: str
    exam_id: str
    patient_id: str
    laterality: str


@METRICS.register_module()
class CohortTableMetric(ScoreMetric):
    """AUC of exams (i) screening cancers against the rest, (ii) all cancers against normal exams (paper 4, Table 1).

    An exam is the maximum over its breasts of the sum of its images' log-odds. Logs, for ``screening`` and
    ``screening_interval``, ``cohort/<task>_auc`` on the paper's sample of controls, its DeLong interval ``…_low`` and
    ``…_high``, ``…_auc_all`` on every exam, ``…_n_cases`` and ``…_n_controls``; and ``cohort/n_exams``. The outcome is
    ``exam_outcome`` among the ``labels`` of the sample. Readers, folds and bootstrap are the business of
    ``tools/analysis/cohort_table.py``, which reads ``scores.csv``.

    Args:
        n_controls: Controls that are drawn; all if there are fewer.
        seed: Of the draw.
        score_index: Entry of ``pred_score``.
        breast_rule: One of ``AGGREGATION_RULES``, over the images of a breast.
        exam_rule: The same, over the breasts.
        **kwargs: See :class:`~mmmammo.evaluation.metrics.GatheredMetric`.
    """

    default_prefix = 'cohort'

    def __init__(
        self,
        n_controls: int = N_CONTROLS,
        seed: int = 0,
        score_index: int = -1,
        breast_rule: str = 'sum',
        exam_rule: str = 'max',
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.n_controls = n_controls
        self.seed = seed
        self.score_index = score_index
        self.rules = {'breast_rule': breast_rule, 'exam_rule': exam_rule}

    def record(self, sample: Mapping[str, Any]) -> CohortImage:
        """Score, outcome and identity of one image.

        Raises:
            MammoError: If one is missing.
        """
        identity = identity_of(sample)
        image_id = identity['image_id']
        outcome = require(sample, 'labels', "add 'labels' to the meta_keys").get(OUTCOME)
        if outcome is None:
            raise sample_error(image_id, "labels['exam_outcome']", 'nothing', 'screening, interval or none')
        if 'exam_id' not in identity:
            raise sample_error(image_id, 'exam_id', 'nothing', 'an id: scores are aggregated by exam')
        names = {key: identity.get(key, '') for key in ('exam_id', 'patient_id', 'laterality')}
        return CohortImage(image_id, float(scores_of_sample(sample)[self.score_index]), str(outcome), **names)

    def measures(self, columns: TableColumns) -> dict[str, ScoreMeasure]:
        """The AUCs of all exams; see :meth:`ScoreMetric.measures`."""
        output = self.score_index % columns.num_outputs
        if output not in columns.outputs:
            return {}
        index = columns.outputs.index(output)
        shared: dict[str, Any] = {'class_index': index, 'level': 'exam', 'as_log_odds': True, **self.rules}
        return {
            f'{self.prefix}/{task}_auc_all': ScoreMeasure(
                'auc', label_attribute=OUTCOME, positive_values=outcomes, **shared
            )
            for task, outcomes in CASES.items()
        }

    def score(self, images: list[CohortImage]) -> dict[str, float]:
        """Aggregate, draw, score."""
        odds = log_odds([image.score for image in images])
        exams = exam_scores(
            odds,
            [image.exam_id for image in images],
            [image.laterality for image in images],
            **self.rules,
            image_ids=[image.image_id for image in images],
            unknown_side='own',
        )
        outcome = _outcomes(images)
        outcomes = [outcome[exam] for exam in exams.ids]
        patients = dict(zip([image.exam_id for image in images], _women(images), strict=True))
        numbers: dict[str, float] = {'n_exams': len(outcomes)}
        rows = []
        for task, (drawn, every) in self._cells(outcomes, exams.scores, [patients[e] for e in exams.ids]).items():
            numbers |= _numbers(task, drawn, every)
            rows.append(_row(task, drawn, every))
        log_table(
            f'Exams of a screening programme: {len(outcomes)}, images of a breast by {self.rules["breast_rule"]}',
            ['AUC', 'value', '95 % interval (DeLong)', 'cases', 'controls', 'with all controls'],
            rows,
        )
        return numbers

    def _cells(
        self, outcomes: list[str], scores: FloatArray, patients: list[str]
    ) -> dict[str, tuple[CohortAUC, CohortAUC]]:
        """Task -> on the sample, on all."""
        drawn, every = (
            cohort_aucs(outcomes, scores, patients, n_controls=n, seed=self.seed, bootstrap=0)
            for n in (self.n_controls, None)
        )
        return {task: (drawn[task], every[task]) for task in TASKS}


def _outcomes(images: list[CohortImage]) -> dict[str, str]:
    """Exam -> what all of its images say."""
    outcomes: dict[str, str] = {}
    for image in images:
        said = outcomes.setdefault(image.exam_id, image.outcome)
        if said != image.outcome:
            raise sample_error(image.image_id, OUTCOME, image.outcome, f'{said}, as another image of {image.exam_id}')
    return outcomes


def _women(images: list[CohortImage]) -> list[str]:
    """Without patients each exam counts as one; no interval is drawn here."""
    return patients_of(images) if all(image.patient_id for image in images) else [image.exam_id for image in images]


def _numbers(task: str, drawn: CohortAUC, every: CohortAUC) -> dict[str, float]:
    area = drawn.delong
    return {
        f'{task}_auc': float(area.auc),
        f'{task}_auc_low': float(area.low),
        f'{task}_auc_high': float(area.high),
        f'{task}_auc_all': float(every.delong.auc),
        f'{task}_n_cases': drawn.n_cases,
        f'{task}_n_controls': drawn.n_controls,
    }


def _row(task: str, drawn: CohortAUC, every: CohortAUC) -> list[str]:
    area = drawn.delong
    reason = area.auc.reason or area.low.reason
    bounds = f'({reason})' if reason else f'{area.low:.3f} to {area.high:.3f}'
    controls = f'{drawn.n_controls} of {drawn.n_controls_known}'
    return [TASKS[task], f'{area.auc:.3f}', bounds, str(drawn.n_cases), controls, f'{every.delong.auc:.3f}']
