"""Rows that an earlier results file counts, and whose runs are no longer at hand: on a disk that was cleared, say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmmammo.experiments.plan import Plan, Row
from mmmammo.experiments.runs import Run

OTHER_REFERENCE = 'not compared: the row it was compared with has changed since'


def counted_rows(plan: Plan, runs: Sequence[Run], earlier: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Row -> its entry of an earlier results file, where that counts more trainings of the row than are complete now.

    A row whose config has changed since, or that lacks a metric of the plan, is counted no more. One whose reference
    has changed loses its difference.

    Args:
        plan: The rows as they are now.
        runs: All runs of the plan.
        earlier: What ``results.json`` said; ``None`` where there is none.
    """
    entries = {entry['name']: entry for entry in (earlier or {}).get('rows', [])}
    digests = digests_of(runs)
    found = {}
    for row in plan.rows:
        entry, complete = entries.get(row.name), sum(run.row == row and run.is_complete for run in runs)
        if entry and _still_holds(plan, row, entry, digests) and len(entry['seeds']) > complete:
            found[row.name] = _compared_as_now(plan, row, entry, digests)
    return found


def wanted_runs(plan: Plan, runs: Sequence[Run], counted: Mapping[str, Any]) -> list[Run]:
    """The runs of rows that are not counted, and those that these are compared with or averaged from.

    Args:
        plan: Says which row is compared with which.
        runs: In the order of their turn, which stays.
        counted: By name; see :func:`counted_rows`.
    """
    wanted = [run for run in runs if run.row.name not in counted]
    also = {(plan.reference_of(run.row), run.seed) for run in wanted}
    also |= {(part.row.name, part.seed) for run in wanted for part in run.parts}
    return [run for run in runs if run in wanted or (run.row.name, run.seed) in also]


def digests_of(runs: Sequence[Run]) -> dict[str, str]:
    """Row -> digest of its config as it is now."""
    return {run.row.name: run.digest for run in runs}


def _still_holds(plan: Plan, row: Row, entry: Mapping[str, Any], digests: Mapping[str, str]) -> bool:
    shown = [key for key in plan.metrics if plan.needs(row, key)]
    same = entry['digest'] == digests.get(row.name) and set(entry['seeds']) <= set(row.seeds)
    return same and all(key in entry['values'] for key in shown)


def _compared_as_now(plan: Plan, row: Row, entry: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    reference = plan.reference_of(row)
    same = entry['against'] == reference and entry.get('against_digest') == digests.get(reference)
    if same or reference == row.name:
        return dict(entry)
    return dict(entry) | {'against': reference, 'difference': None, 'not_compared': OTHER_REFERENCE}
