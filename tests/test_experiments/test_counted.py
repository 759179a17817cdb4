"""A results file goes on counting rows whose runs are gone."""

from dataclasses import replace

import pytest

from mmmammo.experiments import execute
from mmmammo.experiments.counted import OTHER_REFERENCE, counted_rows, wanted_runs
from mmmammo.experiments.results import collect


@pytest.fixture
def runs(plan, make_runs):
    """Not complete: two of `plain`, one of `graph`."""
    return make_runs(plan)


@pytest.fixture
def earlier(plan, root, runs):
    """What was counted before the runs were lost."""
    execute(runs, root)
    document = collect(plan, runs, 'python x', replicates=2)
    for run in runs:
        (run.folder / 'metrics.json').unlink()
    return document


def names(document):
    return [row['name'] for row in document['rows']]


def test_rows_stay_as_they_were_counted(plan, runs, earlier):
    assert names(earlier) == ['plain', 'graph']
    assert collect(plan, runs, 'python x', replicates=2, earlier=earlier) == earlier
    assert collect(plan, runs, 'python x', replicates=2)['rows'] == []


def test_as_many_runs_at_hand_take_the_place_of_what_was_counted(plan, root, runs, earlier):
    earlier['rows'][0]['hours'] = earlier['rows'][1]['hours'] = 77.0
    execute(runs[1:], root)  # one of `plain`, all of `graph`
    hours = [row['hours'] for row in collect(plan, runs, 'python x', replicates=2, earlier=earlier)['rows']]
    assert hours[0] == 77.0 and hours[1] < 1


def test_a_row_whose_config_changed_is_counted_no_more(plan, runs, earlier):
    changed = [replace(run, digest='b' * 64) if run.row.name == 'graph' else run for run in runs]
    assert names(collect(plan, changed, 'python x', replicates=2, earlier=earlier)) == ['plain']


def test_a_row_whose_reference_changed_loses_its_difference(plan, runs, earlier):
    earlier['rows'][1]['difference'] = {'seeds': [0], 'values': {}, 'reasons': {}}
    assert counted_rows(plan, runs, earlier)['graph'] == earlier['rows'][1]
    changed = [replace(run, digest='b' * 64) if run.row.name == 'plain' else run for run in runs]
    [graph] = collect(plan, changed, 'python x', replicates=2, earlier=earlier)['rows']
    assert (graph['name'], graph['difference'], graph['not_compared']) == ('graph', None, OTHER_REFERENCE)


@pytest.mark.parametrize('change', ['metrics', 'seeds'])
def test_a_row_that_the_plan_asks_more_or_other_of_is_counted_no_more(plan, runs, earlier, change):
    if change == 'metrics':
        plan = replace(plan, metrics={**plan.metrics, 'new': 'new'})
    else:
        earlier['rows'][0]['seeds'] = earlier['rows'][1]['seeds'] = [7]
    assert counted_rows(plan, runs, earlier) == {}


def test_nothing_is_counted_without_a_file(plan, runs):
    assert counted_rows(plan, runs, None) == {}
    assert wanted_runs(plan, runs, {}) == runs


def test_what_is_counted_is_not_made_again_but_to_compare_with(plan, runs):
    plain0, plain1, graph0 = runs
    assert wanted_runs(plan, runs, {'plain': {}}) == [plain0, graph0]
    assert wanted_runs(plan, runs, {'graph': {}}) == [plain0, plain1]
    assert wanted_runs(plan, runs, {'plain': {}, 'graph': {}}) == []


def test_what_a_mean_is_of_is_made_again(plan, runs):
    plain0, plain1, graph0 = runs
    row = replace(plan.rows[1], name='mean', config='', combine={'mean': ('plain', 'graph')}, against='mean')
    mean = replace(graph0, row=row, parts=(plain0, graph0))
    both = replace(plan, rows=(*plan.rows, row))
    assert wanted_runs(both, [*runs, mean], {'plain': {}, 'graph': {}}) == [plain0, graph0, mean]
