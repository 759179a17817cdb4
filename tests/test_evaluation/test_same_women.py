"""Runs on different prepared sets, whose exams have the same ids, are told apart."""

from dataclasses import replace

import numpy as np
import pytest

from mmmammo.evaluation.summary.cohort import read_cohort_exams
from mmmammo.evaluation.summary.exam_labels import labelled
from mmmammo.evaluation.summary.exam_rows import exam_table
from mmmammo.evaluation.summary.exam_runs import read_run
from mmmammo.evaluation.summary.known_images import KnownImage
from mmmammo.evaluation.summary.same_women import SaidOfImages, require_same_women
from mmmammo.io.exam_index import read_index, write_index
from mmmammo.io.predictions import write_predictions
from mmmammo.io.score_files import ScoreRow, write_scores
from mmmammo.structures import ImagePrediction, MammoError
from mmmammo.testing.cohort_set import make_cohort_set

IMAGE = KnownImage(
    'e1',
    patient_id='w1',
    image_id='7',
    laterality='L',
    view='CC',
    lesions='some',
    labels={'cancer': 1, 'implant': False, 'age': 62, 'birads': '4A'},
)


def check(first, second):
    require_same_women([SaidOfImages('first', first), SaidOfImages('second', second)])


def labelled_as(**labels):
    return replace(IMAGE, labels={**IMAGE.labels, **labels})


@pytest.mark.parametrize(
    ('other', 'said'),
    [
        (replace(IMAGE, patient_id='w2'), 'patient_id: found w2;.* expected w1'),
        (labelled_as(cancer=0), r'cancer: found 0 \(L CC\);.* expected 1'),
        (labelled_as(birads='5'), r'birads: found 5 .* expected 4A'),
        (labelled_as(age=63), 'age: found 63;.* expected 62'),
        (replace(IMAGE, lesions='none'), 'lesions: found none .* expected some'),
    ],
    ids=['patient', 'cancer', 'birads', 'age', 'lesions'],
)
def test_a_contradiction_names_exam_field_and_both_values(other, said):
    with pytest.raises(MammoError, match=rf'^second, exam e1: {said}.* in first.*data_root=DIR'):
        check([IMAGE], [other])


@pytest.mark.parametrize(
    'other',
    [
        labelled_as(cancer='1', implant='False', age='62.0'),
        labelled_as(fold=3),
        KnownImage('e1', image_id='x', laterality='L', view='CC'),
        replace(labelled_as(cancer=0), laterality='R', image_id='8', lesions=''),
        replace(IMAGE, exam_id='e2', patient_id='w2', labels={}),
    ],
    ids=['as text', 'another cut', 'says nothing', 'the other breast', 'another exam'],
)
def test_what_does_not_contradict_is_left_alone(other):
    check([IMAGE], [other])
    check([other], [IMAGE])
    with pytest.raises(MammoError, match='cancer: found 0'):  # nor does it hide what does
        check([IMAGE, other], [labelled_as(cancer=0)])


def test_one_of_several_images_of_a_place_may_agree():
    other_copy = replace(IMAGE, image_id='8', lesions='none')
    check([IMAGE, other_copy], [IMAGE])
    check([other_copy, IMAGE], [other_copy])
    with pytest.raises(MammoError, match='lesions: found some'):
        check([other_copy], [IMAGE])


def test_rows_that_are_breasts_or_exams_are_compared_as_such():
    breast = replace(IMAGE, image_id='', view='', lesions='')
    check([IMAGE, replace(labelled_as(cancer=0), laterality='R', image_id='8')], [breast])
    with pytest.raises(MammoError, match=r'cancer: found 0 \(L\)'):
        check([IMAGE], [replace(breast, labels={'cancer': 0})])
    with pytest.raises(MammoError, match='cancer: found 0; 1 of 1 shared exams'):
        check([IMAGE], [KnownImage('e1', labels={'cancer': 0})])


def test_an_image_id_belongs_to_one_exam():
    moved = [replace(IMAGE, exam_id='e2', patient_id='w2', labels={}), KnownImage('e1')]
    with pytest.raises(MammoError, match=r'second, exam e2: exam of image 7: found e2;.* expected e1'):
        check([IMAGE, KnownImage('e2')], moved)


def test_every_pair_is_compared():
    blank = KnownImage('e1')
    with pytest.raises(MammoError, match=r'^third, exam e1: cancer.*in second'):
        require_same_women(
            [
                SaidOfImages('first', [blank]),
                SaidOfImages('second', [IMAGE]),
                SaidOfImages('third', [labelled_as(cancer=0)]),
            ]
        )


@pytest.fixture
def cohort(tmp_path):
    """Two sets of the same ids with other women, and a classifier's and a detector's run on the first."""
    here, there = (
        make_cohort_set(tmp_path / name, size=(32, 24)) / 'annotations/test.json' for name in ('here', 'there')
    )
    prepared = read_index(there)
    moved = [replace(image, labels=prepared.images[i - 4].labels) for i, image in enumerate(prepared.images)]
    moved = [replace(image, findings=prepared.images[i - 4].findings) for i, image in enumerate(moved)]
    write_index(there, replace(prepared, images=tuple(moved)))
    rng = np.random.default_rng(0)
    for index, name in ((here, 'here'), (there, 'there')):
        images = read_index(index).images
        rows = [
            ScoreRow(
                str(image.image_id),
                image.exam_id,
                image.patient_id,
                image.laterality.value,
                image.view.value,
                'test',
                (image.labels['cancer'] == 1,),
                (float(rng.random()),),
                image.labels,
            )
            for image in images
        ]
        write_scores(tmp_path / f'{name}.csv', rows)
        boxes = [np.array([one.bbox for one in image.findings]).reshape(-1, 4) for image in images]
        found = [
            ImagePrediction(
                image_id=image.image_id,
                width=image.width,
                height=image.height,
                exam_id=image.exam_id,
                patient_id=image.patient_id,
                laterality=image.laterality.value,
                view=image.view.value,
                gt_boxes=box,
                gt_labels=np.zeros(len(box), np.int64),
            )
            for image, box in zip(images, boxes, strict=True)
        ]
        write_predictions(tmp_path / name / 'predictions.json', found, ['mass'])
    return tmp_path, here, there


def test_runs_on_one_set_and_its_annotations_agree(cohort):
    folder, here, _ = cohort
    runs = [read_run(folder / 'here.csv', 'classifier'), read_run(folder / 'here', 'detector')]
    runs, notes = labelled(runs, [here], 'cancer')
    assert [row.name for row in exam_table(runs, bootstrap=0)] == ['classifier', 'detector'] and notes == []
    assert read_cohort_exams({'classifier': folder / 'here.csv'}, [here]).ids == runs[0].exams


def test_runs_on_two_sets_are_refused(cohort):
    folder, here, there = cohort
    runs = {'here': folder / 'here.csv', 'there': folder / 'there.csv'}
    said = r'there, exam test_000: exam_outcome: found none; 4 of 4 shared exams .* expected screening, as in here'
    with pytest.raises(MammoError, match=said):
        exam_table([read_run(path, name) for name, path in runs.items()], bootstrap=0)
    with pytest.raises(MammoError, match=said):
        read_cohort_exams(runs)
    with pytest.raises(MammoError, match=r'here, exam test_000: exam_outcome: .*in the annotations'):
        read_cohort_exams({'here': folder / 'here.csv'}, [there])


def test_annotations_of_another_set_are_refused(cohort):
    folder, here, there = cohort
    with pytest.raises(MammoError, match=r'classifier, exam test_000: exam_outcome: found screening;.* expected none'):
        labelled([read_run(folder / 'here.csv', 'classifier')], [there], 'cancer')
    with pytest.raises(MammoError, match=r'detector, exam test_000: lesions: found some .* expected none'):
        labelled([read_run(folder / 'here', 'detector')], [there], 'cancer')
    mixed = [read_run(folder / 'here.csv', 'classifier'), read_run(folder / 'there', 'detector')]
    for index, odd in ((here, 'detector'), (there, 'classifier')):
        with pytest.raises(MammoError, match=f'^{odd}, exam'):
            labelled(mixed, [index], 'cancer')
