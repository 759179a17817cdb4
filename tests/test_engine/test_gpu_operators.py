"""A GPU without operators is told before a detector is trained, and does not matter to classifiers."""

import pytest
import torch
from mmdet.models import BaseDetector
from torch import nn

from mmmammo.engine import gpu_operators
from mmmammo.structures import MammoError


class Detector(BaseDetector):
    """With one parameter, wherever it pretends to be."""

    def __init__(self):
        nn.Module.__init__(self)

    loss = predict = _forward = extract_feat = None

    def parameters(self, recurse=True):
        yield torch.empty(0, device='meta').requires_grad_() if self.place == 'meta' else OnGPU()


class OnGPU:
    device = torch.device('cuda', 0)


@pytest.mark.parametrize(
    ('compiled', 'place', 'is_refused'),
    [('not available', 'cuda', True), ('13.0', 'cuda', False), ('not available', 'meta', False)],
)
def test_a_detector_needs_operators_of_its_gpu(monkeypatch, compiled, place, is_refused):
    monkeypatch.setattr(gpu_operators, 'get_compiling_cuda_version', lambda: compiled)
    model = Detector()
    model.place = place
    if is_refused:
        with pytest.raises(MammoError, match=r'cuda:0: operators of mmcv: found those for the CPU only.*CUDA_VISIBLE_'):
            gpu_operators.require_operators(model)
    else:
        gpu_operators.require_operators(model)
    gpu_operators.require_operators(nn.Linear(1, 1))
