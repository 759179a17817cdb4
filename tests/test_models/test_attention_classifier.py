"""Saliency, centre of attention, and the model that looks twice."""

import copy
import math

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn
from torch.nn import functional as F

from mmmammo.datasets.transforms import AddOverview, PackAttentionView
from mmmammo.evaluation.functional import log_odds
from mmmammo.models import FlipAverage, RiskHead
from mmmammo.models.attention import Saliency, centres_of_attention, input_gradients, saliency_map, top_pixels
from mmmammo.registry import METRICS, MODELS
from mmmammo.structures import Affine, MammoError
from mmmammo.testing.cohort_set import make_cohort_set


class Linear(nn.Module):
    """Two logits, linear in the pixels."""

    def __init__(self, height, width):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(2, height, width))

    def forward(self, x):
        return torch.einsum('nchw,khw->nk', x, self.weight)


def small_net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, stride=2, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 2),
    )  # fmt: skip


def loss_gradient(net, x, label):
    """|d CE / dx|, as the paper writes it."""
    x = x.clone().requires_grad_()
    F.cross_entropy(net(x), torch.full((len(x),), label), reduction='sum').backward()
    return x.grad.abs()[:, 0]


@pytest.fixture
def images():
    return torch.rand(3, 1, 40, 30, generator=torch.Generator().manual_seed(1))


def test_the_gradient_of_a_linear_model_is_its_weight(images):
    net = Linear(40, 30)
    found = input_gradients(net, images)
    assert torch.allclose(found.gradients, (net.weight[1] - net.weight[0]).abs().expand(3, -1, -1))
    assert torch.equal(found.logits, net(images).detach())
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize('label', [0, 1])
def test_the_largest_pixels_are_those_of_the_loss_whatever_the_label(images, label):
    net = small_net()
    mine = top_pixels(input_gradients(net, images).gradients, 0.05)
    papers = top_pixels(loss_gradient(net, images, label), 0.05)
    for i in range(3):
        assert set(mine[i].tolist()) == set(papers[i].tolist())


def test_a_batch_is_its_images_one_by_one(images):
    net = small_net()
    together = input_gradients(net, images).gradients
    for i in range(3):
        assert torch.allclose(input_gradients(net, images[i : i + 1]).gradients[0], together[i], atol=1e-7)


def test_one_per_cent_of_976_squared():
    assert top_pixels(torch.rand(1, 976, 976)).shape == (1, 9526)
    assert math.ceil(0.01 * 976**2) == 9526


def test_one_bright_patch_is_its_centroid():
    gradient = torch.zeros(2, 50, 40)
    gradient[0, 10:15, 20:24] = 1  # 20 pixels, 1 %
    assert centres_of_attention(gradient)[0].tolist() == [22.0, 12.5]
    assert centres_of_attention(gradient)[1].tolist() == [20.0, 25.0]  # nothing to see: the middle


def test_a_mirrored_image_has_a_mirrored_centre(images):
    net = small_net()

    def symmetric(x):
        return net(x) + net(x.flip(-1))

    there, back = (input_gradients(symmetric, x).gradients for x in (images, images.flip(-1)))
    expected = centres_of_attention(there) * torch.tensor([-1.0, 1.0]) + torch.tensor([30.0, 0.0])
    assert torch.allclose(centres_of_attention(back), expected, atol=1e-6)


def test_nan_is_refused(images):
    images[1, 0, 0, 0] = torch.nan
    with pytest.raises(MammoError, match='image 1 of the batch'):
        input_gradients(small_net(), images)


def test_the_map_of_saliency_is_highest_at_its_peak():
    gradient = torch.zeros(60, 60)
    gradient[30, 20] = 5
    seen = saliency_map(gradient)
    assert seen.max() == 1 and divmod(int(seen.argmax()), 60) == (30, 20)
    assert not saliency_map(torch.zeros(8, 8)).any()


def test_log_odds_of_the_prediction_are_the_risk():
    init_default_scope('mmdet')
    head = RiskHead(in_channels=4)
    samples = head.predict_logits(torch.tensor([[-12.0, 13.0], [0.0, 0.5]]))
    probs = np.array([sample.pred_score.numpy() for sample in samples])
    assert np.log(probs[:, 1] / probs[:, 0]) == pytest.approx([25.0, 0.5])
    assert probs.dtype == np.float64
    assert log_odds(probs[:, 1]) == pytest.approx([25.0, 0.5], rel=1e-4)  # what metrics and tables add up


def config(name='configs/attention_phantom.py'):
    cfg = Config.fromfile(name)
    init_default_scope(cfg.default_scope)
    cfg.model.roi_size = (32, 40)
    return cfg


def batch_of(images, width=36, size=(48, 32)):
    pack = [AddOverview(width, size), PackAttentionView()]
    samples = []
    for i, image in enumerate(images):
        results = {'img': image, 'img_shape': image.shape, 'ori_shape': image.shape, 'img_id': i, 'gt_label': 0}
        for step in pack:
            results = step.transform(results)
        samples.append(results)
    return {key: [sample[key] for sample in samples] for key in ('inputs', 'overview', 'data_samples')}


@pytest.fixture(scope='module')
def views():
    rng = np.random.default_rng(0)
    return [rng.random(shape).astype(np.float32) for shape in ((80, 60), (120, 72), (30, 20))]


def built(cfg):
    torch.manual_seed(0)
    return MODELS.build(copy.deepcopy(cfg.model)).eval()


def test_it_judges_the_window_where_the_locator_looks(views):
    model = built(config())
    samples = model.test_step(batch_of(views))
    for view, sample in zip(views, samples, strict=True):
        x1, y1, x2, y2 = sample.roi
        assert (x2 - x1, y2 - y1) == (32, 40)
        if view.shape[0] >= 40 and view.shape[1] >= 32:
            assert x1 >= 0 and y1 >= 0 and x2 <= view.shape[1] and y2 <= view.shape[0]
            window = torch.from_numpy(view[y1:y2, x1:x2])[None, None]
            logits = model(model.data_preprocessor.windows([window[0]]), mode='tensor')
            assert torch.allclose(sample.pred_score, logits.double().softmax(1)[0], atol=1e-6)


def test_images_of_a_batch_do_not_touch_each_other_although_there_is_batch_norm(views):
    model = built(config()).train()  # the locator stays in evaluation mode
    assert any(isinstance(part, nn.BatchNorm2d) for part in model.locator.modules())
    with torch.no_grad():
        together = model.look(model.data_preprocessor(batch_of(views))['overview'])
        for i, view in enumerate(views):
            alone = model.look(model.data_preprocessor(batch_of([view]))['overview'])
            assert torch.allclose(alone.gradients[0], together.gradients[i], rtol=1e-4, atol=1e-8)
            assert torch.allclose(alone.logits[0], together.logits[i], atol=1e-5)


def test_the_ensemble_is_the_mean_of_both_risks(views):
    cfg = config()
    attention = built(cfg)
    cfg.model.score = 'mean'
    ensemble = built(cfg)
    ensemble.load_state_dict(attention.state_dict())
    with torch.no_grad():
        alone, both = attention.test_step(batch_of(views)), ensemble.test_step(batch_of(views))
    holistic = attention.look(attention.data_preprocessor(batch_of(views))['overview']).logits.double()

    def risk(sample):
        return torch.log(sample.pred_score[1] / sample.pred_score[0])

    for i in range(len(views)):
        expected = (risk(alone[i]) + holistic[i, 1] - holistic[i, 0]) / 2
        assert risk(both[i]) == pytest.approx(float(expected), abs=1e-5)


def test_beside_its_mirror_image_it_looks_at_the_mirrored_place(views):
    """Both means are of the same two views of an image; sizes are such that resizing knows no left and right."""
    even = [view for view in views if view.shape[1] % 2 == 0]
    model = built(config())
    plain, turned = (model.test_step(batch_of(images)) for images in (even, [view[:, ::-1].copy() for view in even]))
    found = FlipAverage(model).test_step(batch_of(even))
    assert any(one.pred_score[1] != other.pred_score[1] for one, other in zip(plain, turned, strict=True))
    for one, other, mean in zip(plain, turned, found, strict=True):
        assert torch.allclose(mean.pred_score, (one.pred_score + other.pred_score) / 2, atol=1e-6)


def test_both_networks_start_from_the_holistic_checkpoint(tmp_path):
    torch.manual_seed(1)
    parent = Config.fromfile('configs/holistic_phantom.py')
    init_default_scope('mmdet')
    holistic = MODELS.build(parent.model)
    torch.save({'state_dict': holistic.state_dict()}, tmp_path / 'h.pth')
    cfg = config()
    cfg.model.holistic = str(tmp_path / 'h.pth')
    model = built(cfg)
    model.init_weights()
    for key, value in holistic.state_dict().items():
        assert torch.equal(model.state_dict()[key], value)
        assert torch.equal(model.locator.state_dict()[key], value)
    torch.save({'state_dict': {'fc.weight': torch.ones(1)}}, tmp_path / 'other.pth')
    cfg.model.holistic = str(tmp_path / 'other.pth')
    with pytest.raises(MammoError, match=r'holistic=.*other\.pth'):
        built(cfg).init_weights()


def test_training_moves_the_second_network_only():
    model = built(config()).train()
    assert not model.locator.training
    assert not any(p.requires_grad for p in model.locator.parameters())
    samples = batch_of([np.ones((48, 32), np.float32)] * 4)['data_samples']
    data = {'inputs': [torch.rand(1, 40, 32) for _ in samples], 'data_samples': samples}
    loss, _ = model.parse_losses(model(**model.data_preprocessor(data, training=True), mode='loss'))
    loss.backward()
    assert torch.isfinite(loss)
    assert all(p.grad is None for p in model.locator.parameters())
    assert all(p.grad is not None for name, p in model.named_parameters() if not name.startswith('locator.'))


def test_it_localises_when_asked(views):
    cfg = config()
    cfg.model.localise = True
    for view, sample in zip(views, built(cfg).test_step(batch_of(views)), strict=True):
        scale = np.diag(sample.overview_affine)[1::-1]
        assert sample.heatmap.shape == tuple(np.round(view.shape * scale).astype(int))
        assert float(sample.heatmap.min()) >= 0 and float(sample.heatmap.max()) <= float(sample.pred_score[1]) + 1e-6
        boxes = sample.pred_instances.bboxes
        assert (boxes >= 0).all() and (boxes[:, 2] <= view.shape[1]).all() and (boxes[:, 3] <= view.shape[0]).all()


def test_its_boxes_lie_where_it_looked(views, monkeypatch):
    cfg = config()
    cfg.model.localise = True
    model = built(cfg)
    gradients = torch.zeros(3, 48, 32)
    gradients[:, 30:34, 20:24] = 1  # round (22, 32) of the overview
    monkeypatch.setattr(model, 'look', lambda _: Saliency(torch.zeros(3, 2), gradients))
    for sample in model.test_step(batch_of(views)):
        x, y = Affine(sample.overview_affine).inverse().points(np.array([[22.0, 32.0]]))[0]
        best = sample.pred_instances.bboxes[sample.pred_instances.scores.argmax()]
        step = 1 / sample.overview_affine[0][0]
        assert abs(float(best[0] + best[2]) / 2 - x) <= step and abs(float(best[1] + best[3]) / 2 - y) <= step
        assert best[0] < x < best[2] and best[1] < y < best[3]


def test_wrong_use_is_named(views):
    cfg = config()
    cfg.model.score = 'max'
    with pytest.raises(MammoError, match='score'):
        built(cfg)
    model = built(config())
    with pytest.raises(MammoError, match='PackAttentionView'):
        model(torch.rand(1, 1, 40, 32), mode='predict')


def test_grey_resnet101_with_two_outputs_has_the_published_number_of_parameters():
    cfg = Config.fromfile('configs/holistic_cohort.py')
    init_default_scope('mmdet')
    cfg.model.backbone.init_cfg = None
    for channels, expected in ((1, 42_497_986), (3, 42_504_258)):
        cfg.model.backbone.in_channels = channels
        with torch.device('meta'):
            model = MODELS.build(copy.deepcopy(cfg.model))
        assert sum(p.numel() for p in model.parameters()) == expected


def test_grey_sum_equals_rgb_on_three_copies():
    init_default_scope('mmdet')
    parts = {'depth': 18, 'stem_channels': 8, 'base_channels': 8, 'out_indices': (3,)}
    rgb = MODELS.build({'type': 'mmdet.ResNet', 'in_channels': 3, **parts})
    grey = MODELS.build({'type': 'mmmammo.GrayResNet', **parts})
    for network in (rgb, grey):
        network.eval()
    grey.load_state_dict(rgb.state_dict())
    image = torch.rand(1, 1, 64, 48)
    assert torch.allclose(grey(image)[0], rgb(image.expand(-1, 3, -1, -1))[0], atol=1e-5)


def test_every_metric_of_the_localiser_reads_its_samples(tmp_path):
    cfg = config('configs/image_labels/saliency_phantom.py')
    loader = cfg.test_dataloader
    loader.update(num_workers=0, persistent_workers=False)
    loader.dataset.data_root = str(make_cohort_set(tmp_path, (2, 2, 4), size=(96, 72)))
    loader = Runner.build_dataloader(loader)
    evaluator = Evaluator([METRICS.build(metric) for metric in cfg.test_evaluator])
    evaluator.dataset_meta = loader.dataset.metainfo
    model = built(cfg)
    with torch.no_grad():
        for batch in loader:
            evaluator.process(data_batch=batch, data_samples=model.test_step(batch))
    numbers = evaluator.evaluate(len(loader.dataset))
    assert numbers['cohort/n_exams'] == 4
    assert numbers['roi/n_images'] == 2 and 0 <= numbers['roi/hit'] <= 1
    assert numbers['localisation/n_images'] == 4  # images of screening and of interval cancers
    assert 0 <= numbers['froc/fauc'] <= 1 and 0 <= numbers['ap/0.20'] <= 1
