"""What a table of scores can be divided by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mmmammo.evaluation.functional import bands
from mmmammo.evaluation.summary.detection_subgroups import AGE_EDGES, SET_KEY, VENDOR_KEYS
from mmmammo.io.score_tables import ScoreTable

_MOST_VALUES = 12


def with_subgroups(table: ScoreTable) -> tuple[ScoreTable, tuple[str, ...]]:
    """The table with its sides and bands of age, and the columns by which a report divides it.

    View, side, density, vendor, BI-RADS, age and the set of merged ones; of these what the table has with two to twelve
    different values.

    Args:
        table: As it was read.
    """
    columns = dict(table.attributes) | {'laterality': table.lateralities}
    if 'age' in columns:
        columns['age'] = tuple(bands([_number(text) for text in columns['age']], AGE_EDGES, 'years')[0])
    wanted = ('view', 'laterality', 'density', *VENDOR_KEYS, 'birads', 'age', SET_KEY)
    useful = (name for name in wanted if 2 <= len(set(columns.get(name, ())) - {''}) <= _MOST_VALUES)
    return replace(table, attributes=columns), tuple(useful)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
