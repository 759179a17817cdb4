"""What every metric of image classifiers needs: one score and one label per image, and whose image it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import ScoreMeasure, log_odds
from mmmammo.evaluation.metrics.classifier_samples import (
    identity_of,
    image_label,
    labels_of_sample,
    sample_error,
    scores_of_sample,
)
from mmmammo.evaluation.metrics.gathered_metric import GatheredMetric


@dataclass(frozen=True)
class TableColumns:
    """Which outputs of a model a table of scores holds.

    Args:
        outputs: (c,) entries of ``pred_score``, in the order of the table's classes.
        num_outputs: Entries of ``pred_score``.
        label_key: Where the labels are from, see :class:`ClassificationMetric`.
    """

    outputs: tuple[int, ...]
    num_outputs: int
    label_key: str | None = None

    def index_of(self, score_index: int, label_key: str | None) -> int | None:
        """Which class of the table a metric is about; ``None`` if the table does not have it."""
        output = score_index % self.num_outputs
        return self.outputs.index(output) if output in self.outputs and label_key == self.label_key else None


class ScoreMetric(GatheredMetric):
    """Base of metrics over the scores of classifiers: what they log can be read again from a table of scores."""

    def measures(self, columns: TableColumns) -> dict[str, ScoreMeasure]:
        """Logged key -> how it is read off a table; without those that cannot be.

        Args:
            columns: What the table holds.
        """
        return {}


@dataclass(frozen=True)
class ImageScore:
    """What a classifier said of one image, beside the truth.

    Args:
        image_id: ``img_id`` of the sample, or ``sample_idx``.
        score: Of the class asked for, in [0, 1].
        label: Whether the image has it.
        exam_id: Empty where the sample has none.
        patient_id: Empty where the sample has none.
        laterality: ``'U'`` where the sample has none.
        view: Empty where the sample has none.
    """

    image_id: Any
    score: float
    label: bool
    exam_id: str = ''
    patient_id: str = ''
    laterality: str = 'U'
    view: str = ''


class ClassificationMetric(ScoreMetric):
    """Base of metrics that compare ``pred_score`` of mmpretrain's ``DataSample`` with a label, both of one class.

    Args:
        score_index: Entry of ``pred_score`` that is the class: -1, the last one, is the only output of a sigmoid head
            and the second of a softmax over (normal, cancer).
        label_key: Where the label is: an entry of ``labels``, the image labels of a prepared set, e.g. ``'cancer'``.
            By default ``gt_score`` (multi-hot) or else ``gt_label`` (class numbers) at ``score_index``.
        **kwargs: See :class:`GatheredMetric`.
    """

    def __init__(self, score_index: int = -1, label_key: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.score_index = score_index
        self.label_key = label_key

    def record(self, sample: Mapping[str, Any]) -> ImageScore:
        """Score, label and identity of one image.

        Raises:
            MammoError: If one is missing or malformed.
        """
        return one_score(sample, self.score_index, self.label_key)

    def measures(self, columns: TableColumns) -> dict[str, ScoreMeasure]:
        """See :meth:`ScoreMetric.measures`."""
        index = columns.index_of(self.score_index, self.label_key)
        if index is None:
            return {}
        return {f'{self.prefix}/{key}': replace(one, class_index=index) for key, one in self.measured().items()}

    def measured(self) -> dict[str, ScoreMeasure]:
        """Key without prefix -> how it comes about, of the metric's class; none unless a metric says so."""
        return {}


def one_score(sample: Mapping[str, Any], score_index: int, label_key: str | None) -> ImageScore:
    """Score and label of one class; see :class:`ClassificationMetric`.

    Raises:
        MammoError: If one is missing or malformed.
    """
    identity = identity_of(sample)
    scores = scores_of_sample(sample)
    if not -len(scores) <= score_index < len(scores):
        found = f'{len(scores)} entries'
        raise sample_error(identity['image_id'], 'pred_score', found, f'an entry {score_index}')
    if label_key is not None:
        label = image_label(sample, label_key)
    else:
        label = bool(labels_of_sample(sample, len(scores))[score_index])
    return ImageScore(score=float(scores[score_index]), label=label, **identity)


def columns_of(images: Sequence[ImageScore]) -> dict[str, Any]:
    """Records as the columns that :func:`~mmmammo.evaluation.functional.breast_scores` and its like take.

    A prepared set may hold images of unknown side; each is a breast of its own.

    Raises:
        MammoError: If an image has no exam.
    """
    for image in images:
        if not image.exam_id:
            raise sample_error(image.image_id, 'exam_id', 'nothing', 'an id: scores are aggregated by exam')
    return {
        'exam_ids': [image.exam_id for image in images],
        'lateralities': [image.laterality for image in images],
        'labels': [image.label for image in images],
        'image_ids': [image.image_id for image in images],
        'unknown_side': 'own',
    }


def scores_of(images: Sequence[ImageScore], *, as_log_odds: bool = False) -> npt.NDArray[np.float64]:
    """(n,) scores, or their log-odds."""
    scores = np.array([image.score for image in images])
    return log_odds(scores) if as_log_odds else scores
