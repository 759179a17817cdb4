"""Learning what other views are worth: exams in which the own score says little."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mmmammo.anatomy import cross_view_evidence, rescored
from mmmammo.evaluation.functional import CrossViewWeights, auc, cross_view_features, fit_cross_view
from mmmammo.evaluation.functional.cross_view_fit import _coefficients
from mmmammo.structures import CrossViewEvidence, MammoError
from mmmammo.testing.decoy_exams import box_at, decoy_exams, view_prediction


def fit(images, **settings):
    return fit_cross_view(images, cross_view_evidence(images), 'val', **{'n': 50, **settings})


@pytest.fixture(scope='module')
def fitted():
    return fit(decoy_exams(40))


def test_lesions_are_told_from_decoys_on_other_patients(fitted):
    own, after, gain = fitted.auc.estimate
    assert own < 0.8 and after > 0.95 and gain == pytest.approx(after - own)
    assert fitted.auc.low[2] > 0.1
    assert (fitted.n, fitted.n_positive, fitted.n_patients, fitted.folds) == (40 * 7, 80, 40, 5)
    assert fitted.weights.ipsilateral > 0 > fitted.weights.contralateral


def test_the_weights_serve_further_exams(fitted):
    images = rescored(decoy_exams(20, seed=1, name='further'), fitted.weights.apply)
    labels = [any(np.array_equal(box, gt) for gt in image.gt_boxes) for image in images for box in image.boxes]
    assert auc(labels, np.concatenate([image.scores for image in images])) > 0.95


def test_it_is_remembered_what_they_were_fitted_on(fitted):
    assert (fitted.weights.chosen_on.name, fitted.weights.chosen_on.n) == ('val', 40)


def test_the_order_of_images_and_a_second_run_give_the_same():
    images = decoy_exams(12)
    first, again, turned = fit(images), fit(images), fit(images[::-1])
    assert first.weights == again.weights and (first.auc.low == again.auc.low).all()
    for name in ('own', 'ipsilateral', 'contralateral', 'intercept'):
        assert getattr(turned.weights, name) == pytest.approx(getattr(first.weights, name), abs=1e-2)


def test_coefficients_are_those_of_the_library_on_rows_with_all_partners():
    """Hardly regularised, so that centring and scaling must not matter."""
    rng = np.random.default_rng(0)
    found = CrossViewEvidence(*rng.uniform(0.05, 0.95, (3, 4000)))
    features = cross_view_features(found)
    labels = rng.random(4000) < 1 / (1 + np.exp(-(features @ [0.7, 0.5, 0, -0.8, 0, -0.3])))
    plain = LogisticRegression(C=np.inf).fit(features[:, [0, 1, 3]], labels)
    expected = np.array([plain.coef_[0, 0], plain.coef_[0, 1], plain.coef_[0, 2], plain.intercept_[0]])
    ours = _coefficients(features, labels)
    np.testing.assert_allclose(ours[[0, 1, 3, 5]], expected, atol=5e-3)


def test_a_missing_partner_that_was_never_seen_counts_like_average_evidence(fitted):
    images = decoy_exams(40)
    odds = np.concatenate([cross_view_features(found)[:, 1] for found in cross_view_evidence(images)])
    weights = fitted.weights
    assert weights.ipsilateral_missing == pytest.approx(weights.ipsilateral * odds.mean())


def test_repeated_hits_are_positive_and_ignored_regions_left_out():
    images = decoy_exams(8)
    again = [replace(image, boxes=np.repeat(image.boxes, 2, 0), scores=image.scores.repeat(2)) for image in images]
    again = [replace(image, labels=np.zeros(len(image.scores), int)) for image in again]
    assert (fit(again).n, fit(again).n_positive) == (2 * 8 * 7, 2 * 16)
    right = [replace(image, ignored_boxes=image.boxes[:1], ignored_labels=np.zeros(1, int)) for image in images]
    assert (fit(right).n, fit(right).n_positive) == (8 * 3, 16)  # the tissue that both breasts show


def test_weak_detections_are_left_out():
    images = decoy_exams(10)
    scores = np.concatenate([image.scores for image in images])
    assert fit(images, min_score=0.6).n == (scores >= 0.6).sum()


def test_few_positives_are_told_and_make_fewer_folds():
    found = fit(decoy_exams(3))
    assert found.folds == 3 and found.n_positive == 6 < found.positives_wanted == 50


@pytest.mark.parametrize(
    ('images', 'said'),
    [
        ([], r'detections of lesions: found 0 of at least 0\.01, of 0 patient'),
        ([replace(image, gt_boxes=np.empty((0, 4))) for image in decoy_exams(4)], 'detections of lesions: found 0'),
        (decoy_exams(1), r'found 2 of at least 0\.01, of 1 patient'),
        (
            [replace(image, gt_boxes=image.boxes, gt_labels=image.labels) for image in decoy_exams(4)],
            'false detections',
        ),
        ([image for image in decoy_exams(4) if image.view + image.laterality == 'CCL'], 'partner views: found none'),
        ([replace(image, landmarks=None) for image in decoy_exams(4)], 'partner views: found none'),
    ],
    ids=['nothing', 'no lesions', 'one patient', 'no false positive', 'single views', 'no landmarks'],
)
def test_what_nothing_can_be_learnt_from_is_refused(images, said):
    with pytest.raises(MammoError, match=said):
        fit(images)


def test_scores_that_fall_with_suspicion_are_refused():
    lesion, tissue = box_at(40, 30), box_at(60, 80)
    images = [
        view_prediction(
            'L', view, [(lesion, 0.2), (tissue, 0.8)], [lesion], exam=f'e{i}', image_id=2 * i + (view == 'CC')
        )
        for i in range(20)
        for view in ('CC', 'MLO')
    ]
    with pytest.raises(MammoError, match='own score: found'):
        fit(images)


def test_the_identity_is_what_nothing_learnt_looks_like():
    assert CrossViewWeights().apply(CrossViewEvidence(np.array([0.25]), np.array([0.9]), np.array([0.9]))) == 0.25
