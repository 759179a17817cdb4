"""Transforms of a whole exam."""

import copy

import numpy as np
import pytest

from mmmammo.datasets.transforms import ExamFlip, ExamViewDropout
from mmmammo.datasets.transforms.tracking import current_affine
from mmmammo.structures import MammoError, pair_views
from mmmammo.testing.prepared_set import ellipse_landmarks

VIEWS = [('L', 'CC'), ('L', 'MLO'), ('R', 'CC'), ('R', 'MLO'), ('U', 'CC')]


def make_exam():
    return [
        {
            'exam_id': 'a',
            'laterality': laterality,
            'view': view,
            'width': 100,
            'height': 120,
            'landmarks': ellipse_landmarks((120, 100), view),
            'instances': [{'bbox': [10.0, 20.0, 30.0, 50.0], 'mask': [[10.0, 20, 30, 20, 30, 50]], 'bbox_label': 0}],
        }
        for laterality, view in VIEWS
    ]


def sides(exam):
    return ''.join(record['laterality'] for record in exam)


def test_swap_exchanges_sides_and_nothing_else():
    exam = make_exam()
    flipped = ExamFlip(prob=1)(copy.deepcopy(exam))
    assert sides(flipped) == 'RRLLU'
    for before, after in zip(exam, flipped, strict=True):
        assert after['instances'] == before['instances']
        assert 'mirrored' not in after and 'homography_matrix' not in after


def test_swap_keeps_every_partner():
    exam = make_exam()
    partners = [
        pair_views([r['exam_id'] for r in records], [r['laterality'] for r in records], [r['view'] for r in records])
        for records in (exam, ExamFlip(prob=1)(exam))
    ]
    np.testing.assert_array_equal(partners[0], partners[1])


def test_mirrored_pixels_move_boxes_masks_and_landmarks():
    record = ExamFlip(prob=1, mirror_pixels=True)(make_exam())[0]
    assert record['mirrored'] is True
    assert record['instances'][0]['bbox'] == [70, 20, 90, 50]
    assert record['instances'][0]['mask'] == [[90, 20, 70, 20, 70, 50]]
    nipple = ellipse_landmarks((120, 100), 'CC').nipple
    np.testing.assert_allclose(current_affine(record).points(record['landmarks'].nipple), [100 - nipple[0], nipple[1]])


@pytest.mark.parametrize('mirror_pixels', [False, True])
def test_twice_is_not_at_all(mirror_pixels):
    flip = ExamFlip(prob=1, mirror_pixels=mirror_pixels)
    exam = make_exam()
    twice = flip(flip(copy.deepcopy(exam)))
    assert sides(twice) == sides(exam)
    for before, after in zip(exam, twice, strict=True):
        assert after['instances'] == before['instances']
        assert not after.get('mirrored', False)
        np.testing.assert_array_equal(current_affine(after).matrix, np.eye(3))


def test_whole_exam_or_nothing():
    np.random.seed(0)
    flip = ExamFlip(prob=0.5)
    seen = [sides(flip(make_exam())) for _ in range(60)]
    assert set(seen) == {'LLRRU', 'RRLLU'}
    assert 15 < seen.count('RRLLU') < 45


def test_the_exam_given_is_not_written_to():
    exam = make_exam()
    ExamFlip(prob=1, mirror_pixels=True)(exam)
    assert sides(exam) == 'LLRRU' and exam[0]['instances'][0]['bbox'] == [10, 20, 30, 50]


def test_dropout_keeps_order_and_at_least_one_view():
    np.random.seed(0)
    lengths = []
    for _ in range(100):
        kept = [VIEWS.index((r['laterality'], r['view'])) for r in ExamViewDropout(0.7)(make_exam())]
        assert kept == sorted(set(kept))
        lengths.append(len(kept))
    assert min(lengths) == 1 and 1.2 < np.mean(lengths) < 2.2


def test_dropout_extremes():
    assert len(ExamViewDropout(0)(make_exam())) == len(VIEWS)
    assert len(ExamViewDropout(1)(make_exam())) == 1


@pytest.mark.parametrize('transform', [ExamFlip, ExamViewDropout])
def test_probability_beyond_one_is_named(transform):
    with pytest.raises(MammoError, match=f'{transform.__name__}: prob'):
        transform(prob=2)
