"""Patient bootstrap: what is resampled, and how wide it gets."""

import numpy as np
import pytest

from mmmammo.evaluation.functional import bootstrap_ci
from mmmammo.structures import MammoError


def test_whole_groups_are_drawn():
    groups = ['b', 'a', 'b', 'c', 'a', 'b']
    seen = []
    bootstrap_ci(lambda rows: seen.append(rows) or 0.0, groups, 20)
    assert np.array_equal(seen[0], np.arange(6))
    for rows in seen[1:]:
        times = np.bincount(rows, minlength=6)
        assert times[0] == times[2] == times[5] and times[1] == times[4]
        assert times[0] + times[1] + times[3] == 3


def test_interval_of_a_mean_is_that_of_the_normal():
    values = np.random.default_rng(1).normal(size=400)
    interval = bootstrap_ci(lambda rows: values[rows].mean(), np.arange(400), 2000)
    half_width = 1.96 * values.std() / 20
    assert interval.estimate == values.mean()
    assert interval.low == pytest.approx(values.mean() - half_width, abs=0.012)
    assert interval.high == pytest.approx(values.mean() + half_width, abs=0.012)


def test_alike_images_of_a_patient_widen_the_interval():
    values = np.repeat(np.random.default_rng(1).normal(size=50), 4)
    by_image = bootstrap_ci(lambda rows: values[rows].mean(), np.arange(200), 500)
    by_patient = bootstrap_ci(lambda rows: values[rows].mean(), np.arange(200) // 4, 500)
    assert (by_patient.high - by_patient.low) / (by_image.high - by_image.low) == pytest.approx(2, rel=0.2)


def test_several_numbers_and_seed():
    values = np.arange(30.0)

    def statistics(rows):
        return [values[rows].mean(), values[rows].max()]

    first, again = (bootstrap_ci(statistics, np.arange(30), 50, seed=3) for _ in range(2))
    other = bootstrap_ci(statistics, np.arange(30), 50, seed=4)
    assert first.low.shape == (2,) and np.array_equal(first.low, again.low)
    assert not np.array_equal(first.low, other.low)


def test_undefined_replicates_are_left_out_and_counted():
    has_lesion = np.array([1.0, 0.0])  # a quarter of the draws hold no lesion

    def statistic(rows):
        return 0.5 if has_lesion[rows].sum() else np.nan

    interval = bootstrap_ci(statistic, [0, 1], 400)
    assert interval.low == interval.high == 0.5 and interval.reason is None
    assert 60 < interval.n_undefined < 140


@pytest.mark.parametrize(
    ('groups', 'value', 'reason'),
    [([0, 0, 0], 1.0, 'a single group has no spread'), ([0, 1], np.nan, 'undefined in every replicate')],
)
def test_no_interval_has_a_reason(groups, value, reason):
    interval = bootstrap_ci(lambda rows: value, groups, 10)
    assert np.isnan(interval.low) and np.isnan(interval.high) and interval.reason == reason


@pytest.mark.parametrize(
    ('groups', 'options', 'field'),
    [([], {}, 'groups'), ([0, 1], {'n': 0}, 'n'), ([0, 1], {'level': 95}, 'level')],
)
def test_bad_input_is_named(groups, options, field):
    with pytest.raises(MammoError, match=f'bootstrap_ci: {field}: '):
        bootstrap_ci(lambda rows: 0.0, groups, **options)
