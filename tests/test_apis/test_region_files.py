"""From exams through IHRRB-DINO to high-risk regions on disk."""

import copy
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmmammo.apis import ExamInferencer, ResultWriter
from mmmammo.apis.exam_files import panel_view
from mmmammo.apis.runs import build_runner, for_testing, set_launcher
from mmmammo.phantom import PhantomConfig, make_exam
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError
from mmmammo.visualization import region_map

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
CONFIG = CONFIGS / 'ihrrb_dino_r50_4scale_phantom.py'


@pytest.fixture(scope='module')
def exam(tmp_path_factory):
    """The result of an untrained detector on four PNGs."""
    root = tmp_path_factory.mktemp('exam')
    for view in make_exam(PhantomConfig(height=256), seed=3, index=0).views:
        (root / 'files' / 'one').mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / 'files' / 'one' / f'{view.name}.png'), (view.image * 65535).astype(np.uint16))
    torch.manual_seed(0)
    cfg = for_testing(Config.fromfile(CONFIG))
    init_default_scope(cfg.default_scope)
    model = MODELS.build(copy.deepcopy(cfg.model))
    meta = {'dataset_meta': {'classes': ('mass',)}}
    torch.save({'state_dict': model.state_dict(), 'meta': meta}, root / 'epoch_1.pth')
    return ExamInferencer(CONFIG, root / 'epoch_1.pth', device='cpu', score_thr=0.0)(root / 'files')[0]


def test_regions_lie_in_the_pixels_of_the_files(exam, tmp_path):
    with ResultWriter(tmp_path, ('mass',), {}, regions=True) as writer:
        writer.add(exam)
    written = json.loads((tmp_path / 'detections.json').read_text())['exams'][0]['images']
    assert len({image['regions'] for image in written}) == 4
    for image, entry in zip(exam.images, written, strict=True):
        stored = cv2.imread(str(tmp_path / entry['regions']), cv2.IMREAD_UNCHANGED)
        assert stored.dtype == np.uint16 and stored.shape == (entry['height'], entry['width'])
        expected = region_map(image.boxes, image.scores, stored.shape)
        np.testing.assert_allclose(stored / 65535, expected, atol=1e-5)
        assert stored.max() > 0


def test_without_the_option_there_are_no_regions(exam, tmp_path):
    with ResultWriter(tmp_path, ('mass',), {}) as writer:
        writer.add(exam)
    assert not (tmp_path / 'regions').exists()
    assert 'regions' not in json.loads((tmp_path / 'detections.json').read_text())['exams'][0]['images'][0]


def test_regions_and_no_panels(exam, tmp_path):
    with ResultWriter(tmp_path, ('mass',), {}, regions=True, panels=False) as writer:
        assert writer.add(exam) is None
    entry = json.loads((tmp_path / 'detections.json').read_text())['exams'][0]['images'][0]
    assert (tmp_path / entry['regions']).is_file() and not (tmp_path / 'panels').exists()


def test_the_panel_shows_them_on_the_prepared_image(exam):
    image = exam.images[0]
    view = panel_view(image, regions=True)
    assert view.regions.shape == image.prepared.pixels.shape and view.regions.max() > 0
    assert panel_view(image).regions is None


def test_shards_need_several_processes():
    cfg = Config.fromfile(CONFIGS / 'ihrrb_dino' / 'ihrrb_dino_swinl_4scale_phantom_fsdp.py')
    set_launcher(cfg, 'none')
    with pytest.raises(
        MammoError, match=r'strategy: found mmmammo\.WholeNormFSDPStrategy in a run of one process.*dist_train\.sh'
    ):
        build_runner(cfg)
