import pytest
import yaml
from toy_plan import PLAN

from mmmammo.experiments import read_plan
from mmmammo.structures import MammoError


def test_what_a_plan_says(plan):
    assert [row.name for row in plan.rows] == ['plain', 'graph']
    assert [row.seeds for row in plan.rows] == [(0, 1), (0,)]
    assert plan.rows[1].cfg_options == {'model.k': 1}
    assert plan.tables[0].metrics == ('froc/recall@1.00', 'ap/0.50', 'other')
    assert plan.tables[1].metrics == ('other',)
    assert plan.page_path == plan.path.parent / 'README.md'


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda p: p.pop('reference'), r"plan 'toy': found without reference"),
        (lambda p: p.update(reference='nobody'), r'reference: found nobody; expected some of plain, graph'),
        (lambda p: p.update(colour='red'), r'found unknown colour'),
        (lambda p: p['rows'][1].update(name='plain'), r'rows: name: found plain; expected a name of its own'),
        (lambda p: p['rows'][1].pop('config'), r"row 'graph': found without config"),
        (lambda p: p['rows'][1].update(seeds=[1, 1]), r"row 'graph': seeds: found \[1, 1\]"),
        (lambda p: p['rows'][1].update(seeds=3), r"row 'graph': seeds: found 3"),
        (lambda p: p['rows'][0].update(paper={'recall': 1}), r'rows: paper: found recall'),
        (lambda p: p['tables'][0]['rows'].update(ghost='Ghost'), r'tables: rows: found ghost'),
        (lambda p: p['tables'][0].update(metrics=['auc']), r'tables: metrics: found auc'),
        (lambda p: p['rows'][1].update(folds=1), r"row 'graph': folds: found 1; expected a whole number from 2 on"),
        (lambda p: p['rows'][1].update(combine={'mean': ['plain', 'graph']}), 'found combine and config, cfg_options'),
        (lambda p: p['rows'].append({'name': 'm', 'combine': {'max': ['plain', 'graph']}}), 'combine: found .*max'),
        (lambda p: p['rows'].append({'name': 'm', 'combine': {'mean': ['plain']}}), 'a list of two rows or more'),
        (
            lambda p: p['rows'].extend(
                [{'name': 'f', 'config': 'c', 'folds': 4}, {'name': 'm', 'combine': {'mean': ['plain', 'f']}}]
            ),
            'combine: found rows of folds 4, none; expected rows of equally many folds',
        ),
        (lambda p: p['rows'].append({'name': 'm', 'combine': {'mean': ['plain', 'x']}}), 'rows: combine: found x'),
        (lambda p: p['rows'].append({'name': 'm', 'combine': {'mean': ['plain', 'm']}}), 'rows: combine: found m'),
        (lambda p: p['rows'][1].update(against='x'), r'rows: against: found x; expected some of plain, graph'),
        (lambda p: p.update(rows=[]), r'rows: found \[\]; expected a list'),
        (lambda p: p.update(rows=['plain']), r"row: found 'plain'; expected keys and values"),
    ],
)
def test_what_cannot_be_is_named(tmp_path, change, message):
    document = yaml.safe_load(PLAN)
    change(document)
    path = tmp_path / 'plan.yaml'
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(MammoError, match=message):
        read_plan(path)


def test_no_file_and_no_yaml(tmp_path):
    with pytest.raises(MammoError, match='no such file'):
        read_plan(tmp_path / 'none.yaml')
    (tmp_path / 'bad.yaml').write_text('a: [1')
    with pytest.raises(MammoError, match='expected YAML'):
        read_plan(tmp_path / 'bad.yaml')
