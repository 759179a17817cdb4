"""Replicates of FROC readings: equal to the slow way, covering, and paired."""

from dataclasses import replace

import numpy as np
import pytest

from mmmammo.evaluation.functional import (
    bootstrap_ci,
    count_false_positives_on,
    flatten_images,
    froc_area,
    froc_curve,
    froc_interval,
    froc_recall_at,
    match_detections,
    mixed_readings,
    paired_froc,
    side_by_side,
)
from mmmammo.evaluation.functional.froc_intervals import froc_readings
from mmmammo.evaluation.functional.precision_recall import interpolated_precision
from mmmammo.structures import MammoError

FPS = (0.25, 0.5, 1, 2, 4)
LESION = np.array([0.0, 0, 10, 10])


def random_matches(seed, num_images=60, num_detections=40, levels=50, hit=0.5):
    """Some lesions, each found with a chance of ``hit`` at a high score, among many false positives."""
    rng = np.random.default_rng(seed)
    has_lesion = np.random.default_rng(0).random(num_images) < 0.5  # the same truth for every model
    detections = []
    for lesion in has_lesion:
        boxes = np.tile([50.0, 50, 60, 60], (num_detections, 1))
        scores = rng.integers(0, levels, num_detections) / levels
        if lesion and rng.random() < hit:
            boxes[0], scores[0] = LESION, max(scores[0], rng.integers(0, levels) / levels)
        detections.append((boxes, scores))
    return match_detections(flatten_images(detections, [[LESION] if lesion else [] for lesion in has_lesion]))


def slow_readings(matches, weights):
    curve = froc_curve(matches, weights)
    return [*froc_recall_at(curve, FPS), froc_area(curve, 1.5)]


@pytest.mark.parametrize('which', ['all', 'normal'])
@pytest.mark.parametrize('levels', [7, 50, 10**6])
def test_reading_the_beginning_equals_reading_it_all(levels, which):
    matches = count_false_positives_on(random_matches(1, levels=levels), which)
    read, rng = froc_readings(matches, FPS, 1.5), np.random.default_rng(2)
    for _ in range(30):
        weights = rng.poisson(rng.choice([0.1, 1.0]), matches.num_images)  # also with most of the images missing
        np.testing.assert_allclose(read(weights), slow_readings(matches, weights), rtol=1e-12)


def test_interval_equals_the_bootstrap_over_images():
    matches = random_matches(3)
    patients = np.arange(60) // 4
    ours = froc_interval(matches, patients, FPS, 50, seed=5, fauc_limit=1.5)
    slow = bootstrap_ci(lambda rows: slow_readings(matches, np.bincount(rows, minlength=60)), patients, 50, seed=5)
    for name in ('estimate', 'low', 'high', 'n_undefined'):
        np.testing.assert_allclose(getattr(ours, name), getattr(slow, name), rtol=1e-12)
    assert (ours.n_groups, ours.n_replicates) == (15, 50)


def test_without_lesions_no_interval_and_a_reason():
    matches = match_detections(flatten_images([([LESION], [0.5])] * 3, [[]] * 3))
    interval = froc_interval(matches, ['a', 'b', 'c'], FPS, 10)
    assert np.isnan(interval.estimate).all() and interval.reason == 'undefined in every replicate'


@pytest.mark.parametrize(
    ('patients', 'options', 'words'),
    [
        (['a'] * 59, {}, ['patients', 'shape (59,)', '(60,), one per image']),
        (['a'] * 59 + [''], {}, ['patients[59]', "''"]),
        ([float('nan')] + ['a'] * 59, {}, ['patients[0]', 'nan']),
        (['a'] * 60, {'n': 0}, ['n: found 0']),
        (['a'] * 60, {'fauc_limit': 0}, ['fauc_limit: found 0']),
    ],
)
def test_bad_input_is_named(patients, options, words):
    with pytest.raises(MammoError) as error:
        froc_interval(random_matches(1), patients, FPS, **{'n': 5} | options)
    assert all(word in str(error.value) for word in words), error.value


def coverage(num_simulations, num_replicates, num_patients=100):
    """How often the interval of the recall holds the true one: lesions of a patient are found or missed together."""
    hits = 0
    for seed in range(num_simulations):
        rng = np.random.default_rng([7, seed])
        patients = np.repeat(np.arange(num_patients), 2)
        found = np.repeat(rng.random(num_patients) < 0.6, 2) ^ (rng.random(2 * num_patients) < 0.1)
        truth = 0.6 * 0.9 + 0.4 * 0.1
        flat = flatten_images([([LESION], [0.9]) if f else ([], []) for f in found], [[LESION]] * 2 * num_patients)
        interval = froc_interval(match_detections(flat), patients, (1,), num_replicates, seed=seed)
        hits += interval.low[0] <= truth <= interval.high[0]
    return hits / num_simulations


def test_the_interval_covers_roughly():
    assert 0.90 <= coverage(150, 200) <= 0.99  # 95 % of 150, give or take 2.7 standard errors


@pytest.mark.slow
def test_the_interval_covers():
    assert 0.93 <= coverage(2000, 500) <= 0.97  # the standard error of this share is 0.5 %


def test_a_model_against_itself():
    matches = random_matches(1)
    result = paired_froc(matches, matches, np.arange(60) // 4, FPS, 40)
    assert (result.difference.estimate == 0).all() and (result.difference.low == 0).all()
    assert (result.p_bootstrap == 1).all() and (result.p_permutation == 1).all()


def test_a_clearly_better_model():
    good, bad = random_matches(1, hit=1.0, num_detections=5), random_matches(2, hit=0.1, num_detections=5)
    result = paired_froc(good, bad, np.arange(60) // 2, FPS, 200)
    np.testing.assert_allclose(result.difference.estimate, result.first - result.second)
    assert (result.difference.low[2:] > 0).all() and (result.p_permutation[2:] < 0.02).all()
    assert (result.p_bootstrap[2:] < 0.02).all()
    mirrored = paired_froc(bad, good, np.arange(60) // 2, FPS, 200)
    np.testing.assert_allclose(mirrored.difference.low, -result.difference.high)
    np.testing.assert_allclose(mirrored.p_permutation, result.p_permutation, atol=0.06)


@pytest.mark.parametrize('which', ['all', 'normal'])
@pytest.mark.parametrize('levels', [2, 7, 10**6])
def test_in_the_mixture_each_model_alone_keeps_its_curve(levels, which):
    models = [count_false_positives_on(random_matches(seed, levels=levels), which) for seed in (1, 2)]
    read, rng = mixed_readings(*models, FPS, 1.5), np.random.default_rng(3)
    for _ in range(10):
        weights, none = rng.poisson(1.0, 60), np.zeros(60)
        for i, both in enumerate(([weights, none], [none, weights])):
            np.testing.assert_allclose(read(np.append(*both)), slow_readings(models[i], weights), rtol=1e-12)


def test_the_mixture_of_a_model_with_itself_is_that_model():
    model = random_matches(1, levels=5)
    rng = np.random.default_rng(0)
    for _ in range(10):
        swap = rng.random(60) < 0.5
        mixed = mixed_readings(model, model, FPS, 1.5)(np.append(~swap, swap))
        np.testing.assert_allclose(mixed, slow_readings(model, None), rtol=1e-12)


def test_a_mixture_by_hand():
    # Two images with a lesion each. First model: on either image, one hit and one false positive, all of one score.
    # Second: a hit on either image at 0.9, a false positive on either at 0.1. Mixed: image 0 of the first, 1 of the
    # second. At s of the 2 false positives that both models have spent, s / 2 of image 0's hit and false positive have
    # entered, and of image 1 the hit and s / 2 of the false positive. So recall is (s / 2 + 1) / 2 at s / 2 FPI.
    both = [LESION, LESION + 50]
    flat = [([both] * 2, [[0.5, 0.5]] * 2), ([both] * 2, [[0.9, 0.1]] * 2)]
    first, second = (match_detections(flatten_images(list(zip(*model, strict=True)), [[LESION]] * 2)) for model in flat)
    read = mixed_readings(first, second, (0.25, 0.5, 1), 1)([1, 0, 0, 1])
    np.testing.assert_allclose(read, [0.625, 0.75, 1, 0.75], atol=1e-3)


@pytest.mark.parametrize('levels', [7, 10**6])
def test_side_by_side_each_model_keeps_its_average_precision(levels):
    first, second = random_matches(1, levels=levels), random_matches(2, levels=levels)
    both = side_by_side(first, second)
    half = np.arange(120) < 60
    for model, weights in ((first, half), (second, ~half)):
        assert interpolated_precision(both, weights) == pytest.approx(interpolated_precision(model), rel=1e-12)


def test_scores_on_another_scale_are_the_same_model():
    first, second = random_matches(1), random_matches(2, hit=0.8)
    patients = np.arange(60) // 3
    squared = replace(second, scores=second.scores**2)
    one, other = (paired_froc(first, model, patients, FPS, 60) for model in (second, squared))
    np.testing.assert_allclose(one.p_permutation, other.p_permutation)
    np.testing.assert_allclose(one.difference.low, other.difference.low)


def test_models_on_other_truth_are_refused():
    fewer = random_matches(1, num_images=50)
    with pytest.raises(MammoError, match='paired_froc: images: found the two models differ'):
        paired_froc(random_matches(1), fewer, ['p'] * 60, FPS, 5)
    normal = count_false_positives_on(random_matches(1), 'normal')
    with pytest.raises(MammoError, match='images for false positives'):
        paired_froc(random_matches(1), normal, ['p'] * 60, FPS, 5)


def share_of_small_p(levels, *, n=200, num_images=60, **options):
    """(2 kinds of p, readings): how often two equal models, whose scores are on different scales, have p <= 5 %."""
    p = []
    for i in range(n):
        first, second = (random_matches([k, i], num_images, 3, levels, hit=0.8) for k in (1, 2))
        if not options.get('same_scale'):
            second = replace(second, scores=second.scores**3 / 2)
        result = paired_froc(first, second, np.arange(num_images) // 2, FPS, 99, seed=i, **options)
        p.append([result.p_permutation, result.p_bootstrap])
    return (np.array(p) <= 0.05).mean(axis=0)


@pytest.mark.parametrize('levels', [2, 20])
def test_ties_do_not_make_p_values_small(levels):
    share = share_of_small_p(levels, n=80)
    assert (share[0] <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / 80)).all(), share


@pytest.mark.slow
@pytest.mark.parametrize(('levels', 'same_scale'), [(2, False), (20, False), (10**6, False), (10**6, True), (20, True)])
def test_p_values_of_equal_models_are_small_as_often_as_they_should(levels, same_scale):
    share = share_of_small_p(levels, n=400, num_images=100, same_scale=same_scale)
    assert (share[0] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)).all(), share  # 8.3 %
    assert share[0, -1] >= 0.015, share
