"""Every config: loads, names only types that exist, builds on the CPU and takes one training step."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmmammo.registry import DATASETS, HOOKS, METRICS, MODELS
from mmmammo.testing.prepared_set import make_prepared_set

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / 'configs').rglob('*.py') if '_base_' not in p.parts)
SPLITS = ('train', 'val', 'test')


def load(name, data_root=None):
    cfg = Config.fromfile(ROOT / name)
    init_default_scope(cfg.default_scope)
    cfg.model.backbone.init_cfg = None
    for neck in cfg.model.neck if isinstance(cfg.model.neck, list) else []:
        if 'prior' in neck:
            neck.prior = None
    for split in SPLITS:
        loader = cfg[f'{split}_dataloader']
        loader.num_workers = 0
        loader.persistent_workers = False
        loader.dataset.data_root = str(data_root or loader.dataset.data_root)
    return cfg


@pytest.fixture(scope='module')
def prepared(tmp_path_factory):
    return make_prepared_set(tmp_path_factory.mktemp('set'), size=(96, 72))


def shrink(cfg, size=(96, 96)):
    """Read images at a size at which one step of a full model takes a second."""
    for split in SPLITS:
        for step in cfg[f'{split}_dataloader'].dataset.pipeline:
            if step.type == 'Resize':
                step.scale = size
    return cfg


def test_the_headline_configs_are_there():
    assert {f'configs/{m}_{d}.py' for m in ('agrcnn', 'maskrcnn') for d in ('cbis', 'phantom')} <= set(CONFIGS)


@pytest.mark.parametrize('name', CONFIGS)
def test_splits_name_different_files_and_one_folder(name):
    cfg = Config.fromfile(ROOT / name)
    files = [cfg[f'{split}_dataloader'].dataset.ann_file for split in SPLITS]
    assert len(set(files)) == 3
    roots = {cfg[f'{split}_dataloader'].dataset.data_root.rstrip('/') for split in SPLITS}
    assert roots == {cfg.data_root.rstrip('/')}
    assert cfg.default_scope == 'mmdet'
    assert cfg.get('work_dir') is None


@pytest.mark.parametrize('name', CONFIGS)
def test_missing_data_names_the_command(name, tmp_path):
    cfg = load(name, tmp_path / 'nowhere')
    with pytest.raises(ValueError, match=r'nowhere.*Remedy.*tools/prepare_dataset\.py'):
        DATASETS.build(cfg.train_dataloader.dataset)


@pytest.mark.parametrize('name', CONFIGS)
def test_learning_rate_scales_from_the_batch_it_was_chosen_for(name):
    cfg = Config.fromfile(ROOT / name)
    assert cfg.auto_scale_lr.base_batch_size == cfg.train_dataloader.batch_size
    assert not cfg.auto_scale_lr.enable


@pytest.mark.parametrize('name', CONFIGS)
def test_evaluators_and_hooks_build(name):
    cfg = load(name)
    for split in ('val', 'test'):
        for evaluator in cfg[f'{split}_evaluator']:
            assert METRICS.build(evaluator).prefix
    for hook in cfg.get('custom_hooks', []):
        stages = HOOKS.build(copy.deepcopy(hook)).stages
        assert sum(stage.epochs for stage in stages) == cfg.train_cfg.max_epochs


@pytest.mark.parametrize('name', CONFIGS)
def test_one_training_step_and_one_prediction(name, prepared):
    torch.manual_seed(0)
    cfg = shrink(load(name, prepared))
    cfg.model.roi_head.bbox_head.num_classes = cfg.model.roi_head.mask_head.num_classes = 2  # those of the tiny set
    model = MODELS.build(copy.deepcopy(cfg.model))
    batch = next(iter(Runner.build_dataloader(cfg.train_dataloader)))
    data = model.data_preprocessor(batch, training=True)
    loss, logged = model.parse_losses(model(**data, mode='loss'))
    loss.backward()
    assert torch.isfinite(loss) and loss > 0
    assert {'loss_rpn_cls', 'loss_cls', 'loss_bbox'} <= set(logged)
    model.eval()
    with torch.no_grad():
        samples = model.test_step(next(iter(Runner.build_dataloader(cfg.test_dataloader))))
    for sample in samples:
        height, width = sample.ori_shape[:2]
        boxes = sample.pred_instances.bboxes
        assert (boxes >= 0).all() and (boxes[:, 2] <= width + 1e-3).all() and (boxes[:, 3] <= height + 1e-3).all()


@pytest.mark.parametrize('name', [name for name in CONFIGS if 'agrcnn' in Path(name).name])
def test_missing_prior_names_the_command(name, tmp_path):
    cfg = Config.fromfile(ROOT / name)
    init_default_scope(cfg.default_scope)
    cfg.model.backbone.init_cfg = None
    cfg.model.neck[1].prior = str(tmp_path / 'prior.json')
    with pytest.raises(ValueError, match=r'prior\.json.*Remedy.*build_geometric_prior\.py'):
        MODELS.build(cfg.model)
