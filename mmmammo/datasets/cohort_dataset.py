"""The images of a screening programme, with the labels that paper 4 trains on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mmengine.logging import MMLogger

from mmmammo.datasets.mammogram_dataset import Record
from mmmammo.datasets.view_classification_dataset import ViewClassificationDataset
from mmmammo.io.attention_centres import read_centres
from mmmammo.io.exam_index import PreparedSet
from mmmammo.registry import DATASETS
from mmmammo.structures import STANDARD_VIEWS, MammoError, PreparedImage

OUTCOMES = ('none', 'interval', 'screening')
FOUR = sorted((side, view.value) for side in ('L', 'R') for view in STANDARD_VIEWS)
_CHOICES = {'exams': ('four', 'any'), 'healthy_breast': ('leave_out', 'negative')}


@DATASETS.register_module()
class CohortDataset(ViewClassificationDataset):
    """A prepared set of the source ``cohort`` (or the phantom), image by image, after paper 4, section 4.1.

    An image is positive if its breast has a screening cancer. Interval cancers count as negative. At training the
    healthy breast of a woman with a screening cancer is left out. Where the side of a positive cancer is not known, no
    image of the exam is trained on (where that of a negative one is not, all are); at test, which judges exams by
    ``exam_outcome``, both breasts then have the exam's outcome. Findings that are benign are no findings here: boxes
    say where the cancer is.

    Args:
        ann_file: Index of one split, relative to ``data_root``.
        positive: Outcomes of a breast that are positive; ``('screening', 'interval')`` trains on all cancers.
        exams: ``'four'``: only exams of exactly four images, one per side and standard view, as in the paper; or
            ``'any'``.
        healthy_breast: Of a woman with a positive breast, at training: ``'leave_out'`` or ``'negative'``.
        classes: What negative and positive are called.
        unknown: At test, the outcome that exams without any are taken to have, so that exams of nobody knows what can
            be scored; what metrics then say of them means nothing. By default they are left out.
        attention_centres: File of ``mmmammo.AttentionCentresHook``; each record in it gets ``attention_centre``.
        **kwargs: As :class:`ViewClassificationDataset`, but for ``labels``, ``mapping`` and ``absent``.

    Raises:
        MammoError: If the set has no outcomes or unknown ones, an argument is not one of its choices, or no exam is
            left.
    """

    def __init__(
        self,
        ann_file: str,
        positive: Sequence[str] = ('screening',),
        exams: str = 'four',
        healthy_breast: str = 'leave_out',
        unknown: str | None = None,
        attention_centres: str | None = None,
        classes: Sequence[str] = ('no screening cancer', 'screening cancer'),
        **kwargs: Any,
    ) -> None:
        for name, value in (('exams', exams), ('healthy_breast', healthy_breast)):
            if value not in _CHOICES[name]:
                raise _error(ann_file, name, repr(value), f'one of {_CHOICES[name]}', 'correct the config')
        if not set(positive) <= set(OUTCOMES[1:]) or not positive:
            raise _error(ann_file, 'positive', tuple(positive), f'some of {OUTCOMES[1:]}', 'correct the config')
        if unknown is not None and unknown not in OUTCOMES:
            raise _error(ann_file, 'unknown', repr(unknown), f'one of {OUTCOMES}', 'correct the config')
        self.unknown = unknown
        self.positive = tuple(positive)
        self.exams = exams
        self.healthy_breast = healthy_breast
        self.attention_centres: dict[int, tuple[float, float]] = {}
        if attention_centres is not None:
            self.attention_centres = read_centres(attention_centres)
        mapping = {outcome: int(outcome in positive) for outcome in OUTCOMES}
        super().__init__(ann_file, labels='outcome', mapping=mapping, classes=classes, absent='leave_out', **kwargs)

    def load_data_list(self) -> list[Record]:
        """One record per image that is trained on, or tested."""
        records = super().load_data_list()
        if not self.test_mode and self.healthy_breast == 'leave_out':
            records = self._without_healthy_breasts(records)
        if not records:
            remedy = (
                'prepare a set with outcomes (tools/prepare_dataset.py cohort); a phantom without any is made '
                f'again once {self.data_root} is removed'
            )
            raise _error(self.ann_file, 'images', 'none with an outcome in exams that count', 'at least one', remedy)
        return records

    def read_images(self) -> PreparedSet:
        """The images of exams that count; how many an exam has is told before those without a label are left out."""
        prepared = super().read_images()
        return replace(prepared, images=self._of_four(prepared.images)) if self.exams == 'four' else prepared

    def get_data_info(self, idx: int) -> Record:
        """A record, with its centre of attention where one is known."""
        record = super().get_data_info(idx)
        centre = self.attention_centres.get(record['img_id'])
        return record if centre is None else record | {'attention_centre': centre}

    def _record(self, image: PreparedImage, label_of: Mapping[str, int]) -> Record:
        suspect = tuple(finding for finding in image.findings if finding.pathology != 'benign')
        record: Record = super()._record(replace(image, findings=suspect), label_of)
        if self.test_mode and self.unknown is not None and 'outcome' not in record['labels']:
            record['labels'].setdefault('exam_outcome', self.unknown)
        of_exam = record['labels'].get('exam_outcome')
        if of_exam is not None and (self.test_mode or self._is_negative(of_exam)):
            record['labels'].setdefault('outcome', of_exam)
        return record

    def _is_negative(self, of_exam: str) -> bool:
        """Whether no breast of such an exam can be positive; none has a worse outcome than its exam."""
        return of_exam in OUTCOMES and not set(OUTCOMES[: OUTCOMES.index(of_exam) + 1]) & set(self.positive)

    def _of_four(self, images: Sequence[PreparedImage]) -> tuple[PreparedImage, ...]:
        views: dict[str, list[tuple[str, str]]] = {}
        for image in images:
            views.setdefault(image.exam_id, []).append((image.laterality.value, image.view.value))
        odd = Counter(len(found) for found in views.values() if sorted(found) != FOUR)
        if odd:
            counts = ', '.join(f'{n} with {images} images' for images, n in sorted(odd.items()))
            self._tell(f'{odd.total()} of {len(views)} exams left out that are not of four views ({counts})')
        return tuple(image for image in images if sorted(views[image.exam_id]) == FOUR)

    def _without_healthy_breasts(self, records: list[Record]) -> list[Record]:
        """Without the negative images of exams that are positive."""
        positive = {r['exam_id'] for r in records if r['gt_label'] or r['labels'].get('exam_outcome') in self.positive}
        kept = [record for record in records if record['gt_label'] or record['exam_id'] not in positive]
        self._tell(f'{len(records) - len(kept)} images of the healthy breasts of positive exams left out')
        return kept

    def _tell(self, what: str) -> None:
        MMLogger.get_current_instance().info(f'{self.ann_file}: {what}')


def _error(where: str, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy=remedy)
