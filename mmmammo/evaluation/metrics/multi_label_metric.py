"""The table of a multi-label classifier as an MMEngine metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmmammo.evaluation.functional import MultilabelRow, ScoreMeasure, multilabel_report, with_no_finding
from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray
from mmmammo.evaluation.functional.labelled_scores import option
from mmmammo.evaluation.functional.multilabel import MULTILABEL_AVERAGES, MULTILABEL_COLUMNS
from mmmammo.evaluation.functional.score_measures import MULTI_LABEL
from mmmammo.evaluation.metrics.classification_metric import ScoreMetric, TableColumns
from mmmammo.evaluation.metrics.classifier_samples import (
    identity_of,
    labels_of_sample,
    sample_error,
    scores_of_sample,
)
from mmmammo.evaluation.metrics.log_table import log_table
from mmmammo.registry import METRICS


@dataclass(frozen=True, eq=False)
class ClassScores:
    """What a classifier said of one image or patch, beside the truth.

    Args:
        image_id: ``img_id`` of the sample, or ``sample_idx``.
        scores: (c,) in [0, 1].
        labels: (c,) bool.
    """

    image_id: Any
    scores: FloatArray
    labels: BoolArray


@METRICS.register_module()
class MultiLabelMetric(ScoreMetric):
    """Accuracy, precision, recall, F1 and support of every class, and their means: the tables of paper 1.

    Logs per class and per ``macro``, ``micro``, ``weighted`` and ``samples`` row, e.g. ``multilabel/Mass/f1`` and
    ``multilabel/weighted/f1``, also ``support`` and ``predicted``; then ``multilabel/subset_accuracy`` and
    ``multilabel/n_rows``. Paper 1's "weighted accuracy" is ``micro/recall``.

    Args:
        threshold: From which score on a class counts as found; one for all, or one per class.
        classes: Names of the model's outputs. By default the data set's.
        no_finding: Name of a derived first class that holds where no other does, in the truth and among the
            predictions: paper 1's "No Finding" of a model with ten outputs. ``None`` for none.
        undefined_as: What takes the place of a ratio without denominator, such as the precision of a class that is
            never predicted: nan, left out of the means, or 0, which most published tables print.
        **kwargs: See :class:`~mmmammo.evaluation.metrics.GatheredMetric`.

    Raises:
        MammoError: If a threshold is no score.
    """

    default_prefix = 'multilabel'

    def __init__(
        self,
        threshold: float | Sequence[float] = 0.5,
        classes: Sequence[str] | None = None,
        no_finding: str | None = None,
        undefined_as: float = float('nan'),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.threshold = np.asarray(threshold, dtype=np.float64)
        good = self.threshold.ndim <= 1 and bool(((self.threshold >= 0) & (self.threshold <= 1)).all())
        option('MultiLabelMetric', 'threshold', threshold, 'scores in [0, 1], one or one per class', good=good)
        self.classes = None if classes is None else tuple(classes)
        self.no_finding = no_finding
        self.undefined_as = undefined_as

    def record(self, sample: Mapping[str, Any]) -> ClassScores:
        """Scores and labels of one image.

        Raises:
            MammoError: If one is missing or malformed, or does not fit the classes.
        """
        image_id, scores = identity_of(sample)['image_id'], scores_of_sample(sample)
        names = class_names(self.classes, self.dataset_meta)
        if len(scores) != len(names):
            raise sample_error(image_id, 'pred_score', f'{len(scores)} entries', f'one for each of {", ".join(names)}')
        if not ((scores >= 0) & (scores <= 1)).all():
            raise sample_error(image_id, 'pred_score', scores.round(3).tolist(), 'numbers in [0, 1]')
        return ClassScores(image_id, scores, labels_of_sample(sample, len(scores)))

    def score(self, images: list[ClassScores]) -> dict[str, float]:
        """Cut at the threshold, count, and divide."""
        labels = np.stack([image.labels for image in images])
        names = class_names(self.classes, self.dataset_meta)
        fits = self.threshold.size in (1, len(names))
        option('MultiLabelMetric', 'threshold', self.threshold.tolist(), f'one, or {len(names)}', good=fits)
        called = np.stack([image.scores for image in images]) >= self.threshold
        if self.no_finding is not None:
            names = (self.no_finding, *names)
            labels, called = with_no_finding(labels), with_no_finding(called)
        report = multilabel_report(labels, called, names, self.undefined_as)
        rows = [_cells(row) for row in (*report.classes, *report.averages)]
        log_table(f'Classes of {len(labels)} images or patches', ['', *MULTILABEL_COLUMNS, 'support'], rows)
        return report.as_dict()

    def measures(self, columns: TableColumns) -> dict[str, ScoreMeasure]:
        """See :meth:`~mmmammo.evaluation.metrics.ScoreMetric.measures`."""
        names = class_names(self.classes, self.dataset_meta)
        if columns.outputs != tuple(range(len(names))) or columns.label_key is not None:
            return {}
        settings = {
            'threshold': float(self.threshold) if self.threshold.ndim == 0 else tuple(self.threshold.tolist()),
            'no_finding': self.no_finding,
            'undefined_as': None if np.isnan(self.undefined_as) else float(self.undefined_as),
        }
        rows = (*(() if self.no_finding is None else (self.no_finding,)), *names, *MULTILABEL_AVERAGES)
        entries = [f'{row}/{column}' for row in rows for column in (*MULTILABEL_COLUMNS, 'support', 'predicted')]
        entries += ['subset_accuracy', 'n_rows']
        return {f'{self.prefix}/{entry}': ScoreMeasure(MULTI_LABEL, entry=entry, **settings) for entry in entries}


def class_names(given: Sequence[str] | None, meta: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Names of the outputs: those given, or the data set's.

    Raises:
        MammoError: If there are none.
    """
    names = tuple(given or (meta or {}).get('classes') or ())
    option('metric', 'classes', 'none', 'names: the data set tells none, so give them as classes=(…)', good=bool(names))
    return names


def _cells(row: MultilabelRow) -> list[str]:
    ratios = (getattr(row, column) for column in MULTILABEL_COLUMNS)
    return [row.name, *('' if np.isnan(value) else f'{value:.3f}' for value in ratios), str(row.support)]
