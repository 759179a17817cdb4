"""A results file goes on counting rows whose runs are gone."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mmmammo.experiments import execute, read_plan
from mmmammo.experiments.counted import OTHER_REFERENCE, compared_as_shown, counted_rows, wanted_runs
from mmmammo.experiments.results import collect

ROOT = Path(__file__).resolve().parents[2]
PLANS = [path for path in sorted(ROOT.glob('configs/*/experiments*.yaml')) if read_plan(path).results_path.is_file()]
KEY = 'froc/recall@1.00'


@pytest.fixture
def runs(plan, make_runs):
    """Not complete: two of `plain`, one of `graph`."""
    return make_runs(plan)


@pytest.fixture
def earlier(plan, root, runs):
    """What was counted before the runs were lost; `graph` is as good as `plain`."""
    execute(runs, root)
    document = collect(plan, runs, 'python x', replicates=2)
    number = {'value': 0.0, 'low': None, 'high': None, 'p_bootstrap': None, 'p_permutation': None}
    document['rows'][1]['difference'] = {'seeds': [0], 'values': {KEY: number}, 'reasons': {}}
    for run in runs:
        (run.folder / 'metrics.json').unlink()
    return document


def again(plan, runs, earlier, replicates=2):
    return collect(plan, runs, 'python x', replicates=replicates, earlier=earlier)


def names(document):
    return [row['name'] for row in document['rows']]


def changed(runs, name):
    return [replace(run, digest='b' * 64) if run.row.name == name else run for run in runs]


def test_rows_stay_as_they_were_counted(plan, runs, earlier):
    assert names(earlier) == ['plain', 'graph']
    assert again(plan, runs, earlier) == earlier
    assert json.dumps(again(plan, runs, earlier)) == json.dumps(earlier)  # the order too: no change to commit
    assert again(plan, runs, None)['rows'] == []


def test_rows_keep_their_number_of_draws(plan, runs, earlier):
    for row in earlier['rows']:
        del row['replicates']  # as in files of before they were told row by row
    document = again(plan, runs, earlier, replicates=9)
    assert (document['replicates'], [row['replicates'] for row in document['rows']]) == (9, [2, 2])


def test_as_many_runs_at_hand_take_the_place_of_what_was_counted(plan, root, runs, earlier):
    for row in earlier['rows']:
        row['hours'] = 77.0
    execute(runs[:1], root)  # one of `plain`
    assert [row['hours'] for row in again(plan, runs, earlier)['rows']] == [77.0, 77.0]
    execute(runs, root)
    assert all(row['hours'] < 1 for row in again(plan, runs, earlier)['rows'])


def test_a_comparison_stays_if_only_the_reference_is_lost(plan, root, runs, earlier):
    execute(runs[2:], root)
    assert again(plan, runs, earlier)['rows'][1] == earlier['rows'][1]


def test_a_row_whose_config_changed_is_counted_no_more(plan, runs, earlier):
    assert names(again(plan, changed(runs, 'graph'), earlier)) == ['plain']


@pytest.mark.parametrize('how', ['config', 'numbers'])
def test_a_comparison_ends_when_its_reference_has_other_numbers(plan, root, runs, earlier, how):
    if how == 'config':
        runs = changed(runs, 'plain')
    else:
        execute(runs[:2], root)
        path = runs[0].folder / 'metrics.json'
        document = json.loads(path.read_text())
        document['metrics'][KEY] += 0.25
        path.write_text(json.dumps(document))
    graph = again(plan, runs, earlier)['rows'][-1]
    assert (graph['name'], graph['difference'], graph['not_compared']) == ('graph', None, OTHER_REFERENCE)


def test_a_comparison_ends_when_the_plan_compares_otherwise(plan, runs, earlier):
    other = replace(plan, reference='graph')
    plain, graph = again(other, runs, earlier)['rows']
    assert (graph['against'], graph['difference'], graph['not_compared']) == ('graph', None, None)
    assert plain['difference'] is None


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


def test_what_is_counted_with_all_seeds_is_not_made_again_but_to_compare_with(plan, runs):
    plain0, plain1, graph0 = runs
    plain, graph = ({name: {'seeds': seeds}} for name, seeds in (('plain', [0, 1]), ('graph', [0])))
    assert wanted_runs(plan, runs, plain) == [plain0, graph0]
    assert wanted_runs(plan, runs, graph) == [plain0, plain1]
    assert wanted_runs(plan, runs, {'plain': {'seeds': [1]}} | graph) == [plain0], 'the seed that is missing'
    assert wanted_runs(plan, runs, plain | graph) == []


@pytest.mark.parametrize('against', ['mean', 'other'])
def test_what_a_mean_is_of_is_made_again(plan, runs, against):
    """A mean that is wanted, or that a wanted row is compared with."""
    plain0, _, graph0 = runs
    row = replace(plan.rows[1], name='mean', config='', combine={'mean': ('plain', 'graph')}, against='mean')
    mean = replace(graph0, row=row, parts=(plain0, graph0))
    other = replace(graph0, row=replace(plan.rows[1], name='other', against='mean'))
    both = replace(plan, rows=(*plan.rows, row, other.row))
    counted = {name: {'seeds': [0]} for name in ('graph', 'mean', 'other') if name != against}
    wanted = wanted_runs(both, [*runs, other, mean], counted | {'plain': {'seeds': [0, 1]}})
    assert wanted == [plain0, graph0, *([other] if against == 'other' else []), mean]


@pytest.mark.parametrize('path', PLANS, ids=lambda path: f'{path.parent.name}/{path.stem}')
def test_differences_of_our_tables_are_those_of_their_rows(path):
    plan = read_plan(path)
    rows = json.loads(plan.results_path.read_text())['rows']
    assert compared_as_shown(plan, rows) == rows
