"""When a site's scores have moved, and when one cannot tell."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from mmmammo.evaluation.functional import ShiftVerdict, auc, score_shift, score_shifts
from mmmammo.structures import MammoError


def normal(seed, n, mean=0.0):
    return np.random.default_rng(seed).normal(mean, 1, n)


def test_numbers_are_those_of_the_definitions():
    reference, site = np.round(normal(0, 200), 1), np.round(normal(1, 150, 0.5), 1)
    found = score_shift(reference, site)
    everywhere = np.concatenate([reference, site])
    gaps = [abs((reference <= t).mean() - (site <= t).mean()) for t in everywhere]
    assert found.distance == pytest.approx(max(gaps))
    assert found.p_value == pytest.approx(ks_2samp(reference, site).pvalue)
    labels = np.repeat([0, 1], [200, 150])
    assert found.superiority == pytest.approx(auc(labels, np.concatenate([reference, site])))
    assert (found.n_reference, found.n_site) == (200, 150)


@pytest.mark.parametrize(
    ('n_site', 'mean', 'verdict'),
    [
        (3000, 0.0, ShiftVerdict.SAME),
        (3000, 1.0, ShiftVerdict.MOVED),
        (5000, 0.13, ShiftVerdict.SMALL),
        (30, 0.0, ShiftVerdict.TOO_FEW),
        (30, 0.4, ShiftVerdict.TOO_FEW),
    ],
)
def test_both_chance_and_size_must_speak(n_site, mean, verdict):
    found = score_shift(normal(2, 9000), normal(3, n_site, mean))
    assert found.verdict is verdict, found
    warned = verdict in (ShiftVerdict.MOVED, ShiftVerdict.TOO_FEW)
    assert (found.warning is not None) == warned


def test_the_warning_names_the_site_and_what_to_do():
    found = score_shifts(normal(4, 2000), {'Oslo': normal(5, 2000, 1), 'Bergen': normal(6, 2000)})
    assert 'the scores of Oslo have moved' in found['Oslo'].warning and 'calibrate' in found['Oslo'].warning
    few = score_shift(normal(4, 50), normal(5, 40)).warning
    assert few.startswith('50 scores of the reference and 40 of this set are too few') and few.endswith('10 points')
    assert list(found) == ['Oslo', 'Bergen'] and found['Bergen'].warning is None


def test_many_sites_are_corrected_for_each_other():
    reference = normal(7, 500)
    sites = {str(i): normal(8 + i, 200, 0.1 * i) for i in range(4)}
    raw = {name: ks_2samp(reference, scores).pvalue for name, scores in sites.items()}
    expected, highest = {}, 0.0
    for rank, name in enumerate(sorted(raw, key=raw.get)):  # Holm, written out
        highest = max(highest, min((4 - rank) * raw[name], 1))
        expected[name] = highest
    assert {name: one.p_value for name, one in score_shifts(reference, sites).items()} == pytest.approx(expected)


def test_sites_that_did_not_move_are_seldom_called_moved():
    rng = np.random.default_rng(9)
    alarms = [
        score_shift(rng.normal(size=400), rng.normal(size=100), alpha=0.05, min_distance=0.01).verdict
        is ShiftVerdict.MOVED
        for _ in range(400)
    ]
    assert np.mean(alarms) <= 0.08


def test_what_is_called_detectable_is_detected():
    rng = np.random.default_rng(10)
    found = []
    for _ in range(100):
        reference, site = rng.random(1000), rng.random(500)
        detectable = score_shift(reference, site).detectable
        site = np.where(rng.random(500) < detectable, 1 + site, site)  # moves the distribution by that distance
        found.append(score_shift(reference, site).p_value < 0.01)
    assert np.mean(found) >= 0.85


@pytest.mark.parametrize(
    ('call', 'words'),
    [
        (lambda: score_shift([], [0.1]), 'reference: found no score'),
        (lambda: score_shifts([0.1], {'Oslo': []}), r"sites\['Oslo'\]: found no score"),
        (lambda: score_shifts([0.1], {'Oslo': [0.1, np.nan]}), r"sites\['Oslo'\]\[1\]: found nan"),
        (lambda: score_shift([0.1], [0.1], alpha=5), 'alpha: found 5'),
        (lambda: score_shift([0.1], [0.1], min_distance=10), 'min_distance: found 10'),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(MammoError, match=words):
        call()


def test_no_site_is_no_result():
    assert score_shifts([0.1], {}) == {}
