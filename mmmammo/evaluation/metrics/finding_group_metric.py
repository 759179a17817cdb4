"""The table of backbones of paper 1: groups of findings, on patches that show one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mmmammo.evaluation.functional import MULTILABEL_AVERAGES, MULTILABEL_COLUMNS, ScoreMeasure, multilabel_report
from mmmammo.evaluation.functional.labelled_scores import option
from mmmammo.evaluation.functional.score_measures import MULTI_LABEL
from mmmammo.evaluation.metrics.classification_metric import ScoreMetric, TableColumns
from mmmammo.evaluation.metrics.classifier_samples import identity_of, labels_of_sample, scores_of_sample
from mmmammo.evaluation.metrics.log_table import log_table
from mmmammo.evaluation.metrics.multi_label_metric import ClassScores, class_names
from mmmammo.registry import METRICS

PAPER_GROUPS: Mapping[str, tuple[str, ...]] = {
    'Mass': ('mass',),
    'Suspicious Calcification': ('calcification',),
    'Asymmetries': ('asymmetry', 'focal_asymmetry', 'global_asymmetry'),
    'Suspicious Lymph Node': ('lymph_node',),
}
"""Rows of the first table of paper 1, with supports of 237, 115, 79 and 11, 442 together."""


@METRICS.register_module()
class FindingGroupMetric(ScoreMetric):
    """F1 of groups of classes and its mean weighted by support, ``groups/Mass/f1``, ``groups/weighted/f1``, ….

    A group is true where one of its classes is, and found where one of their scores reaches the threshold. Patches
    without any finding are left out, as in the paper's table of backbones, whose N is the sum of its rows' supports.

    Args:
        groups: Name -> classes of the data set.
        threshold: Of every score.
        undefined_as: See :class:`~mmmammo.evaluation.metrics.MultiLabelMetric`.
        no_finding: Name of an output that is no finding but says that there is none, of models that have one.
        **kwargs: See :class:`~mmmammo.evaluation.metrics.GatheredMetric`.

    Raises:
        MammoError: If a threshold is no score, or a class is none of the data set.
    """

    default_prefix = 'groups'

    def __init__(
        self,
        groups: Mapping[str, Sequence[str]] | None = None,
        threshold: float = 0.5,
        undefined_as: float = float('nan'),
        no_finding: str = 'no_finding',
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        option('FindingGroupMetric', 'threshold', threshold, 'a score in [0, 1]', good=0 <= threshold <= 1)
        self.groups = {name: tuple(classes) for name, classes in (groups or PAPER_GROUPS).items()}
        self.threshold = threshold
        self.undefined_as = undefined_as
        self.no_finding = no_finding

    def record(self, sample: Mapping[str, Any]) -> ClassScores:
        """Scores and labels of one patch.

        Raises:
            MammoError: If one is missing or malformed.
        """
        scores = scores_of_sample(sample)
        return ClassScores(identity_of(sample)['image_id'], scores, labels_of_sample(sample, len(scores)))

    def score(self, images: list[ClassScores]) -> dict[str, float]:
        """Merge, cut at the threshold, count."""
        names = class_names(None, self.dataset_meta)
        columns, findings = self._columns(names), [name != self.no_finding for name in names]
        shown = [image for image in images if image.labels[findings].any()]
        labels, called = (
            np.array([[row[at].any() for at in columns] for row in rows], dtype=bool).reshape(-1, len(columns))
            for rows in ([i.labels for i in shown], [i.scores >= self.threshold for i in shown])
        )
        report = multilabel_report(labels, called, list(self.groups), self.undefined_as)
        rows = [[row.name, f'{row.f1:.3f}', str(row.support)] for row in (*report.classes, *report.averages)]
        log_table(f'Groups of findings, {len(shown)} patches that show one', ['', 'f1', 'support'], rows)
        return report.as_dict()

    def measures(self, columns: TableColumns) -> dict[str, ScoreMeasure]:
        """See :meth:`~mmmammo.evaluation.metrics.ScoreMetric.measures`."""
        names = class_names(None, self.dataset_meta)
        if columns.outputs != tuple(range(len(names))) or columns.label_key is not None:
            return {}
        shared = ScoreMeasure(
            MULTI_LABEL,
            threshold=float(self.threshold),
            undefined_as=None if np.isnan(self.undefined_as) else float(self.undefined_as),
            groups=tuple(self.groups.items()),
            only_with=tuple(name for name in names if name != self.no_finding),
        )
        entries = [f'{row}/{column}' for row in (*self.groups, *MULTILABEL_AVERAGES) for column in MULTILABEL_COLUMNS]
        return {f'{self.prefix}/{entry}': replace(shared, entry=entry) for entry in entries}

    def _columns(self, names: Sequence[str]) -> list[list[int]]:
        """Which outputs belong to each group."""
        for name in (name for classes in self.groups.values() for name in classes):
            option('FindingGroupMetric', 'groups', name, f'one of {", ".join(names)}', good=name in names)
        return [[names.index(name) for name in classes] for classes in self.groups.values()]
