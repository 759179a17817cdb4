"""What counts of matches: images, lesions, units, false positives on normal images; and hits by millimetres."""

import numpy as np
import pytest

from mmmammo.evaluation.functional import (
    HitRule,
    ImageRecords,
    count_false_positives_on,
    count_units,
    flatten_images,
    froc,
    froc_by_level,
    froc_curve,
    froc_result,
    match_detections,
    select_images,
    select_lesions,
)
from mmmammo.structures import MammoError

LESION = [0, 0, 10, 10]
OTHER_LESION = [100, 100, 120, 120]
NOWHERE = [50, 50, 60, 60]


def exam_of_four():
    """Two lesions in the left breast, one of them in both views; one false positive on the normal right breast."""
    detections = [
        ([LESION, NOWHERE], [0.9, 0.5]),  # L CC: hit .9, miss .5
        ([LESION, OTHER_LESION], [0.8, 0.3]),  # L MLO: hit .8, hit .3
        ([NOWHERE], [0.7]),  # R CC
        ([], []),  # R MLO
    ]
    return detections, [[LESION], [LESION, OTHER_LESION], [], []]


def matches_of_four():
    return match_detections(flatten_images(*exam_of_four()))


RECORDS = ImageRecords(
    exams=['e'] * 4, lateralities=['L', 'L', 'R', 'R'], patients=['p'] * 4, lesion_ids=['a', 'a', 'b']
)


@pytest.mark.parametrize(
    ('level', 'units', 'recall'),
    [
        # Thresholds fall: .9 (hit), .8 (hit), .7 (miss), .5 (miss), .3 (hit).
        ('box', 3, [0, 1 / 3, 2 / 3, 2 / 3, 2 / 3, 1]),
        ('lesion', 2, [0, 1 / 2, 1 / 2, 1 / 2, 1 / 2, 1]),
        ('image', 2, [0, 1 / 2, 1, 1, 1, 1]),
        ('breast', 1, [0, 1, 1, 1, 1, 1]),
        ('exam', 1, [0, 1, 1, 1, 1, 1]),
        ('patient', 1, [0, 1, 1, 1, 1, 1]),
    ],
)
def test_levels_by_hand(level, units, recall):
    result = froc_by_level(matches_of_four(), RECORDS, [level])[level]
    assert result.n_lesions == units
    np.testing.assert_allclose(result.recall, recall)
    np.testing.assert_allclose(result.fps_per_image, [0, 0, 0, 1 / 4, 1 / 2, 1 / 2])


def test_levels_against_a_literal_count():
    rng = np.random.default_rng(0)
    exams = rng.integers(0, 6, 40).astype(str)
    lateralities = rng.choice(['L', 'R', 'U'], 40)
    lesions = [rng.integers(0, 40, (n, 1)) + np.array([[0, 0, 10, 10]]) for n in rng.integers(0, 3, 40)]
    detections = [(np.concatenate([g + 1, [NOWHERE]]), rng.integers(0, 9, len(g) + 1) / 9) for g in lesions]
    matches = match_detections(flatten_images(detections, lesions))
    result = froc_by_level(matches, ImageRecords(exams=exams, lateralities=lateralities), ['breast'])['breast']
    breast_of = [f'{i}' if s == 'U' else (e, s) for i, (e, s) in enumerate(zip(exams, lateralities, strict=True))]
    positive = {breast_of[i] for i in range(40) if len(lesions[i])}
    for threshold, recall in zip(result.thresholds[1:], result.recall[1:], strict=True):
        hits = (matches.scores >= threshold) & matches.is_true_positive
        found = {breast_of[i] for i in matches.image[hits]}
        assert recall == pytest.approx(len(found) / len(positive))


def test_lesions_without_id_are_their_own():
    records = ImageRecords(exams=['e'] * 4, lesion_ids=['a', None, ''])
    assert froc_by_level(matches_of_four(), records, ['lesion'])['lesion'].n_lesions == 3


@pytest.mark.parametrize(
    ('records', 'level', 'words'),
    [
        (ImageRecords(), 'exam', ['exams', 'nothing']),
        (ImageRecords(exams=['e']), 'exam', ['exams', '1 entries', '4, one per image']),
        (ImageRecords(exams=['e', '', 'e', 'e']), 'exam', ['image 1', 'exams', "''"]),
        (ImageRecords(exams=['e'] * 4), 'lesion', ['lesion_ids', '3, one per lesion box']),
        (RECORDS, 'case', ['level', "'case'", 'breast']),
    ],
)
def test_bad_records_are_named(records, level, words):
    with pytest.raises(MammoError) as error:
        froc_by_level(matches_of_four(), records, [level])
    assert all(word in str(error.value) for word in words)


def test_an_empty_exam_matters_only_where_a_lesion_is():
    records = ImageRecords(exams=['e', 'e', '', ''])
    assert froc_by_level(matches_of_four(), records, ['exam'])['exam'].n_lesions == 1


def test_false_positives_on_normal_images_only():
    result = froc_result(count_false_positives_on(matches_of_four(), 'normal'), [0.25, 0.5])
    np.testing.assert_allclose(result.fps_per_image, [0, 0, 0, 1 / 2, 1 / 2, 1 / 2])  # one on two normal images
    assert result.recall[-1] == 1.0 and (result.n_images, result.n_fp_images) == (4, 2)
    assert froc(*exam_of_four(), false_positive_images='normal').n_fp_images == 2


def test_without_normal_images_undefined_with_reason():
    result = froc([([LESION, NOWHERE], [0.9, 0.5])], [[LESION]], false_positive_images='normal')
    assert np.isnan(list(result.recall_at.values())).all() and np.isnan(result.fauc)
    assert list(result.recall_at) == [0.5, 1, 2, 3, 4]
    assert result.reason == 'no normal image to count false positives on'


def test_unknown_choice_of_images_is_named():
    with pytest.raises(MammoError, match=r"false_positive_images: found 'healthy'.*'normal'"):
        count_false_positives_on(matches_of_four(), 'healthy')


def test_selected_images_are_a_smaller_run():
    detections, truth = exam_of_four()
    mask = np.array([False, True, True, False])
    chosen = froc_curve(select_images(matches_of_four(), mask))
    alone = froc_curve(match_detections(flatten_images(detections[1:3], truth[1:3])))
    np.testing.assert_array_equal(chosen.recall, alone.recall)
    np.testing.assert_array_equal(chosen.fps_per_image, alone.fps_per_image)


def test_hits_on_other_lesions_count_neither_way():
    chosen = select_lesions(matches_of_four(), [False, False, True])
    assert chosen.is_true_positive.sum() == 1 and chosen.is_false_positive.sum() == 2
    assert chosen.lesion_image.tolist() == [1] and chosen.lesion[chosen.is_true_positive] == 0


@pytest.mark.parametrize('choose', [select_images, select_lesions])
def test_wrong_masks_are_named(choose):
    with pytest.raises(MammoError, match='bool of shape'):
        choose(matches_of_four(), [0, 1])
    with pytest.raises(MammoError, match='one unit per lesion box'):
        count_units(matches_of_four(), [1, 2])


def test_distance_is_compared_in_millimetres():
    # The centres lie 3 px and 4 px apart along the axes: 5 px, at 0.1 mm per pixel 0.5 mm.
    moved = [3, 4, 13, 14]

    def recall(distance_mm, spacing):
        rule = {'matching': 'distance', 'distance_mm': distance_mm, 'spacing_mm': [spacing]}
        return froc([([moved], [0.9])], [[LESION]], **rule).recall[-1]

    assert recall(0.5, 0.1) == 1.0 and recall(0.499, 0.1) == 0.0
    assert recall(0.5, 0.2) == 0.0 and recall(1.0, 0.2) == 1.0


def test_distance_reaches_beyond_touching_boxes_and_takes_the_nearest():
    near, far = [20, 0, 22, 2], [60, 0, 62, 2]
    flat = flatten_images([([[28, 0, 30, 2], [30, 0, 32, 2]], [0.9, 0.8])], [[near, far]], spacing_mm=[1.0])
    matches = match_detections(flat, 'distance', distance_mm=30)
    assert matches.lesion.tolist() == [0, 1]


def test_distance_against_a_literal_loop():
    rng = np.random.default_rng(4)
    spacing = rng.choice([0.05, 0.1], 30)
    boxes = [rng.integers(0, 80, (n, 2)) for n in rng.integers(0, 12, 30)]
    lesions = [rng.integers(0, 80, (n, 2)) for n in rng.integers(0, 5, 30)]
    detections = [(np.hstack([b, b + 6]), rng.permutation(len(b)) / 20) for b in boxes]
    flat = flatten_images(detections, [np.hstack([g, g + 2]) for g in lesions], spacing_mm=spacing)
    found = 0
    for (b, scores), g, mm in zip(detections, lesions, spacing, strict=True):
        free = list(range(len(g)))
        for i in np.argsort(-scores):
            distance = {j: np.hypot(*(b[i, :2] + 3 - g[j] - 1)) * mm for j in free}
            hit = [j for j in free if distance[j] <= 1.5]
            if hit:
                free.remove(min(hit, key=distance.get))
                found += 1
    assert match_detections(flat, 'distance', distance_mm=1.5).is_true_positive.sum() == found > 10


@pytest.mark.parametrize('spacing', [None, [None, 0.1], [float('nan'), 0.1]])
def test_missing_spacing_is_named_where_a_lesion_is(spacing):
    with pytest.raises(MammoError, match=r'image 0: spacing_mm: found nothing.*pixel_spacing_mm'):
        froc([([], [])] * 2, [[LESION], []], matching='distance', distance_mm=5, spacing_mm=spacing)


def test_a_normal_image_needs_no_spacing():
    detections = [([LESION], [0.9]), ([NOWHERE], [0.5])]
    result = froc(detections, [[LESION], []], matching='distance', distance_mm=5, spacing_mm=[0.1, None])
    assert result.recall[-1] == 1.0 and result.fps_per_image[-1] == 0.5


@pytest.mark.parametrize('distance', [None, 0, -1, float('inf'), float('nan')])
def test_distance_must_be_a_length(distance):
    with pytest.raises(MammoError, match=r'distance_mm: found .*e\.g\. distance_mm=10'):
        HitRule('distance', distance_mm=distance)
