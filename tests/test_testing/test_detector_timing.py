"""What benchmarks of detectors share: batches, settings, turns, devices."""

import argparse

import pytest
import torch

from mmmammo.testing.benchmark_options import usable_device, whole_number
from mmmammo.testing.detector_timing import alternate, build_pair, describe, noise_exams, timed, with_setting


@pytest.fixture(scope='module')
def model():
    return build_pair('small', 'cpu')[1]


def weight_of(model):
    return model.backbone.layer1[0].conv1.weight


def test_exams_of_a_batch_are_apart():
    batch = noise_exams((64, 48), 2)
    assert [image.shape for image in batch['inputs']] == [(1, 64, 48)] * 8
    assert [sample.exam_id for sample in batch['data_samples']] == ['exam0'] * 4 + ['exam1'] * 4
    assert not torch.equal(batch['inputs'][0], batch['inputs'][4])


@pytest.mark.parametrize(
    ('setting', 'channels_last', 'bfloat16'),
    [
        ('as-is', False, False),
        ('channels-last', True, False),
        ('bf16', False, True),
        ('channels-last+bf16', True, True),
        ('speed_up', True, False),
        ('speed_up+bf16', True, True),
    ],
)
def test_a_setting_changes_a_copy(model, setting, channels_last, bfloat16):
    changed = with_setting(model, setting)
    assert changed.data_preprocessor.channels_last is channels_last
    assert weight_of(changed).is_contiguous(memory_format=torch.channels_last) is channels_last
    assert ('forward' in vars(changed.backbone)) is bfloat16
    assert changed.training is not setting.startswith('speed_up')
    assert not model.data_preprocessor.channels_last and 'forward' not in vars(model.backbone)
    assert weight_of(model).is_contiguous()


def test_sides_run_in_turns_and_the_first_turn_is_not_counted():
    calls = []
    times = alternate([lambda: calls.append('a'), lambda: calls.append('b')], 2, 'cpu')
    assert calls == ['a', 'b'] * 3
    assert [len(of_side) for of_side in times] == [2, 2]


def test_a_cpu_is_timed_and_named_as_one_beside_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'synchronize', lambda *_: pytest.fail('the GPU was asked'))
    assert timed(lambda: None, 'cpu') >= 0
    assert describe('cpu').startswith('CPU, ')


def test_a_gpu_is_waited_for_before_and_after(monkeypatch):
    calls = []
    monkeypatch.setattr(torch.cuda, 'synchronize', calls.append)
    timed(lambda: calls.append('run'), 'cuda:1')
    assert calls == ['cuda:1', 'run', 'cuda:1']


@pytest.mark.parametrize('text', ['cuda:99', 'meta', 'abacus'])
def test_a_device_that_cannot_be_used_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f'found {text}.*expected cpu'):
        usable_device(text)


@pytest.mark.parametrize('text', ['0', '-1', '1.5', 'four'])
def test_a_number_of_exams_is_whole(text):
    with pytest.raises(argparse.ArgumentTypeError, match='expected a whole number from 1 on'):
        whole_number(text)
