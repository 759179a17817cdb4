"""One row from trainings that were counted at different times, the runs of one part gone when the other is made.

Patients can then not be drawn for all trainings at once. Means, spreads and differences are exact; bounds are the mean
of the parts' bounds, weighted by their trainings. Since a sum spreads at most as much as its terms together, that is no
narrower than what drawing at once would give, as long as the parts spread about normally. It has no p-value; those of
the parts are kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmmammo.structures import MammoError

Entry = dict[str, Any]
"""One row of a results file."""


def pool(earlier: Mapping[str, Any], new: Mapping[str, Any]) -> Entry:
    """One entry of all their trainings.

    Args:
        earlier: An entry of a results file, which may be of several parts.
        new: Of other seeds of the same row.

    Returns:
        An entry whose ``parts`` are the entries that it is of, in the order of their first seeds.

    Raises:
        MammoError: If the two were tested on different numbers of images.
    """
    if earlier['n'] != new['n']:
        raise MammoError(
            'results',
            field=f'n of {new["name"]}',
            found=f'{new["n"]} in the runs that are complete',
            expected=f'{earlier["n"]}, as in the trainings that are counted already',
            remedy='test on the same images, or remove the results file and make all its runs again',
        )
    parts = sorted([*earlier.get('parts', [earlier]), *new.get('parts', [new])], key=lambda part: part['seeds'])
    of_seed = sorted((seed, i) for i, part in enumerate(parts) for seed in part['seeds'])
    return {
        **new,
        'seeds': [seed for seed, _ in of_seed],
        'commits': sorted({commit for part in parts for commit in part['commits']}),
        'hours': sum(part['hours'] for part in parts),
        'replicates': min(part['replicates'] for part in parts),
        'values': {key: _value(parts, key) for key in new['values'] if all(key in part['values'] for part in parts)},
        'difference': _difference(parts),
        'not_compared': new['not_compared'],
        'parts': [dict(part) for part in parts],
    }


def note(entry: Mapping[str, Any]) -> str | None:
    """What a table says of an entry in parts; ``None`` of others."""
    if 'parts' not in entry:
        return None
    seeds = ' and '.join(', '.join(map(str, part['seeds'])) for part in entry['parts'])
    return (
        f'counted in parts, seeds {seeds}, not with all runs at hand: bounds are the mean of those of the parts, '
        'which is not narrower than patients drawn for all at once, and there is no p-value'
    )


def _value(parts: Sequence[Mapping[str, Any]], key: str) -> dict[str, Any]:
    """Mean and spread over all seeds, in their order."""
    pairs = [
        (seed, value)
        for part in parts
        for seed, value in zip(part['seeds'], part['values'][key]['per_seed'], strict=True)
    ]
    per_seed = [value for _, value in sorted(pairs, key=lambda pair: pair[0])]
    numbers = np.array([math.nan if value is None else value for value in per_seed], dtype=float)
    mean, sd = float(numbers.mean()), float(numbers.std(ddof=1))
    of_parts = [part['values'][key] for part in parts]
    said = {name: one[name] for one in of_parts for name in ('undefined', 'no_interval') if name in one}
    bounds = {} if 'no_interval' in said else _bounds(of_parts, [len(part['seeds']) for part in parts])
    known = {'mean': mean, 'sd': sd} if math.isfinite(mean) else {'mean': None, 'sd': None}
    return known | said | bounds | {'per_seed': per_seed}


def _difference(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Over the seeds of all parts that were compared."""
    compared = [part['difference'] for part in parts if part['difference']]
    if not compared:
        return None
    trainings = [len(one['seeds']) for one in compared]
    keys = [key for key in compared[-1]['values'] if all(key in one['values'] for one in compared)]
    reasons = {key: why for one in compared for key, why in one['reasons'].items()}
    values = {key: _paired([one['values'][key] for one in compared], trainings) for key in keys}
    seeds = sorted(seed for one in compared for seed in one['seeds'])
    return {'seeds': seeds, 'values': values, 'reasons': reasons}


def _paired(numbers: Sequence[Mapping[str, Any]], trainings: Sequence[int]) -> dict[str, Any]:
    if len(numbers) == 1:
        return dict(numbers[0])
    value = [one['value'] for one in numbers]
    known = {'value': None if None in value else float(np.average(value, weights=trainings))}
    said = {name: one[name] for one in numbers for name in ('reason',) if name in one}
    bounds = {'low': None, 'high': None} | _bounds(numbers, trainings)
    return known | bounds | {'p_bootstrap': None, 'p_permutation': None} | said


def _bounds(numbers: Sequence[Mapping[str, Any]], trainings: Sequence[int]) -> dict[str, float]:
    """Empty where a part has none."""
    pairs = [(one.get('low'), one.get('high')) for one in numbers]
    if any(None in pair for pair in pairs):
        return {}
    low, high = np.average(np.array(pairs, dtype=float), axis=0, weights=trainings).tolist()
    return {'low': low, 'high': high}
