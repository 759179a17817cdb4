import json
from dataclasses import replace
from pathlib import Path

import pytest

from mmmammo.experiments import put_between_marks, read_plan, render
from mmmammo.experiments.estimate import in_words, seconds_left
from mmmammo.experiments.page import NOTHING
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]
PLANS = sorted((ROOT / 'configs').rglob('experiments*.yaml'))


def number(mean, sd=None, **bounds):
    return {'mean': mean, 'sd': sd, 'per_seed': [mean], **bounds}


@pytest.fixture
def results():
    recall = 'froc/recall@1.00'
    values = {recall: number(0.5, 0.0123, low=0.4, high=0.61), 'ap/0.50': number(0.25), 'other': number(None)}
    more = {recall: number(0.55), 'ap/0.50': number(0.3), 'other': number(1.0)}
    gain = {'value': 0.05, 'low': -0.01, 'high': 0.11, 'p_bootstrap': 0.1, 'p_permutation': 0.0004}
    common = {'commits': ['abc'], 'hours': 0.5, 'n': {'images': 24, 'patients': 12}}
    return {
        'command': 'python x',
        'level': 0.95,
        'replicates': 2000,
        'rows': [
            {'name': 'plain', 'seeds': [0, 1], 'values': values, 'difference': None, **common},
            {'name': 'graph', 'seeds': [0], 'values': more, 'difference': {'values': {recall: gain}}, **common},
        ],
    }


def test_a_table_by_hand(plan, results):
    lines = render(plan, results).splitlines()
    assert lines[:9] == [
        '### All',
        '',
        '|  |  | R@1 | AP50 | else |',
        '| --- | --- | ---: | ---: | ---: |',
        '| Plain | 2 seeds | 50.0 ± 1.2 (40.0 to 61.0) | 25.0 | not defined |',
        '|  | paper\\* | 79.8 |  |  |',
        '| Graph | 1 seed | 55.0 | 30.0 | 100.0 |',
        '|  | minus Plain | +5.0 (-1.0 to 11.0), p < 0.001 |  |  |',
        '',
    ]
    assert lines[9:15] == ['### One', '', 'A note.', '', '|  |  | else |', '| --- | --- | ---: |']
    said = render(plan, results)
    assert 'Tested on 24 images, 12 patients.' in said and '3 of 3 runs, 1.0 hours' in said and '`python x`' in said
    assert 'patients resampled 2,000 times' in said and 'commit abc' in said


def test_the_papers_numbers_stay_out_of_tables_that_are_not_the_papers(plan, results):
    first, *others = plan.tables
    assert 'paper' in render(plan, results)
    assert 'paper' not in render(replace(plan, tables=(replace(first, paper=False), *others)), results)


def test_the_row_that_another_is_compared_with_is_named(plan, results):
    plain, graph = plan.rows
    plan = replace(plan, rows=(replace(plain, against='graph'), graph))
    results['rows'][0]['difference'] = results['rows'][1]['difference']
    assert '|  | minus Graph | +5.0 (-1.0 to 11.0), p < 0.001 |' in render(plan, results)


def test_rows_and_tables_without_results_are_left_out(plan, results):
    results['rows'] = results['rows'][:1]
    said = render(plan, results)
    assert 'Graph' not in said and '### One' not in said and '2 of 3 runs' in said
    assert render(plan, None) == render(plan, {**results, 'rows': []}) == NOTHING


def test_the_page_around_the_marks_stays():
    page = 'a\n<!-- results:x -->\nold\n<!-- /results:x -->\nb <!-- results:y -->'
    assert put_between_marks(page, 'x', 'new') == page.replace('old', 'new')
    assert put_between_marks(put_between_marks(page, 'x', 'new'), 'x', 'old') == page


@pytest.mark.parametrize('page', ['', '<!-- /results:x --> <!-- results:x -->', '<!-- results:x -->' * 2])
def test_a_page_without_marks_is_refused(page):
    with pytest.raises(MammoError, match=r'marks: found .* of <!-- results:x -->'):
        put_between_marks(page, 'x', 'new')


@pytest.mark.parametrize('path', PLANS, ids=lambda path: path.parent.name)
def test_every_page_is_what_its_results_give(path):
    plan = read_plan(path)
    results = json.loads(plan.results_path.read_text()) if plan.results_path.is_file() else None
    page = plan.page_path.read_text()
    assert page == put_between_marks(page, plan.name, render(plan, results))


def test_what_is_left_by_hand():
    assert seconds_left({}, ['a'], [], 1) is None
    assert seconds_left({}, ['a'], [('a', 0.5, 100.0)], 1) == 100 + 200
    assert seconds_left({'a': [10.0, 20.0], 'b': [60.0]}, ['a', 'b', 'c'], [], 2) == (15 + 60 + 30) / 2
    assert [in_words(s) for s in (None, 20, 600, 9000)] == [
        'not known yet',
        'about 1 min',
        'about 10 min',
        'about 2 h 30 min',
    ]
