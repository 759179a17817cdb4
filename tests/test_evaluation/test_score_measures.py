"""Every number that a metric of classifiers logs is read again from the table it left."""

import json

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample

from mmmammo.evaluation.functional import (
    ScoreMeasure,
    auc,
    bootstrap_ci,
    paired_difference,
    patients_in,
    rank_scores,
    read_measure,
    score_reader,
)
from mmmammo.evaluation.metrics import (
    AUCMetric,
    ExamAUCMetric,
    FindingGroupMetric,
    MultiLabelMetric,
    ProbabilisticF1Metric,
    ScoreDump,
)
from mmmammo.io.score_tables import read_score_table
from mmmammo.structures import MammoError

CLASSES = ('Mass', 'Calcification', 'Asymmetry')


def samples(num_classes, seed=0, n_exams=15, multi_hot=True):
    """Four views per exam, every second exam of a patient seen before."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(4 * n_exams):
        exam = i // 4
        meta = {'img_id': i, 'exam_id': f'e{exam:02d}', 'patient_id': f'p{exam // 2}', 'laterality': 'LLRR'[i % 4]}
        sample = DataSample(metainfo={**meta, 'view': ('CC', 'MLO')[i % 2], 'labels': {'cancer': exam % 3 // 2}})
        scores = torch.tensor(rng.random(num_classes), dtype=torch.float32)
        sample.set_pred_score(scores if multi_hot else scores / scores.sum())
        if multi_hot:
            sample.set_gt_score(torch.tensor((rng.random(num_classes) < 0.4).astype(np.float32)))
        else:
            sample.set_gt_label(int(rng.random() < 0.4))
        made.append(sample)
    return made


def scored(metrics, data, path, **options):
    """The table, and what the metrics logged beside what they say of it."""
    dump = ScoreDump(path, **options)
    evaluator = Evaluator([*metrics, dump])
    evaluator.dataset_meta = {'classes': CLASSES[: data[0].num_classes]}
    evaluator.process(data)
    logged = evaluator.evaluate(len(data))
    measures = {key: one for metric in metrics for key, one in metric.measures(dump.columns).items()}
    return read_score_table(path), logged, measures


@pytest.mark.parametrize(
    ('metrics', 'data', 'options', 'count'),
    [
        ([AUCMetric(), ExamAUCMetric(), ProbabilisticF1Metric()], samples(2, multi_hot=False), {}, 12),
        ([AUCMetric(), ExamAUCMetric('mean', 'mean', as_log_odds=False)], samples(1), {}, 2),
        ([ProbabilisticF1Metric(2.0, 0.3, rule='max', label_key='cancer')], samples(2), {'label_key': 'cancer'}, 10),
        ([AUCMetric(score_index=1), AUCMetric(score_index=0, prefix='mass')], samples(3), {}, 2),
        ([MultiLabelMetric([0.5, 0.4, 0.3], no_finding='None')], samples(3), {}, 50),
        ([MultiLabelMetric(undefined_as=0.0)], samples(3), {}, 44),
        ([FindingGroupMetric({'A': CLASSES[:2], 'B': CLASSES[2:]}, 0.7, 0.0)], samples(3), {}, 24),
        ([FindingGroupMetric({'A': CLASSES[:2]}, no_finding='Asymmetry')], samples(3), {}, 20),
    ],
    ids=['softmax', 'sigmoid', 'label key', 'one of three', 'multi-label', 'undefined as 0', 'groups', 'none'],
)
def test_what_is_logged_is_read_again(tmp_path, metrics, data, options, count):
    table, logged, measures = scored(metrics, data, tmp_path / 'scores.csv', **options)
    assert len(measures) == count
    for key, measure in measures.items():
        assert read_measure(table, measure) == pytest.approx(logged[key], nan_ok=True), key
        assert ScoreMeasure.of(json.loads(json.dumps(measure.as_dict()))) == measure


def test_metrics_whose_class_the_table_lacks_say_nothing(tmp_path):
    metrics = [AUCMetric(), AUCMetric(score_index=0, label_key='cancer', prefix='b'), MultiLabelMetric()]
    _, _, measures = scored(metrics, samples(3), tmp_path / 'scores.csv', label_key='cancer')
    assert measures == {}
    softmax = [AUCMetric(score_index=0, prefix='a'), AUCMetric(score_index=1)]
    _, _, measures = scored(softmax, samples(2, multi_hot=False), tmp_path / 'scores.csv')
    assert [measure.class_index for measure in measures.values()] == [0]


def test_intervals_draw_patients_with_all_their_exams(tmp_path):
    table, _, measures = scored([AUCMetric(), ExamAUCMetric()], samples(1), tmp_path / 'scores.csv')
    read = score_reader(([measures['auc/auc']], table))
    labels, scores = table.labels[:, 0], table.scores[:, 0]
    by_patient = bootstrap_ci(read, patients_in(table), 200)
    by_row = bootstrap_ci(lambda rows: [auc(labels[rows], scores[rows])], table.patient_ids, 200)
    assert by_patient.estimate == by_row.estimate == auc(labels, scores)
    assert by_patient.low == pytest.approx(by_row.low) and by_patient.high == pytest.approx(by_row.high)
    assert by_patient.n_groups == 8


def test_two_models_are_compared_as_the_paired_test_does(tmp_path):
    first, _, measures = scored([AUCMetric()], samples(1), tmp_path / 'a.csv')
    second = read_score_table(tmp_path / 'a.csv')
    second.scores[:] = np.random.default_rng(5).random(second.scores.shape)
    measure = measures['auc/auc']
    found = paired_difference(score_reader(([measure], first), ([measure], second)), patients_in(first), 100)
    labels = np.tile(first.labels[:, 0], 2)
    ranks = np.concatenate([rank_scores(table.scores[:, 0]) for table in (first, second)])
    literal = paired_difference(lambda rows: [auc(labels[rows], ranks[rows])], first.patient_ids, 100)
    for name in ('first', 'second', 'p_permutation', 'p_bootstrap'):
        np.testing.assert_allclose(getattr(found, name), getattr(literal, name))
    same = paired_difference(score_reader(([measure], first), ([measure], first)), patients_in(first), 20)
    assert same.difference.estimate == 0 and same.p_permutation == 1


def test_models_of_other_rows_or_labels_are_not_compared(tmp_path):
    first, _, measures = scored([AUCMetric()], samples(1), tmp_path / 'a.csv')
    fewer, _, _ = scored([AUCMetric()], samples(1)[:-1], tmp_path / 'b.csv')
    pair = [measures['auc/auc']]
    with pytest.raises(MammoError, match=r"rows: found 1 of one model only: \['59'\]"):
        score_reader((pair, first), (pair, fewer))
    other = read_score_table(tmp_path / 'a.csv')
    other.labels[0] = 1 - other.labels[0]
    with pytest.raises(MammoError, match='labels: found others'):
        score_reader((pair, first), (pair, other))


def test_a_model_of_exams_meets_one_of_images_at_the_exam(tmp_path):
    images, logged, measures = scored([ExamAUCMetric()], samples(1), tmp_path / 'a.csv')
    whole = []
    for sample in samples(1)[::4]:
        sample.set_metainfo({'img_id': sample.exam_id, 'view': None, 'laterality': None})
        exam = images.labels[[one == sample.exam_id for one in images.exam_ids]]
        whole.append(sample.set_gt_score([float(exam.max())]))
    exams, of_exams, theirs = scored([ExamAUCMetric()], whole, tmp_path / 'b.csv')
    assert exams.level == 'exam' and of_exams['exam/n_exams'] == 15
    ours = measures['exam/auc']
    assert ours.alike == theirs['exam/auc'].alike
    paired = paired_difference(score_reader(([ours], images), ([theirs['exam/auc']], exams)), patients_in(images), 5)
    assert paired.difference.estimate == pytest.approx(logged['exam/auc'] - of_exams['exam/auc'])


def test_the_mean_over_classes(tmp_path):
    table, _, _ = scored([], samples(3), tmp_path / 'scores.csv')
    each = [auc(table.labels[:, i], table.scores[:, i]) for i in range(3)]
    assert read_measure(table, ScoreMeasure('macro_auc')) == pytest.approx(np.mean(each))
    table.labels[:, 1] = 0
    assert read_measure(table, ScoreMeasure('macro_auc')).reason == 'no positive label'
    assert read_measure(table, ScoreMeasure('auc', class_index=1)).reason == 'no positive label'


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'statistic': 'luck'}, 'statistic: found luck'),
        ({'statistic': 'auc', 'level': 'town'}, 'level: found town'),
        ({'statistic': 'auc', 'class_index': 3}, 'class_index: found 3; expected one of 3 classes'),
        ({'statistic': 'multi_label', 'entry': 'x/y'}, 'entry: found x/y'),
        ({'statistic': 'f1', 'threshold': (0.1, 0.2)}, 'threshold: found'),
    ],
)
def test_bad_measures_are_refused(tmp_path, options, message):
    table, _, _ = scored([], samples(3), tmp_path / 'scores.csv')
    with pytest.raises(MammoError, match=message):
        read_measure(table, ScoreMeasure(**options))
