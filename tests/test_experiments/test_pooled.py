"""Trainings that are counted at different times."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest

from mmmammo.experiments import execute, render
from mmmammo.experiments.counted import compared_as_shown
from mmmammo.experiments.pooled import note, pool
from mmmammo.experiments.results import collect
from mmmammo.structures import MammoError

KEY = 'froc/recall@1.00'


def entry(per_seed, low, high, seeds, difference=None, **more):
    """Of a row ``graph`` that was compared with another over all its seeds."""
    number = {'mean': float(np.mean(per_seed)), 'sd': None, 'low': low, 'high': high, 'per_seed': per_seed}
    return {
        'name': 'graph',
        'seeds': seeds,
        'commits': ['a'],
        'hours': 1.0,
        'replicates': 2000,
        'n': {'images': 8},
        'values': {KEY: number},
        'difference': difference and {'seeds': seeds, 'values': {KEY: difference}, 'reasons': {}},
        'not_compared': None,
    } | more


def gain(value, low, high):
    return {'value': value, 'low': low, 'high': high, 'p_bootstrap': 0.01, 'p_permutation': 0.02}


FIRST = entry([0.4, 0.6], 0.3, 0.7, [0, 1], gain(0.10, 0.05, 0.15))
NEW = entry([0.8], 0.6, 1.0, [2], gain(0.16, -0.01, 0.33), commits=['b'], hours=0.5)


def test_two_parts_by_hand():
    both = pool(FIRST, NEW)
    number, paired = both['values'][KEY], both['difference']['values'][KEY]
    assert (both['seeds'], both['difference']['seeds'], number['per_seed']) == ([0, 1, 2], [0, 1, 2], [0.4, 0.6, 0.8])
    assert [number[name] for name in ('mean', 'sd', 'low', 'high')] == pytest.approx([0.6, 0.2, 0.4, 0.8])
    assert [paired[name] for name in ('value', 'low', 'high')] == pytest.approx([0.12, 0.03, 0.21])
    assert paired['p_bootstrap'] is None and paired['p_permutation'] is None
    assert (both['hours'], both['commits'], both['replicates']) == (1.5, ['a', 'b'], 2000)
    assert [part['difference']['values'][KEY]['p_permutation'] for part in both['parts']] == [0.02, 0.02]


def test_seeds_come_in_their_order_and_parts_stay_flat():
    first, second, third = (entry([0.1 * (seed + 1)], 0.0, 1.0, [seed]) for seed in (0, 1, 2))
    both = pool(pool(third, first), second)
    assert both['seeds'] == [0, 1, 2]
    assert both['values'][KEY]['per_seed'] == pytest.approx([0.1, 0.2, 0.3])
    assert [part['seeds'] for part in both['parts']] == [[0], [1], [2]]
    assert not any('parts' in part for part in both['parts'])


def test_bounds_are_no_narrower_than_of_patients_drawn_for_all_at_once():
    """Mean of two numbers that patients move together, at any correlation."""
    rng = np.random.default_rng(0)
    common, own = rng.normal(size=(2, 20_000)), rng.normal(size=(2, 20_000))
    for share in (0.0, 0.5, 1.0):
        draws = share**0.5 * common[:1] + (1 - share) ** 0.5 * own
        parts = [
            entry([0.0] * len(seeds), *np.quantile(one, [0.025, 0.975]), seeds)
            for one, seeds in zip(draws, ([0, 1], [2]), strict=True)
        ]
        number = pool(*parts)['values'][KEY]
        low, high = np.quantile(np.average(draws, axis=0, weights=[2, 1]), [0.025, 0.975])
        assert number['high'] - number['low'] > (high - low) * 0.99


def test_what_one_part_lacks_the_whole_lacks():
    lacking = copy.deepcopy(NEW)
    number = {'mean': None, 'sd': None, 'undefined': 'no lesion', 'no_interval': 'no lesion', 'per_seed': [None]}
    lacking['values'][KEY] = number
    both = pool(FIRST, lacking | {'difference': None})
    assert both['values'][KEY] == number | {'per_seed': [0.4, 0.6, None]}
    assert both['difference'] == FIRST['difference'] | {'seeds': [0, 1]}, 'over the seeds that were compared'


def test_other_images_are_refused():
    with pytest.raises(MammoError, match=r"n of graph: found \{'images': 9\}"):
        pool(FIRST, NEW | {'n': {'images': 9}})


def test_a_training_is_added_to_those_whose_runs_are_gone(plan, root, make_runs):
    runs = make_runs(plan)
    execute(runs, root)
    earlier = collect(plan, runs, 'python x', replicates=2)
    for run in runs:
        (run.folder / 'metrics.json').unlink()
    plan = replace(plan, rows=tuple(replace(row, seeds=(*row.seeds, 5)) for row in plan.rows))
    execute([run for run in make_runs(plan) if run.seed == 5], root)

    document = collect(plan, make_runs(plan), 'python x', replicates=2, earlier=earlier)
    plain, graph = document['rows']
    assert (plain['seeds'], graph['seeds']) == ([0, 1, 5], [0, 5])
    assert plain['values'][KEY]['per_seed'] == pytest.approx([0.5, 0.6, 1.0])
    assert plain['values'][KEY]['mean'] == pytest.approx(0.7)
    assert compared_as_shown(plan, document['rows']) == document['rows']
    again = collect(plan, make_runs(plan), 'python x', replicates=2, earlier=json.loads(json.dumps(document)))
    assert again == document, 'counted once'
    said = render(plan, document)
    assert '| Plain | 3 seeds<sup>1</sup> |' in said and 'Counted in parts, seeds 0, 1 and 5' in said


def test_only_what_is_in_parts_says_so():
    assert note(FIRST) is None
    assert note(pool(FIRST, NEW)).startswith('counted in parts, seeds 0, 1 and 2, not with')
