"""What a table of scores can be divided by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mmmammo.evaluation.functional import bands
from mmmammo.evaluation.functional.subgroups import UNKNOWN
from mmmammo.evaluation.summary.detection_subgroups import AGE_EDGES, SET_KEY, VENDOR_KEYS
from mmmammo.io.score_tables import ScoreTable

_MOST_VALUES = 12


def with_subgroups(table: ScoreTable) -> tuple[ScoreTable, tuple[str, ...]]:
    """The table with its sides and bands of age, if its ages are numbers, and the columns by which a report divides it.

    View, side, density, vendor, BI-RADS, age and the set of merged ones; of these what the table has with two to twelve
    different values.

    Args:
        table: As it was read.
    """
    columns = dict(table.attributes) | {'laterality': table.lateralities}
    ages = [_number(text) for text in columns.get('age', ())]
    if ages and all(np.isfinite(age) or not text for age, text in zip(ages, columns['age'], strict=True)):
        of_rows, _ = bands(ages, AGE_EDGES, 'years')
        columns['age'] = tuple('' if label == UNKNOWN else label for label in of_rows)
    wanted = ('view', 'laterality', 'density', *VENDOR_KEYS, 'birads', 'age', SET_KEY)
    useful = (name for name in wanted if 2 <= len(set(columns.get(name, ())) - {''}) <= _MOST_VALUES)
    return replace(table, attributes=columns), tuple(useful)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
