"""Reliability, calibration errors, temperature and isotonic scaling."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss

from mmmammo.evaluation.functional import (
    auc,
    brier_score,
    expected_calibration_error,
    fit_isotonic,
    fit_temperature,
    load_calibration,
    log_odds,
    reliability_curve,
)
from mmmammo.structures import MammoError


def over_confident(seed, n=4000, temperature=2.0):
    """True log-odds, and a model that says ``temperature`` times them."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-1, 1.5, n)
    return (rng.random(n) < expit(odds)).astype(int), expit(temperature * odds)


def test_reliability_by_hand():
    curve = reliability_curve([0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.9, 1.0], bins=4)
    np.testing.assert_array_equal(curve.edges, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_array_equal(curve.n, [2, 1, 0, 2])
    np.testing.assert_allclose(curve.predicted, [0.15, 0.3, np.nan, 0.95])
    np.testing.assert_allclose(curve.observed, [0.5, 0, np.nan, 1])
    assert curve.expected_error == pytest.approx((2 * 0.35 + 0.3 + 2 * 0.05) / 5)
    assert curve.maximum_error == pytest.approx(0.35)
    # Wilson by hand for 1 of 2: centre .5, half width z sqrt(1/8 + z2/16) / (1 + z2/2)
    z2 = 1.959964**2
    half = np.sqrt(z2 * (0.25 / 2 + z2 / 16)) / (1 + z2 / 2)
    assert (curve.low[0], curve.high[0]) == pytest.approx((0.5 - half, 0.5 + half), rel=1e-6)
    assert np.isnan(curve.low[2]) and curve.high[3] == pytest.approx(1)


@pytest.mark.parametrize('decimals', [None, 1], ids=['distinct', 'ties'])
@pytest.mark.parametrize(('binning', 'strategy'), [('equal_width', 'uniform'), ('equal_mass', 'quantile')])
def test_reliability_equals_scikit_learn(binning, strategy, decimals):
    labels, probs = over_confident(0, 500)
    probs = probs if decimals is None else np.round(probs, decimals)  # then many lie on an edge
    curve = reliability_curve(labels, probs, 10, binning)
    observed, predicted = calibration_curve(labels, probs, n_bins=10, strategy=strategy)
    np.testing.assert_allclose(curve.observed[curve.n > 0], observed)
    np.testing.assert_allclose(curve.predicted[curve.n > 0], predicted)
    assert len(curve.n) == 10 and curve.n.sum() == 500


def test_bins_of_equal_mass_keep_ties_together():
    curve = reliability_curve([0, 1, 0, 1], [0.2, 0.2, 0.2, 0.9], 4, 'equal_mass')
    assert sorted(curve.n.tolist()) == [0, 0, 1, 3] and curve.expected_error == pytest.approx(
        0.75 * (1 / 3 - 0.2) + 0.25 * 0.1
    )


def test_brier_score_equals_scikit_learn():
    labels, probs = over_confident(1, 300)
    assert brier_score(labels, probs) == pytest.approx(brier_score_loss(labels, probs))
    assert brier_score([1, 0], [1, 0]) == 0 and brier_score([1, 0], [0, 1]) == 1


def test_no_row_is_undefined_and_one_class_is_not():
    curve = reliability_curve([], [])
    assert curve.expected_error.reason == brier_score([], []).reason == 'no row' and len(curve.n) == 10
    assert expected_calibration_error([0, 0], [0.1, 0.3]) == pytest.approx(0.2)


def test_temperature_finds_what_was_put_in_and_minimises_the_loss():
    labels, probs = over_confident(2)
    scaling = fit_temperature(labels, probs, range(4000), 'val')
    assert scaling.temperature == pytest.approx(2, rel=0.1)
    losses = [log_loss(labels, expit(logit(probs) / t)) for t in (0.99, 1, 1.01) * np.array(scaling.temperature)]
    assert losses[1] == min(losses)
    new_labels, new_probs = over_confident(3)
    before = expected_calibration_error(new_labels, new_probs)
    after = expected_calibration_error(new_labels, scaling.apply(new_probs))
    assert after < before / 2
    assert auc(new_labels, scaling.apply(new_probs)) == auc(new_labels, new_probs)


def test_isotonic_equals_scikit_learn_and_follows_a_new_prevalence():
    rng = np.random.default_rng(4)
    odds = rng.normal(size=3000)
    labels = (rng.random(3000) < expit(odds - 2)).astype(int)
    scaling = fit_isotonic(labels, expit(odds), range(3000), 'val')
    expected = IsotonicRegression(y_min=0, y_max=1, out_of_bounds='clip').fit(expit(odds), labels)
    fresh = np.linspace(0, 1, 50)
    np.testing.assert_allclose(scaling.apply(fresh), expected.predict(fresh))
    assert scaling.apply(expit(odds)).mean() == pytest.approx(labels.mean())
    assert (np.diff(scaling.apply(fresh)) >= 0).all()


@pytest.mark.parametrize('fit', [fit_temperature, fit_isotonic])
def test_a_saved_calibration_gives_the_same_probabilities_and_knows_its_split(tmp_path, fit):
    labels, probs = over_confident(5, 300)
    scaling = fit(labels, probs, range(300), 'val')
    scaling.save(tmp_path / 'run' / 'calibration.json')
    again = load_calibration(tmp_path / 'run' / 'calibration.json')
    assert again == scaling
    np.testing.assert_array_equal(again.apply(probs), scaling.apply(probs))
    with pytest.raises(MammoError, match='the same 300 rows'):
        again.chosen_on.require_other('test', range(300))


def test_log_odds_are_the_difference_of_two_logits():
    logits = np.array([[1.5, -0.5], [-3.0, 2.0]])
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(log_odds(softmax[:, 1]), logits[:, 1] - logits[:, 0])
    assert log_odds([0, 0.5, 1]) == pytest.approx([-np.log(1e7 - 1), 0, np.log(1e7 - 1)])


def test_log_odds_keep_the_order_of_what_is_nearly_certain():
    risks = np.array([-40.0, -20.0, 20.0, 30.0])
    found = log_odds([0, *1 / (1 + np.exp(-risks)), 1])
    assert found[1:5] == pytest.approx(risks, rel=1e-2)
    assert found[0] == found[1] and found[5] == found[4]


@pytest.mark.parametrize(
    ('call', 'words'),
    [
        (lambda: reliability_curve([0, 1], [0.1, 1.2]), r'scores\[1\]: found 1.2; expected a number in \[0, 1\]'),
        (lambda: reliability_curve([0, 1], [0.1, 0.2], 0), 'bins: found 0'),
        (lambda: reliability_curve([0, 1], [0.1, 0.2], 2.5), 'bins: found 2.5; expected a whole number'),
        (lambda: reliability_curve([0, 1], [0.1, 0.2], 5, 'quantile'), "binning: found 'quantile'"),
        (lambda: brier_score([0, 1], [0.1, np.nan]), r'scores\[1\]: found nan'),
        (lambda: fit_temperature([0, 0], [0.1, 0.2], 'ab', 'val'), 'labels: found no positive label'),
        (lambda: fit_isotonic([1, 1], [0.1, 0.2], 'ab', 'val'), 'labels: found no negative label'),
        (lambda: fit_temperature([0, 1], [0.1, 0.2], 'a', 'val'), 'ids: found 1 rows'),
        (lambda: fit_isotonic([0, 1], [0.1, 0.2], 'aa', 'val'), r"ids\[1\]: found 'a', already in row 0"),
        (lambda: fit_temperature([0, 1], [0.1, 0.9], 'ab', 'val'), 'temperature: found no optimum'),
        (lambda: fit_temperature([1, 0], [0.1, 0.9], 'ab', 'val'), 'temperature: found no optimum'),
        (lambda: log_odds([0.5, -1]), r'probs\[1\]: found -1'),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(MammoError, match=words):
        call()


def test_scores_outside_are_refused_when_applied():
    scaling = fit_isotonic([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], 'abcd', 'val')
    with pytest.raises(MammoError, match=r'probs\[0\]: found 3'):
        scaling.apply([3])
