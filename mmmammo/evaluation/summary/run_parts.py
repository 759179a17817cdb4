"""Parts of one run, such as tests of a model on each split, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from mmmammo.io.intake import first_of
from mmmammo.io.score_tables import ScoreTable
from mmmammo.structures import MammoError


def joined(tables: Sequence[ScoreTable], files: Sequence[Path], name: str) -> ScoreTable:
    """The rows of all parts.

    Columns that a part lacks are empty there, but for ``fold``, which is left out unless all have it.

    Args:
        tables: At least one; one alone is given back.
        files: Where they are from.
        name: Of the run.

    Raises:
        MammoError: If two parts share an exam, or are of different rows or classes.
    """
    if len(tables) == 1:
        return tables[0]
    _check(tables, files, name)
    columns = dict.fromkeys(chain.from_iterable(table.attributes for table in tables))
    whole = [column for column in columns if column != 'fold' or all(column in table.attributes for table in tables)]
    return ScoreTable(
        ids=_chained([table.ids for table in tables]),
        exam_ids=_chained([table.exam_ids for table in tables]),
        patient_ids=_chained([table.patient_ids for table in tables]),
        lateralities=_chained([table.lateralities for table in tables]),
        labels=np.concatenate([table.labels for table in tables]),
        scores=np.concatenate([table.scores for table in tables]),
        classes=tables[0].classes,
        attributes={
            column: _chained([table.attributes.get(column, ('',) * len(table.ids)) for table in tables])
            for column in whole
        },
        split='+'.join(dict.fromkeys(table.split for table in tables)),
        level=tables[0].level,
        intakes=tuple(chain.from_iterable(table.intakes for table in tables)),
        notes=tuple(dict.fromkeys(chain.from_iterable(table.notes for table in tables))),
    )


def _chained(columns: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(chain.from_iterable(columns))


def _check(tables: Sequence[ScoreTable], files: Sequence[Path], name: str) -> None:
    home: dict[str, Path] = {}
    first = tables[0]
    for table, file in zip(tables, files, strict=True):
        if (table.level, table.classes) != (first.level, first.classes):
            found = f'rows that are {table.level}s, of {first_of(table.classes)}'
            expected = f'{first.level}s, of {first_of(first.classes)}, as in {files[0]}'
            raise _error(name, file, 'rows', found, expected, 'give the tests of one model')
        exams = sorted(set(table.exam_ids))
        twice = [exam for exam in exams if exam in home]
        if twice:
            found = f'{len(twice)} that {home[twice[0]]} has too: {first_of(twice)}'
            raise _error(name, file, 'exams', found, 'exams that no other part has', 'give each split once')
        home |= dict.fromkeys(exams, file)


def _error(name: str, file: Path, field: str, found: str, expected: str, remedy: str) -> MammoError:
    return MammoError(f'{name}, part {file}', field=field, found=found, expected=expected, remedy=remedy)
