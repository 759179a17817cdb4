"""Rows that an earlier results file counts, and whose runs are no longer at hand: on a disk that was cleared, say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mmmammo.experiments.plan import Plan, Row
from mmmammo.experiments.runs import Run

OTHER_REFERENCE = 'not compared: the row it was compared with has other numbers since'
Entry = dict[str, Any]
"""One row of a results file."""


def counted_rows(plan: Plan, runs: Sequence[Run], earlier: Mapping[str, Any] | None) -> dict[str, Entry]:
    """Row -> its entry of an earlier results file, while its config and the metrics asked of it are what they were.

    Args:
        plan: The rows as they are now.
        runs: All runs of the plan, complete or not.
        earlier: What ``results.json`` said; ``None`` where there is none.
    """
    document = earlier or {}
    entries = {entry['name']: entry for entry in document.get('rows', [])}
    digests = {run.row.name: run.digest for run in runs}
    return {
        row.name: entries[row.name] | {'replicates': entries[row.name].get('replicates', document.get('replicates'))}
        for row in plan.rows
        if row.name in entries and _still_holds(plan, row, entries[row.name], digests)
    }


def says_more(entry: Mapping[str, Any], complete: Sequence[Run], reference: Sequence[Run]) -> bool:
    """Whether an entry counts more trainings than are complete, of its row or in the comparison with its reference.

    Args:
        entry: Of :func:`counted_rows`.
        complete: Runs of its row.
        reference: Complete runs of the row it is compared with.
    """
    common = {run.seed for run in complete} & {run.seed for run in reference}
    compared = entry['difference']['seeds'] if entry['difference'] else []
    return len(entry['seeds']) > len(complete) or len(compared) > len(common)


def compared_as_shown(plan: Plan, entries: Sequence[Entry]) -> list[Entry]:
    """The entries, without differences from a row that is another one now, or has other numbers now.

    Args:
        plan: Says which row is compared with which.
        entries: Of this results file.
    """
    by_name = {entry['name']: entry for entry in entries}
    return [_compared(plan, row, by_name) for row in plan.rows if row.name in by_name]


def wanted_runs(plan: Plan, runs: Sequence[Run], counted: Mapping[str, Entry]) -> list[Run]:
    """The runs that are not counted, and those they are compared with or are means of.

    What is complete here plays no part, so that machines that share a table out agree on it.

    Args:
        plan: Says which row is compared with which.
        runs: In the order of their turn, which stays.
        counted: Of :func:`counted_rows`.
    """
    wanted = [run for run in runs if run.seed not in counted.get(run.row.name, {'seeds': ()})['seeds']]
    compared = {(plan.reference_of(run.row), run.seed) for run in wanted}
    taken = [run for run in runs if run in wanted or (run.row.name, run.seed) in compared]
    parts = {(part.row.name, part.seed) for run in taken for part in run.parts}
    return [run for run in runs if run in taken or (run.row.name, run.seed) in parts]


def _still_holds(plan: Plan, row: Row, entry: Mapping[str, Any], digests: Mapping[str, str]) -> bool:
    shown = [key for key in plan.metrics if plan.needs(row, key)]
    same = entry['digest'] == digests.get(row.name) and set(entry['seeds']) <= set(row.seeds)
    return same and all(key in entry['values'] for key in shown)


def _compared(plan: Plan, row: Row, entries: Mapping[str, Entry]) -> Entry:
    entry, reference = entries[row.name], entries.get(plan.reference_of(row))
    if plan.reference_of(row) == row.name:
        return entry | {'against': row.name, 'difference': None, 'not_compared': None}
    if entry['difference'] is None or (reference and _adds_up(entry, reference, plan.reference_of(row))):
        return entry
    return entry | {'against': plan.reference_of(row), 'difference': None, 'not_compared': OTHER_REFERENCE}


def _adds_up(entry: Mapping[str, Any], reference: Mapping[str, Any], name: str) -> bool:
    """Whether a difference is that of the two rows' numbers, seed by seed."""
    seeds = entry['difference']['seeds']
    if entry['against'] != name or not set(seeds) <= set(reference['seeds']):
        return False
    for key, number in entry['difference']['values'].items():
        mine, theirs = (_mean_of(row, key, seeds) for row in (entry, reference))
        known = number['value'] is not None and mine is not None and theirs is not None
        if known and not math.isclose(mine - theirs, number['value'], abs_tol=1e-6):
            return False
    return True


def _mean_of(entry: Mapping[str, Any], key: str, seeds: Sequence[int]) -> float | None:
    if key not in entry['values']:
        return None
    per_seed = dict(zip(entry['seeds'], entry['values'][key]['per_seed'], strict=True))
    numbers = [per_seed[seed] for seed in seeds]
    return None if None in numbers else sum(numbers) / len(numbers)
