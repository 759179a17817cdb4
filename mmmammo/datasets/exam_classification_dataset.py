"""A prepared set, exam by exam, with labels instead of boxes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from mmmammo.datasets.exam_dataset import ExamDataset
from mmmammo.datasets.view_classification_dataset import ViewClassificationDataset
from mmmammo.registry import DATASETS


@DATASETS.register_module()
class ExamClassificationDataset(ExamDataset, ViewClassificationDataset):
    """The exams of a prepared set, for classifiers that look at all views of a breast or exam at once.

    Arguments and labels are those of :class:`ViewClassificationDataset`; a sample holds all views of an exam that have
    a label, as in :class:`ExamDataset`. Pack with ``mmmammo.PackView``, and use with
    ``collate_fn=dict(type='mmmammo.exam_collate')``.
    """

    def get_cat_ids(self, idx: int) -> list[int]:
        """Class numbers of all images of an exam, each once."""
        images = self.get_data_info(idx)['images']
        return sorted({number for image in images for number in _classes(image)})

    def is_positive(self) -> npt.NDArray[np.bool_]:
        """Whether any image of each exam is, (n,) bool."""
        exams = (self.get_data_info(i)['images'] for i in range(len(self)))
        return np.array([any(np.any(_target(image)) for image in images) for images in exams], dtype=bool)

    def __repr__(self) -> str:
        """Counts of exams per number of views, and per class."""
        head = f'{type(self).__name__}({self.ann_file}'
        if not self._fully_initialized:
            return f'{head}, not loaded yet)'
        views = Counter(len(self.get_data_info(i)['images']) for i in range(len(self)))
        found = Counter(number for i in range(len(self)) for number in self.get_cat_ids(i))
        counts = ', '.join(f'{name} {found[number]}' for number, name in enumerate(self.rule.classes))
        lines = [f'{head}, {self.rule.task}, {len(self)} exams; {counts})']
        return '\n'.join([*lines, *(f'  {number} views: {views[number]} exams' for number in sorted(views))])


def _target(image: dict) -> object:
    return image.get('gt_label', image.get('gt_score'))


def _classes(image: dict) -> list[int]:
    return [image['gt_label']] if 'gt_label' in image else np.flatnonzero(image['gt_score']).tolist()
