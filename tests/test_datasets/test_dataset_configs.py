"""The dataset configs: every loader, on a small set in the real format."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import MODELS
from mmengine.runner import Runner

from mmmammo.structures import MammoError
from mmmammo.testing.prepared_set import CATEGORIES

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / '_base_'
NAMES = ['cbis_exams', 'cbis_images', 'phantom_exams', 'phantom_images']
SPLITS = ['train', 'val', 'test']

pytestmark = pytest.mark.usefixtures('scope')


def load(name):
    return Config.fromfile(CONFIGS / 'datasets' / f'{name}.py')


def small_loader(name, split, root):
    loader = load(name)[f'{split}_dataloader']
    loader.update(num_workers=0, persistent_workers=False)
    loader.dataset.data_root = str(root)
    for step in loader.dataset.pipeline:
        if step.type in ('Resize', 'mmmammo.SmoothResize'):
            step.scale = (128, 104)
        if step.type == 'mmmammo.ElasticDeform':
            step.update(spacing=32, magnitude=3)
    return Runner.build_dataloader(loader, seed=0)


@pytest.mark.parametrize('split', SPLITS)
@pytest.mark.parametrize('name', NAMES)
def test_loader_delivers(name, split, prepared_root):
    loader = small_loader(name, split, prepared_root)
    assert loader.dataset.test_mode is (split != 'train')
    batch = next(iter(loader))
    assert len(batch['inputs']) == len(batch['data_samples'])
    assert {sample.exam_id.split('_')[0] for sample in batch['data_samples']} == {split}
    assert loader.dataset.metainfo['classes'] == CATEGORIES


@pytest.mark.parametrize('name', NAMES)
def test_splits_name_different_files(name):
    config = load(name)
    files = [config[f'{split}_dataloader'].dataset.ann_file for split in SPLITS]
    assert files == [f'annotations/{split}.json' for split in SPLITS]
    assert config.train_dataloader.dataset.disjoint_from == files[1:]
    assert config.val_dataloader.dataset.disjoint_from == files[2:]


@pytest.mark.parametrize('name', NAMES)
def test_exams_and_images_differ_in_type_and_collate_alone(name):
    config = load(name)
    exams = name.endswith('exams')
    for split in SPLITS:
        loader = config[f'{split}_dataloader']
        assert loader.dataset.type == ('mmmammo.ExamDataset' if exams else 'mmmammo.MammogramDataset')
        assert loader.collate_fn.type == ('mmmammo.exam_collate' if exams else 'pseudo_collate')
    twin = load(name.replace('exams', 'images') if exams else name.replace('images', 'exams'))
    assert config.train_dataloader.dataset.pipeline == twin.train_dataloader.dataset.pipeline


@pytest.mark.parametrize('name', NAMES)
def test_missing_data_ends_in_the_prepare_command(name, tmp_path):
    with pytest.raises(MammoError, match=r'python tools/prepare_dataset\.py'):
        small_loader(name, 'train', tmp_path / 'absent')


@pytest.mark.parametrize('name', NAMES)
def test_metrics_are_found_by_name(name):
    assert len(Evaluator(load(name).val_evaluator).metrics) == 2


def test_stock_detector_takes_a_batch_of_images(prepared_root):
    model = Config.fromfile(CONFIGS / 'models' / 'mask_rcnn_r18_small.py').model
    detector = MODELS.build(model)
    batch = next(iter(small_loader('phantom_images', 'train', prepared_root)))
    losses = detector(**detector.data_preprocessor(batch, training=True), mode='loss')
    assert {'loss_rpn_cls', 'loss_cls', 'loss_bbox', 'loss_mask'} <= set(losses)
    total, _ = detector.parse_losses(losses)
    assert total.isfinite() and total > 0
