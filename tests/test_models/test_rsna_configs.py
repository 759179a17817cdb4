"""The networks of paper 2's configs at full size: how large they are, what they compute, and what the others change."""

import copy
import json
import math
from pathlib import Path

import pytest
import timm
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample

from mmmammo.registry import DATASETS, METRICS, MODELS, TRANSFORMS
from mmmammo.structures import MammoError
from mmmammo.testing.prepared_set import make_prepared_set

ROOT = Path(__file__).resolve().parents[2] / 'configs'
SIZES = {
    'rsna/baseline_effnetb4_rsna.py': 17_550_409,
    'rsna/preprocessed_effnetb6_rsna.py': 40_738_009,
    'rsna/multitask_effnetb3_rsna.py': 10_711_602,
    'rsna/multitask_effnetv2s_rsna.py': 20_190_298,
    'selfdistill_effnetv2s_rsna.py': 19_880_211,
}
TWINS = {
    'rsna/baseline_effnetb4_rsna.py': 'rsna/baseline_phantom.py',
    'rsna/larger_effnetb4_rsna.py': 'rsna/larger_phantom.py',
    'rsna/augmented_effnetb4_rsna.py': 'rsna/augmented_phantom.py',
    'rsna/preprocessed_effnetb4_rsna.py': 'rsna/preprocessed_phantom.py',
    'rsna/preprocessed_effnetb6_rsna.py': 'rsna/preprocessed_wide_phantom.py',
    'rsna/multitask_effnetb3_rsna.py': 'rsna/multitask_phantom.py',
    'rsna/multitask_effnetv2s_rsna.py': 'rsna/multitask_v2_phantom.py',
    'selfdistill_effnetv2s_rsna.py': 'selfdistill_phantom.py',
}


def read(name):
    return Config.fromfile(ROOT / name)


def build(name, **backbone):
    model = copy.deepcopy(read(name).model)
    model.backbone.update(pretrained=False, **backbone)
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(model)


@pytest.mark.parametrize('name', SIZES)
def test_parameters_are_those_of_the_published_networks(name):
    with torch.device('meta'):
        model = build(name)
    assert sum(parameter.numel() for parameter in model.parameters()) == SIZES[name]


def test_mish_takes_the_place_of_every_activation():
    with torch.device('meta'):
        model = build('selfdistill_effnetv2s_rsna.py')
    assert {type(module) for module in model.modules()}.isdisjoint({torch.nn.SiLU, torch.nn.ReLU})
    assert model.backbone.timm_model.feature_info.reduction() == [8, 16, 32]


def test_the_bottlenecks_of_the_hooks_have_their_published_size():
    with torch.device('meta'):
        head = build('selfdistill_effnetv2s_rsna.py').head
    sizes = [sum(parameter.numel() for parameter in hook[0].parameters()) for hook in head.hooks]
    assert sizes == [4_544, 27_680]


@pytest.mark.parametrize(('name', 'reached'), [('loss_hook0', 3), ('loss_hook1', 4), ('loss_cls', 5)])
def test_a_hook_teaches_the_network_up_to_its_stride(name, reached):
    model = build('selfdistill_phantom.py')
    stages = model.backbone.timm_model.blocks  # of strides 2, 4, 8, 16 and 32
    samples = [DataSample().set_gt_score(torch.tensor([label])) for label in (1.0, 0.0)]
    model(torch.rand(2, 3, 64, 64), samples, mode='loss')[name].backward()
    taught = [any(parameter.grad is not None for parameter in stage.parameters()) for stage in stages]
    assert taught == [number < reached for number in range(5)]


@pytest.mark.parametrize(
    ('name', 'ranges'),
    [
        ('augmented_effnetb4_rsna', [(-30, 30), (-0.1, 0.1), (0.8, 1.2), (0, 0)]),
        ('larger_effnetb4_rsna_as_published', [(30, 30), (0.1, 0.1), (0.3, 0.3), (20, 20)]),
        ('augmented_effnetb4_rsna_as_published', [(30, 30), (0.1, 0.1), (0.8, 1.2), (0, 0)]),
        ('preprocessed_effnetb4_rsna_as_published', [(30, 30), (0.1, 0.1), (0.8, 1.2), (0, 0)]),
    ],
)
def test_affine_is_what_the_notebooks_numbers_mean(name, ranges):
    steps = read(f'rsna/{name}.py').train_dataloader.dataset.pipeline
    (step,) = (step for step in steps if step.type == 'mmmammo.MammoAlbu')
    (affine,) = (t for t in TRANSFORMS.build(step).aug.transforms if type(t).__name__ == 'Affine')
    assert [affine.rotate, affine.translate_percent['x'], affine.scale['x'], affine.shear['x']] == ranges
    assert affine.translate_percent['x'] == affine.translate_percent['y'] and affine.p == 0.5


def test_a_submission_scores_images_without_diagnosis(relabelled):
    cfg = read('rsna/selfdistill_effnetv2s_rsna_submission.py')
    dataset = cfg.test_dataloader.dataset | {'data_root': str(relabelled), 'pipeline': []}
    index = relabelled / 'annotations' / 'test.json'
    document = json.loads(index.read_text())
    bare = [image | {'labels': {}} for image in document['images']]
    (index.parent / 'bare.json').write_text(json.dumps(document | {'images': bare}))
    found = DATASETS.build(dataset | {'ann_file': 'annotations/bare.json'})
    assert len(found) == len(bare) and not found.is_positive().any()
    with pytest.raises(MammoError, match='without a known value'):
        DATASETS.build({k: v for k, v in dataset.items() if k != 'mapping'} | {'ann_file': 'annotations/bare.json'})


def test_nothing_is_fetched_before_a_training_begins(monkeypatch):
    def fetch(*_, **__):
        raise AssertionError('a download')

    monkeypatch.setattr('timm.models._builder.load_pretrained', fetch)
    model = build('rsna/multitask_phantom.py')
    assert not model.backbone.pretrained
    model.backbone.pretrained = True
    with pytest.raises(AssertionError, match='a download'):
        model.init_weights()


def test_published_weights_arrive(monkeypatch):
    def fetch(network, **_):
        for parameter in network.parameters():
            torch.nn.init.constant_(parameter, 0.5)

    monkeypatch.setattr('timm.models._builder.load_pretrained', fetch)
    for name in ('rsna/multitask_phantom.py', 'selfdistill_phantom.py'):
        model = build(name)
        model.backbone.pretrained = True
        model.backbone.init_weights()
        assert all((parameter == 0.5).all() for parameter in model.backbone.parameters())


@pytest.mark.parametrize('name', ['rsna/baseline_phantom.py', 'selfdistill_phantom.py'])
def test_published_weights_come_from_a_file_where_there_is_no_network(name, tmp_path):
    published = timm.create_model('test_efficientnet')
    torch.save(published.state_dict(), tmp_path / 'weights.pth')
    overlay = {'pretrained_cfg_overlay': {'file': str(tmp_path / 'weights.pth')}}
    backbone = build(name, **overlay).backbone
    backbone.pretrained = True
    backbone.init_weights()
    assert torch.equal(backbone.timm_model.conv_stem.weight, published.conv_stem.weight)


def test_weights_that_cannot_be_fetched_say_what_to_do(monkeypatch):
    def refuse(*_, **__):
        raise ConnectionError('no route to host')

    monkeypatch.setattr('timm.models._builder.load_pretrained', refuse)
    backbone = build('rsna/baseline_phantom.py').backbone
    backbone.pretrained = True
    with pytest.raises(MammoError, match=r'test_efficientnet: .*no route to host.*pretrained_cfg_overlay\.file=PATH'):
        backbone.init_weights()


@pytest.mark.parametrize('name', ['rsna/baseline_phantom.py', 'rsna/multitask_v2_phantom.py', 'selfdistill_phantom.py'])
def test_half_precision_gives_nearly_the_same_scores(name):
    torch.manual_seed(0)
    model = build(name).eval()
    model.init_weights()
    images = torch.rand(4, 3, 96, 64)
    with torch.no_grad():
        whole = model.head(model.extract_feat(images))
        with torch.autocast('cpu', dtype=torch.float16):
            half = model.head(model.extract_feat(images))
    torch.testing.assert_close(half.float(), whole, rtol=0.02, atol=5e-3)


def test_a_grey_image_is_broadcast_to_three_channels():
    model = build('rsna/baseline_phantom.py')
    image = torch.rand(1, 8, 6)
    batch = model.data_preprocessor({'inputs': [image]})['inputs']
    assert torch.equal(batch, image.expand(1, 3, 8, 6))


@pytest.mark.parametrize(
    'name',
    [
        'rsna/baseline_effnetb4_rsna.py',
        'rsna/larger_effnetb4_rsna_as_published.py',
        'rsna/multitask_effnetv2s_rsna_as_published.py',
        'rsna/selfdistill_effnetv2s_rsna_as_published.py',
    ],
)
def test_images_without_metadata_are_read(name, tmp_path, relabelled):
    with DefaultScope.overwrite_default_scope('mmdet'):
        cfg = read(name)
        cfg.train_dataloader.dataset.data_root = str(relabelled)
        for step in cfg.train_dataloader.dataset.pipeline:
            if step.type == 'Resize':
                step.scale = (32, 48)
        sample = DATASETS.build(cfg.train_dataloader.dataset)[0]
    assert sample['inputs'].shape == (1, 48, 32) and 0 <= sample['inputs'].min() <= sample['inputs'].max() <= 1
    assert sample['data_samples'].view == 'CC' and 'biopsy' not in sample['data_samples'].labels


@pytest.fixture(scope='module')
def relabelled(tmp_path_factory):
    """A set whose images know nothing but whether there is cancer."""
    return make_prepared_set(tmp_path_factory.mktemp('rsna'), {'train': 2, 'val': 1, 'test': 1}, size=(64, 48))


@pytest.mark.parametrize('name', TWINS)
def test_settings_are_those_of_the_report(name):
    cfg = read(name)
    optimizer, (schedule,) = cfg.optim_wrapper.optimizer, cfg.param_scheduler
    assert cfg.train_cfg.max_epochs == 12 and cfg.optim_wrapper.type == 'AmpOptimWrapper'
    assert 'clip_grad' not in cfg.optim_wrapper and cfg.train_dataloader.sampler.shuffle
    assert cfg.crossval.folds == 4 and cfg.crossval.seed == (1 if 'selfdistill' in name else 121)
    if 'selfdistill' in name:
        assert (optimizer.type, schedule.eta_max, optimizer.weight_decay) == ('Adam', 1e-4, 1e-6)
    else:
        assert (optimizer.type, optimizer.lr, optimizer.weight_decay) == ('mmmammo.LookaheadRAdam', 4e-4, 1e-8)
    one_cycle = 'multitask' in name or 'selfdistill' in name
    assert schedule.type == ('mmmammo.OneCycleLR' if one_cycle else 'CosineAnnealingLR')
    for split in ('train', 'val', 'test'):
        (resize,) = (step for step in cfg[f'{split}_dataloader'].dataset.pipeline if step.type == 'Resize')
        assert tuple(resize.scale) == ((1024, 1024) if 'baseline' in name else (960, 1536))


@pytest.mark.parametrize(('name', 'twin'), TWINS.items())
def test_a_twin_does_what_its_config_does(name, twin):
    full, small = read(name), read(twin)
    for split in ('train', 'test'):
        pipelines = [cfg[f'{split}_dataloader'].dataset.pipeline for cfg in (full, small)]
        for step in (step for pipeline in pipelines for step in pipeline if step.type == 'Resize'):
            step.scale = (1, 1)
        assert pipelines[0] == pipelines[1]
    assert full.model.head.type == small.model.head.type
    assert full.param_scheduler[0].type == small.param_scheduler[0].type
    assert full.optim_wrapper.optimizer.type == small.optim_wrapper.optimizer.type


@pytest.mark.parametrize('name', ['rsna/baseline_phantom.py', 'rsna/multitask_phantom.py', 'selfdistill_phantom.py'])
@pytest.mark.parametrize('label', [0.0, 1.0])
def test_batches_of_one_kind_have_a_finite_loss_and_reach_all_weights(name, label):
    torch.manual_seed(0)
    model = build(name)
    samples = [DataSample(metainfo={'view': 'AT'}).set_gt_score(torch.tensor([label])) for _ in range(2)]
    losses = model(torch.rand(2, 3, 96, 64), samples, mode='loss')
    total = sum(losses.values())
    total.backward()
    assert torch.isfinite(total) and total > 0
    assert all(parameter.grad is not None for parameter in model.parameters())


def scored(scores, labels):
    """Metrics of one image per breast, as a head with one output leaves it."""
    metric = METRICS.build(read('rsna/baseline_phantom.py').test_evaluator[0])
    for number, (score, label) in enumerate(zip(scores, labels, strict=True)):
        sample = DataSample(metainfo={'img_id': number, 'exam_id': f'{number}', 'laterality': 'L'})
        sample.set_pred_score(torch.tensor([score])).set_gt_score(torch.tensor([float(label)]))
        metric.process({}, [sample.to_dict()])
    return metric.evaluate(len(scores))


def test_constant_scores_have_their_closed_form():
    found = scored([0.3] * 10, [1] + [0] * 9)
    for level in ('image', 'breast'):
        assert found[f'pf1/{level}/pf1'] == pytest.approx(2 * 0.1 * 0.3 / (0.1 + 0.3))
        assert found[f'pf1/{level}/auc'] == 0.5 and found[f'pf1/{level}/n_positive'] == 1


def test_without_positives_numbers_are_undefined():
    found = scored([0.1, 0.7, 0.3], [0, 0, 0])
    for level in ('image', 'breast'):
        assert math.isnan(found[f'pf1/{level}/auc']) and math.isnan(found[f'pf1/{level}/f1@best'])
        assert found[f'pf1/{level}/n_positive'] == 0
