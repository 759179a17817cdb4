"""What is read off the data sample of a classifier: whose it is, its scores, and its labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray
from mmmammo.evaluation.metrics.gathered_metric import require
from mmmammo.structures import MammoError

_META = "add '{}' to the meta_keys of the test pipeline's PackInputs"
_IDENTITY = ('exam_id', 'patient_id', 'laterality', 'view')


def identity_of(sample: Mapping[str, Any]) -> dict[str, Any]:
    """``image_id``, and of ``exam_id``, ``patient_id``, ``laterality`` and ``view`` what the sample has, as text.

    The image id is ``img_id``, else ``sample_idx`` (of a patch). A model of exams gives each sample the exam's id
    as ``img_id``, and neither ``laterality`` nor ``view``; one of breasts an ``img_id`` of its own, and no ``view``.

    Raises:
        MammoError: If the sample has no id.
    """
    known = {key: str(sample[key]) for key in _IDENTITY if sample.get(key)}
    for key in ('img_id', 'sample_idx'):
        if sample.get(key) is not None:
            return {'image_id': sample[key], **known}
    raise sample_error(sample.get('img_path', ''), 'img_id', 'nothing', 'an id')


def scores_of_sample(sample: Mapping[str, Any]) -> FloatArray:
    """(c,) ``pred_score``.

    Raises:
        MammoError: If the model returned none.
    """
    return vector(require(sample, 'pred_score', 'the model must return predictions (mode="predict")'))


def labels_of_sample(sample: Mapping[str, Any], num_classes: int) -> BoolArray:
    """(c,) which classes the sample has: ``gt_score`` (multi-hot), or else ``gt_label`` (class numbers).

    Raises:
        MammoError: If it has neither, or they do not fit the model's outputs.
    """
    image_id = identity_of(sample)['image_id']
    if sample.get('gt_score') is not None:
        multi_hot = vector(sample['gt_score'])
        if len(multi_hot) != num_classes:
            raise sample_error(image_id, 'gt_score', f'{len(multi_hot)} entries', f'{num_classes}, one per output')
        positive: BoolArray = multi_hot > 0
        return positive
    numbers = vector(require(sample, 'gt_label', 'give the samples labels, or the metric a label_key'))
    if num_classes == 1:
        raise sample_error(image_id, 'gt_label', 'class numbers of a head with one output', 'gt_score or a label_key')
    return np.isin(np.arange(num_classes), numbers)


def image_label(sample: Mapping[str, Any], key: str) -> bool:
    """Whether ``labels``, the image labels of a prepared set, say yes under a key.

    Raises:
        MammoError: If they say neither 0 nor 1.
    """
    found = require(sample, 'labels', _META.format('labels')).get(key)
    if found is None or found not in (0, 1):
        image_id = identity_of(sample)['image_id']
        raise sample_error(image_id, f'labels[{key!r}]', found, '0 or 1, for every image of the set')
    return bool(found)


def vector(values: Any) -> npt.NDArray[np.float64]:
    """A tensor or list as (n,) float."""
    if hasattr(values, 'detach'):
        values = values.detach().cpu().double().numpy()
    return np.asarray(values, dtype=np.float64).reshape(-1)


def sample_error(image_id: Any, field: str, found: object, expected: str) -> MammoError:
    """The error for a sample that a metric cannot use."""
    return MammoError(
        f'image {image_id}',
        field=field,
        found=found,
        expected=expected,
        remedy='correct the test pipeline (meta_keys of PackInputs) or the arguments of the metric',
    )
