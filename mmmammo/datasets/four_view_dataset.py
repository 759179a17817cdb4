"""Exams of four standard views, for models with a place for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import MMLogger

from mmmammo.datasets.breast_labels import BREAST_CLASSES, BreastRule, Question, binary_rule, exam_target
from mmmammo.datasets.exam_dataset import ExamDataset
from mmmammo.datasets.mammogram_dataset import Record
from mmmammo.registry import DATASETS
from mmmammo.structures import STANDARD_VIEWS, MammoError, PreparedImage

FOUR_VIEWS = tuple((side, view.value) for side in ('L', 'R') for view in STANDARD_VIEWS)
"""In reading order."""
HEATMAPS = 'heatmaps'
"""Folder beside the images, with those of a patch classifier."""


@DATASETS.register_module()
class FourViewDataset(ExamDataset):
    """The exams of a prepared set with at most one image per side and standard view.

    Of repeats the one whose landmarks are found with the highest confidence stays, the first among equals; images of
    other projections and of unknown side are left out; a view may be missing. An exam with none of the four is left
    out. The log says how many. Labels are drawn from all images of a breast or exam, before any is left out.

    Each record of an image has ``gt_score`` (benign and malignant finding in its breast: 0, 1 or nan), or ``gt_label``
    (0 or 1) of its exam, and ``heatmap_paths`` of :class:`~mmmammo.datasets.transforms.LoadPatchHeatmaps`. Pack with
    ``mmmammo.PackView``, and use with ``collate_fn=dict(type='mmmammo.exam_collate')``.

    Args:
        ann_file: Index of one split, relative to ``data_root``.
        breasts: See :meth:`BreastRule.of`.
        exam: See :func:`~mmmammo.datasets.breast_labels.binary_rule`. An exam is positive if one of its images is;
            exams without a known label are left out.
        four_only: Leave out exams of fewer or more than four images, or that lack one of the four views, as paper 4
            does.
        **kwargs: As :class:`ExamDataset`.

    Raises:
        MammoError: As :class:`ExamDataset`; if not one of ``breasts`` and ``exam`` is given; if no exam is left.
    """

    def __init__(
        self,
        ann_file: str,
        breasts: str | Mapping[str, Question | Sequence[Question]] | None = None,
        exam: Question | None = None,
        four_only: bool = False,
        **kwargs: Any,
    ) -> None:
        if (breasts is None) == (exam is None):
            raise MammoError(
                'FourViewDataset',
                field='breasts, exam',
                found='both' if exam else 'neither',
                expected='labels of breasts or of exams',
                remedy='give one of them',
            )
        self.breast_rule = None if breasts is None else BreastRule.of(breasts)
        self.exam_rule = None if exam is None else binary_rule(exam)
        self.four_only = four_only
        super().__init__(ann_file, **kwargs)

    def load_data_list(self) -> list[Record]:
        """One record per exam: ``exam_id``, ``patient_id`` and at most four ``images``."""
        exams = super().load_data_list()
        self._metainfo['classes'] = self.exam_rule.classes if self.exam_rule else BREAST_CLASSES
        left_out: Counter[str] = Counter()
        kept = []
        for exam in exams:
            images = self._labelled(exam['images'])
            chosen = four_views(images or [])
            if images is None:
                left_out['without a known label'] += 1
            elif not chosen:
                left_out['without any standard view'] += 1
            elif self.four_only and not len(chosen) == len(images) == len(FOUR_VIEWS):
                left_out['that are not of the four standard views'] += 1
            else:
                left_out['images that are repeats or of other views'] += len(images) - len(chosen)
                kept.append(exam | {'images': chosen})
        self._tell(left_out, len(exams))
        if not kept:
            raise self._nothing_left(left_out)
        return kept

    def get_cat_ids(self, idx: int) -> list[int]:
        """Numbers of the classes of an exam, 1 for a malignant breast or a positive exam; what samplers ask for."""
        images = self.get_data_info(idx)['images']
        if self.exam_rule is not None:
            return [images[0]['gt_label']]
        return [number for number in range(len(BREAST_CLASSES)) if any(i['gt_score'][number] == 1 for i in images)]

    def __repr__(self) -> str:
        """Counts of exams, views and classes."""
        head = f'{type(self).__name__}({self.ann_file}'
        if not self._fully_initialized:
            return f'{head}, not loaded yet)'
        views = Counter(f'{image["laterality"]} {image["view"]}' for image in self.iter_images())
        found = Counter(number for i in range(len(self)) for number in self.get_cat_ids(i))
        names = ', '.join(f'{name} {found[number]}' for number, name in enumerate(self.metainfo['classes']))
        counts = ', '.join(f'{view} {number}' for view, number in sorted(views.items()))
        return f'{head}, {len(self)} exams)\n  exams: {names}\n  images: {counts}'

    def _labelled(self, images: list[Record]) -> list[Record] | None:
        """The images with their targets; ``None`` if the exam has none."""
        if self.exam_rule is not None:
            label = exam_target(self.exam_rule, images)
            return None if label is None else [image | {'gt_label': label} for image in images]
        sides = {image['laterality'] for image in images}
        targets = {side: self.breast_rule.target([i for i in images if i['laterality'] == side]) for side in sides}
        return [image | {'gt_score': targets[image['laterality']]} for image in images]

    def _tell(self, left_out: Mapping[str, int], total: int) -> None:
        logger = MMLogger.get_current_instance()
        for what, number in sorted(left_out.items()):
            if number:
                of = '' if what.startswith('images') else f' of {total} exams'
                logger.info(f'{self.ann_file}: left out {number}{of} {what}')

    def _nothing_left(self, left_out: Mapping[str, int]) -> MammoError:
        reasons = ', '.join(f'{number} {what}' for what, number in sorted(left_out.items()) if number)
        return MammoError(
            self.ann_file,
            field='exams',
            found=f'none left ({reasons or "the file has none"})',
            expected='at least one',
            remedy='look at the sides, views and labels of the set, or correct `exam` and `four_only`',
        )

    def _record(self, image: PreparedImage, label_of: Mapping[str, int]) -> Record:
        record: Record = super()._record(image, label_of)
        stem = Path(self.data_root, HEATMAPS, image.file_name).with_suffix('')
        return record | {
            'pathologies': [finding.pathology for finding in image.findings],
            'heatmap_paths': [f'{stem}_{name}.png' for name in BREAST_CLASSES],
        }


def four_views(images: Sequence[Record]) -> list[Record]:
    """At most one image per side and standard view, in reading order; see :class:`FourViewDataset`."""
    best: dict[tuple[str, str], Record] = {}
    for image in images:
        place = (image['laterality'], image['view'])
        if place in FOUR_VIEWS and (place not in best or image['quality'] > best[place]['quality']):
            best[place] = image
    return [best[place] for place in FOUR_VIEWS if place in best]
