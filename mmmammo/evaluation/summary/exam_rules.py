"""How the rows of a run become scores of exams."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import pandas as pd

from mmmammo.io.score_tables import ScoreTable

BREAST_RULE, EXAM_RULE, SCALE = 'sum', 'max', 'log-odds'
"""Of paper 4, for models that score every image by itself."""


@dataclass(frozen=True)
class ExamRule:
    """What a run was scored by.

    Args:
        breast: Over the images of a breast, one of ``AGGREGATION_RULES``.
        exam: The same, over the breasts of an exam.
        scale: What these work on: ``'log-odds'`` or ``'probabilities'``.
        single: ``'breast'`` or ``'exam'`` if the model gives each of these one score, which its images repeat or which
            is a row of its own; empty for a score per image.
    """

    breast: str
    exam: str
    scale: str
    single: str = ''

    def __str__(self) -> str:
        """For people."""
        over_breasts = f'an exam is the {self.exam} of its breasts'
        if self.single:
            one = f'one score per {self.single}'
            as_it_is = one if self.breast == 'max' else f'{one}, of which a breast is the {self.breast} over its images'
            return as_it_is if self.single == 'exam' and self.exam == 'max' else f'{as_it_is}; {over_breasts}'
        return f"a breast is the {self.breast} of its images' {self.scale}; {over_breasts}"


def rule_of_scores(table: ScoreTable, breast_rule: str | None = None, exam_rule: str = EXAM_RULE) -> ExamRule:
    """The rule that suits a classifier: the sum of log-odds over a breast's images, or the one score that they share.

    A model of breasts or exams repeats its score on every image. Their sum would rank exams by how many images they
    have; their maximum is the score itself.

    Args:
        table: Of one class.
        breast_rule: Instead of the run's own.
        exam_rule: Over the breasts.
    """
    if table.level == 'exam':
        return ExamRule('max', 'max', SCALE, 'exam')
    if table.level == 'breast':
        return ExamRule('max', exam_rule, SCALE, 'breast')
    single = _repeated(table)
    return ExamRule(breast_rule or ('max' if single else BREAST_RULE), exam_rule, SCALE, single)


def _repeated(table: ScoreTable) -> str:
    """The largest unit whose images always have one score; empty if there is none, or none of several images."""
    breasts = list(zip(table.exam_ids, table.lateralities, strict=True))
    units: tuple[tuple[str, Sequence[Hashable]], ...] = (('exam', table.exam_ids), ('breast', breasts))
    for name, keys in units:
        scores = pd.Series(table.scores[:, 0]).groupby(pd.Series(list(keys), dtype=object))
        if scores.size().max() > 1 and scores.nunique().max() == 1:
            return name
    return ''
