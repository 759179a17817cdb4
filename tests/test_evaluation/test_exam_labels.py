"""Which exams are positive, as a prepared set says; unknown is not negative."""

from dataclasses import replace

import numpy as np
import pytest

from mmmammo.evaluation.summary.exam_labels import exam_labels, labelled
from mmmammo.evaluation.summary.exam_runs import read_run, restricted
from mmmammo.evaluation.summary.known_images import KnownImage
from mmmammo.io.exam_index import read_index, write_index
from mmmammo.io.score_files import ScoreRow, write_scores
from mmmammo.structures import MammoError
from mmmammo.testing.cohort_set import make_cohort_set


def images(*labels, exam='e'):
    return [KnownImage(exam, image_id=str(i), labels=said) for i, said in enumerate(labels)]


@pytest.mark.parametrize(
    ('labels', 'expected'),
    [
        (({'cancer': 1}, {}), True),
        (({'cancer': 0}, {'cancer': 0}), False),
        (({'cancer': 0}, {}), None),
        (({'exam_outcome': 'screening'}, {'exam_outcome': 'screening', 'cancer': 0}), True),
        (({'exam_outcome': 'interval'},), True),
        (({'exam_outcome': 'none'}, {'exam_outcome': 'none'}), False),
    ],
    ids=['one positive', 'all negative', 'one unknown', 'side unknown', 'interval', 'healthy'],
)
def test_an_exam_is_positive_negative_or_unknown(labels, expected):
    known = images({'cancer': 1}, exam='other')
    assert exam_labels([*images(*labels), *known], 'cancer') == {'e': expected, 'other': True}


def test_an_outcome_says_nothing_of_other_labels():
    labels = exam_labels([*images({'exam_outcome': 'screening'}), *images({'biopsy': True}, exam='f')], 'biopsy')
    assert labels == {'e': None, 'f': True}


def test_a_label_that_no_image_has_is_refused_with_those_that_there_are():
    known = images({'cancer': 1, 'biopsy': 0, 'implant': False, 'density': 'B', 'age': 60})
    with pytest.raises(
        MammoError, match=r"label: found no image with 'cancr'; expected one of biopsy, cancer, implant"
    ):
        exam_labels(known, 'cancr')
    with pytest.raises(MammoError, match='there is none'):
        exam_labels(images({'density': 'B'}), 'cancer')


def test_other_values_and_unknown_outcomes_are_named():
    with pytest.raises(MammoError, match=r"image 0 of exam e: density: found 'B'; expected 0 or 1"):
        exam_labels(images({'density': 'B'}), 'density')
    with pytest.raises(MammoError, match=r"exam_outcome: found 'cured'; expected one of screening, interval, none"):
        exam_labels(images({'exam_outcome': 'cured'}), 'cancer')


@pytest.fixture
def scored(tmp_path):
    """A cohort of outcomes screening, none, interval, none, and a run on it."""
    index = make_cohort_set(tmp_path / 'set', size=(32, 24)) / 'annotations/test.json'
    rng = np.random.default_rng(0)
    rows = [
        ScoreRow(
            str(image.image_id),
            image.exam_id,
            image.patient_id,
            image.laterality.value,
            image.view.value,
            'test',
            (False,),
            (float(rng.random()),),
        )
        for image in read_index(index).images
    ]
    write_scores(tmp_path / 'scores.csv', rows)
    return index, read_run(tmp_path / 'scores.csv', 'model')


def without(index, *names, outcome='screening'):
    """The index, where the exams of an outcome lack some labels."""

    def edited(image):
        if image.labels['exam_outcome'] != outcome:
            return image
        return replace(image, labels={name: value for name, value in image.labels.items() if name not in names})

    prepared = read_index(index)
    write_index(index, replace(prepared, images=tuple(map(edited, prepared.images))))


def test_a_cancer_of_unknown_side_is_a_cancer(scored):
    index, run = scored
    without(index, 'cancer', 'outcome')
    (found,), notes = labelled([run], [index], 'cancer')
    assert found.labels.tolist() == [True, False, True, False] and notes == []


def test_exams_of_unknown_label_are_left_out_with_a_count(scored):
    index, run = scored
    without(index, 'cancer', 'outcome', 'exam_outcome')
    first, second = labelled([run, replace(run, name='other')], [index], 'cancer')[0]
    assert first.exams == second.exams == ('test_001', 'test_002', 'test_003')
    assert first.labels.tolist() == [False, True, False] and len(first.scores) == 3
    notes = labelled([run], [index], 'cancer')[1]
    assert notes == ["1 of 4 exams left out: 'cancer' is not known of all their images"]


def test_a_run_without_any_known_label_is_refused(scored):
    index, run = scored
    without(index, 'cancer', 'outcome', 'exam_outcome')
    one = restricted(run, {'test_000'})
    with pytest.raises(MammoError, match=r"model: labels: found 'cancer' of none of 1 exams"):
        labelled([one], [index], 'cancer')
