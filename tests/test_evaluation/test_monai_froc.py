"""Our FROC against MONAI's, whose semantics are written here literally.

MONAI (monai/metrics/froc.py, after the CAMELYON16 challenge) takes detected *points* and a mask of numbered lesions.
``compute_fp_tp_probs``: a point on no lesion is a false positive; a lesion has the highest probability of the points on
it, 0 if there is none, so that further points on it count neither way. ``compute_froc_curve_data``: for each distinct
probability but the lowest, the false positives and the lesions at or above it, over images and over lesions; and the
point (0, 0). ``compute_froc_score``: the mean sensitivity at given false positives per image, linear between points.
"""

import numpy as np
import pytest

from mmmammo.evaluation.functional import flatten_images, froc_curve, froc_recall_at, match_detections

SIZE = 64


def literal_probabilities(points, probabilities, mask):
    labels = mask[points[:, 1], points[:, 0]]
    lesions = range(1, mask.max() + 1)
    best = [max([p for p, label in zip(probabilities, labels, strict=True) if label == i], default=0) for i in lesions]
    return [p for p, label in zip(probabilities, labels, strict=True) if label == 0], best


def literal_curve(false_probabilities, lesion_probabilities, num_images):
    points = []
    for threshold in sorted({*false_probabilities, *lesion_probabilities})[1:]:
        false_positives = sum(p >= threshold for p in false_probabilities)
        found = sum(p >= threshold for p in lesion_probabilities)
        points.append((false_positives / num_images, found / len(lesion_probabilities)))
    return [(0.0, 0.0), *reversed(points)]


def literal_score(curve, wanted):
    return float(np.mean(np.interp(wanted, *zip(*curve, strict=True))))


def lesion_grid(rng):
    """Lesions that do not touch: whole cells of 12 px, 4 px apart, one in three of the 16."""
    corners = np.array([[x, y] for y in range(0, SIZE, 16) for x in range(0, SIZE, 16)])
    corners = corners[rng.random(16) < 0.3]
    mask = np.zeros((SIZE, SIZE), dtype=int)
    for i, (x, y) in enumerate(corners, start=1):
        mask[y : y + 12, x : x + 12] = i
    return mask, np.concatenate([corners, corners + 12], axis=1).reshape(-1, 4)


def random_run(seed, num_images=25):
    """Points at pixels; their boxes are centred on the pixel's centre, so both agree on what is inside."""
    rng = np.random.default_rng(seed)
    for _ in range(num_images):
        mask, lesions = lesion_grid(rng)
        points = rng.integers(0, SIZE, (rng.integers(0, 12), 2))
        yield mask, lesions, points, rng.integers(1, 40, len(points)) / 40


def both(seed):
    run = list(random_run(seed))
    false_probabilities, lesion_probabilities = [], []
    for mask, _, points, probabilities in run:
        false, best = literal_probabilities(points, probabilities.tolist(), mask)
        false_probabilities += false
        lesion_probabilities += best
    detections = [(np.concatenate([points + 0.5 - 2, points + 0.5 + 2], axis=1), p) for _, _, points, p in run]
    flat = flatten_images(detections, [lesions for _, lesions, _, _ in run])
    ours = froc_curve(match_detections(flat, 'centre_in_box', duplicates='ignore'))
    return ours, literal_curve(false_probabilities, lesion_probabilities, len(run))


@pytest.mark.parametrize('seed', range(5))
def test_curves_have_the_same_points(seed):
    ours, theirs = both(seed)
    # Ours also has points at which only a duplicate enters, and so nothing changes.
    points = list(dict.fromkeys(zip(ours.fps_per_image.round(12), ours.recall.round(12), strict=True)))
    assert points == list(dict.fromkeys((round(x, 12), round(y, 12)) for x, y in theirs)) and len(points) > 20


@pytest.mark.parametrize('seed', range(5))
def test_scores_agree_between_operating_points(seed):
    ours, theirs = both(seed)
    wanted = np.setdiff1d([0.25, 0.5, 1, 2, 3], ours.fps_per_image)  # at a vertical rise, np.interp takes either end
    wanted = np.append(wanted, 0.3333)
    assert froc_recall_at(ours, wanted).mean() == pytest.approx(literal_score(theirs, wanted))


def test_the_literal_version_is_monais():
    froc = pytest.importorskip('monai.metrics.froc')
    false_probabilities, lesion_probabilities = np.array([0.3, 0.6, 0.6]), np.array([0.0, 0.9, 0.6])
    data = froc.compute_froc_curve_data(false_probabilities, lesion_probabilities, 3, 2)
    literal = literal_curve(false_probabilities.tolist(), lesion_probabilities.tolist(), 2)
    np.testing.assert_allclose(np.transpose(data)[::-1], literal)
    mask, _, points, probabilities = next(random_run(0))
    false, best, _ = froc.compute_fp_tp_probs(probabilities, points[:, 1], points[:, 0], mask)
    literal_false, literal_best = literal_probabilities(points, probabilities.tolist(), mask)
    assert false.tolist() == literal_false and best.tolist() == pytest.approx(literal_best)
