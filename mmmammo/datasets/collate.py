"""From exams to one batch of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmmammo.registry import FUNCTIONS


@FUNCTIONS.register_module()
def exam_collate(exams: Sequence[Mapping[str, Sequence[Any]]]) -> dict[str, list[Any]]:
    """Flatten exam samples into one image batch; images of an exam stay together, in order.

    Args:
        exams: Samples of an :class:`~mmmammo.datasets.ExamDataset`, each ``{'inputs': [...], 'data_samples': [...]}``.

    Returns:
        ``{'inputs': [(1, h, w), ...], 'data_samples': [...]}``, one entry per image. A data sample names its exam,
        side and view, which is all that a model needs to find partners; ``exam_slot``, the exam's place in the batch,
        tells two copies of one exam apart.
    """
    for slot, exam in enumerate(exams):
        for sample in exam['data_samples']:
            sample.set_metainfo({'exam_slot': slot})
    return {key: [item for exam in exams for item in exam[key]] for key in ('inputs', 'data_samples')}
