"""A prepared set, exam by exam."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from mmengine.dataset import Compose

from mmmammo.datasets.mammogram_dataset import MammogramDataset, Record
from mmmammo.registry import DATASETS


@DATASETS.register_module()
class ExamDataset(MammogramDataset):
    """The exams of a prepared set: one sample holds all views of one exam.

    Views come in reading order (left before right, CC before MLO before the rest). Missing, repeated and further
    views are delivered as they are; docs/conventions.md says who is paired with whom. Use with
    ``collate_fn=dict(type='mmmammo.exam_collate')``.

    Args:
        ann_file: Index of one split, relative to ``data_root``.
        exam_pipeline: Transforms of the list of image records, before any pixel is read, e.g.
            ``mmmammo.ExamFlip``.
        **kwargs: As :class:`MammogramDataset`; ``pipeline`` is run on every view, and ``filter_empty_gt`` leaves out
            exams without any finding.
    """

    def __init__(
        self, ann_file: str, exam_pipeline: Sequence[dict[str, Any] | Callable[[Any], Any]] = (), **kwargs: Any
    ) -> None:
        self.exam_pipeline = Compose(list(exam_pipeline))
        super().__init__(ann_file, **kwargs)

    def load_data_list(self) -> list[Record]:
        """Read the index; one record per exam: ``exam_id``, ``patient_id`` and ``images``."""
        exams = groupby(super().load_data_list(), key=lambda image: image['exam_id'])
        return [_exam_record(exam_id, list(images)) for exam_id, images in exams]

    def prepare_data(self, idx: int) -> dict[str, list[Any]] | None:
        """Run both pipelines.

        Returns:
            ``{'inputs': [...], 'data_samples': [...]}``, one entry per view; ``None`` if a pipeline gave up a view.
        """
        images = self.exam_pipeline(self.get_data_info(idx)['images'])
        samples = [self.pipeline(image) for image in images]
        if any(sample is None for sample in samples):
            return None
        return {key: [sample[key] for sample in samples] for key in ('inputs', 'data_samples')}

    def get_cat_ids(self, idx: int) -> list[int]:
        """Labels of all findings of an exam."""
        images = self.get_data_info(idx)['images']
        return [instance['bbox_label'] for image in images for instance in image['instances']]

    def iter_images(self) -> Iterator[Record]:
        """Walk through the records of all images, without pixels."""
        return (image for exam in super().iter_images() for image in exam['images'])


def _exam_record(exam_id: str, images: list[Record]) -> Record:
    return {'exam_id': exam_id, 'patient_id': images[0]['patient_id'], 'images': images}
