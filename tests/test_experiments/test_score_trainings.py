"""Intervals and paired differences of classifiers and localisers, from what their runs left."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mmmammo.evaluation.functional import (
    ScoreMeasure,
    auc,
    bootstrap_ci,
    localisation_accuracy,
    paired_difference,
    rank_scores,
    read_measure,
)
from mmmammo.experiments import collect
from mmmammo.experiments.localisation_trainings import accuracy_reader
from mmmammo.experiments.trainings import read_trainings
from mmmammo.io.localisation_tables import LocalisationTable, read_localisation, write_localisation
from mmmammo.io.score_files import ScoreRow, write_scores
from mmmammo.io.score_tables import read_score_table
from mmmammo.structures import MammoError

MEASURES = {
    'auc/auc': ScoreMeasure('auc'),
    'exam/auc': ScoreMeasure('auc', level='exam', breast_rule='sum', as_log_odds=True),
    'pf1/image/pf1': ScoreMeasure('pf1'),
    'weighted': ScoreMeasure('multi_label', entry='weighted/f1'),
}
IOUS = (0.2, 0.5)
KEYS = ('localisation/0.20', 'localisation/0.50', 'localisation/mean')
METRICS = {**dict.fromkeys(MEASURES, 'x'), **dict.fromkeys(KEYS, 'y'), 'other': 'else'}


def rows(seed, skill, num_patients=15):
    """Four images per patient; every third patient has cancer in the right breast."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(4 * num_patients):
        patient, side = i // 4, 'LLRR'[i % 4]
        label = patient % 3 == 0 and side == 'R'
        score = float(np.clip(rng.normal(0.4 + skill * label, 0.2), 0.01, 0.99))
        made.append(ScoreRow(str(i), f'e{patient}', f'p{patient}', side, 'CC', 'test', (label,), (score,)))
    return made


def maps(seed, skill, frozen=None, num_images=24):
    """The IoU falls from a value that depends on the skill; the last two images have no lesion."""
    rng = np.random.default_rng(seed)
    best = rng.random((num_images, 1)) * skill * np.abs(np.sin(np.linspace(0.5, 9, 1000)))[None]
    best[-2:] = np.nan
    ids = tuple(str(i) for i in range(num_images))
    patients = tuple(f'p{i // 2}' for i in range(num_images))
    return LocalisationTable(ids, patients, best, IOUS, KEYS, frozen)


def accuracies(table):
    frozen = None if table.frozen is None else dict(zip(IOUS, table.frozen, strict=True))
    result = localisation_accuracy(table.best_ious, IOUS, frozen)
    return [*result.accuracy.values(), result.mean]


def leave(run, skill, measures=MEASURES, num_patients=15):
    """What tools/test.py leaves of a localiser that is a classifier."""
    run.folder.mkdir(parents=True, exist_ok=True)
    write_scores(run.folder / 'scores.csv', rows(run.seed, skill, num_patients))
    table = maps(run.seed, skill + 0.5)
    write_localisation(run.folder / 'localisation.npz', table)
    of_scores = read_score_table(run.folder / 'scores.csv')
    metrics = {key: read_measure(of_scores, measure) for key, measure in measures.items()}
    metrics |= {key: float(value) for key, value in zip(KEYS, accuracies(table), strict=True)}
    said = {'metrics': metrics | {'other': 1.0}, 'measures': {key: one.as_dict() for key, one in measures.items()}}
    (run.folder / 'metrics.json').write_text(json.dumps(said))
    run.remember(tested=True)


@pytest.fixture
def done(plan, make_runs):
    """A plan of these metrics, and its complete runs: the graph is better."""
    of_scores = replace(plan, metrics=METRICS)
    runs = make_runs(of_scores)
    for run in runs:
        leave(run, 0.4 if run.row.name == 'graph' else 0.1)
    return of_scores, runs


def test_every_metric_has_its_interval_and_its_paired_difference(done):
    plan, runs = done
    plain, graph = collect(plan, runs, 'python x', replicates=60)['rows']
    assert plain['n'] == {'images': 60, 'exams': 15, 'patients': 15}
    for key in (*MEASURES, *KEYS):
        value = plain['values'][key]
        assert value['low'] <= value['mean'] <= value['high'], key
        found = graph['difference']['values'][key]
        first = graph['values'][key]['per_seed'][0] - plain['values'][key]['per_seed'][0]
        assert found['value'] == pytest.approx(first, abs=1e-6), key
        assert 0 < found['p_permutation'] <= 1
    assert 'low' not in plain['values']['other'] and 'other' not in graph['difference']['values']
    assert graph['difference']['values']['auc/auc']['p_permutation'] < 0.1


def test_one_training_each_is_the_paired_test_of_two_models(done):
    _, runs = done
    plain, graph = (read_trainings([runs[i]], ['auc/auc'])['scores'] for i in (0, 2))
    found = graph.minus(plain, 50)
    tables = [read_score_table(run.folder / 'scores.csv') for run in (runs[2], runs[0])]
    scores = np.concatenate([rank_scores(table.scores[:, 0]) for table in tables])
    labels, patients = np.tile(tables[0].labels[:, 0], 2), tables[0].patient_ids
    literal = paired_difference(lambda i: [auc(labels[i], scores[i])], patients, 50)
    np.testing.assert_allclose(found.p_permutation, literal.p_permutation)
    assert found.difference.estimate == pytest.approx(literal.difference.estimate)


def test_numbers_that_no_draw_changes_have_no_interval(done):
    plan, runs = done
    for run in runs:
        leave(run, 5.0)  # every cancer scores 0.99
    plain = collect(plan, runs, 'python x', replicates=20)['rows'][0]
    number = plain['values']['auc/auc']
    assert number['mean'] == 1.0 and 'low' not in number and 'all replicates are equal' in number['no_interval']


def test_files_that_contradict_each_other_are_told(done):
    plan, runs = done
    leave(runs[0], 0.1)
    write_scores(runs[0].folder / 'scores.csv', rows(99, 0.9))
    with pytest.raises(MammoError, match=r'auc/auc: found .* in metrics\.json, .* from scores\.csv'):
        collect(plan, runs, 'python x', replicates=2)


def test_models_of_other_images_are_not_compared(done):
    plan, runs = done
    leave(runs[2], 0.4, num_patients=14)
    with pytest.raises(MammoError, match='graph, seed 0: images, rows or classes: found without 4 of the reference'):
        collect(plan, runs[:1] + runs[2:], 'python x', replicates=2)


def test_rows_of_folds_are_not_compared_with_rows_of_a_split(done):
    plan, runs = done
    row = replace(runs[2].row, folds=4)
    folds, of_folds = replace(plan, rows=(plan.rows[0], row)), replace(runs[2], row=row)
    leave(of_folds, 0.4, num_patients=20)
    plain, graph = collect(folds, [*runs[:2], of_folds], 'python x', replicates=5)['rows']
    assert graph['difference'] is None and graph['values']['auc/auc']['low'] is not None
    assert graph['not_compared'] == 'not compared: tested on other images, in other folds'
    assert (plain['n']['images'], graph['n']['images']) == (60, 80)


def test_models_whose_numbers_come_about_otherwise_are_not_compared(done):
    plan, runs = done
    leave(runs[2], 0.4, MEASURES | {'pf1/image/pf1': ScoreMeasure('pf1', beta=2.0)})
    graph = collect(plan, runs, 'python x', replicates=5)['rows'][1]
    assert 'pf1/image/pf1' not in graph['difference']['values'] and 'auc/auc' in graph['difference']['values']
    leave(runs[2], 0.4, MEASURES | {'exam/auc': ScoreMeasure('auc', level='exam')})
    assert 'exam/auc' in collect(plan, runs, 'python x', replicates=5)['rows'][1]['difference']['values']


@pytest.mark.parametrize('frozen', [None, (0.3, 0.6)])
def test_accuracies_are_those_of_the_metric_on_the_drawn_images(frozen):
    table = maps(3, 1.0, frozen)
    with_lesion = replace(
        table,
        image_ids=table.image_ids[:-2],
        patient_ids=table.patient_ids[:-2],
        best_ious=table.best_ious[:-2],
    )
    found = bootstrap_ci(accuracy_reader(with_lesion), with_lesion.patient_ids, 40)
    literal = bootstrap_ci(
        lambda drawn: accuracies(replace(table, best_ious=table.best_ious[drawn])), with_lesion.patient_ids, 40
    )
    for name in ('estimate', 'low', 'high'):
        np.testing.assert_allclose(getattr(found, name), getattr(literal, name), atol=1e-6)


def test_a_localiser_does_not_differ_from_itself(done):
    _, runs = done
    both = read_trainings(runs[:2], KEYS)['localisation']
    assert both.keys == KEYS and both.counts == {'images with a lesion': 22, 'patients': 11}
    paired = both.minus(both, 20)
    np.testing.assert_allclose(paired.difference.estimate, 0)
    np.testing.assert_array_equal(paired.p_permutation, 1)


def test_maps_of_other_images_are_not_compared(done):
    plan, runs = done
    write_localisation(runs[2].folder / 'localisation.npz', maps(0, 0.9, num_images=20))
    with pytest.raises(MammoError, match=r'localisation\.npz: images: found 4 of one run only \(18, 19, 20\)'):
        collect(plan, runs, 'python x', replicates=2)


def test_rows_without_anything_of_the_reference_are_paired_image_by_image(done, make_runs):
    """A detector leaves no maps; of localisers beside it, whose images may come in any order, each is the other's."""
    plan, runs = done
    third = replace(plan.rows[1], name='again', against='graph', seeds=(0,))
    plan = replace(plan, rows=(*plan.rows, third))
    (again,) = (run for run in make_runs(plan) if run.row.name == 'again')
    leave(again, 0.4)
    table = read_localisation(again.folder / 'localisation.npz')
    turned = replace(table, image_ids=table.image_ids[::-1], patient_ids=table.patient_ids[::-1])
    write_localisation(again.folder / 'localisation.npz', replace(turned, best_ious=table.best_ious[::-1]))
    for run in runs[:2]:
        (run.folder / 'localisation.npz').unlink()
    entry = collect(plan, [*runs, again], 'python x', replicates=20)['rows'][-1]
    for key in KEYS:
        found = entry['difference']['values'][key]
        assert found['value'] == found['low'] == found['high'] == pytest.approx(0, abs=1e-6), key


def test_models_of_other_targets_are_compared_where_the_truth_is_not_theirs(done):
    """What is read off the outcome of the exam is, whatever each was trained to; what is read off the label is not."""
    plan, runs = done
    outcome = ScoreMeasure('auc', level='exam', label_attribute='outcome', positive_values=('cancer',))
    for run in runs:
        own = 'e1' if run.row.name == 'graph' else 'e2'
        said = [
            replace(row, labels=(row.exam_id == own,), attributes={'outcome': 'cancer' if i % 24 < 4 else 'none'})
            for i, row in enumerate(rows(1, 0.3))
        ]
        write_scores(run.folder / 'scores.csv', said)
        table = read_score_table(run.folder / 'scores.csv')
        measures = {'exam/auc': outcome, 'auc/auc': MEASURES['auc/auc']}
        metrics = {key: read_measure(table, measure) for key, measure in measures.items()}
        said = {'metrics': metrics, 'measures': {key: one.as_dict() for key, one in measures.items()}}
        (run.folder / 'metrics.json').write_text(json.dumps(said))
    plan = replace(plan, metrics={'exam/auc': 'x', 'auc/auc': 'y'})
    found = collect(plan, runs, 'python x', replicates=20)['rows'][1]['difference']
    assert set(found['values']) == {'exam/auc'} and found['values']['exam/auc']['value'] == 0
    assert 'what is positive' in found['reasons']['auc/auc']


def test_a_table_of_maps_is_read_as_written(tmp_path):
    for frozen in (None, (0.25, 0.5)):
        table = maps(1, 0.7, frozen)
        write_localisation(tmp_path / 'new' / 'maps.npz', table)
        read = read_localisation(tmp_path / 'new' / 'maps.npz')
        assert (read.image_ids, read.patient_ids, read.iou_thrs) == (table.image_ids, table.patient_ids, IOUS)
        assert (read.keys, read.frozen) == (KEYS, frozen)
        np.testing.assert_array_equal(read.best_ious, table.best_ious)


@pytest.mark.parametrize('content', [None, b'', b'no zip', b'PK\x03\x04 cut off'])
def test_what_is_no_table_of_maps_is_refused(tmp_path, content):
    path = tmp_path / 'maps.npz'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MammoError, match='test the model again'):
        read_localisation(path)
