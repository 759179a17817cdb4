"""The MMEngine shells of classifiers: what they take, what they name, what they refuse."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmpretrain.structures import DataSample
from sklearn.metrics import f1_score

from mmmammo.evaluation.functional import auc, delong_interval, exam_scores, log_odds, probabilistic_f1
from mmmammo.evaluation.metrics import ExamAUCMetric, ProbabilisticF1Metric
from mmmammo.registry import METRICS
from mmmammo.structures import MammoError


def data_sample(img_id, score, label, exam='e', side='L', **meta):
    """As a softmax head over (normal, cancer) leaves it."""
    meta = {'img_id': img_id, 'exam_id': exam, 'laterality': side, 'patient_id': f'p{exam}', **meta}
    sample = DataSample(metainfo={key: value for key, value in meta.items() if value is not None})
    sample.set_pred_score(torch.tensor([1 - score, score]))
    return sample if label is None else sample.set_gt_label(label)


def evaluate(metric, samples, size=None):
    """Through MMEngine's evaluator, as a runner does it."""
    evaluator = Evaluator(metric)
    for sample in samples:
        evaluator.process([sample])
    return evaluator.evaluate(len(samples) if size is None else size)


def screening(seed=0, n_exams=40):
    """Four images per exam; the cancers of every fourth exam show in the two images of its right breast."""
    rng = np.random.default_rng(seed)
    rows = []
    for exam in range(n_exams):
        for i, side in enumerate('LLRR'):
            label = int(exam % 4 == 0 and side == 'R')
            score = float(np.clip(rng.normal(0.3 + 0.3 * label, 0.2), 0.01, 0.99))
            rows.append((4 * exam + i, score, label, f'{exam:03d}', side))
    return rows


def columns(rows):
    ids, scores, labels, exams, sides = zip(*rows, strict=True)
    return np.array(scores, np.float32), np.array(labels), exams, sides


def test_exam_auc_is_that_of_paper_4s_rule():
    rows = screening()
    scores, labels, exams, sides = columns(rows)
    expected = exam_scores(log_odds(scores), exams, sides, labels=labels)
    interval = delong_interval(expected.labels, expected.scores)
    found = evaluate(METRICS.build({'type': 'mmmammo.ExamAUCMetric'}), [data_sample(*row) for row in rows])
    assert found == pytest.approx(
        {
            'exam/auc': interval.auc,
            'exam/auc_low': interval.low,
            'exam/auc_high': interval.high,
            'exam/n_exams': 40,
            'exam/n_positive': 10,
            'exam/n_images': 160,
        }
    )


def test_rules_and_bootstrap_reach_the_functions():
    rows = screening(1)
    scores, labels, exams, sides = columns(rows)
    metric = ExamAUCMetric('mean', 'mean', as_log_odds=False, bootstrap=200)
    found = evaluate(metric, [data_sample(*row) for row in rows])
    expected = exam_scores(scores, exams, sides, 'mean', 'mean', labels=labels)
    assert found['exam/auc'] == pytest.approx(auc(expected.labels, expected.scores))
    assert found['exam/auc_low'] < found['exam/auc'] < found['exam/auc_high']


def test_pf1_of_images_and_breasts():
    rows = screening(2)
    scores, labels, exams, sides = columns(rows)
    found = evaluate(METRICS.build({'type': 'mmmammo.ProbabilisticF1Metric'}), [data_sample(*row) for row in rows])
    breasts = scores.reshape(-1, 2).astype(float).mean(axis=1)
    breast_labels = labels.reshape(-1, 2).max(axis=1)
    assert found['pf1/image/pf1'] == pytest.approx(probabilistic_f1(labels, scores))
    assert found['pf1/breast/pf1'] == pytest.approx(probabilistic_f1(breast_labels, breasts))
    assert found['pf1/breast/f1@0.50'] == pytest.approx(f1_score(breast_labels, breasts >= 0.5))
    tried = [f1_score(breast_labels, breasts > t, zero_division=0) for t in np.linspace(0, 1, 100)]
    assert found['pf1/breast/f1@best'] == pytest.approx(max(tried))
    assert found['pf1/breast/auc'] == pytest.approx(auc(breast_labels, breasts))
    assert (found['pf1/image/n'], found['pf1/breast/n'], found['pf1/breast/n_positive']) == (160, 80, 10)


def test_keys_do_not_depend_on_the_data():
    for metric in (ExamAUCMetric(), ExamAUCMetric(bootstrap=5), ProbabilisticF1Metric()):
        full = evaluate(metric, [data_sample(*row) for row in screening()])
        one_class = evaluate(metric, [data_sample(1, 0.2, 0)])
        assert list(full) == list(one_class)
        assert np.isnan([value for key, value in one_class.items() if key.endswith('auc')]).all()


def test_images_repeated_by_a_sampler_count_once_and_exams_lose_none():
    rows = screening(3, 8)
    samples = [data_sample(*row) for row in [*rows, *rows[:3]]]
    assert evaluate(ExamAUCMetric(), samples, size=8)['exam/n_images'] == 32


@pytest.mark.parametrize(
    ('change', 'options'),
    [
        (lambda sample: sample, {}),
        (lambda sample: sample.set_gt_score([0.0, 1.0]), {}),
        (lambda sample: sample.set_metainfo({'labels': {'cancer': 1}}), {'label_key': 'cancer'}),
        (lambda sample: sample.set_metainfo({'labels': {'cancer': True}}), {'label_key': 'cancer', 'score_index': 1}),
    ],
    ids=['class number', 'multi-hot', 'prepared label', 'index from the front'],
)
def test_the_label_is_found_where_it_is_said_to_be(change, options):
    sample = data_sample(1, 0.7, 1)
    sample = change(sample) or sample
    record = ProbabilisticF1Metric(**options).record(sample.to_dict())
    assert record.label is True and record.score == pytest.approx(0.7)


def test_a_head_with_one_output_has_a_multi_hot_label():
    sample = DataSample(metainfo={'sample_idx': 3}).set_pred_score([0.4]).set_gt_score([1.0])
    record = ProbabilisticF1Metric().record(sample.to_dict())
    assert (record.image_id, record.label, record.score) == (3, True, pytest.approx(0.4))


def test_images_without_exams_can_be_scored_as_images():
    samples = [
        DataSample(metainfo={'sample_idx': i}).set_pred_score([s]).set_gt_score([y])
        for i, (s, y) in enumerate([(0.9, 1.0), (0.2, 0.0)])
    ]
    assert evaluate(ProbabilisticF1Metric(levels=['image']), samples)['pf1/image/auc'] == 1.0


def test_the_log_says_why_a_number_is_undefined(caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    evaluate([ExamAUCMetric(), ProbabilisticF1Metric()], [data_sample(1, 0.2, 0)])
    logger.removeHandler(caplog.handler)
    assert 'AUC of 1 exams, 0 positive (no positive label)' in caplog.text
    assert 'breast: no positive label: pf1, f1@best, threshold@best, f1@0.50, auc' in caplog.text


@pytest.mark.parametrize(
    ('sample', 'metric', 'words'),
    [
        (data_sample(None, 0.5, 1), ExamAUCMetric(), 'img_id: found nothing'),
        (data_sample(1, 0.5, None), ExamAUCMetric(), 'gt_label: found nothing'),
        (data_sample(7, 0.5, 1, exam=None), ExamAUCMetric(), 'image 7: exam_id: found nothing'),
        (data_sample(7, 0.5, 1, patient_id=None), ExamAUCMetric(bootstrap=5), 'image 7: patient_id: found nothing'),
        (data_sample(7, np.nan, 1), ProbabilisticF1Metric(), r'scores\[0\]: found nan'),
        (data_sample(7, 3.0, 1), ProbabilisticF1Metric(), r'scores\[0\]: found 3'),
        (data_sample(7, 0.5, 1), ProbabilisticF1Metric(label_key='cancer'), 'labels: found nothing'),
        (
            data_sample(7, 0.5, 1, labels={'birads': 2}),
            ProbabilisticF1Metric(label_key='cancer'),
            r"image 7: labels\['cancer'\]: found None",
        ),
        (data_sample(7, 0.5, 1), ProbabilisticF1Metric(score_index=2), 'pred_score: found 2 entries'),
        (
            DataSample(metainfo={'img_id': 7}).set_pred_score([0.4]).set_gt_label(0),
            ProbabilisticF1Metric(),
            'gt_label: found class numbers of a head with one output',
        ),
    ],
)
def test_bad_samples_are_named(sample, metric, words):
    with pytest.raises(MammoError, match=words):
        evaluate(metric, [sample])


@pytest.mark.parametrize('levels', [[], ['exam']])
def test_unknown_levels_are_refused(levels):
    with pytest.raises(MammoError, match='levels: found'):
        ProbabilisticF1Metric(levels=levels)
