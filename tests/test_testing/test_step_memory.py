"""Memory of steps that can be reckoned by hand: float32 tensors of 4 bytes a value."""

import pytest
import torch
from torch import nn

from mmmammo.testing.step_memory import kept_for_gradient, memory_of, peak_memory

BATCH = 3


def backward(model, images):
    def step():
        model(images).sum().backward()

    return step


def test_weights_are_not_counted_as_activations():
    model = nn.Sequential(nn.Linear(500, 200), nn.Linear(200, 100))
    kept = memory_of(backward(model, torch.ones(BATCH, 500)), model)
    assert kept == 4 * BATCH * (500 + 200)  # the inputs of both layers, and not the 200 x 100 weight of the second


def test_buffers_are_not_counted_either():
    model = nn.Sequential(nn.Conv2d(1, 8, 1), nn.BatchNorm2d(8)).eval()
    kept = kept_for_gradient(backward(model, torch.ones(BATCH, 1, 10, 10)), model)
    assert kept == 4 * BATCH * 100 * (1 + 8)


def test_frozen_weights_that_lead_to_a_gradient_of_the_pixels_take_nothing():
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.Conv2d(8, 4, 3)).requires_grad_(requires_grad=False)
    images = torch.ones(BATCH, 1, 10, 10, requires_grad=True)
    weights = sum(layer.weight.nbytes for layer in model)
    kept = kept_for_gradient(backward(model, images), model)
    everything = kept_for_gradient(backward(model, images), nn.Identity())  # which owns nothing
    assert everything - kept == weights


def test_a_tensor_kept_twice_counts_once():
    left, right = nn.Linear(50, 20), nn.Linear(50, 20)
    images = torch.ones(BATCH, 50)
    model = nn.ModuleList([left, right])
    assert kept_for_gradient(lambda: (left(images) + right(images)).sum().backward(), model) == 4 * BATCH * 50


def test_peak_is_of_what_lives_at_one_moment():
    model = nn.Sequential(nn.Linear(10, 2000), nn.Linear(2000, 20), nn.Linear(20, 3000))
    images = torch.ones(BATCH, 10)
    run = torch.no_grad()(lambda: model(images))
    assert peak_memory(run, 'cpu') == 4 * BATCH * (20 + 3000)  # the 2000 are gone by then
    assert peak_memory(lambda: None, 'cpu') == 0


def test_the_device_of_the_model_decides_not_what_the_machine_has(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    for name in ('memory_allocated', 'reset_peak_memory_stats', 'max_memory_allocated'):
        monkeypatch.setattr(torch.cuda, name, lambda *_: pytest.fail('the GPU was asked'))
    model = nn.Linear(50, 20)
    assert memory_of(backward(model, torch.ones(BATCH, 50)), model) == 4 * BATCH * 50


def test_a_gpu_is_asked_for_its_peak_by_name(monkeypatch):
    asked = []
    monkeypatch.setattr(torch.cuda, 'memory_allocated', lambda device: 100)
    monkeypatch.setattr(torch.cuda, 'reset_peak_memory_stats', asked.append)
    monkeypatch.setattr(torch.cuda, 'max_memory_allocated', lambda device: 170)
    assert peak_memory(lambda: asked.append('step'), 'cuda:1') == 70
    assert asked == ['cuda:1', 'step']
