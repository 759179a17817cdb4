import json
from dataclasses import replace

import numpy as np
import pytest

from mmmammo.evaluation.functional import froc, paired_froc
from mmmammo.evaluation.summary import DetectionSettings, detection_document, summarise_detections, write_document
from mmmammo.experiments import collect, execute
from mmmammo.experiments.trainings import read_trainings
from mmmammo.io.detection_files import read_detection_set
from mmmammo.io.predictions import write_predictions
from mmmammo.structures import ImagePrediction, MammoError

KEYS = ('froc/recall@1.00', 'ap/0.50')


def images(seed, quality, num_patients=12):
    """One lesion on each of two images of a patient, found with a chance of ``quality``, and two false marks."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(2 * num_patients):
        hit = rng.random() < quality
        boxes = np.array([[10, 10, 30, 30 if hit else 11], [60, 60, 80, 80], [40, 70, 55, 85]], dtype=float)
        made.append(
            ImagePrediction(
                i,
                file_name=f'{i}.png',
                width=100,
                height=100,
                exam_id=f'e{i // 2}',
                patient_id=f'p{i // 2}',
                laterality='L',
                view='CC' if i % 2 else 'MLO',
                pixel_spacing_mm=None,
                boxes=boxes,
                scores=rng.random(3).round(3),
                labels=np.zeros(3, dtype=int),
                gt_boxes=np.array([[10.0, 10, 30, 30]]),
                gt_labels=np.zeros(1, dtype=int),
            )
        )
    return made


@pytest.fixture
def complete_runs(plan, make_runs):
    """Complete runs with real predictions: the graph finds more."""
    runs = make_runs(plan)
    for run in runs:
        run.folder.mkdir(parents=True)
        found = images(run.seed + 10, 0.9 if run.row.name == 'graph' else 0.4)
        write_predictions(run.folder / 'predictions.json', found, ['mass'])
        summary = summarise_detections(
            read_detection_set(run.folder / 'predictions.json'), DetectionSettings(bootstrap=2)
        )
        document = detection_document(summary, {})
        document['metrics']['other'] = 0.125 * run.seed
        write_document(run.folder / 'metrics.json', document)
        run.remember(tested=True, commits=['abc'], seconds={'train': 1800.0, 'test': 1800.0})
    return runs


def entries(results):
    return {row['name']: row for row in results['rows']}


def test_means_are_over_seeds(plan, complete_runs):
    results = collect(plan, complete_runs, 'python x', replicates=50)
    plain = entries(results)['plain']
    per_seed = [
        froc(
            [(image.boxes, image.scores) for image in images(seed + 10, 0.4)],
            [image.gt_boxes for image in images(seed + 10, 0.4)],
        ).recall_at[1]
        for seed in (0, 1)
    ]
    number = plain['values']['froc/recall@1.00']
    assert number['per_seed'] == per_seed and len(set(per_seed)) == 2
    assert number['mean'] == pytest.approx(sum(per_seed) / 2)
    assert number['sd'] == pytest.approx(abs(per_seed[0] - per_seed[1]) / 2**0.5)
    assert number['low'] < number['mean'] < number['high']
    assert plain['seeds'] == [0, 1] and plain['commits'] == ['abc'] and plain['hours'] == 2.0
    assert plain['n'] == {'images': 24, 'exams': 12, 'patients': 12, 'lesions': 24}


def test_a_metric_that_detections_do_not_have_gets_no_interval(plan, complete_runs):
    number = entries(collect(plan, complete_runs, 'python x', replicates=5))['plain']['values']['other']
    assert number == {
        'mean': 0.0625,
        'sd': pytest.approx(0.0884, abs=1e-4),
        'per_seed': [0.0, 0.125],
        'no_interval': 'no interval: the test left no scores.csv',
    }


def test_differences_are_over_the_seeds_that_both_have(plan, complete_runs):
    results = collect(plan, complete_runs, 'python x', replicates=200)
    graph = entries(results)['graph']
    assert entries(results)['plain']['difference'] is None
    assert graph['difference']['seeds'] == [0]
    number = graph['difference']['values']['froc/recall@1.00']
    values = {name: row['values']['froc/recall@1.00']['per_seed'] for name, row in entries(results).items()}
    assert number['value'] == pytest.approx(values['graph'][0] - values['plain'][0])
    assert 0 < number['low'] < number['high'] and number['p_bootstrap'] < 0.05 < number['p_permutation'] < 1


def test_a_row_may_be_compared_with_another_than_the_reference(plan, complete_runs):
    plain, graph = plan.rows
    other = replace(graph, name='other', against='graph')
    three = replace(plan, rows=(plain, graph, other))
    runs = [*complete_runs, *(replace(run, row=other) for run in complete_runs if run.row == graph)]
    rows = entries(collect(three, runs, 'python x', replicates=20))
    assert [rows[name]['against'] for name in ('plain', 'graph', 'other')] == ['plain', 'plain', 'graph']
    assert rows['other']['difference']['values']['froc/recall@1.00']['value'] == 0
    assert rows['graph']['difference']['values']['froc/recall@1.00']['value'] > 0


def test_one_training_each_is_the_paired_test_of_two_models(complete_runs):
    plain, graph = (read_trainings([complete_runs[i]], KEYS[:1])['detections'] for i in (0, 2))
    paired = graph.minus(plain, 100)
    literal = paired_froc(graph.matches[0][0], plain.matches[0][0], plain.patients, [1.0], 100)
    assert paired.difference.estimate[0] == literal.difference.estimate[0]
    assert paired.difference.low[0] == pytest.approx(literal.difference.low[0])
    assert paired.p_permutation[0] == pytest.approx(literal.p_permutation[0])


def test_a_model_does_not_differ_from_itself(complete_runs):
    both = read_trainings(complete_runs[:2], KEYS)['detections']
    paired = both.minus(both, 20)
    np.testing.assert_array_equal(paired.difference.estimate, 0)
    np.testing.assert_array_equal(paired.p_permutation, 1)


def test_rows_without_a_complete_run_are_left_out(plan, root, make_runs):
    runs = make_runs(plan)
    execute(runs[2:], root)
    results = collect(plan, runs, 'python x', replicates=5)
    assert [row['name'] for row in results['rows']] == ['graph']
    [graph] = results['rows']
    assert graph['difference'] is None and graph['n'] == {}
    number = graph['values']['froc/recall@1.00']
    assert (number['mean'], number['sd'], number['per_seed']) == (0.5, None, [0.5]) and 'low' not in number
    assert number['no_interval'] == 'no interval: the test left no predictions.json'
    assert graph['values']['other']['mean'] is None and graph['values']['other']['undefined']
    assert graph['not_compared'] == 'not compared: no seed that both have is complete'
    assert json.dumps(results, allow_nan=False)


def test_files_that_contradict_each_other_are_told(plan, complete_runs):
    path = complete_runs[0].folder / 'metrics.json'
    document = json.loads(path.read_text())
    document['metrics']['froc/recall@1.00'] = 0.99
    path.write_text(json.dumps(document))
    with pytest.raises(MammoError, match=r'froc/recall@1\.00: found .* in metrics\.json.*remove the folder'):
        collect(plan, complete_runs, 'python x', replicates=2)


def test_a_metric_that_no_test_wrote_is_told(plan, complete_runs):
    wrong = replace(plan, metrics={'froc/recall@9.00': 'R@9'})
    with pytest.raises(MammoError, match=r"no 'froc/recall@9\.00' among"):
        collect(wrong, complete_runs[:2], 'python x', replicates=2)


def test_runs_on_other_images_are_not_compared(plan, complete_runs):
    write_predictions(complete_runs[2].folder / 'predictions.json', images(3, 0.9, num_patients=11), ['mass'])
    with pytest.raises(MammoError, match='graph, seed 0'):
        collect(plan, complete_runs, 'python x', replicates=2)
