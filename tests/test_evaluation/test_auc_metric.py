import math

import numpy as np
import pytest

from mmmammo.evaluation.metrics import AUCMetric


def evaluate(labels, scores, **kwargs):
    metric = AUCMetric(**kwargs)
    samples = [
        {'sample_idx': i, 'gt_label': np.array([y]), 'pred_score': np.array([1 - s, s]), 'patient_id': f'p{i}'}
        for i, (y, s) in enumerate(zip(labels, scores, strict=True))
    ]
    metric.process(None, samples)
    return metric.evaluate(len(samples))


@pytest.mark.parametrize('bootstrap', [0, 50])
def test_auc_by_hand(bootstrap):
    values = evaluate([0, 1, 0, 1], [0.1, 0.4, 0.5, 0.9], bootstrap=bootstrap)
    assert values['auc/auc'] == 0.75
    assert values['auc/auc_low'] <= 0.75 <= values['auc/auc_high']
    assert (values['auc/n_samples'], values['auc/n_positive']) == (4, 2)


def test_one_class_is_undefined_and_the_keys_stay():
    values = evaluate([1, 1], [0.1, 0.4])
    assert math.isnan(values['auc/auc']) and set(values) == set(evaluate([0, 1], [0.1, 0.4]))
