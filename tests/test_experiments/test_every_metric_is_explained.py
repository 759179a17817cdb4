"""No number of a table is without an interval, unless its page says why."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_results import images

from mmmammo.evaluation.functional import ScoreMeasure, average_precision_by_size, read_measure
from mmmammo.evaluation.functional.score_measures import MULTI_LABEL
from mmmammo.evaluation.summary import DetectionSettings, detection_document, summarise_detections, write_document
from mmmammo.experiments import collect, read_plan, render
from mmmammo.experiments.plan import Table
from mmmammo.io.detection_files import read_detection_set
from mmmammo.io.predictions import write_predictions
from mmmammo.io.score_files import ScoreRow, write_scores
from mmmammo.io.score_tables import read_score_table

ROOT = Path(__file__).resolve().parents[2]
PLANS = sorted((ROOT / 'configs').rglob('experiments*.yaml'))
SIZES = {'small': (0, 25), 'large': (25, 1e5)}
FINDINGS = ('mass', 'calcification', 'asymmetry')
GROUPS = (('Dense', ('mass', 'asymmetry')), ('Bright', ('calcification',)))
DRAWN = (
    r'froc/(recall@\d+\.\d\d|fauc)',
    r'ap/(size/[^/]+/)?(0\.[2-9]0|mean7_0\.20-0\.80|mean8_0\.20-0\.90)',
    r'localisation/(0\.\d0|mean7_0\.20-0\.80)',
    r'atd/([^/]+/)?\d+',
    r'(groups|multilabel|with_no_finding)/[^/]+/(f1|precision|recall|accuracy)',
    r'oof/(image|breast|exam)/(auc|pf1|binf1@best|binf1@thr|threshold@best)',
    r'exam/auc',
    r'(pf1|max)/(image|breast)/(auc|pf1)',
    r'cohort/screening(_interval)?_auc_all',
)
"""Metrics that have a reader, each with tests of its own."""


@pytest.mark.parametrize('path', PLANS, ids=lambda path: path.parent.name)
def test_every_metric_of_a_plan_has_a_reader(path):
    plan = read_plan(path)
    unknown = [key for key in plan.metrics if not any(re.fullmatch(pattern, key) for pattern in DRAWN)]
    assert not unknown and plan.metrics


def leave_detections(run, quality, sizes=SIZES):
    run.folder.mkdir(parents=True, exist_ok=True)
    found = images(run.seed, quality)
    found = [replace(one, gt_boxes=one.gt_boxes + np.array([0, 0, 10 * (i % 2), 10])) for i, one in enumerate(found)]
    write_predictions(run.folder / 'predictions.json', found, ['mass'])
    data = read_detection_set(run.folder / 'predictions.json')
    document = detection_document(summarise_detections(data, DetectionSettings(bootstrap=2)), {})
    document['settings'] = {**document['settings'], 'size_classes': sizes}
    args = [(one.boxes, one.scores) for one in found], [one.gt_boxes for one in found], [0.2, 0.5], SIZES
    of_size = average_precision_by_size(*args)
    document['metrics'] |= {f'ap/size/{name}/{iou:.2f}': ap for name, at in of_size.items() for iou, ap in at.items()}
    write_document(run.folder / 'metrics.json', document)
    run.remember(tested=True, commits=['abc'])


def test_lesions_of_a_size_have_intervals_and_differences(plan, make_runs):
    keys = ('ap/size/small/0.20', 'ap/0.20', 'ap/size/large/0.20')
    of_sizes = replace(plan, metrics=dict.fromkeys(keys, 'x'))
    runs = make_runs(of_sizes)
    for run in runs:
        leave_detections(run, 0.9 if run.row.name == 'graph' else 0.5)
    plain, graph = collect(of_sizes, runs, 'python x', replicates=40)['rows']
    for key in keys:
        value = plain['values'][key]
        assert value['low'] <= value['mean'] <= value['high'], key
        found = graph['difference']['values'][key]
        first = graph['values'][key]['per_seed'][0] - plain['values'][key]['per_seed'][0]
        assert found['value'] == pytest.approx(first) and found['low'] <= found['value'] <= found['high']
    leave_detections(runs[2], 0.9, {**SIZES, 'small': (0, 26)})
    reasons = collect(of_sizes, runs, 'python x', replicates=5)['rows'][1]['difference']['reasons']
    assert list(reasons) == ['ap/size/small/0.20'] and 'other rules' in reasons['ap/size/small/0.20']


def leave_scores(run, skill, classes):
    rng, of_labels, rows = np.random.default_rng(run.seed), np.random.default_rng(9), []
    for i in range(48):
        hot = np.eye(4)[of_labels.integers(4)] > 0
        scores = np.clip(rng.normal(0.35 + skill * hot, 0.2), 0, 1)
        chosen = tuple(bool(one) for one in hot[: len(classes)]), tuple(scores[: len(classes)].tolist())
        rows.append(ScoreRow(str(i), f'e{i // 4}', f'p{i // 4}', 'L', 'CC', 'test', *chosen))
    run.folder.mkdir(parents=True, exist_ok=True)
    write_scores(run.folder / 'scores.csv', rows, classes)
    settings = {'undefined_as': 0.0, 'entry': 'weighted/f1'}
    measures = {
        'groups/weighted/f1': ScoreMeasure(MULTI_LABEL, groups=GROUPS, only_with=FINDINGS, **settings),
        'multilabel/weighted/f1': ScoreMeasure(MULTI_LABEL, **settings),
    }
    if len(classes) == 3:
        measures['with_no_finding/weighted/f1'] = ScoreMeasure(MULTI_LABEL, no_finding='none', **settings)
    table = read_score_table(run.folder / 'scores.csv')
    metrics = {key: read_measure(table, one) for key, one in measures.items()} | {'other': 1.0}
    said = {'metrics': metrics, 'measures': {key: one.as_dict() for key, one in measures.items()}}
    (run.folder / 'metrics.json').write_text(json.dumps(said))
    run.remember(tested=True, commits=['abc'])


@pytest.fixture
def findings(plan, make_runs):
    """Ten outputs beside eleven, as in paper 1's last table: here three and four."""
    keys = ('groups/weighted/f1', 'multilabel/weighted/f1', 'with_no_finding/weighted/f1', 'other')
    tables = (
        Table('Both', {'plain': 'Three', 'graph': 'Four'}, keys[:2]),
        Table('One', {'plain': 'Three'}, keys[2:]),
    )
    of_findings = replace(plan, metrics=dict.fromkeys(keys, 'x'), tables=tables)
    runs = make_runs(of_findings)
    for run in runs:
        leave_scores(run, 0.3, (*FINDINGS, 'no_finding') if run.row.name == 'graph' else FINDINGS)
    return of_findings, collect(of_findings, runs, 'python x', replicates=40)


def test_models_with_an_output_more_are_compared_in_what_both_have(findings):
    _, results = findings
    plain, graph = results['rows']
    for key in ('groups/weighted/f1', 'multilabel/weighted/f1', 'with_no_finding/weighted/f1'):
        assert plain['values'][key]['low'] < plain['values'][key]['mean'] < plain['values'][key]['high']
    assert 'with_no_finding/weighted/f1' not in graph['values']  # only tables without the row show it
    paired = graph['difference']
    assert paired['values']['groups/weighted/f1']['value'] == 0 and list(paired['values']) == ['groups/weighted/f1']
    assert 'other rules' in paired['reasons']['multilabel/weighted/f1']


def test_the_page_tells_what_its_cells_lack(findings):
    plan, results = findings
    said = render(plan, results)
    assert '|  | minus Three | +0.0 (0.0 to 0.0), p 1.000 | <sup>1</sup> |' in said
    assert '<sup>1</sup> Not compared: the two rows judge it by other rules' in said
    assert '100.0 ± 0.0<sup>2</sup> |' in said
    assert '<sup>2</sup> No interval: metrics.json does not say how to read it off scores.csv.' in said
