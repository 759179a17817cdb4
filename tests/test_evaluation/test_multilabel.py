"""Multi-label tables: by hand, against scikit-learn, and the identities of paper 1's tables."""

import numpy as np
import pytest
from sklearn import metrics

from mmmammo.evaluation.functional import (
    multilabel_report,
    multilabel_report_from_counts,
    weighted_mean,
    with_no_finding,
)
from mmmammo.structures import MammoError

NAMES = ('mass', 'calcification', 'asymmetry')

# Paper 1, second table: accuracy, precision, recall, F1, support.
TABLE_2 = {
    'No Finding': (0.978, 0.991, 0.984, 0.988, 3643),
    'Mass': (0.970, 0.743, 0.730, 0.736, 237),
    'Suspicious Calcification': (0.990, 0.805, 0.861, 0.832, 115),
    'Focal Asymmetry': (0.983, 0.200, 0.094, 0.128, 53),
    'Architectural Distortion': (0.993, 0.222, 0.083, 0.121, 24),
    'Asymmetry': (0.995, 0.000, 0.000, 0.000, 20),
    'Suspicious Lymph Node': (0.998, 0.625, 0.455, 0.526, 11),
    'Skin Thickening': (0.998, 1.000, 0.333, 0.500, 12),
    'Nipple Retraction': (0.998, 0.000, 0.000, 0.000, 7),
    'Global Asymmetry': (0.998, 0.000, 0.000, 0.000, 6),
    'Skin Retraction': (0.999, 0.500, 0.333, 0.400, 3),
}
# First table: F1 per model; supports 237, 115, 79, 11.
TABLE_1 = {
    'DenseNet': ((0.783, 0.847, 0.306, 0.667), 0.712),
    'EfficientNet': ((0.815, 0.865, 0.295, 0.500), 0.727),
    'ResNet50': ((0.742, 0.860, 0.200, 0.737), 0.675),
    'SwinTransformer': ((0.770, 0.828, 0.310, 0.370), 0.693),
    'VGG19': ((0.756, 0.873, 0.204, 0.400), 0.679),
    'MobileNet': ((0.708, 0.828, 0.324, 0.476), 0.665),
}


def random_table(seed, n=120):
    rng = np.random.default_rng(seed)
    return rng.random((n, 3)) < (0.5, 0.2, 0.05), rng.random((n, 3)) < (0.5, 0.3, 0.1)


def test_by_hand():
    labels = [[1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 0, 0]]
    called = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0]]
    report = multilabel_report(labels, called, NAMES)
    mass, calcification, asymmetry = report.classes
    assert (mass.accuracy, mass.precision, mass.recall, mass.f1) == (0.75, 1.0, 2 / 3, 0.8)
    assert (mass.support, mass.predicted, mass.reasons) == (3, 2, {})
    assert (calcification.precision, calcification.recall) == (0.5, 1.0)
    assert np.isnan([asymmetry.precision, asymmetry.recall, asymmetry.f1]).all() and asymmetry.accuracy == 1
    assert asymmetry.reasons == {
        'precision': 'never predicted',
        'recall': 'does not occur',
        'f1': 'neither occurs nor predicted',
    }
    macro, micro, weighted, samples = report.averages
    assert (micro.precision, micro.recall, micro.support) == (0.75, 0.75, 4)
    assert macro.precision == 0.75 and macro.reasons['precision'] == '1 of 3 classes left out'
    assert weighted.recall == pytest.approx((3 * 2 / 3 + 1 * 1) / 4)
    assert samples.recall == pytest.approx((1 + 0.5 + 1) / 3) and samples.reasons['recall'] == '1 of 4 rows left out'
    assert report.subset_accuracy == 0.5 and report.n_rows == 4


@pytest.mark.parametrize('undefined_as', [np.nan, 0.0], ids=['left out', 'as zero'])
@pytest.mark.parametrize('rows', [120, 8], ids=['all defined', 'some undefined'])
def test_it_equals_scikit_learn(rows, undefined_as):
    labels, called = random_table(1, rows)
    report = multilabel_report(labels, called, NAMES, undefined_as)
    averages = dict(zip(('macro', 'micro', 'weighted', 'samples'), report.averages, strict=True))
    for average, row in averages.items():
        expected = metrics.precision_recall_fscore_support(labels, called, average=average, zero_division=undefined_as)[
            :3
        ]
        np.testing.assert_allclose((row.precision, row.recall, row.f1), expected, err_msg=average)
    expected = metrics.precision_recall_fscore_support(labels, called, zero_division=undefined_as)
    found = [[getattr(row, name) for row in report.classes] for name in ('precision', 'recall', 'f1', 'support')]
    np.testing.assert_allclose(found, expected)
    assert report.subset_accuracy == metrics.accuracy_score(labels, called)
    assert averages['samples'].accuracy == pytest.approx(1 - metrics.hamming_loss(labels, called))
    assert averages['macro'].accuracy == pytest.approx((labels == called).mean())
    assert averages['micro'].accuracy == pytest.approx((labels == called).mean())


def test_the_keys_do_not_depend_on_the_data():
    full = multilabel_report(*random_table(2), NAMES).as_dict()
    empty = multilabel_report(np.zeros((0, 3), int), np.zeros((0, 3), int), NAMES).as_dict()
    assert list(full) == list(empty)
    assert np.isnan(empty['mass/accuracy']) and np.isnan(empty['samples/f1']) and empty['n_rows'] == 0


@pytest.mark.parametrize(('f1', 'printed'), TABLE_1.values(), ids=TABLE_1)
def test_weighted_averages_of_paper_1_follow_from_their_rows(f1, printed):
    assert weighted_mean(f1, [237, 115, 79, 11]) == pytest.approx(printed, abs=0.001)


def test_identities_of_paper_1s_second_table():
    accuracy, precision, recall, _, support = np.array(list(TABLE_2.values())).T
    tp = np.array([3586, 173, 99, 5, 2, 0, 5, 4, 0, 0, 1])  # the whole numbers behind the printed recalls
    np.testing.assert_array_equal(np.round(tp / support, 3), recall)
    # Precision gives the predicted; of a class without a true positive only that there may be none.
    predicted = np.rint(np.divide(tp, precision, out=np.zeros(11), where=precision > 0)).astype(int)
    report = multilabel_report_from_counts(tp, predicted, support.astype(int), 4131, list(TABLE_2))
    _, micro, weighted = report.averages
    assert micro.support == 4131
    assert round(micro.recall, 4) == 0.9380  # what the paper prints as "weighted accuracy"
    assert weighted_mean(accuracy, support) == pytest.approx(0.978, abs=0.0005)  # what it is
    assert round(weighted.f1, 3) == 0.942  # printed: 0.9557
    assert 4131 - micro.predicted == pytest.approx(110, abs=15)  # patches without any prediction
    for row, (_, *printed, _) in zip(report.classes, TABLE_2.values(), strict=True):
        if printed[0] > 0:
            assert (row.precision, row.recall, row.f1) == pytest.approx(printed, abs=0.002), row.name


def test_no_finding_is_derived():
    assert with_no_finding([[0, 0], [1, 0]]).tolist() == [[True, False, False], [False, True, False]]


@pytest.mark.parametrize(
    ('labels', 'called', 'names', 'words'),
    [
        ([[0, 2, 0]], [[0, 0, 0]], NAMES, r"labels\[0\], class 'calcification': found 2"),
        ([[0, 1, 0]], [[0, 0.3, 0]], NAMES, r"predictions\[0\], class 'calcification': found 0.3; .*threshold"),
        ([[0, 1]], [[0, 0]], NAMES, r'labels: found int64 of shape \(1, 2\)'),
        ([[0, 1, 0]], [[0, 1, 0]] * 2, NAMES, 'predictions: found 2 rows'),
        ([[0, 1, 0], [1]], [[0, 1, 0]] * 2, NAMES, 'labels: found rows of unequal length'),
        ([['a', 'b', 'c']], [[0, 1, 0]], NAMES, 'labels: found <U1'),
        ([[0, 1, 0]], [[0, 1, 0]], ('mass', 'mass', 'x'), r"\['mass'\] more than once"),
    ],
)
def test_bad_tables_are_named(labels, called, names, words):
    with pytest.raises(MammoError, match=words):
        multilabel_report(labels, called, names)


@pytest.mark.parametrize(
    ('tp', 'words'),
    [
        ([5, 0], "class 'a': found 5 true positives, 3 predicted"),
        ([1], r'expected \(2,\)'),
        ([1.5, 0], r"found counts of type \['float64'\]"),
    ],
)
def test_counts_that_contradict_each_other_are_refused(tp, words):
    with pytest.raises(MammoError, match=words):
        multilabel_report_from_counts(tp, [3, 3], [6, 6], 10, ['a', 'b'])


@pytest.mark.parametrize(
    ('call', 'words'),
    [
        (lambda: weighted_mean([1, 2], [1]), r'weights: found shape \(1,\); expected \(2,\)'),
        (lambda: with_no_finding([0, 1]), r'multi_hot: found shape \(2,\)'),
    ],
)
def test_shapes_that_do_not_fit_are_refused(call, words):
    with pytest.raises(MammoError, match=words):
        call()
