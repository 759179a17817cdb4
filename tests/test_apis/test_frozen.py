"""A calibration and a threshold of one split, used on other exams."""

from dataclasses import replace

import numpy as np
import pytest

from mmmammo.apis.frozen import Frozen
from mmmammo.evaluation.functional import OperatingPoint
from mmmammo.evaluation.functional.recalibration import TemperatureScaling
from mmmammo.evaluation.functional.split_record import SplitRecord
from mmmammo.structures import MammoError

VAL = SplitRecord('val', 'f' * 64, 20)
CLASSIFIER = OperatingPoint(0.6, 'sensitivity', 0.9, VAL, 7, {'sensitivity': 0.95})
DETECTOR = OperatingPoint(0.3, 'froc_fps_per_image', 1.0, VAL, 7, {'recall': 0.8})


@pytest.fixture
def files(tmp_path):
    TemperatureScaling(2.0, VAL).save(tmp_path / 'calibration.json')
    CLASSIFIER.save(tmp_path / 'point.json')
    DETECTOR.save(tmp_path / 'of_boxes.json')
    return tmp_path


def test_the_threshold_counts_on_the_calibrated_scale(files):
    frozen = Frozen.load(files / 'calibration.json', files / 'point.json', of_detections=False)
    probability = np.array([0.8])  # odds of 4; of half the log-odds 2 to 1
    assert frozen.probabilities(probability)[0] == pytest.approx(2 / 3)
    assert frozen.called(frozen.probabilities(probability)) is True
    assert frozen.called(np.array([0.6])) is True, 'a score at the threshold is called'
    assert frozen.called(np.array([0.5999])) is False
    assert frozen.as_info() == {
        'calibration': {'method': 'TemperatureScaling', 'chosen_on': 'val'},
        'operating_point': {'threshold': 0.6, 'rule': 'sensitivity', 'target': 0.9, 'chosen_on': 'val'},
    }


def test_nothing_frozen_changes_nothing():
    frozen = Frozen.load(None, None, of_detections=False)
    scores = np.array([0.1, 0.7])
    assert not frozen and frozen.probabilities(scores) is scores
    assert frozen.called(scores) is None and frozen.as_info() == {}


@pytest.mark.parametrize(
    ('name', 'of_detections', 'message'),
    [
        ('point.json', True, 'chosen on scores of a classifier; expected a threshold of detections'),
        ('of_boxes.json', False, 'chosen on detections; expected a threshold of scores of a classifier'),
        ('none.json', False, 'none.json'),
    ],
)
def test_a_threshold_of_the_other_kind_is_refused(files, name, of_detections, message):
    with pytest.raises(MammoError, match=message):
        Frozen.load(None, files / name, of_detections=of_detections)


def test_what_was_chosen_on_other_units_or_another_scale_is_refused(files):
    of_exams = replace(CLASSIFIER, chosen_on=replace(VAL, unit='exam'))
    Frozen(point=of_exams).require_unit('exam')
    Frozen(point=CLASSIFIER).require_unit('image')  # an older file, which does not say
    with pytest.raises(MammoError, match=r'operating point: chosen_on\.unit: found exam; expected image'):
        Frozen(point=of_exams).require_unit('image')
    for calibrated, calibration in ((True, None), (False, files / 'calibration.json')):
        replace(CLASSIFIER, calibrated=calibrated).save(files / 'point.json')
        with pytest.raises(MammoError, match='expected the same scale here'):
            Frozen.load(calibration, files / 'point.json', of_detections=False)


def test_several_scores_have_no_single_threshold():
    with pytest.raises(MammoError, match='found 2 per image; expected one'):
        Frozen(point=CLASSIFIER).probabilities(np.array([0.1, 0.7]))
