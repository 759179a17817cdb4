"""What detections find at their place in the other views of their exam."""

from dataclasses import replace

import numpy as np
import pytest

from mmmammo.anatomy import cross_view_evidence, mirror_log_odds, pair_log_odds, relative_offsets, rescored
from mmmammo.anatomy.lesion_matching import DEPTH, LOG_SIZE, OFFSET
from mmmammo.structures import Affine, BreastLandmarks
from mmmammo.testing.decoy_exams import LANDMARKS, box_at, decoy_exams, view_prediction

HERE, AWAY = box_at(40, 30), box_at(40, 100)  # equally deep, 70 of the 80 pixels of depth apart along the chest wall


def kernel(spread, difference):
    """Likelihood ratio as a share of that without any difference."""
    return np.exp(-(difference**2) / 2 * (1 / spread.same**2 - 1 / spread.other**2))


def evidence_of(*images):
    return cross_view_evidence(images)[0]


def test_offsets_are_shares_of_the_depth_and_rise_downwards():
    np.testing.assert_allclose(relative_offsets([(80, 64), (10, 104), (10, 44)], LANDMARKS), [0, 0.5, -0.25])


def test_mirrored_places_by_hand():
    odds = mirror_log_odds([HERE], [box_at(32, 50, 20)], LANDMARKS, LANDMARKS)
    expected = DEPTH.log_odds(np.array(0.1)) + LOG_SIZE.log_odds(np.log(np.array(2.0)))
    np.testing.assert_allclose(odds, [[expected + OFFSET.log_odds(np.array(20 / 80))]])


def test_the_best_of_score_times_compatibility_counts():
    partner = view_prediction('L', 'MLO', [(box_at(48, 90), 0.9), (box_at(40, 90, 20), 0.6)])
    found = evidence_of(view_prediction('L', 'CC', [(HERE, 0.7)]), partner)
    candidates = [0.9 * kernel(DEPTH, 0.1), 0.6 * kernel(LOG_SIZE, np.log(2))]
    np.testing.assert_allclose(found.ipsilateral, [max(candidates)])
    assert found.own.tolist() == [0.7] and np.isnan(found.contralateral).all()


def test_detections_as_deep_as_one_of_the_other_view_share_it():
    """Shares are odds * compatibility over their sum, written out."""
    image = view_prediction('L', 'CC', [(HERE, 0.8), (AWAY, 0.5), (box_at(48, 60), 0.2)])
    found = evidence_of(image, view_prediction('L', 'MLO', [(HERE, 0.9)]))
    fits = np.array([1.0, 1.0, kernel(DEPTH, 0.1)])
    claims = np.array([0.8 / 0.2, 0.5 / 0.5, 0.2 / 0.8]) * fits
    np.testing.assert_allclose(found.ipsilateral, 0.9 * fits * claims / claims.sum())


def test_the_surer_of_two_has_more_of_it_than_when_it_was_less_sure():
    def of_first(score):
        image = view_prediction('L', 'CC', [(HERE, score), (AWAY, 0.5)])
        return evidence_of(image, view_prediction('L', 'MLO', [(HERE, 0.9)])).ipsilateral

    lower, higher = of_first(0.3), of_first(0.6)
    assert higher[0] > lower[0] and higher[1] < lower[1]
    np.testing.assert_allclose([lower.sum(), higher.sum()], 0.9)


def test_sure_and_impossible_scores_share_too():
    found = evidence_of(
        view_prediction('L', 'CC', [(HERE, 1.0), (AWAY, 0.0)]), view_prediction('L', 'MLO', [(HERE, 0.9)])
    )
    np.testing.assert_allclose(found.ipsilateral, [0.9, 0.0], atol=1e-5)


def test_the_other_breast_is_asked_at_the_mirrored_place():
    image = view_prediction('L', 'CC', [(HERE, 0.7), (AWAY, 0.7)])
    found = evidence_of(image, view_prediction('R', 'CC', [(HERE, 0.8)]))
    np.testing.assert_allclose(found.contralateral, [0.8, 0.8 * kernel(OFFSET, 70 / 80)])
    assert np.isnan(found.ipsilateral).all()


@pytest.mark.parametrize(
    'partner',
    [
        view_prediction('L', 'MLO', [(HERE, 0.8)], landmarks=None),
        view_prediction('L', 'ML', [(HERE, 0.8)]),
        view_prediction('U', 'MLO', [(HERE, 0.8)]),
        view_prediction('R', 'MLO', [(HERE, 0.8)]),
        view_prediction('L', 'MLO', [(HERE, 0.8)], exam='another'),
    ],
    ids=['no landmarks', 'another projection', 'unknown side', 'other breast', 'other exam'],
)
def test_what_is_no_partner_is_as_good_as_missing(partner):
    image = view_prediction('L', 'CC', [(HERE, 0.7)])
    for found in (evidence_of(image, partner), evidence_of(image)):
        assert np.isnan([found.ipsilateral, found.contralateral]).all()


def test_a_view_without_detections_is_evidence_of_nothing():
    found = evidence_of(view_prediction('L', 'CC', [(HERE, 0.7)]), view_prediction('L', 'MLO'))
    assert found.ipsilateral.tolist() == [0.0]
    assert evidence_of(view_prediction('L', 'CC'), view_prediction('L', 'MLO', [(HERE, 0.8)])).own.shape == (0,)


def test_images_without_exam_are_nobodys_partners():
    images = [replace(view_prediction('L', view, [(HERE, 0.7)]), exam_id='') for view in ('CC', 'MLO')]
    assert all(np.isnan(found.ipsilateral).all() for found in cross_view_evidence(images))


def test_of_repeats_the_one_with_the_surest_landmarks_is_asked():
    repeats = [
        view_prediction('L', 'MLO', [(HERE, score)], landmarks=replace(LANDMARKS, confidence=confidence))
        for score, confidence in ((0.2, 0.4), (0.6, 0.9))
    ]
    found = evidence_of(view_prediction('L', 'CC', [(HERE, 0.7)]), *repeats)
    np.testing.assert_allclose(found.ipsilateral, [0.6])


def test_order_of_images_and_exams_together_or_apart_do_not_matter():
    images = decoy_exams(3)
    order = np.random.default_rng(0).permutation(len(images))
    together, shuffled = cross_view_evidence(images), cross_view_evidence([images[i] for i in order])
    apart = [found for exam in range(3) for found in cross_view_evidence(images[4 * exam : 4 * exam + 4])]
    for i, place in enumerate(np.argsort(order)):
        for other in (shuffled[place], apart[i]):
            np.testing.assert_array_equal(together[i].ipsilateral, other.ipsilateral)
            np.testing.assert_array_equal(together[i].contralateral, other.contralateral)


def test_a_woman_in_the_mirror_has_the_same_evidence():
    """Sides exchanged, and every image mirrored and enlarged with its landmarks."""
    images = decoy_exams(2)
    turn = Affine.mirror(96) @ Affine.scaling(2.5, 2.5)
    mirrored = [
        replace(
            image,
            laterality='LR'[image.laterality == 'L'],
            boxes=turn.boxes(image.boxes),
            landmarks=image.landmarks.transformed(turn),
        )
        for image in images
    ]
    for before, after in zip(cross_view_evidence(images), cross_view_evidence(mirrored), strict=True):
        np.testing.assert_allclose(after.ipsilateral, before.ipsilateral)
        np.testing.assert_allclose(after.contralateral, before.contralateral)


def test_compatibility_is_that_of_lesion_matching():
    """Of a detection without rivals, up to the greatest odds there are."""
    boxes, other = [HERE, box_at(60, 20, 14)], [box_at(35, 80, 12)]
    turned = BreastLandmarks(LANDMARKS.contour, (80.0, 60.0), ((30.0, 0.0), (0.0, 40.0)))
    partner = view_prediction('L', 'MLO', [(other[0], 1.0)], landmarks=turned)
    found = [evidence_of(view_prediction('L', 'CC', [(box, 0.5)]), partner).ipsilateral[0] for box in boxes]
    odds = pair_log_odds(boxes, other, LANDMARKS, turned)[:, 0]
    np.testing.assert_allclose(np.diff(np.log(found)), np.diff(odds))
    assert max(found) <= 1


def test_rescoring_changes_scores_only():
    images = decoy_exams(1)
    halved = rescored(images, lambda evidence: evidence.own / 2)
    for before, after in zip(images, halved, strict=True):
        np.testing.assert_array_equal(after.scores, before.scores / 2)
        assert replace(after, scores=before.scores).boxes is before.boxes and after.image_id == before.image_id
