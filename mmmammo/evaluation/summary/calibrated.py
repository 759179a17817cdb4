"""Probabilities put right by a calibration fitted on other rows, and what that changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import IsotonicScaling, TemperatureScaling, fit_isotonic, fit_temperature
from mmmammo.evaluation.summary.frozen import refuse_shared_patients, require_one_class
from mmmammo.evaluation.summary.numbers import Number
from mmmammo.evaluation.summary.scores import ScoreSettings, class_numbers
from mmmammo.io.score_tables import ScoreTable
from mmmammo.structures import MammoError

Scaling = TemperatureScaling | IsotonicScaling
CALIBRATION_METHODS: Mapping[str, Callable[[npt.ArrayLike, npt.ArrayLike, Sequence[Any], str], Scaling]] = {
    'temperature': fit_temperature,
    'isotonic': fit_isotonic,
}
"""Name -> how it is fitted."""
SHOWN = ('brier', 'ece')


@dataclass(frozen=True, eq=False)
class CalibrationReport:
    """A calibration and the rows that it was applied to.

    Args:
        scaling: Fitted elsewhere.
        same_split: Whether it was fitted on the rows it is applied to, which was asked for by name.
        before: ``'before_calibration/brier'`` and ``'…/ece'``; what they are afterwards is among the numbers.
        scores_before: (n,) of the rows, as the table had them.
        scores_after: (n,)
    """

    scaling: Scaling
    same_split: bool
    before: dict[str, Number]
    scores_before: npt.NDArray[np.float64]
    scores_after: npt.NDArray[np.float64]

    @property
    def method(self) -> str:
        """``'temperature'`` or ``'isotonic'``."""
        return 'temperature' if isinstance(self.scaling, TemperatureScaling) else 'isotonic'

    def describe(self) -> str:
        """In words."""
        scaling = self.scaling
        how = (
            f'temperature {scaling.temperature:.3f}'
            if isinstance(scaling, TemperatureScaling)
            else f'isotonic, {len(scaling.knots)} knots'
        )
        return f'{how}; fitted on split {scaling.chosen_on.name!r} ({scaling.chosen_on.n:,} rows)'


def fit_calibration(table: ScoreTable, method: str) -> Scaling:
    """Fit on all rows of a table, at the level it is reported at.

    Raises:
        MammoError: If the method is unknown, the table has several classes or one kind of label, or scores beyond 1.
    """
    if method not in CALIBRATION_METHODS:
        raise MammoError(
            'calibration',
            field='method',
            found=repr(method),
            expected=f'one of {tuple(CALIBRATION_METHODS)}',
            remedy='correct the name',
        )
    require_one_class(table)
    scaling = CALIBRATION_METHODS[method](table.labels[:, 0], table.scores[:, 0], table.ids, table.split)
    return replace(scaling, chosen_on=replace(scaling.chosen_on, unit=table.level))


def calibrated(table: ScoreTable, scaling: Scaling) -> ScoreTable:
    """The table with its scores put right.

    Raises:
        MammoError: If the table has several classes, or scores beyond 1.
    """
    require_one_class(table)
    return replace(table, scores=scaling.apply(table.scores[:, 0])[:, None])


def report_calibration(
    scaling: Scaling,
    table: ScoreTable,
    settings: ScoreSettings,
    *,
    fitted_on: ScoreTable | None = None,
    allow_same: bool,
) -> tuple[ScoreTable, CalibrationReport]:
    """Apply a calibration to the rows that are reported.

    Args:
        scaling: Fitted elsewhere.
        table: At the level that is reported.
        settings: Replicates and seed of the intervals.
        fitted_on: The rows it was fitted on, if at hand: their patients must be others.
        allow_same: Apply it to the rows it was fitted on all the same.

    Returns:
        The calibrated table, and what to report.

    Raises:
        MammoError: If the rows are the same or share patients, are of several classes, or have scores beyond 1.
    """
    if fitted_on is not None and not allow_same:
        refuse_shared_patients(fitted_on.patient_ids, table.patient_ids, 'calibration')
    record = scaling.chosen_on.require_other(table.split, table.ids, allow_same_split=allow_same)
    after = calibrated(table, scaling)
    same = record.name == scaling.chosen_on.name or record.ids_sha256 == scaling.chosen_on.ids_sha256
    numbers = [
        replace(number, key=f'before_calibration/{number.key}', name=f'{number.name}, before calibration')
        for number in class_numbers(table, 0, settings, SHOWN)
    ]
    before = {number.key: number for number in numbers}
    return after, CalibrationReport(scaling, same, before, table.scores[:, 0], after.scores[:, 0])
