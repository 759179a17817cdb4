"""DeLong: against the structural components written out, the bootstrap, and its promised coverage."""

import numpy as np
import pytest
from scipy.stats import norm

from mmmammo.evaluation.functional import auc, bootstrap_ci, delong_interval, delong_test, hanley_mcneil_se
from mmmammo.structures import MammoError


def components(labels, scores):
    """V10 and V01, comparing every positive with every negative."""
    positive, negative = (np.asarray(scores)[np.asarray(labels) == c] for c in (1, 0))
    psi = np.array([[(p > n) + 0.5 * (p == n) for n in negative] for p in positive])
    return psi.mean(axis=1), psi.mean(axis=0)


def literal_covariance(labels, first, second):
    v10a, v01a = components(labels, first)
    v10b, v01b = components(labels, second)
    total = 0.0
    for a, b in ((v10a, v10b), (v01a, v01b)):
        total += sum((a - a.mean()) * (b - b.mean())) / (len(a) - 1) / len(a)
    return total


def two_models(rng, n_positive, n_negative, gap_a=1.0, gap_b=1.0, shared=0.6):
    """Binormal scores of two models that see the same women."""
    labels = np.repeat([1, 0], [n_positive, n_negative])
    common = rng.normal(size=len(labels))
    own = rng.normal(size=(2, len(labels)))
    noise = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
    return labels, gap_a * labels + noise[0], gap_b * labels + noise[1]


@pytest.mark.parametrize('decimals', [None, 0], ids=['distinct', 'ties'])
def test_variances_equal_the_components_written_out(decimals):
    labels, first, second = two_models(np.random.default_rng(0), 30, 50, 1.0, 0.6)
    if decimals is not None:
        first, second = np.round(first, decimals), np.round(second, decimals)
    expected = {
        (a, b): literal_covariance(labels, x, y)
        for a, x in (('a', first), ('b', second))
        for b, y in (('a', first), ('b', second))
    }
    interval = delong_interval(labels, first, scale='linear')
    assert interval.auc == pytest.approx(components(labels, first)[0].mean())
    assert interval.standard_error == pytest.approx(expected['a', 'a'] ** 0.5)
    assert interval.high - interval.low == pytest.approx(2 * 1.959964 * expected['a', 'a'] ** 0.5, rel=1e-6)
    test = delong_test(labels, first, second)
    error = (expected['a', 'a'] + expected['b', 'b'] - 2 * expected['a', 'b']) ** 0.5
    assert test.standard_error == pytest.approx(error)
    assert test.z == pytest.approx((auc(labels, first) - auc(labels, second)) / error)
    assert test.p_value == pytest.approx(2 * (1 - norm.cdf(abs(test.z))))
    assert test.high - test.low == pytest.approx(2 * 1.959964 * error, rel=1e-6)


def test_logit_interval_is_the_linear_one_on_the_logit_scale():
    labels, scores, _ = two_models(np.random.default_rng(1), 40, 40)
    interval = delong_interval(labels, scores)
    logit = np.log(interval.auc / (1 - interval.auc))
    half = 1.959964 * interval.standard_error / (interval.auc * (1 - interval.auc))
    assert np.log(interval.high / (1 - interval.high)) == pytest.approx(logit + half, rel=1e-6)
    assert np.log(interval.low / (1 - interval.low)) == pytest.approx(logit - half, rel=1e-6)


def test_it_agrees_with_the_bootstrap():
    labels, first, second = two_models(np.random.default_rng(2), 150, 250, 1.2, 0.9)

    def statistics(rows):
        one, other = auc(labels[rows], first[rows]), auc(labels[rows], second[rows])
        return [one, one - other]

    boot = bootstrap_ci(statistics, np.arange(400), 1000)
    one, difference = delong_interval(labels, first), delong_test(labels, first, second)
    assert boot.high[0] - boot.low[0] == pytest.approx(one.high - one.low, rel=0.1)
    assert boot.high[1] - boot.low[1] == pytest.approx(difference.high - difference.low, rel=0.1)


def coverage(repeats, n_positive, n_negative, gap, scale):
    rng = np.random.default_rng(3)
    truth, hits = norm.cdf(gap / np.sqrt(2)), 0
    for _ in range(repeats):
        labels, scores, _ = two_models(rng, n_positive, n_negative, gap)
        interval = delong_interval(labels, scores, scale=scale)
        hits += interval.low <= truth <= interval.high
    return hits / repeats


def test_interval_covers_the_truth():
    assert coverage(400, 60, 120, 1.5, 'logit') == pytest.approx(0.95, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(('n_positive', 'gap'), [(40, 1.0), (40, 2.0), (200, 1.5)])
def test_interval_covers_the_truth_in_93_to_97_per_cent(n_positive, gap):
    assert 0.93 <= coverage(4000, n_positive, 2 * n_positive, gap, 'logit') <= 0.97


def false_alarms(repeats):
    rng = np.random.default_rng(4)
    return np.mean([delong_test(*two_models(rng, 60, 120)).p_value < 0.05 for _ in range(repeats)])


def test_equal_models_differ_by_chance_in_one_of_twenty():
    assert false_alarms(400) == pytest.approx(0.05, abs=0.025)


@pytest.mark.slow
def test_equal_models_differ_by_chance_in_one_of_twenty_of_many():
    assert 0.04 <= false_alarms(4000) <= 0.06


def test_swapping_the_models_turns_the_sign():
    labels, first, second = two_models(np.random.default_rng(5), 20, 30, 1.0, 0.5)
    one, other = delong_test(labels, first, second), delong_test(labels, second, first)
    assert (one.difference, one.low, one.high, one.p_value) == pytest.approx(
        (-other.difference, -other.high, -other.low, other.p_value)
    )


@pytest.mark.parametrize(
    ('labels', 'scores', 'area', 'reason'),
    [
        ([0, 0, 1, 1], [1, 2, 3, 4], 1.0, 'AUC 1 with zero DeLong variance'),
        ([0, 0, 1, 1], [1, 1, 1, 1], 0.5, 'AUC 0.5 with zero DeLong variance'),
        ([0, 0, 1], [1, 3, 2], 0.5, 'needs two rows of each class'),
        ([0, 0], [1, 3], np.nan, 'needs a positive and a negative label'),
    ],
    ids=['perfect', 'constant', 'one positive', 'one class'],
)
def test_no_spread_is_undefined_and_says_so(labels, scores, area, reason):
    interval = delong_interval(labels, scores)
    assert np.array_equal(interval.auc, area, equal_nan=True)
    assert all(np.isnan(x) and x.reason.startswith(reason) for x in (interval.low, interval.high))


def test_models_that_order_alike_have_no_p_value():
    labels, scores, _ = two_models(np.random.default_rng(6), 20, 30)
    test = delong_test(labels, scores, 2 * scores + 1)
    assert test.difference == 0 and 'order the rows alike' in test.p_value.reason


@pytest.mark.parametrize(('area', 'error'), [(0.940, 0.006), (0.913, 0.007), (0.861, 0.009)])
def test_published_areas_of_paper_4_have_these_errors(area, error):
    # 783 screening cancers against 5,000 sampled others.
    assert round(hanley_mcneil_se(area, 783, 5000), 3) == error


@pytest.mark.parametrize(
    ('call', 'words'),
    [
        (lambda: delong_interval([0, 1], [0, 1], level=95), 'level: found 95'),
        (lambda: delong_interval([0, 1], [0, 1], scale='log'), 'scale: found log; expected one of'),
        (lambda: delong_test([0, 1], [0, 1], [0, 1, 2]), 'scores_b: found 3 rows'),
        (lambda: delong_test([0, 1], [0, 1], [0, np.nan]), r'scores_b\[1\]: found nan'),
        (lambda: hanley_mcneil_se(94, 783, 5000), 'area: found 94'),
        (lambda: hanley_mcneil_se(0.94, 0, 5000), r'\(n_positive, n_negative\)'),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(MammoError, match=words):
        call()
