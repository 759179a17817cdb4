"""What a classifier leaves for later evaluation, read back by the evaluator."""

import csv

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample

from mmmammo.evaluation.functional import auc
from mmmammo.evaluation.metrics import AUCMetric, MultiLabelMetric, ScoreDump
from mmmammo.evaluation.summary import ScoreSettings, summarise_scores
from mmmammo.io.score_files import ScoreRow, write_scores
from mmmammo.io.score_tables import read_score_table
from mmmammo.structures import MammoError

VIEWS = [('L', 'CC'), ('L', 'MLO'), ('R', 'CC'), ('R', 'MLO')]


def data_sample(i, scores, label=None, multi_hot=None, **meta):
    """As a model returns image ``i``, one of four of its exam; a key of ``None`` is left out."""
    side, view = VIEWS[i % 4]
    known = {'img_id': i, 'exam_id': f'e{i // 4}', 'patient_id': f'p{i // 4}', 'laterality': side, 'view': view}
    sample = DataSample(metainfo={key: value for key, value in (known | meta).items() if value is not None})
    sample.set_pred_score(torch.tensor(scores, dtype=torch.float32))
    if label is not None:
        sample.set_gt_label(label)
    return sample if multi_hot is None else sample.set_gt_score(torch.tensor(multi_hot, dtype=torch.float32))


def dump(metric, samples, classes=('no mass', 'mass')):
    """Through MMEngine's evaluator; returns the rows that were written."""
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = {'classes': classes}
    for sample in samples:
        evaluator.process([sample])
    assert evaluator.evaluate(len(samples)) == {'scores/n_rows': len(samples)}
    with metric.path.open(newline='') as file:
        return list(csv.DictReader(file))


def test_a_softmax_over_two_is_one_class(tmp_path):
    samples = [
        data_sample(i, [1 - s, s], label=int(s > 0.5), labels={'density': 'B', 'age': 50 + i})
        for i, s in enumerate([0.1, 0.7, 0.6, 0.2])
    ]
    rows = dump(ScoreDump(tmp_path / 'new' / 'scores.csv', split='test'), samples)
    assert rows[1] == {
        'image_id': '1',
        'exam_id': 'e0',
        'patient_id': 'p0',
        'laterality': 'L',
        'view': 'MLO',
        'split': 'test',
        'label': '1',
        'score': repr(float(np.float32(0.7))),
        'age': '51',
        'density': 'B',
    }
    table = read_score_table(tmp_path / 'new' / 'scores.csv')
    assert table.level == 'image' and table.split == 'test' and table.attributes['density'] == ('B',) * 4


def test_the_table_has_the_numbers_of_the_metric(tmp_path):
    rng = np.random.default_rng(0)
    samples = [data_sample(i, [float(s)], multi_hot=[i % 3 == 0]) for i, s in enumerate(rng.random(40))]
    dump(ScoreDump(tmp_path / 'scores.csv'), samples)
    summary = summarise_scores(read_score_table(tmp_path / 'scores.csv'), ScoreSettings(bootstrap=0))
    logged = Evaluator([AUCMetric()])
    logged.process(samples)
    assert summary.numbers['auc'].value == logged.evaluate(40)['auc/auc']


@pytest.mark.parametrize('multi_label', [True, False])
def test_several_classes_have_a_pair_of_columns_each(tmp_path, multi_label):
    truth = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]]
    samples = [
        data_sample(i, [0.2, 0.3, 0.5], **({'multi_hot': row} if multi_label else {'label': row.index(1)}))
        for i, row in enumerate(truth)
    ]
    rows = dump(ScoreDump(tmp_path / 'scores.csv'), samples, ('A', 'B b', 'C'))
    assert list(rows[0])[5:] == ['label_A', 'score_A', 'label_B b', 'score_B b', 'label_C', 'score_C']
    table = read_score_table(tmp_path / 'scores.csv')
    assert table.classes == ('A', 'B b', 'C')
    assert table.labels.tolist() == truth


def test_a_label_of_the_set_makes_one_class_of_many_outputs(tmp_path):
    samples = [data_sample(i, [0.9, 0.1, 0.4], labels={'cancer': i % 2}) for i in range(4)]
    rows = dump(ScoreDump(tmp_path / 'scores.csv', score_index=0, label_key='cancer'), samples)
    assert [(row['label'], float(row['score'])) for row in rows] == [
        (str(i % 2), float(np.float32(0.9))) for i in range(4)
    ]


@pytest.mark.parametrize(('side', 'level'), [('R', 'breast'), (None, 'exam')])
def test_rows_may_be_breasts_or_exams(tmp_path, side, level):
    samples = [
        data_sample(i, [0.5], multi_hot=[1.0], img_id=f'x{i}', exam_id=f'e{i}', view=None, laterality=side)
        for i in range(3)
    ]
    rows = dump(ScoreDump(tmp_path / 'scores.csv'), samples)
    assert list(rows[0]) == ['exam_id', 'patient_id', *(['laterality'] if side else []), 'label', 'score']
    assert read_score_table(tmp_path / 'scores.csv').level == level


def test_patches_have_the_number_of_their_sample_and_what_else_is_wanted(tmp_path):
    samples = [data_sample(i, [0.5], multi_hot=[1.0], img_id=None, sample_idx=i, lesion_id=f'm{i}') for i in range(2)]
    rows = dump(ScoreDump(tmp_path / 'scores.csv', attributes=['lesion_id', 'nothing']), samples)
    assert [(row['image_id'], row['lesion_id']) for row in rows] == [('0', 'm0'), ('1', 'm1')]


@pytest.mark.parametrize(
    ('sample', 'options', 'message'),
    [
        (data_sample(1, [np.nan], multi_hot=[1.0]), {}, r'image 1: pred_score: found \[nan\]'),
        (data_sample(1, [2.0], multi_hot=[1.0]), {}, r'image 1: pred_score: found \[2.0\]'),
        (data_sample(1, [0.5], label=1), {}, 'gt_label: found class numbers of a head with one output'),
        (data_sample(1, [0.5] * 4, label=0), {}, 'classes: found no mass, mass; expected 4 names'),
        (data_sample(1, [0.5], multi_hot=[1.0], img_id=None), {}, 'img_id: found nothing'),
        (data_sample(1, [0.5]), {}, 'gt_label: found nothing'),
        (data_sample(1, [0.5]), {'label_key': 'cancer'}, 'labels: found nothing'),
        (data_sample(5, [0.5], multi_hot=[1.0], patient_id=None), {}, 'patient_id: found 1 of 2 rows without'),
        (data_sample(5, [0.1, 0.1, 0.1], label=0), {}, 'pred_score: found of different lengths'),
    ],
)
def test_bad_samples_are_refused(tmp_path, sample, options, message):
    first = data_sample(0, [0.5], multi_hot=[1.0], labels={'cancer': 1})
    with pytest.raises(MammoError, match=message):
        dump(ScoreDump(tmp_path / 'scores.csv', **options), [sample, first] if sample.get('img_id') == 5 else [sample])
    assert not (tmp_path / 'scores.csv').exists()


def test_labels_that_do_not_fit_the_outputs_are_refused(tmp_path):
    sample = {**data_sample(1, [0.5, 0.5], multi_hot=[1.0, 0.0]).to_dict(), 'gt_score': torch.ones(3)}
    with pytest.raises(MammoError, match='image 1: gt_score: found 3 entries; expected 2, one per output'):
        ScoreDump(tmp_path / 'scores.csv').record(sample)


def test_two_rows_of_a_breast_are_refused(tmp_path):
    row = ScoreRow('', 'e1', 'p1', 'L', '', '', (True,), (0.5,))
    with pytest.raises(MammoError, match='several rows of e1_L; expected one row per image, breast or exam'):
        write_scores(tmp_path / 'scores.csv', [row, row])


FINDINGS = ('Mass', 'Calcification')
MULTI_HOT = [[1, 0], [1, 1], [0, 0], [0, 1]]
SCORES = [[0.9, 0.1], [0.4, 0.8], [0.2, 0.1], [0.6, 0.3]]


def table_of(metric, scores=SCORES):
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = {'classes': FINDINGS}
    rows = zip(scores, MULTI_HOT, strict=True)
    evaluator.process([data_sample(i, s, multi_hot=t) for i, (s, t) in enumerate(rows)])
    return evaluator.evaluate(4)


def test_the_multi_label_table_by_hand():
    found = table_of(MultiLabelMetric())
    # Mass is found in 0 and 3, right once of two; calcification in 1, of 1 and 3
    assert found['multilabel/Mass/precision'] == found['multilabel/Mass/recall'] == 0.5
    assert found['multilabel/Calcification/precision'] == 1.0 and found['multilabel/Calcification/recall'] == 0.5
    assert found['multilabel/weighted/recall'] == 0.5 and found['multilabel/micro/precision'] == 2 / 3
    assert found['multilabel/Mass/support'] == 2 and found['multilabel/n_rows'] == 4


def test_no_finding_is_where_nothing_else_is():
    found = table_of(MultiLabelMetric(no_finding='No Finding'))
    assert (found['multilabel/No Finding/support'], found['multilabel/No Finding/predicted']) == (1, 1)
    assert found['multilabel/No Finding/f1'] == 1.0 and found['multilabel/Mass/recall'] == 0.5


def test_a_threshold_per_class_and_undefined_ratios():
    found = table_of(MultiLabelMetric([0.95, 0.05], undefined_as=0.0))
    assert found['multilabel/Mass/predicted'] == 0 and found['multilabel/Mass/precision'] == 0
    assert found['multilabel/Calcification/predicted'] == 4
    assert np.isnan(table_of(MultiLabelMetric(0.95))['multilabel/Mass/precision'])
    assert list(table_of(MultiLabelMetric(0.95))) == list(table_of(MultiLabelMetric()))


def test_bad_settings_and_samples_of_the_table_are_refused():
    with pytest.raises(MammoError, match=r'threshold: found 2\.0'):
        MultiLabelMetric(2.0)
    with pytest.raises(MammoError, match=r'threshold: found .* expected one, or 2'):
        table_of(MultiLabelMetric([0.1, 0.2, 0.3]))
    with pytest.raises(MammoError, match='image 0: pred_score: found 2 entries; expected one for each of a, b, c'):
        table_of(MultiLabelMetric(classes='abc'))
    with pytest.raises(MammoError, match='numbers in'):
        table_of(MultiLabelMetric(), [[0.1, 1.5]] * 4)
    with pytest.raises(MammoError, match='classes: found none'):
        MultiLabelMetric().record(data_sample(0, [0.1], multi_hot=[1.0]).to_dict())


def test_one_auc_per_class_survives_the_round_trip(tmp_path):
    rng = np.random.default_rng(1)
    scores, truth = rng.random((30, 2)), rng.random((30, 2)) < 0.4
    samples = [data_sample(i, scores[i].tolist(), multi_hot=truth[i].tolist()) for i in range(30)]
    dump(ScoreDump(tmp_path / 'scores.csv'), samples, FINDINGS)
    summary = summarise_scores(read_score_table(tmp_path / 'scores.csv'), ScoreSettings(bootstrap=0))
    assert summary.numbers['Mass/auc'].value == pytest.approx(auc(truth[:, 0], scores[:, 0].astype(np.float32)))
    assert summary.classes.classes[0].support == truth[:, 0].sum()
