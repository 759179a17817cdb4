"""Every config: loads, names only types that exist, builds on the CPU and takes one training step."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmmammo.evaluation.metrics.detection_metric import image_prediction
from mmmammo.io import write_png16
from mmmammo.registry import DATASETS, HOOKS, METRICS, MODELS
from mmmammo.testing.cohort_set import make_cohort_set

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / 'configs').rglob('*.py') if '_base_' not in p.parts)
JUDGING = ('malignancy', 'holistic', 'attention', 'ensemble', 'saliency', 'nyu', 'mil', 'patch', 'selfdistill')
JUDGES = [name for name in CONFIGS if Path(name).name.startswith(JUDGING) or 'rsna/' in name]
"""Classifiers, which predict no boxes."""
SPLITS = ('train', 'val', 'test')
VIEW_STEPS = [
    f'mmmammo.{name}' for name in ('ResizeToWidth', 'CentreCrop', 'RandomRigidCrop', 'AddOverview', 'CropAtAttention')
]


def load(name, data_root=None):
    cfg = Config.fromfile(ROOT / name)
    init_default_scope(cfg.default_scope)
    cfg.model.backbone.init_cfg = None
    for neck in cfg.model.neck if isinstance(cfg.model.get('neck'), list) else []:
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
    root = make_cohort_set(tmp_path_factory.mktemp('set'), (4, 2, 2), size=(96, 72))
    for image in sorted((root / 'images').rglob('*.png')):  # heatmaps of a patch classifier beside them
        for name in ('benign', 'malignant'):
            path = root / 'heatmaps' / image.relative_to(root / 'images').with_stem(f'{image.stem}_{name}')
            path.parent.mkdir(parents=True, exist_ok=True)
            write_png16(path, np.zeros((96, 72), dtype=np.float32))
    return root


def update(model, cfg, loss):
    """One step of the config's own optimiser; not in half precision, which takes a GPU."""
    settings = {key: value for key, value in cfg.optim_wrapper.items() if key not in ('loss_scale', 'dtype')}
    wrapper = build_optim_wrapper(model, copy.deepcopy(settings) | {'type': 'OptimWrapper', 'accumulative_counts': 1})
    before = [parameter.detach().clone() for parameter in model.parameters()]
    wrapper.update_params(loss)
    after = list(model.parameters())
    assert all(torch.isfinite(parameter).all() for parameter in after)
    assert not all(map(torch.equal, before, after))


def steps_of(pipeline):
    """The transforms of a pipeline, those of its random choices included."""
    for step in pipeline:
        if isinstance(step, list):
            yield from steps_of(step)
        else:
            yield step
            yield from steps_of(step.get('transforms', []) if step.type == 'RandomChoice' else [])


def shrink_dino(model):
    """One layer each way, 20 queries, a block per stage of Swin; test_dino_configs.py has the full size."""
    model.encoder.update(num_layers=1, num_cp=min(1, model.encoder.get('num_cp', 0)))
    model.decoder.num_layers = 1
    model.num_queries, model.test_cfg.max_per_img = 20, 10
    if 'depths' in model.backbone:
        model.backbone.depths = (1, 1, 1, 1)


def shrink(cfg, size=(96, 96)):
    """Read images at a size, and look at few enough regions, that one step of a full model takes a second."""
    if 'roi_head' in cfg.model:
        for proposals in (cfg.model.train_cfg.rpn_proposal, cfg.model.test_cfg.rpn):
            proposals.update(nms_pre=100, max_per_img=50)
        cfg.model.train_cfg.rcnn.sampler.num = 32
        cfg.model.test_cfg.rcnn.max_per_img = 5
    if 'dn_cfg' in cfg.model:
        shrink_dino(cfg.model)
    for split in SPLITS:
        for step in steps_of(cfg[f'{split}_dataloader'].dataset.pipeline):
            if step.type in ('Resize', 'mmmammo.SmoothResize'):
                step.scale = size
            elif step.type == 'mmmammo.CropFinding':
                step.size = size[0]
                cfg[f'{split}_dataloader'].batch_size = 2  # the tiny set has four findings
            elif step.type == 'mmmammo.NYUWindow':
                step.update(
                    sizes={'CC': (64, 48), 'MLO': (72, 40)}, iterations=2, buffer=1, position_noise=2, size_noise=2
                )
                cfg[f'{split}_dataloader'].batch_size = 2  # the tiny set has four exams
            elif step.type == 'mmmammo.CutPatch':
                shrink_window(cfg, step)
                cfg[f'{split}_dataloader'].batch_size = 2
            elif step.type == 'RandomChoiceResize':
                step.scales = [size]
            elif step.type == 'RandomCrop':
                step.crop_size = tuple(side // 2 for side in size)
            else:
                step.update({key: size[0] for key in ('width', 'size') if step.type in VIEW_STEPS and key in step})
    if cfg.train_dataloader.sampler.type == 'mmmammo.MatchedNegativesSampler':
        cfg.train_dataloader.batch_size = 2  # the tiny set has two positive images
    if 'sliding' in cfg.model:
        cfg.model.sliding.update(window=64, stride=32)  # as shrink_window
    if 'locator' in cfg.model:
        cfg.model.roi_size = size
    if 'rsna' in cfg.data_root:
        shrink_timm(cfg)
    return cfg


def shrink_timm(cfg):
    """A network of four small stages in place of timm's; test_rsna_configs.py has the full size."""
    channels = (32, 48, 64) if cfg.model.backbone.get('features_only') else 256
    cfg.model.backbone.update(model_name='test_efficientnet', pretrained=False)
    cfg.model.backbone.pop('channel_multiplier', None)
    cfg.model.head.in_channels = channels
    for split in SPLITS:
        cfg[f'{split}_dataloader'].batch_size = 2


def shrink_window(cfg, step):
    """Windows of two cells a side, with context of one where there is any; test_patch_configs.py has the full size."""
    step.update(size=64, context=32 if step.context else 0)
    if 'cells' in cfg.model.head:
        cfg.model.head.cells = 2
    if cfg.model.backbone.type == 'mmpretrain.SwinTransformer':
        cfg.model.backbone.pad_small_map = True  # its attention windows are larger than these


def set_classes(part, number):
    """Write ``num_classes`` wherever a part of the model has it."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        if key == 'num_classes':
            part[key] = number
        elif isinstance(value, dict | list):
            set_classes(value, number)


def test_the_headline_configs_are_there():
    systems = ('agrcnn', 'agdino', 'agrtmdet', 'maskrcnn', 'yolox', 'yolov3', 'detr')
    assert {f'configs/{system}_{data}.py' for system in systems for data in ('cbis', 'phantom')} <= set(CONFIGS)
    rows = ('r50_4scale', 'r50_5scale', 'swinl_4scale')
    assert {f'configs/ihrrb_dino_{row}_{data}.py' for row in rows for data in ('birads', 'phantom')} <= set(CONFIGS)


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
    per_process = cfg.train_dataloader.batch_size
    # paper 0's detectors: DINO's rate is for 8 processes; all others run as they are on one
    processes = 8 if 'dino' in name and cfg.data_root == 'data/birads/' else 1
    assert cfg.auto_scale_lr.base_batch_size == per_process * processes
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


@pytest.mark.parametrize('name', sorted(set(CONFIGS) - set(JUDGES)))
def test_one_training_step_and_one_prediction(name, prepared):
    torch.manual_seed(0)
    cfg = shrink(load(name, prepared))
    set_classes(cfg.model, 2)  # those of the tiny set
    model = MODELS.build(copy.deepcopy(cfg.model))
    batch = next(iter(Runner.build_dataloader(cfg.train_dataloader)))
    data = model.data_preprocessor(batch, training=True)
    loss, logged = model.parse_losses(model(**data, mode='loss'))
    update(model, cfg, loss)
    assert torch.isfinite(loss) and loss > 0
    assert {'loss', 'loss_cls'} <= set(logged)
    assert ('roi_head' in cfg.model) == ('loss_rpn_cls' in logged)
    model.eval()
    with torch.no_grad():
        samples = model.test_step(next(iter(Runner.build_dataloader(cfg.test_dataloader))))
    for sample in samples:
        height, width = sample.ori_shape[:2]
        boxes = image_prediction(sample.to_dict()).boxes
        assert (boxes >= 0).all() and (boxes <= [width, height, width, height]).all()
        assert np.isfinite(boxes).all() and (boxes[:, 2:] >= boxes[:, :2]).all()


@pytest.mark.parametrize('name', JUDGES)
def test_one_training_step_and_one_judgement(name, prepared):
    torch.manual_seed(0)
    cfg = shrink(load(name, prepared))
    model = MODELS.build(copy.deepcopy(cfg.model))
    loader = Runner.build_dataloader(cfg.train_dataloader)
    if 'locator' in cfg.model:  # as its hook does
        loader.dataset.attention_centres = {image['img_id']: (36.0, 48.0) for image in loader.dataset.iter_images()}
    batch = next(iter(loader))
    loss, _ = model.parse_losses(model(**model.data_preprocessor(batch, training=True), mode='loss'))
    update(model, cfg, loss)
    assert torch.isfinite(loss) and loss > 0
    model.eval()
    with torch.no_grad():
        samples = model.test_step(next(iter(Runner.build_dataloader(cfg.test_dataloader))))
    for sample in samples:
        assert ((sample.pred_score >= 0) & (sample.pred_score <= 1)).all()
        if len(sample.pred_score) == 2:  # a softmax; the view-wise model tells of malignant breasts alone
            assert float(sample.pred_score.sum()) == pytest.approx(1)


@pytest.mark.parametrize(
    'name', [name for name in CONFIGS if Path(name).name.startswith(('agrcnn', 'agdino', 'agrtm'))]
)
def test_missing_prior_names_the_command(name, tmp_path):
    cfg = Config.fromfile(ROOT / name)
    init_default_scope(cfg.default_scope)
    cfg.model.backbone.init_cfg = None
    cfg.model.neck[1].prior = str(tmp_path / 'prior.json')
    with pytest.raises(ValueError, match=r'prior\.json.*Remedy.*build_geometric_prior\.py'):
        MODELS.build(cfg.model)
