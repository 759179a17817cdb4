"""What every metric of image classifiers needs: one score and one label per image, and whose image it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import log_odds
from mmmammo.evaluation.metrics.gathered_metric import GatheredMetric, require
from mmmammo.structures import MammoError

_META = "add '{}' to the meta_keys of the test pipeline's PackInputs"


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
    """

    image_id: Any
    score: float
    label: bool
    exam_id: str = ''
    patient_id: str = ''
    laterality: str = 'U'


class ClassificationMetric(GatheredMetric):
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
        image_id = sample['img_id'] if sample.get('img_id') is not None else sample.get('sample_idx')
        if image_id is None:
            require(sample, 'img_id', _META.format('img_id'))
        scores = _vector(require(sample, 'pred_score', 'the model must return predictions (mode="predict")'))
        if not -len(scores) <= self.score_index < len(scores):
            raise _error(image_id, 'pred_score', f'{len(scores)} entries', f'an entry {self.score_index}')
        identity = {key: str(sample[key]) for key in ('exam_id', 'patient_id', 'laterality') if sample.get(key)}
        label = self._label(sample, image_id, len(scores))
        return ImageScore(image_id, float(scores[self.score_index]), label, **identity)

    def _label(self, sample: Mapping[str, Any], image_id: Any, num_classes: int) -> bool:
        index = self.score_index % num_classes
        if self.label_key is not None:
            found = require(sample, 'labels', _META.format('labels')).get(self.label_key)
            if found is None or found not in (0, 1):
                raise _error(image_id, f'labels[{self.label_key!r}]', found, '0 or 1, for every image of the set')
            return bool(found)
        if sample.get('gt_score') is not None:
            return bool(_vector(sample['gt_score'])[index] > 0)
        classes = _vector(require(sample, 'gt_label', 'give the samples labels, or the metric a label_key'))
        if num_classes == 1:
            raise _error(image_id, 'gt_label', 'class numbers of a head with one output', 'gt_score or a label_key')
        return bool((classes == index).any())


def columns_of(images: Sequence[ImageScore]) -> dict[str, list[Any]]:
    """Records as the columns that :func:`~mmmammo.evaluation.functional.breast_scores` and its like take.

    Raises:
        MammoError: If an image has no exam.
    """
    for image in images:
        if not image.exam_id:
            raise _error(image.image_id, 'exam_id', 'nothing', 'an id: scores are aggregated by exam')
    return {
        'exam_ids': [image.exam_id for image in images],
        'lateralities': [image.laterality for image in images],
        'labels': [image.label for image in images],
        'image_ids': [image.image_id for image in images],
    }


def scores_of(images: Sequence[ImageScore], *, as_log_odds: bool = False) -> npt.NDArray[np.float64]:
    """(n,) scores, or their log-odds."""
    scores = np.array([image.score for image in images])
    return log_odds(scores) if as_log_odds else scores


def _vector(values: Any) -> npt.NDArray[np.float64]:
    if hasattr(values, 'detach'):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64).reshape(-1)


def _error(image_id: Any, field: str, found: object, expected: str) -> MammoError:
    return MammoError(
        f'image {image_id}',
        field=field,
        found=found,
        expected=expected,
        remedy='correct the test pipeline (meta_keys of PackInputs) or the arguments of the metric',
    )
