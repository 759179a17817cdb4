"""Pairs in data samples: by geometry, and by what the network sees."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from mmmammo.anatomy import GeometricPrior
from mmmammo.models import LesionMatcher, lesion_matcher
from mmmammo.models.lesion_matcher import BatchFeatures, box_means
from mmmammo.structures import BreastLandmarks, MammoError
from mmmammo.testing.exam_samples import view_sample

CONTOUR = [(0.0, 0.0), (70.0, 40.0), (80.0, 64.0), (70.0, 90.0), (0.0, 128.0)]
MARKS = BreastLandmarks(CONTOUR, (80.0, 64.0), ((0.0, 0.0), (0.0, 128.0)))


def box(x, y, size=10.0):
    return [x - size / 2, y - size / 2, x + size / 2, y + size / 2]


def sample(side, view, boxes, scores=None, **metainfo):
    made = view_sample('e', side, view, **{'landmarks': MARKS, **metainfo})
    made.pred_instances = InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        scores=torch.tensor([0.9] * len(boxes) if scores is None else scores),
        labels=torch.zeros(len(boxes), dtype=torch.long),
    )
    return made


def pairs_of(samples, levels=None, input_shape=(128, 96), **kwargs):
    LesionMatcher(**kwargs)(samples, None if levels is None else BatchFeatures(levels, input_shape))
    return [(p.image_id, p.detection, p.other_image_id, p.other_detection) for s in samples for p in s.lesion_pairs]


def test_depth_decides():
    cc, mlo = sample('L', 'CC', [box(70, 30), box(20, 90)]), sample('L', 'MLO', [box(20, 20), box(70, 100)])
    assert pairs_of([mlo, cc]) == [('e-L-CC', 0, 'e-L-MLO', 1), ('e-L-CC', 1, 'e-L-MLO', 0)]


def test_weak_detections_are_not_paired():
    samples = [sample('L', 'CC', [box(70, 30), box(70, 50)], [0.05, 0.5]), sample('L', 'MLO', [box(70, 30)])]
    assert pairs_of(samples) == [('e-L-CC', 1, 'e-L-MLO', 0)]


@pytest.mark.parametrize(
    'samples',
    [
        [sample('L', 'CC', [box(70, 30)]), sample('R', 'MLO', [box(70, 30)])],
        [sample('L', 'CC', [box(70, 30)]), sample('L', 'MLO', [box(70, 30)], landmarks=None)],
        [sample('L', 'CC', [box(70, 30)]), sample('L', 'ML', [box(70, 30)])],
        [sample('L', 'CC', []), sample('L', 'MLO', [box(70, 30)])],
        [sample('L', 'CC', [box(70, 30)]), sample('L', 'MLO', [box(10, 30)])],
    ],
    ids=['other breast', 'no landmarks', 'other projection', 'no detection', 'other depth'],
)
def test_what_is_not_paired(samples):
    assert pairs_of(samples) == []


def test_detections_of_two_classes_are_no_lesion():
    samples = [sample('L', view, [box(70, 30), box(72, 31)]) for view in ('CC', 'MLO')]
    samples[0].pred_instances.labels = torch.tensor([0, 1])
    samples[1].pred_instances.labels = torch.tensor([1, 0])
    assert pairs_of(samples) == [('e-L-CC', 0, 'e-L-MLO', 1), ('e-L-CC', 1, 'e-L-MLO', 0)]
    samples[1].pred_instances.labels = torch.tensor([2, 2])
    assert pairs_of(samples) == [] == pairs_of(samples, min_score=0.0)


def test_where_nothing_was_detected_no_operator_is_called(monkeypatch):
    """A GPU refuses to start a kernel for no region."""
    monkeypatch.setattr(lesion_matcher, 'roi_align', None)
    samples = [sample('L', view, [box(70, 30)], [0.05]) for view in ('CC', 'MLO')]
    assert pairs_of(samples, [torch.rand(2, 3, 16, 12)]) == []


def test_a_repeat_without_landmarks_yields_to_one_with_landmarks():
    samples = [
        sample('L', 'CC', [box(70, 30)], img_id=1, landmarks=None, quality=0.0),
        sample('L', 'CC', [box(70, 30)], img_id=2, quality=0.0),
        sample('L', 'MLO', [box(70, 30)], img_id=3),
    ]
    assert pairs_of(samples) == [(2, 0, 3, 0)]


def test_repeats_are_paired_with_the_best_of_the_other_projection():
    samples = [
        sample('L', 'CC', [box(70, 30)], img_id=1, quality=0.3),
        sample('L', 'MLO', [box(70, 30)], img_id=2),
        sample('L', 'CC', [box(70, 30)], img_id=3, quality=0.8),
    ]
    assert pairs_of(samples) == [(1, 0, 2, 0), (3, 0, 2, 0)]


def test_likeness_decides_where_geometry_does_not():
    """Two lesions at one depth in either view; the features at their places are alike crosswise."""
    places = [(40, 32), (40, 96)]
    samples = [sample('L', view, [box(*at, size=16) for at in places]) for view in ('CC', 'MLO')]
    levels = [torch.zeros(2, 4, 32, 24), torch.zeros(2, 4, 16, 12)]
    for image, order in enumerate(([0, 1], [1, 0])):
        for channel, (x, y) in zip(order, places, strict=True):
            levels[1][image, channel, y // 8 - 2 : y // 8 + 2, x // 8 - 2 : x // 8 + 2] = 1.0
    assert pairs_of(samples, levels) == [('e-L-CC', 0, 'e-L-MLO', 1), ('e-L-CC', 1, 'e-L-MLO', 0)]
    sure = samples[0].lesion_pairs[0].score
    pairs_of(samples, levels, appearance=0.0)
    assert samples[0].lesion_pairs[0].score < sure


@pytest.mark.parametrize('strength', [1.0, 6.0])
@pytest.mark.parametrize('depth', [0.0, 4.0, 8.0])
def test_two_detections_that_look_alike_are_no_less_likely_one_lesion_than_by_geometry(depth, strength):
    samples = [sample('L', 'CC', [box(40, 32, 16)]), sample('L', 'MLO', [box(40 + depth, 32, 16)])]
    level = torch.rand(2, 8, 16, 12, generator=torch.Generator().manual_seed(0)) / 10
    level[:, :3, 2:6, 3:8] += torch.tensor([strength, 1.0]).view(2, 1, 1, 1)
    by = {}
    for appearance in (0.0, 1.0):
        pairs_of(samples, [level], appearance=appearance)
        by[appearance] = samples[0].lesion_pairs[0].score
    assert by[1.0] > by[0.0]


def test_padding_is_not_looked_at():
    samples = [sample('L', view, [box(40, 32, 16), box(40, 96, 16)], img_shape=(128, 96)) for view in ('CC', 'MLO')]
    level = torch.rand(2, 8, 16, 12, generator=torch.Generator().manual_seed(0))
    pairs_of(samples, [level])
    before = [pair.score for pair in samples[0].lesion_pairs]
    pairs_of(samples, [torch.nn.functional.pad(level, (0, 4, 0, 8), value=100.0)], input_shape=(192, 128))
    assert [pair.score for pair in samples[0].lesion_pairs] == pytest.approx(before, abs=1e-6)


def test_resized_inputs_are_looked_at_in_their_own_pixels():
    """Boxes are in prepared pixels, features in those of the network input, twice as many."""
    samples = [sample('L', view, [box(40, 32, 16), box(40, 96, 16)], scale_factor=(2.0, 2.0)) for view in ('CC', 'MLO')]
    level = torch.zeros(2, 2, 32, 24)
    level[:, 0, :16], level[:, 1, 16:] = 1.0, 1.0
    assert {p[1] for p in pairs_of(samples, [level], (256, 192))} == {0, 1}
    assert all(p.detection == p.other_detection for p in samples[0].lesion_pairs)


def coordinate_level(input_shape, stride):
    """(1, 2, H, W): each pixel says where its centre lies in the input."""
    ys, xs = (stride * (torch.arange(-(-length // stride)) + 0.5) for length in input_shape)
    return torch.stack(torch.meshgrid(xs, ys, indexing='xy'))[None]


@pytest.mark.parametrize('strides', [(4, 8, 16, 32), (8, 16, 32, 64), (32, 16, 8)], ids=str)
@pytest.mark.parametrize('input_shape', [(128, 96), (100, 70)], ids=['whole pixels', 'cut at the border'])
def test_the_level_looked_at_is_told_by_its_shape(strides, input_shape):
    features = BatchFeatures([coordinate_level(input_shape, stride) for stride in strides], input_shape)
    assert features.at(8) is features.levels[strides.index(8)]


def test_a_level_of_another_stride_is_not_taken_for_it():
    with pytest.raises(MammoError, match=r'stride: found levels of \[\(8, 6\)\].*\(16, 12\), which is stride 8'):
        pairs_of([sample('L', 'CC', [box(70, 30)])], [torch.zeros(1, 2, 8, 6)])


@pytest.mark.parametrize('stride', [4, 8, 16])
def test_the_mean_of_the_places_in_a_box_is_its_centre(stride):
    level = coordinate_level((128, 96), stride).expand(2, -1, -1, -1)
    centres = [(40.0, 32.0), (50.0, 90.0), (33.0, 64.0)]
    boxes = [np.array([box(*at, size=16) for at in of_image]) for of_image in (centres[:2], centres[2:])]
    np.testing.assert_allclose(box_means(level, boxes, stride), centres, atol=1e-4)


def test_a_prior_is_read_from_its_file(tmp_path):
    rng = np.random.default_rng(0)
    prior = GeometricPrior((22, 26), rng.integers(0, 3, (22, 26)), rng.random((22, 2)), rng.random((26, 2)), 9)
    prior.save(tmp_path / 'prior.json')
    assert LesionMatcher(prior=str(tmp_path / 'prior.json')).nodes.shape == (22, 26)


def test_a_prior_of_other_corner_lines_is_refused():
    info = {'corner_mode': 'seed'}
    prior = GeometricPrior((22, 26), np.ones((22, 26)), np.zeros((22, 2)), np.zeros((26, 2)), 1, info)
    with pytest.raises(MammoError, match="corner_mode: found 'seed', of the prior; expected 'midpoint'"):
        LesionMatcher(prior=prior)
