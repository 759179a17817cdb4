"""From complete runs to the numbers of a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmmammo.evaluation.summary.numbers import NO_SPREAD
from mmmammo.experiments.counted import compared_as_shown, counted_rows, says_more
from mmmammo.experiments.plan import Plan, Row
from mmmammo.experiments.pooled import pool
from mmmammo.experiments.runs import Run
from mmmammo.experiments.trainings import Trainings, comparable, read_metrics, read_trainings, why_not_drawn
from mmmammo.structures import MammoError

FORMAT = 'mmmammo-experiments-1'
LEVEL = 0.95
OTHER_RULES = 'not compared: the two rows judge it by other rules, such as classes, thresholds or what is positive'
OTHER_FOLDS = 'not compared: tested on other images, in other folds'
UNKNOWN = 'undefined on this test set'
NO_SEED = 'not compared: no seed that both have is complete'


def collect(
    plan: Plan,
    runs: Sequence[Run],
    command: str,
    replicates: int = 2000,
    earlier: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What ``results.json`` says: of each row that has a complete run, its numbers and how they were made.

    Args:
        plan: The rows and metrics.
        runs: All runs of the plan; those that are not complete are left out.
        command: That makes the runs.
        replicates: Draws and permutations of patients.
        earlier: What the file said before. Trainings that it counts and that are not complete here stay counted,
            see :mod:`mmmammo.experiments.counted` and :mod:`mmmammo.experiments.pooled`.

    Raises:
        MammoError: If runs to be compared, or to be counted together, were tested on different images. Rows that are
            cross-validated and rows that are not, or in other numbers of folds, are not compared.
    """
    done = {row.name: [run for run in runs if run.row == row and run.is_complete] for row in plan.rows}
    firsts = _firsts(plan, done)
    counted = counted_rows(plan, runs, earlier)
    rows = [
        _entry(plan, row, done, counted.get(row.name), firsts.get(plan.folds_of(row), {}), replicates)
        for row in plan.rows
        if done[row.name] or row.name in counted
    ]
    return {
        'format': FORMAT,
        'name': plan.name,
        'command': command,
        'reference': plan.reference,
        'level': LEVEL,
        'replicates': replicates,
        'rows': compared_as_shown(plan, rows),
    }


def _firsts(plan: Plan, done: Mapping[str, Sequence[Run]]) -> dict[int | None, dict[str, Trainings]]:
    """Folds -> kind -> whose images the others must have: the reference's, or of a kind it left none of, the first."""
    firsts: dict[int | None, dict[str, Trainings]] = {}
    for row in sorted(plan.rows, key=lambda row: row.name != plan.reference):
        if done[row.name]:
            known = firsts.setdefault(plan.folds_of(row), {})
            firsts[plan.folds_of(row)] = read_trainings(done[row.name], tuple(plan.metrics), known) | known
    return firsts


def _entry(
    plan: Plan,
    row: Row,
    done: Mapping[str, Sequence[Run]],
    counted: Mapping[str, Any] | None,
    first: Mapping[str, Trainings],
    replicates: int,
) -> dict[str, Any]:
    """Of the runs that are complete, of those that an earlier file counts, or of both."""
    if counted is None:
        return _row_entry(plan, row, done, first, replicates)
    new = [run for run in done[row.name] if run.seed not in counted['seeds']]
    lost = set(counted['seeds']) - {run.seed for run in done[row.name]}
    if new and lost:
        return pool(counted, _row_entry(plan, row, {**done, row.name: new}, first, replicates))
    if says_more(counted, done[row.name], done[plan.reference_of(row)]):
        return dict(counted)
    return _row_entry(plan, row, done, first, replicates)


def _row_entry(
    plan: Plan,
    row: Row,
    done: Mapping[str, Sequence[Run]],
    first: Mapping[str, Trainings],
    replicates: int,
) -> dict[str, Any]:
    runs, reference = done[row.name], done[plan.reference_of(row)]
    apart = any(plan.folds_of(run.row) != plan.folds_of(row) for run in reference)
    difference = _difference(plan, row, runs, () if apart else reference, first, replicates)
    is_reference = row.name == plan.reference_of(row)
    trainings = read_trainings(runs, tuple(plan.metrics), first)
    return {
        'name': row.name,
        'config': row.config,
        'cfg_options': dict(row.cfg_options),
        'folds': row.folds,
        'against': plan.reference_of(row),
        'combine': {how: list(names) for how, names in row.combine.items()},
        'digest': runs[0].digest,
        'seeds': [run.seed for run in runs],
        'commits': _distinct(commit for run in runs for commit in run.commits),
        'hours': sum(sum(run.record.get('seconds', {}).values()) for run in runs) / 3600,
        'replicates': replicates,
        'n': next((of_kind.counts for of_kind in trainings.values()), {}),
        'values': _values(plan, row, runs, trainings, replicates),
        'difference': difference,
        'not_compared': None if difference or is_reference else OTHER_FOLDS if apart else NO_SEED,
    }


def _values(
    plan: Plan, row: Row, runs: Sequence[Run], trainings: Mapping[str, Trainings], replicates: int
) -> dict[str, dict[str, Any]]:
    """Key -> mean and standard deviation over seeds, the value of each, and the bounds or why there are none."""
    documents = [read_metrics(run) for run in runs]
    bounds = {key: found for of_kind in trainings.values() for key, found in _bounds(of_kind, replicates).items()}
    values = {}
    for key in plan.metrics:
        if not plan.needs(row, key) and not all(key in document['metrics'] for document in documents):
            continue  # of other rows' tables
        per_seed = [_known(run, document['metrics'], key) for run, document in zip(runs, documents, strict=True)]
        numbers = np.array([math.nan if value is None else value for value in per_seed], dtype=float)
        entry = {'mean': float(numbers.mean()), 'sd': float(numbers.std(ddof=1)) if len(numbers) > 1 else math.nan}
        if key in bounds:
            _check_same(runs[0], key, entry['mean'], bounds[key].estimate, bounds[key].source)
        said = bounds[key].as_dict() if key in bounds else {'no_interval': why_not_drawn(runs, key)}
        if math.isnan(entry['mean']):
            said['undefined'] = next((why for why in (_why_undefined(one, key) for one in documents) if why), UNKNOWN)
        values[key] = _without_nan(entry) | said | {'per_seed': per_seed}
    return values


@dataclass(frozen=True)
class _Bounds:
    """An interval that patients were drawn for.

    Args:
        source: The file they were drawn from.
        estimate: On all patients.
        low: nan where undefined.
        high: nan where undefined.
        reason: Why it may be undefined.
    """

    source: str
    estimate: float
    low: float
    high: float
    reason: str | None

    def as_dict(self) -> dict[str, Any]:
        """The bounds, or why there are none; of replicates that are all equal there is no spread to tell."""
        if math.isnan(self.low) or math.isnan(self.high):
            return {'no_interval': f'no interval: {self.reason or UNKNOWN}'}
        if self.low == self.high:
            return {'no_interval': f'no interval: {NO_SPREAD}'}
        return {'low': self.low, 'high': self.high}


def _bounds(trainings: Trainings, replicates: int) -> dict[str, _Bounds]:
    """Of each key."""
    interval = trainings.interval(replicates)
    columns = (interval.estimate.tolist(), interval.low.tolist(), interval.high.tolist())
    return {
        key: _Bounds(trainings.source, *numbers, interval.reason)
        for key, *numbers in zip(trainings.keys, *columns, strict=True)
    }


def _why_undefined(document: Mapping[str, Any], key: str) -> str | None:
    """What the metrics file says of a number that is none."""
    if document['metrics'].get(key) is not None:
        return None
    said: str | None = document.get('reasons', {}).get(key) or document.get('numbers', {}).get(key, {}).get('reason')
    return said


def _difference(
    plan: Plan,
    row: Row,
    runs: Sequence[Run],
    reference: Sequence[Run],
    first: Mapping[str, Trainings],
    replicates: int,
) -> dict[str, Any] | None:
    """From the row it is compared with, over the seeds that both have; images are in the order of ``first``."""
    seeds = sorted({run.seed for run in runs} & {run.seed for run in reference})
    if row.name == plan.reference_of(row) or not seeds:
        return None
    both = [[run for run in which if run.seed in seeds] for which in (runs, reference)]
    values: dict[str, Any] = {}
    mine, theirs = (read_trainings(which, tuple(plan.metrics), first) for which in both)
    for kind in mine:
        if kind in theirs:
            values |= _paired(both, kind, comparable(mine[kind], theirs[kind]), first, replicates)
    alike = {key for kind in mine if kind in theirs for key in mine[kind].keys if key in theirs[kind].keys}
    reasons = {
        key: OTHER_RULES if key in alike else why_not_drawn([*both[0], *both[1]], key)
        for key in plan.metrics
        if key not in values
    }
    return {'seeds': seeds, 'values': values, 'reasons': reasons}


def _paired(
    both: Sequence[Sequence[Run]], kind: str, keys: Sequence[str], first: Mapping[str, Trainings], replicates: int
) -> dict[str, dict[str, Any]]:
    """Key -> difference, bounds and p-values of one kind; and why there are no bounds."""
    mine, theirs = (read_trainings(runs, keys, first).get(kind) for runs in both)
    if mine is None or theirs is None:
        return {}
    paired = mine.minus(theirs, replicates)
    columns = {
        'value': paired.difference.estimate,
        'low': paired.difference.low,
        'high': paired.difference.high,
        'p_bootstrap': paired.p_bootstrap,
        'p_permutation': paired.p_permutation,
    }
    return {
        key: _without_nan({name: float(column[i]) for name, column in columns.items()})
        | ({'reason': paired.difference.reason} if math.isnan(paired.difference.low[i]) else {})
        for i, key in enumerate(mine.keys)
    }


def _known(run: Run, metrics: Mapping[str, Any], key: str) -> float | None:
    if key not in metrics:
        raise MammoError(
            run.folder,
            field='metrics.json',
            found=f'no {key!r} among {", ".join(metrics)}',
            expected='every metric of the plan',
            remedy='correct `metrics` in the plan, or let the test evaluator of the config compute it',
        )
    value = metrics[key]
    return None if value is None else float(value)


def _check_same(run: Run, key: str, logged: float, read: float, source: str) -> None:
    """What the test logged and what is resampled here must be one number."""
    if not math.isclose(logged, read, abs_tol=1e-6) and not (math.isnan(logged) and math.isnan(read)):
        raise MammoError(
            run.folder,
            field=key,
            found=f'{logged} in metrics.json, {read} from {source}',
            expected='the same number',
            remedy='the two files are not of one test: remove the folder and run again',
        )


def _without_nan(numbers: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}


def _distinct(values: Iterable[str]) -> list[str]:
    return sorted(set(values))
