"""What is known of the breasts and of the whole of an exam, as targets of models that read exams."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmmammo.datasets.finding_patch_dataset import PATHOLOGIES
from mmmammo.datasets.label_rule import LabelRule
from mmmammo.structures import MammoError

BREAST_CLASSES = PATHOLOGIES
FROM_FINDINGS = 'findings'
Record = Mapping[str, Any]
Question = str | Mapping[str, Any]
_KEYS = {'labels', 'mapping', 'classes'}


@dataclass(frozen=True)
class BreastRule:
    """Whether a breast has a benign, and whether it has a malignant finding.

    Args:
        rules: Per class the questions to its images' labels; the first that is answered counts. A class without any is
            unknown. ``None``: what pathology says of the breast's findings.
    """

    rules: tuple[tuple[LabelRule, ...], ...] | None

    @classmethod
    def of(cls, config: str | Mapping[str, Question | Sequence[Question]]) -> BreastRule:
        """A rule as configs write it.

        Args:
            config: ``'findings'``; or per class a question (see :func:`binary_rule`), or several in order, e.g.
                ``dict(malignant=['cancer', dict(labels='birads', mapping={'1': 0, '6': 1})])``.

        Raises:
            MammoError: If it is neither, or names a class that is not asked for.
        """
        if config == FROM_FINDINGS:
            return cls(None)
        if isinstance(config, str) or not config or not set(config) <= set(BREAST_CLASSES):
            raise _error('breasts', repr(config), f'{FROM_FINDINGS!r}, or labels for some of {BREAST_CLASSES}')
        return cls(tuple(_rules(config.get(name, ())) for name in BREAST_CLASSES))

    def target(self, images: Sequence[Record]) -> list[float]:
        """1 for yes, 0 for no, nan for unknown, of each of ``BREAST_CLASSES``.

        Args:
            images: All images of one breast in one exam, in any number of views.
        """
        if self.rules is None:
            pathologies = [pathology for image in images for pathology in image['pathologies']]
            unknown = math.nan if None in pathologies else 0.0
            return [1.0 if name in pathologies else unknown for name in BREAST_CLASSES]
        answers = [_first_answer(rules, images) for rules in self.rules]
        return [math.nan if answer is None else float(answer) for answer in answers]


def exam_target(rule: LabelRule, images: Sequence[Record]) -> int | None:
    """1 if any of the images says yes, 0 if all say no, else ``None``."""
    found = [rule.target(image) for image in images]
    answers = [None if target is None else int(target['gt_label']) for target in found]
    if 1 in answers:
        return 1
    return None if None in answers or not answers else 0


def binary_rule(question: Question) -> LabelRule:
    """A question to the labels of an image whose answer is 0 or 1.

    Args:
        question: The label, or ``dict(labels=…, mapping=…, classes=…)`` as
            :class:`~mmmammo.datasets.ViewClassificationDataset` takes them; the latter two may be left out.

    Raises:
        MammoError: If it has other keys, or makes no sense.
    """
    asked = {'labels': question} if isinstance(question, str) else dict(question)
    if 'labels' not in asked or not set(asked) <= _KEYS:
        raise _error('exam, breasts', f'keys {sorted(asked)}', f'labels, and if need be {sorted(_KEYS - {"labels"})}')
    return LabelRule.of(asked['labels'], 'binary', asked.get('classes'), asked.get('mapping'))


def _rules(config: Question | Sequence[Question]) -> tuple[LabelRule, ...]:
    questions = [config] if isinstance(config, str | Mapping) else config
    return tuple(binary_rule(question) for question in questions)


def _first_answer(rules: Sequence[LabelRule], images: Sequence[Record]) -> int | None:
    answers = (exam_target(rule, images) for rule in rules)
    return next((answer for answer in answers if answer is not None), None)


def _error(field: str, found: str, expected: str) -> MammoError:
    return MammoError('FourViewDataset', field=field, found=found, expected=expected, remedy='correct the config')
