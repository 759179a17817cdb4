"""Table 1 of paper 4 and the hits of windows, as metrics and read again from a table of scores."""

import numpy as np
import pytest
import torch

from mmmammo.evaluation.functional import ScoreMeasure, log_odds, read_measure
from mmmammo.evaluation.metrics import CohortTableMetric, ROIHitMetric, ScoreDump
from mmmammo.evaluation.metrics.classification_metric import TableColumns
from mmmammo.io.score_tables import read_score_table
from mmmammo.structures import MammoError
from mmmammo.testing.prepared_set import ellipse_landmarks

OUTCOMES = ('screening', 'none', 'interval', 'none', 'screening', 'none')


def samples(rng=None, outcomes=OUTCOMES):
    """Four images per exam, with a score each."""
    rng = rng or np.random.default_rng(0)
    found = []
    for exam, outcome in enumerate(outcomes):
        for side in 'LR':
            ill = side == 'L' and outcome != 'none'
            for view in ('CC', 'MLO'):
                prob = float(rng.uniform(0.2, 0.8) + 0.15 * ill)
                found.append(
                    {
                        'img_id': len(found),
                        'exam_id': f'e{exam}',
                        'patient_id': f'p{exam}',
                        'laterality': side,
                        'view': view,
                        'labels': {'exam_outcome': outcome, 'outcome': outcome if ill else 'none'},
                        'pred_score': torch.tensor([1 - prob, prob], dtype=torch.float64),
                        'gt_label': torch.tensor([int(ill and outcome == 'screening')]),
                    }
                )
    return found


def evaluated(metric, data):
    metric.process(None, data)
    return metric.evaluate(len(data))


def by_hand(data, cases, rest):
    """Share of pairs of exams in the right order, and half of ties, with paper 4's exam score."""
    risks = {}
    for sample in data:
        exam = risks.setdefault(sample['exam_id'], {'L': 0.0, 'R': 0.0, 'outcome': sample['labels']['exam_outcome']})
        side = sample['laterality']
        exam[side] = exam.get(side, 0.0) + float(log_odds([float(sample['pred_score'][1])])[0])
    scored = [(max(exam[side] for side in 'LRU' if side in exam), exam['outcome']) for exam in risks.values()]
    pairs = [(a > b) + 0.5 * (a == b) for a, x in scored if x in cases for b, y in scored if y in rest]
    return np.mean(pairs)


def test_both_tasks_are_the_shares_of_pairs():
    data = samples()
    numbers = evaluated(CohortTableMetric(), data)
    first = by_hand(data, ('screening',), ('interval', 'none'))
    second = by_hand(data, ('screening', 'interval'), ('none',))
    for key in ('auc', 'auc_all'):
        assert numbers[f'cohort/screening_{key}'] == pytest.approx(first)
        assert numbers[f'cohort/screening_interval_{key}'] == pytest.approx(second)
    assert numbers['cohort/n_exams'] == 6
    assert (numbers['cohort/screening_n_cases'], numbers['cohort/screening_n_controls']) == (2, 4)
    assert (numbers['cohort/screening_interval_n_cases'], numbers['cohort/screening_interval_n_controls']) == (3, 3)


def test_it_can_be_read_again_from_the_table(tmp_path):
    data = samples()
    metric = CohortTableMetric()
    numbers = evaluated(metric, data)
    evaluated(ScoreDump(tmp_path / 'scores.csv', split='test'), data)
    table = read_score_table(tmp_path / 'scores.csv')
    measures = metric.measures(TableColumns((1,), 2))
    assert set(measures) == {'cohort/screening_auc_all', 'cohort/screening_interval_auc_all'}
    for key, measure in measures.items():
        again = ScoreMeasure.of(measure.as_dict())
        assert again == measure
        assert read_measure(table, again) == pytest.approx(numbers[key])
    assert metric.measures(TableColumns((0,), 2)) == {}


def test_the_keys_do_not_depend_on_the_data():
    normal = evaluated(CohortTableMetric(), samples(outcomes=('none',) * 3))
    assert np.isnan(normal['cohort/screening_auc'])
    assert set(normal) == set(evaluated(CohortTableMetric(), samples()))


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda x: x['labels'].pop('exam_outcome'), 'exam_outcome'),
        (lambda x: x['labels'].update(exam_outcome='none'), 'none, as another image of e0'),
        (lambda x: x.update(exam_id='e9', labels={'exam_outcome': 'cancer'}), r'outcomes.*cancer'),
        (lambda x: x.pop('exam_id'), 'exam_id'),
    ],
)
def test_bad_samples_are_named(change, message):
    data = samples()
    change(data[0])
    with pytest.raises(MammoError, match=message):
        evaluated(CohortTableMetric(), data)


def test_an_image_of_unknown_side_is_a_breast_of_its_own():
    data = samples()
    data[0].update(laterality='U')
    numbers = evaluated(CohortTableMetric(), data)
    assert numbers['cohort/screening_auc_all'] == pytest.approx(by_hand(data, ('screening',), ('interval', 'none')))


def window_samples(corners, boxes, label=1):
    shape = (100, 80)
    return [
        {
            'img_id': i,
            'patient_id': f'p{i}',
            'ori_shape': shape,
            'roi': np.array([x, y, x + 40, y + 40]),
            'gt_label': torch.tensor([label]),
            'gt_instances': {'bboxes': torch.tensor(found, dtype=torch.float32).reshape(-1, 4)},
            'landmarks': ellipse_landmarks(shape, 'CC'),
        }
        for i, ((x, y), found) in enumerate(zip(corners, boxes, strict=True))
    ]


def test_windows_that_hold_the_lesion_are_counted_against_chance():
    lesion = [[20, 40, 30, 50]]
    data = window_samples([(0, 20), (40, 60), (5, 30), (0, 0)], [lesion, lesion, lesion, []])
    numbers = evaluated(ROIHitMetric(bootstrap=100), data)
    assert numbers['roi/hit'] == pytest.approx(2 / 3) and numbers['roi/n_images'] == 3
    # centres from which a window of 40, kept inside 80 x 100, holds (25, 45), of a grid within the ellipse
    y, x = np.mgrid[:40, :40] + 0.5
    x, y = x.ravel() * 2, y.ravel() * 2.5
    tip, half = 80 * 0.88, 100 * 0.44
    inside = (x / tip) ** 2 + ((y - 50) / half) ** 2 <= 1
    left, top = np.clip(x - 20, 0, 40), np.clip(y - 20, 0, 60)
    held = (left <= 25) & (left + 40 >= 25) & (top <= 45) & (top + 40 >= 45)
    assert numbers['roi/chance'] == pytest.approx(held[inside].mean(), abs=0.03)
    assert numbers['roi/middle'] == 1  # x about 30, y 50: from (10, 30) to (50, 70)
    assert numbers['roi/above_chance'] == pytest.approx(numbers['roi/hit'] - numbers['roi/chance'])


def test_no_positive_image_gives_nan_and_the_same_keys():
    data = window_samples([(0, 0)], [[[1, 1, 5, 5]]], label=0)
    numbers = evaluated(ROIHitMetric(), data)
    assert np.isnan(numbers['roi/hit']) and numbers['roi/n_images'] == 0
    full = evaluated(ROIHitMetric(bootstrap=10), window_samples([(0, 0)] * 2, [[[1, 1, 5, 5]]] * 2))
    assert set(numbers) == set(full)


def test_a_model_without_windows_is_named():
    data = window_samples([(0, 0)], [[]])
    del data[0]['roi']
    with pytest.raises(MammoError, match=r'roi.*AttentionClassifier'):
        evaluated(ROIHitMetric(), data)
