"""New scores from old ones and the evidence of other views: the formula, its properties, its file."""

import json

import numpy as np
import pytest

from mmmammo.anatomy import rescored
from mmmammo.evaluation.functional import CrossViewWeights, SplitRecord
from mmmammo.structures import CrossViewEvidence, MammoError
from mmmammo.testing.decoy_exams import decoy_exams

WEIGHTS = CrossViewWeights(0.8, 0.5, -0.7, -0.9, 0.4, -1.5, SplitRecord.of('val', ['a', 'b']), {'n_detections': 7})
NAN = float('nan')


def logit(p):
    return np.log(p / (1 - p))


def evidence(own, ipsilateral, contralateral):
    return CrossViewEvidence(*(np.array(column, dtype=float) for column in (own, ipsilateral, contralateral)))


def test_the_formula_by_hand():
    scores = WEIGHTS.apply(evidence([0.7, 0.2, 0.6], [0.9, NAN, 0.0], [0.1, 0.3, NAN]))
    odds = [
        0.8 * logit(0.7) + 0.5 * logit(0.9) - 0.9 * logit(0.1) - 1.5,
        0.8 * logit(0.2) - 0.7 - 0.9 * logit(0.3) - 1.5,
        0.8 * logit(0.6) + 0.5 * logit(0.01) + 0.4 - 1.5,  # weaker evidence than 0.01 is none
    ]
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-np.array(odds))))


def test_the_defaults_change_nothing():
    own = np.array([0.0, 1e-5, 0.3, 0.5, 0.999, 1.0])
    found = CrossViewWeights().apply(evidence(own, np.linspace(0, 1, 6), np.full(6, NAN)))
    np.testing.assert_allclose(found, own, atol=1e-6)


@pytest.mark.parametrize('partner', [0.0, 0.4, 1.0, NAN])
def test_new_scores_rise_with_the_own_one(partner):
    own = np.linspace(0.001, 0.999, 50)
    scores = WEIGHTS.apply(evidence(own, np.full(50, partner), np.full(50, partner)))
    assert (np.diff(scores) > 0).all() and (scores > 0).all() and (scores < 1).all()


def test_a_missing_view_shifts_the_log_odds_of_its_partner_alike():
    images = decoy_exams(2)
    own_only = CrossViewWeights(own=WEIGHTS.own, intercept=WEIGHTS.intercept)
    alone = [image for image in images if (image.laterality, image.view) == ('L', 'CC')]
    for image, new, plain in zip(alone, rescored(alone, WEIGHTS.apply), rescored(alone, own_only.apply), strict=True):
        np.testing.assert_allclose(logit(new.scores) - logit(plain.scores), -0.7 + 0.4)
        assert (np.argsort(new.scores) == np.argsort(image.scores)).all()


def test_no_detections_have_no_scores():
    assert WEIGHTS.apply(evidence([], [], [])).shape == (0,)


def test_scores_that_are_no_probabilities_are_refused():
    with pytest.raises(MammoError, match=r'probs.*1\.5'):
        WEIGHTS.apply(evidence([1.5], [0.5], [0.5]))


@pytest.mark.parametrize(('name', 'value'), [('own', -0.1), ('ipsilateral', NAN), ('intercept', 'much')])
def test_weights_that_make_no_sense_are_refused(name, value):
    with pytest.raises(MammoError, match=rf'{name}: found .*finite number'):
        CrossViewWeights(**{name: value})


def test_a_file_keeps_everything(tmp_path):
    WEIGHTS.save(tmp_path / 'kept' / 'cross_view.json')
    loaded = CrossViewWeights.load(tmp_path / 'kept' / 'cross_view.json')
    assert loaded == WEIGHTS and loaded.info == {'n_detections': 7}
    CrossViewWeights().save(tmp_path / 'plain.json')
    assert CrossViewWeights.load(tmp_path / 'plain.json') == CrossViewWeights()


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (lambda d: d.pop('contralateral'), 'entries: found .contralateral.'),
        (lambda d: d.update(own=-1.0), 'own: found -1.0'),
        (lambda d: d.update(format='something'), 'format: found .something.'),
        (lambda d: d.update(chosen_on={'name': 'val'}), 'entries'),
    ],
)
def test_a_spoilt_file_is_refused(tmp_path, change, said):
    path = tmp_path / 'cross_view.json'
    WEIGHTS.save(path)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(MammoError, match=said):
        CrossViewWeights.load(path)


def test_patients_that_the_weights_were_fitted_on_are_refused():
    images = decoy_exams(3)
    fitted = CrossViewWeights(chosen_on=SplitRecord.of('val', sorted({image.patient_id for image in images})))
    with pytest.raises(MammoError, match='the same 3 rows'):
        fitted.require_other(images, 'renamed')
    with pytest.raises(MammoError, match='under the same name'):
        fitted.require_other(images[4:], 'val')
    fitted.require_other(images[4:], 'test')
    fitted.require_other(images, 'val', allow_same_split=True)
    CrossViewWeights().require_other(images, 'val')
