"""Heatmaps of single views from a config and a checkpoint."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmmammo.apis import ExamInferencer, ResultWriter, SlidingWindow
from mmmammo.io import read_heatmap, write_png16
from mmmammo.phantom import PhantomConfig, make_exam
from mmmammo.prepare import PrepareOptions
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]
SLIDING = ROOT / 'configs' / 'patch' / 'patch_effnetv2s_phantom_sliding.py'
FINDINGS = 10


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """Of the classifier of patches, before any training."""
    cfg = Config.fromfile(ROOT / 'configs' / 'patch_effnetv2s_phantom.py')
    init_default_scope(cfg.default_scope)
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(cfg.model))
    path = tmp_path_factory.mktemp('weights') / 'epoch_1.pth'
    classes = tuple(f'finding{i}' for i in range(FINDINGS))
    torch.save({'state_dict': model.state_dict(), 'meta': {'dataset_meta': {'classes': classes}}}, path)
    return path


def view():
    rows, columns = np.ogrid[:200, :120]
    breast = (rows - 100) ** 2 + columns**2 < 90**2
    return (breast * (0.5 + 0.2 * np.random.default_rng(0).random((200, 120)))).astype(np.float32)


def test_a_view_gets_a_heatmap_per_finding(checkpoint):
    slide = SlidingWindow(SLIDING, checkpoint, settings={'stride': 32})
    heatmap = slide(view())
    assert slide.classes[0] == 'finding0'
    assert heatmap.values.shape == (FINDINGS, 7, 4)
    assert heatmap.shape == (200, 120)
    assert np.isfinite(heatmap.values[:, 3, 0]).all() and np.isnan(heatmap.values[:, 0, 3]).all()


def test_the_exam_inferencer_slides_too(checkpoint, tmp_path):
    """Boxes, regions and arrays come back in the pixels of the file: a right breast, mirrored and cut on the way."""
    view = next(view for view in make_exam(PhantomConfig(height=256), seed=3).views if view.name == 'R_CC')
    (tmp_path / 'exam').mkdir()
    write_png16(tmp_path / 'exam' / 'R_CC.png', view.image)
    infer = ExamInferencer(SLIDING, checkpoint, device='cpu', score_thr=0.0, options=PrepareOptions())
    result = infer(tmp_path)[0]
    image = result.images[0]
    assert image.heatmap.shape == image.prepared.pixels.shape
    regions = image.regions
    assert regions.shape == view.image.shape
    assert regions[:, :40].max() == 0 < regions[128, -5]  # air on the left, chest wall on the right
    with ResultWriter(tmp_path / 'out', infer.classes, {}, regions=True) as writer:
        assert writer.add(result).is_file()
    stored = read_heatmap(next((tmp_path / 'out' / 'regions').rglob('*.npz')))
    assert stored.classes == infer.classes
    row, column = np.argwhere(np.isfinite(stored.heatmap.strongest))[5]
    x, y = np.floor(stored.source_from_cell.points([column + 0.5, row + 0.5])).astype(int)
    assert regions[y, x] == pytest.approx(float(stored.heatmap.strongest[row, column]))


def test_other_configs_are_refused(checkpoint):
    with pytest.raises(MammoError, match=r'SlidingPatchDetector.*_sliding\.py'):
        SlidingWindow(ROOT / 'configs' / 'patch_effnetv2s_phantom.py', checkpoint)
