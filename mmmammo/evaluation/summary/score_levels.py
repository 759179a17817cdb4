"""From a table of images to one of breasts or exams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import SCORE_LEVELS, GroupScores, breast_scores, exam_scores
from mmmammo.io.intake import first_of
from mmmammo.io.score_tables import ScoreTable
from mmmammo.structures import MammoError

LEVELS = SCORE_LEVELS
FEWER_IMAGES = 'rows were refused: their breasts and exams are scored on fewer images, or are missing'

_SEVERAL = '{}s have images of several values, and count as unknown; see --level row'


@dataclass(frozen=True)
class Aggregation:
    """How rows are put together.

    Args:
        level: One of :data:`LEVELS`.
        breast_rule: Over the images of a breast; see
            :data:`mmmammo.evaluation.functional.AGGREGATION_RULES`.
        exam_rule: Over the breasts of an exam.
    """

    level: str = 'row'
    breast_rule: str = 'mean'
    exam_rule: str = 'max'

    def describe(self) -> str:
        """In words."""
        if self.level == 'row':
            return 'as the table has them'
        exam = f', then the {self.exam_rule} over its breasts' if self.level == 'exam' else ''
        return f'one score per {self.level}: the {self.breast_rule} over the images of a breast{exam}'


def aggregated(table: ScoreTable, how: Aggregation, subgroups: Sequence[str] = ()) -> ScoreTable:
    """The table at another level; a breast or exam is positive if one of its rows is.

    An exam that lost a row to a refusal is scored on fewer images; a note says so. Attributes are those that all rows
    agree on.

    Args:
        table: Of images.
        how: The level, and how it is reached.
        subgroups: Attributes for which a note says how many breasts or exams have several values.

    Raises:
        MammoError: If the table lacks exams or the side of a row, or a rule or level is unknown.
    """
    if how.level not in LEVELS:
        raise MammoError(
            'scores', field='level', found=repr(how.level), expected=f'one of {LEVELS}', remedy='correct the name'
        )
    if how.level in ('row', table.level):
        return table
    if not all(table.exam_ids) or table.level != 'image':
        raise MammoError(
            table.intakes[0].path,
            field='rows',
            found=f'one per {table.level}' + ('' if all(table.exam_ids) else ', without exams'),
            expected=f'one per image with its exam and side, to make one per {how.level}',
            remedy='give a table of images, or evaluate its rows as they are (--level row)',
        )
    _require_sides(table)
    groups = [_grouped(table, how, column) for column in range(len(table.classes))]
    first = _first_rows(table, groups[0], how)
    attributes, mixed = _attributes(table, groups[0], how)
    told = [f'{name}: {mixed[name]} {_SEVERAL.format(how.level)}' for name in subgroups if mixed.get(name)]
    lost = (FEWER_IMAGES,) if table.intakes[0].refused else ()
    return replace(
        table,
        ids=groups[0].ids,
        exam_ids=groups[0].exam_ids,
        patient_ids=tuple(table.patient_ids[row] for row in first),
        lateralities=tuple(table.lateralities[row] if how.level == 'breast' else 'U' for row in first),
        labels=np.stack([_labels(group) for group in groups], axis=1),
        scores=np.stack([group.scores for group in groups], axis=1),
        attributes=attributes,
        level=how.level,
        notes=(*table.notes, *lost, *told),
    )


def _require_sides(table: ScoreTable) -> None:
    unknown = [row for row, side in zip(table.ids, table.lateralities, strict=True) if side not in ('L', 'R')]
    if unknown:
        raise MammoError(
            table.intakes[0].path,
            field='laterality',
            found=f'{len(unknown)} rows that are neither L nor R: {first_of(unknown)}',
            expected='the side of every image, to put breasts together',
            remedy='complete the column, or evaluate the rows as they are (--level row); the side is not guessed',
        )


def _grouped(table: ScoreTable, how: Aggregation, column: int) -> GroupScores:
    scores, labels = table.scores[:, column], table.labels[:, column]
    if how.level == 'breast':
        return breast_scores(scores, table.exam_ids, table.lateralities, how.breast_rule, labels=labels)
    return exam_scores(scores, table.exam_ids, table.lateralities, how.breast_rule, how.exam_rule, labels=labels)


def _labels(group: GroupScores) -> npt.NDArray[np.int64]:
    return np.asarray(group.labels, dtype=np.int64)


def _key(exam: str, side: str, how: Aggregation) -> str:
    """As :class:`GroupScores` names the group of a row."""
    return f'{exam}_{side}' if how.level == 'breast' else exam


def _first_rows(table: ScoreTable, group: GroupScores, how: Aggregation) -> list[int]:
    """A row of each group."""
    first: dict[str, int] = {}
    for row, (exam, side) in enumerate(zip(table.exam_ids, table.lateralities, strict=True)):
        first.setdefault(_key(exam, side, how), row)
    return [first[key] for key in group.ids]


def _attributes(
    table: ScoreTable, group: GroupScores, how: Aggregation
) -> tuple[dict[str, tuple[str, ...]], dict[str, int]]:
    """What all rows of a group that know it agree on, nothing where they do not; and of how many groups that is so."""
    keys = [_key(exam, side, how) for exam, side in zip(table.exam_ids, table.lateralities, strict=True)]
    attributes, mixed = {}, {}
    for name, values in table.attributes.items():
        said: dict[str, set[str]] = {key: set() for key in group.ids}
        for key, value in zip(keys, values, strict=True):
            said[key] |= {value} - {''}
        attributes[name] = tuple(next(iter(found)) if len(found) == 1 else '' for found in said.values())
        mixed[name] = sum(len(found) > 1 for found in said.values())
    return attributes, mixed
