"""From views of different sizes to one batch."""

import pytest
import torch

from mmmammo.models import ExamDataPreprocessor
from mmmammo.structures import MammoError
from mmmammo.testing.exam_samples import exam_batch


@pytest.fixture
def preprocessor():
    return ExamDataPreprocessor(pad_size_divisor=32, pad_mask=True)


def test_normalises_and_pads_with_black(preprocessor):
    views = [torch.full((1, 40, 30), 0.5), torch.zeros(1, 64, 20)]
    batch = preprocessor({'inputs': views, 'data_samples': None})['inputs']
    assert batch.shape == (2, 1, 64, 32)
    assert float(batch[0, 0, 0, 0]) == pytest.approx((0.5 - 0.459) / 0.226)
    black = -0.459 / 0.226
    torch.testing.assert_close(batch[1], torch.full((1, 64, 32), black))
    assert float(batch[0, 0, 50, 10]) == pytest.approx(black)


def test_exams_of_views_of_different_size(preprocessor):
    small, large = exam_batch(size=(64, 48), boxes=[[3, 4, 20, 30]]), exam_batch(size=(96, 80))
    both = {key: small[key] + large[key] for key in small}
    data = preprocessor(both, training=True)
    assert data['inputs'].shape == (8, 1, 96, 96)
    assert data['data_samples'][0].batch_input_shape == (96, 96)
    assert data['data_samples'][0].gt_instances.masks.masks.shape == (1, 96, 96)
    assert data['data_samples'][0].gt_instances.bboxes.tolist() == [[3, 4, 20, 30]]


def test_stacked_images(preprocessor):
    assert preprocessor({'inputs': torch.zeros(2, 1, 33, 32)})['inputs'].shape == (2, 1, 64, 32)


@pytest.mark.parametrize(
    ('inputs', 'message'),
    [
        ([[torch.zeros(1, 8, 8)] * 4], 'exam_collate'),
        ([torch.zeros(1, 8, 8, dtype=torch.uint8)], r'torch.uint8; expected float in \[0, 1\]'),
        ([torch.zeros(3, 8, 8)], '3 channels; expected 1'),
    ],
    ids=['unflattened exams', 'integers', 'colour'],
)
def test_other_inputs_are_refused(preprocessor, inputs, message):
    with pytest.raises(MammoError, match=message):
        preprocessor({'inputs': inputs, 'data_samples': None})


def test_black_of_unlike_channels_must_be_given():
    with pytest.raises(MammoError, match='pad_value'):
        ExamDataPreprocessor(mean=(0.4, 0.5, 0.6), std=(0.2, 0.2, 0.2))
    assert ExamDataPreprocessor(mean=(0.4, 0.5, 0.6), std=(0.2, 0.2, 0.2), pad_value=-2.0).pad_value == -2.0


def test_copies_of_the_grey_channel():
    data = {'inputs': torch.rand(2, 1, 32, 32), 'data_samples': None}
    grey = ExamDataPreprocessor()(data)['inputs']
    copied = ExamDataPreprocessor(copies=3)(data)['inputs']
    assert copied.shape == (2, 3, 32, 32)
    for channel in range(3):
        torch.testing.assert_close(copied[:, channel : channel + 1], grey)
