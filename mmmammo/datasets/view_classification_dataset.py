"""A prepared set, image by image, with labels instead of boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from mmengine.logging import MMLogger

from mmmammo.datasets.label_rule import LabelRule
from mmmammo.datasets.mammogram_dataset import MammogramDataset, Record
from mmmammo.registry import DATASETS
from mmmammo.structures import MammoError

ABSENT = ('refuse', 'leave_out')


@DATASETS.register_module()
class ViewClassificationDataset(MammogramDataset):
    """The images of a prepared set, for mmpretrain's classifiers.

    Which images there are, their order and their identity are as in :class:`MammogramDataset`. Each record has
    ``gt_label`` or ``gt_score`` beside, and at test time ``gt_boxes`` (m, 4) xyxy in prepared pixels with
    ``gt_boxes_labels`` (m,): training sees no box. Pack with ``mmmammo.PackView``. For example::

        labels='cancer'                                                    # softmax over (no cancer, cancer)
        labels='has_finding', classes=('no mass', 'mass')                  # from the annotations
        labels='birads', mapping={'1': 0, '2': 0, '3': 0, '4': 1, '5': 1}  # suspicious or not
        labels='density', task='multiclass', classes=('A', 'B', 'C', 'D')
        labels=['cancer'], task='multilabel'                               # one sigmoid

    Args:
        ann_file: Index of one split, relative to ``data_root``.
        labels: See :class:`~mmmammo.datasets.label_rule.LabelRule`.
        task: Likewise.
        classes: Likewise. They become ``metainfo['classes']``. The classes of boxes are ``metainfo['box_classes']``: of
            a binary task only the positive class, because boxes say where it is; else those of the annotations.
        mapping: Likewise.
        absent: What becomes of images without a known value: ``'refuse'`` the set, or ``'leave_out'`` these images and
            say how many.
        **kwargs: As :class:`MammogramDataset`.

    Raises:
        MammoError: If the rule makes no sense, or images lack the label and are not to be left out.
    """

    def __init__(
        self,
        ann_file: str,
        labels: str | Sequence[str],
        task: str = 'binary',
        classes: Sequence[str] | None = None,
        mapping: Mapping[Hashable, int] | None = None,
        absent: str = 'refuse',
        **kwargs: Any,
    ) -> None:
        self.rule = LabelRule.of(labels, task, classes, mapping)
        if absent not in ABSENT:
            raise MammoError(
                'ViewClassificationDataset',
                field='absent',
                found=repr(absent),
                expected=f'one of {ABSENT}',
                remedy='correct it',
            )
        self.absent = absent
        super().__init__(ann_file, **kwargs)

    def load_data_list(self) -> list[Record]:
        """Read the index; one record per image that has a target."""
        records = super().load_data_list()
        binary = self.rule.task == 'binary'
        self._metainfo['box_classes'] = self.rule.classes[1:] if binary else self._metainfo['classes']
        self._metainfo['classes'] = self.rule.classes
        targets = [self.rule.target(record) for record in records]
        unlabelled = [record for record, target in zip(records, targets, strict=True) if target is None]
        if unlabelled:
            self._without(unlabelled, len(records))
        return [self._labelled(r, target) for r, target in zip(records, targets, strict=True) if target is not None]

    def get_cat_ids(self, idx: int) -> list[int]:
        """Class numbers of an image; what class-balanced sampling asks for."""
        record = self.get_data_info(idx)
        return [record['gt_label']] if 'gt_label' in record else np.flatnonzero(record['gt_score']).tolist()

    def is_positive(self) -> npt.NDArray[np.bool_]:
        """Whether each sample has any class but the first, or any of several labels, (n,) bool."""
        records = (self.get_data_info(i) for i in range(len(self)))
        return np.array([np.any(record.get('gt_label', record.get('gt_score'))) for record in records], dtype=bool)

    def __repr__(self) -> str:
        """Counts per view and class."""
        head = f'{type(self).__name__}({self.ann_file}'
        if not self._fully_initialized:
            return f'{head}, not loaded yet)'
        images: Counter[str] = Counter()
        found: Counter[tuple[str, int]] = Counter()
        for i, image in enumerate(self.iter_images()):
            images[image['view']] += 1
            found.update((image['view'], number) for number in self.get_cat_ids(i))
        lines = [f'{head}, {self.rule.task}, {len(self)} images)']
        for view in sorted(images):
            counts = (f'{name} {found[view, number]}' for number, name in enumerate(self.rule.classes))
            lines.append(f'  {view}: {images[view]} images; {", ".join(counts)}')
        return '\n'.join(lines)

    def _without(self, unlabelled: list[Record], total: int) -> None:
        refusal = self.rule.refusal(self.ann_file, unlabelled, total)
        if self.absent == 'refuse':
            raise refusal
        MMLogger.get_current_instance().info(f'{self.ann_file}: left out {refusal.found}')

    def _labelled(self, record: Record, target: Record) -> Record:
        if not self.test_mode:
            return record | target
        instances = record['instances']
        boxes = np.array([instance['bbox'] for instance in instances], dtype=np.float32).reshape(-1, 4)
        labels = [0 if self.rule.task == 'binary' else instance['bbox_label'] for instance in instances]
        return record | target | {'gt_boxes': boxes, 'gt_boxes_labels': np.array(labels, dtype=np.int64)}
