"""Paper 1's tables through the metrics that tools/test.py runs, and the loss that its schedule watches."""

import numpy as np
import pytest
import torch

from mmmammo.evaluation.functional import weighted_mean
from mmmammo.evaluation.metrics import FindingGroupMetric, FocalLossMetric, MultiLabelMetric
from mmmammo.models import MultiLabelFocalLoss
from mmmammo.structures import MammoError

NAMES = (
    'No Finding',
    'mass',
    'calcification',
    'focal_asymmetry',
    'distortion',
    'asymmetry',
    'lymph_node',
    'skin_thickening',
    'nipple_retraction',
    'global_asymmetry',
    'skin_retraction',
)
SUPPORT = (3643, 237, 115, 53, 24, 20, 11, 12, 7, 6, 3)
FOUND = (3586, 173, 99, 5, 2, 0, 5, 4, 0, 0, 1)
PRECISION = (0.991, 0.743, 0.805, 0.200, 0.222, 0.0, 0.625, 1.0, 0.0, 0.0, 0.5)
RECALL = (0.984, 0.730, 0.861, 0.094, 0.083, 0.0, 0.455, 0.333, 0.0, 0.0, 0.333)
F1 = (0.988, 0.736, 0.832, 0.128, 0.121, 0.0, 0.526, 0.5, 0.0, 0.0, 0.4)


def sample(number, scores, labels):
    return {'img_id': number, 'pred_score': torch.as_tensor(scores), 'gt_score': torch.as_tensor(labels)}


def run(metric, rows, names):
    metric.dataset_meta = {'classes': names}
    metric.process(None, [sample(i, *row) for i, row in enumerate(rows)])
    return metric.evaluate(len(rows))


def second_table():
    """4,131 patches of one class each, with the true and false positives that the printed ratios imply."""
    labels = np.repeat(np.eye(11), SUPPORT, axis=0)
    scores = np.zeros_like(labels)
    begin = np.concatenate([[0], np.cumsum(SUPPORT)])
    for k, (found, precision) in enumerate(zip(FOUND, PRECISION, strict=True)):
        scores[begin[k] : begin[k] + found, k] = 0.9
        false = round(found / precision) - found if precision else 0
        others = np.flatnonzero(labels[:, k] == 0)
        scores[others[:false], k] = 0.9
    return list(zip(scores, labels, strict=True))


def test_the_second_table_follows_from_its_counts():
    found = run(MultiLabelMetric(undefined_as=0), second_table(), NAMES)
    for k, name in enumerate(NAMES):
        assert found[f'multilabel/{name}/precision'] == pytest.approx(PRECISION[k], abs=0.002)
        assert found[f'multilabel/{name}/recall'] == pytest.approx(RECALL[k], abs=0.0006)
        assert found[f'multilabel/{name}/f1'] == pytest.approx(F1[k], abs=0.002)
        assert found[f'multilabel/{name}/support'] == SUPPORT[k]
    assert found['multilabel/n_rows'] == sum(SUPPORT) == 4131
    assert round(found['multilabel/micro/recall'], 4) == 0.9380  # printed as weighted accuracy
    assert found['multilabel/weighted/accuracy'] == pytest.approx(0.978, abs=0.001)  # what it is
    assert found['multilabel/weighted/f1'] == pytest.approx(0.942, abs=0.001)  # printed: 0.9557


def test_the_first_table_merges_asymmetries_and_leaves_normal_patches_out():
    names = NAMES[1:]
    hot = {name: np.eye(10)[i] for i, name in enumerate(names)}
    rows = [
        (hot['asymmetry'], hot['focal_asymmetry']),  # another asymmetry: found
        (hot['mass'], hot['mass']),
        (hot['mass'] * 0.4, hot['mass']),  # below the threshold
        (hot['lymph_node'], hot['skin_thickening']),  # in no group, but a false positive of one
        (hot['mass'], np.zeros(10)),  # normal: left out
    ]
    found = run(FindingGroupMetric(undefined_as=0), rows, names)
    assert found['groups/n_rows'] == 4
    assert found['groups/Asymmetries/f1'] == 1
    assert found['groups/Mass/f1'] == pytest.approx(2 / 3)  # precision 1, recall 1/2
    assert found['groups/Suspicious Lymph Node/precision'] == 0
    assert found['groups/weighted/f1'] == pytest.approx(weighted_mean([1, 2 / 3], [1, 2]))


def test_an_output_for_no_finding_makes_no_patch_one_with_a_finding():
    mass, normal = np.eye(11)[0], np.eye(11)[10]
    rows = [(mass, mass), (mass + normal, normal)]  # the second is normal, and called a mass too
    found = run(FindingGroupMetric(undefined_as=0), rows, (*NAMES[1:], 'no_finding'))
    assert found['groups/n_rows'] == 1 and found['groups/Mass/precision'] == 1
    ten = run(FindingGroupMetric(undefined_as=0), [(s[:10], t[:10]) for s, t in rows], NAMES[1:])
    assert found == ten


def test_no_patch_with_a_finding_gives_the_same_keys():
    full = run(FindingGroupMetric(), [(np.ones(10), np.ones(10))], NAMES[1:])
    empty = run(FindingGroupMetric(), [(np.ones(10), np.zeros(10))], NAMES[1:])
    assert list(full) == list(empty) and np.isnan(empty['groups/Mass/f1'])


def test_groups_of_unknown_classes_are_refused():
    with pytest.raises(MammoError, match='groups: found cyst'):
        run(FindingGroupMetric(groups={'Cysts': ['cyst']}), [(np.ones(10), np.ones(10))], NAMES[1:])


@pytest.mark.parametrize('gamma', [0.0, 2.0])
def test_the_validation_loss_is_the_training_loss(gamma):
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(7, 10)), (rng.random((7, 10)) < 0.2).astype(float)
    scores = 1 / (1 + np.exp(-logits))
    found = run(FocalLossMetric(gamma=gamma), list(zip(scores, labels, strict=True)), NAMES[1:])
    expected = MultiLabelFocalLoss(gamma=gamma)(torch.from_numpy(logits), torch.from_numpy(labels))
    assert found == {'focal/loss': pytest.approx(float(expected))}


def test_a_score_of_0_or_1_has_a_finite_loss():
    found = run(FocalLossMetric(), [(np.array([0.0, 1.0]), np.array([1.0, 0.0]))], ('a', 'b'))
    assert 10 < found['focal/loss'] < 100


def test_a_negative_gamma_is_refused():
    with pytest.raises(MammoError, match='gamma'):
        FocalLossMetric(gamma=-1)
