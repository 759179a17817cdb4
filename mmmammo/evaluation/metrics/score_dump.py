"""Keep the scores of a classifier, for later evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import MMLogger

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray
from mmmammo.evaluation.functional.labelled_scores import option
from mmmammo.evaluation.metrics.classification_metric import ScoreMetric, TableColumns, one_score
from mmmammo.evaluation.metrics.classifier_samples import (
    identity_of,
    labels_of_sample,
    sample_error,
    scores_of_sample,
)
from mmmammo.evaluation.metrics.multi_label_metric import class_names
from mmmammo.io.score_files import ScoreRow, write_scores
from mmmammo.registry import METRICS


@dataclass(frozen=True, eq=False)
class DumpedScores:
    """What becomes a row.

    Args:
        image_id: ``img_id`` of the sample, or ``sample_idx``.
        scores: (c,) in [0, 1].
        labels: (c,) bool.
        columns: Which outputs of the model these are.
        identity: ``exam_id``, ``patient_id``, ``laterality`` and ``view``, where the sample has them.
        attributes: Further columns.
    """

    image_id: Any
    scores: FloatArray
    labels: BoolArray
    columns: TableColumns
    identity: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


@METRICS.register_module()
class ScoreDump(ScoreMetric):
    """Write score and label of every sample to a CSV that tools/evaluate.py and tools/compare.py read.

    The columns are ``image_id``, ``exam_id``, ``patient_id``, ``laterality``, ``view``, ``split``, then ``label`` and
    ``score`` of the only class, or ``label_<class>`` and ``score_<class>`` of each, then the image labels of the
    prepared set (density, age, machine, …) and other ``attributes``, to divide by. The only class is the single
    output of a sigmoid head, or the second of a softmax over two.

    A row is an image (or a patch). Samples without ``view`` are whole breasts or, without ``laterality`` too, exams:
    then there is no ``image_id`` and no ``view``.

    The file carries pseudonymous ids of patients: treat it as data.

    Args:
        path: The file to write.
        split: What the rows are called, e.g. ``'test'``.
        score_index: Write this entry of ``pred_score`` only.
        label_key: Take the label from ``labels`` of the prepared set, as
            :class:`~mmmammo.evaluation.metrics.ClassificationMetric` does; then only one class is written, by default
            the last.
        classes: Names of the model's outputs. By default the data set's.
        attributes: Meta information of the samples to write beside the image labels, e.g. ``('lesion_id',)``.
        **kwargs: See :class:`~mmmammo.evaluation.metrics.GatheredMetric`.

    Raises:
        MammoError: If a sample lacks its id, truth or scores, a score is none, or rows are of different kinds.
    """

    default_prefix = 'scores'

    def __init__(
        self,
        path: str | Path,
        split: str = '',
        score_index: int | None = None,
        label_key: str | None = None,
        classes: Sequence[str] | None = None,
        attributes: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path = Path(path)
        self.split = split
        self.one_class = None if score_index is None and label_key is None else (score_index, label_key)
        self.classes = None if classes is None else tuple(classes)
        self.attributes = tuple(attributes)
        self.columns: TableColumns | None = None  # known once a table is written

    def record(self, sample: Mapping[str, Any]) -> DumpedScores:
        """Scores, labels, identity and attributes of one sample."""
        identity = identity_of(sample)
        image_id = identity.pop('image_id')
        scores, labels, columns = self._values(sample)
        if not ((scores >= 0) & (scores <= 1)).all():
            raise sample_error(image_id, 'pred_score', scores.round(3).tolist(), 'numbers in [0, 1]')
        further = {key: sample[key] for key in self.attributes if sample.get(key) is not None}
        return DumpedScores(image_id, scores, labels, columns, identity, {**(sample.get('labels') or {}), **further})

    def score(self, images: list[DumpedScores]) -> dict[str, float]:
        """Write the file and count."""
        kinds = {image.columns for image in images}
        good = len(kinds) == 1
        option('ScoreDump', 'pred_score', 'of different lengths', 'one score per class, for every sample', good=good)
        [self.columns] = kinds
        num_classes = len(self.columns.outputs)
        names = class_names(self.classes, self.dataset_meta) if num_classes > 1 else ('',)
        fits = len(names) == num_classes
        option('ScoreDump', 'classes', ', '.join(names), f'{num_classes} names, one per output', good=fits)
        write_scores(self.path, [self._row(image) for image in images], names)
        MMLogger.get_current_instance().info(f'scores of {len(images)} samples: {self.path}')
        return {'n_rows': len(images)}

    def _values(self, sample: Mapping[str, Any]) -> tuple[FloatArray, BoolArray, TableColumns]:
        """Scores, labels, and which outputs they are."""
        scores = scores_of_sample(sample)
        if self.one_class is not None:
            index, key = self.one_class
            one = one_score(sample, -1 if index is None else index, key)
            output = (-1 if index is None else index) % len(scores)
            return np.array([one.score]), np.array([one.label]), TableColumns((output,), len(scores), key)
        labels = labels_of_sample(sample, len(scores))
        if len(scores) == 2 and sample.get('gt_score') is None:  # softmax over (normal, cancer)
            return scores[1:], labels[1:], TableColumns((1,), 2)
        return scores, labels, TableColumns(tuple(range(len(scores))), len(scores))

    def _row(self, image: DumpedScores) -> ScoreRow:
        known = image.identity
        return ScoreRow(
            image_id=str(image.image_id) if 'view' in known else '',
            exam_id=known.get('exam_id', ''),
            patient_id=known.get('patient_id', ''),
            laterality=known.get('laterality', ''),
            view=known.get('view', ''),
            split=self.split,
            labels=tuple(bool(label) for label in image.labels),
            scores=tuple(float(score) for score in image.scores),
            attributes=image.attributes,
        )
