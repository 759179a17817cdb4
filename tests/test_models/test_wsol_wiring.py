"""How the parts of ADL, ACoL and SPG are put together, against literal versions."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmpretrain.structures import DataSample
from tiny_wsol import ATTENTION, tiny_localiser

from mmmammo.models.wsol.class_maps import MapBranch
from mmmammo.models.wsol.spg_head import guidance_loss

LABELS = torch.tensor([0, 1, 1])


def weighed(features):
    """What ADL does if its coin says to weigh: times the sigmoid of the mean over the channels."""
    return features * features.mean(dim=1, keepdim=True).sigmoid()


def unit(maps):
    """Each (h, w) map from 0 to 1."""
    low, high = maps.amin(dim=(-2, -1), keepdim=True), maps.amax(dim=(-2, -1), keepdim=True)
    return (maps - low) / (high - low)


def samples():
    return [DataSample().set_gt_label(int(label)) for label in LABELS]


def cross_entropy(maps):
    return F.cross_entropy(maps.mean(dim=(2, 3)), LABELS)


def enlarged(maps, size=64):
    return F.interpolate(maps, size=(size, size), mode='bilinear', align_corners=False)


def test_attention_weighs_what_follows_each_named_step_and_nothing_else():
    backbone = tiny_localiser('adl').backbone
    backbone.train()
    backbone.attention_dropout.drop_rate = 0.0
    images = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    expected, plain = images, images
    for name, step in backbone.steps():
        expected, plain = step(expected), step(plain)
        if name in ATTENTION['after']:
            expected = weighed(expected)
    (found,) = backbone(images)
    assert torch.allclose(found, expected, atol=1e-6)
    assert not torch.allclose(found, plain, atol=1e-3)
    backbone.eval()
    (found,) = backbone(images)
    for _, step in backbone.steps():
        images = step(images)
    assert torch.equal(found, images)


def test_attention_of_a_branch_lies_before_its_classifier():
    branch = MapBranch(8, 2, hidden=(6,), attention_dropout={'drop_rate': 0.0}).train()
    features = torch.randn(3, 8, 5, 5, generator=torch.Generator().manual_seed(0))
    convolution, classifier = branch.hidden[1], branch.classifier[1]
    assert torch.allclose(branch(features), classifier(weighed(convolution(features).relu())), atol=1e-6)


def test_the_losses_and_the_heatmap_of_acol():
    head = tiny_localiser('acol').head.train()
    features = torch.rand(3, 64, 5, 5, generator=torch.Generator().manual_seed(0))
    maps = head.branch(features)
    kept = unit(maps[range(3), LABELS])[:, None] < 0.7
    found = head.loss((features,), samples())
    assert found['loss_cls'].item() == pytest.approx(cross_entropy(maps).item(), abs=1e-6)
    assert found['loss_cls_b'].item() == pytest.approx(
        cross_entropy(head.other_branch(features * kept)).item(), abs=1e-6
    )
    others = head.other_branch(features * (unit(maps[:, 1])[:, None] < 0.7))
    _, heatmap = head.eval().localise((features,))
    larger = torch.maximum(unit(maps[:, 1]), unit(others[:, 1]))
    assert torch.allclose(heatmap[:, 0], larger, atol=1e-6)
    assert not torch.allclose(larger, unit(maps[:, 1]), atol=1e-3)


def test_the_losses_of_spg():
    head = tiny_localiser('spg').head.train()
    generator = torch.Generator().manual_seed(0)
    earlier, later, last = (torch.rand(3, c, 4, 4, generator=generator) for c in (32, 32, 64))
    hidden = head.branch.hidden(last)
    maps = head.branch.classifier(hidden)
    attention = unit(enlarged(maps)[range(3), LABELS])[:, None]
    b1 = enlarged(head.guide_shared(head.guide_1(earlier)))
    b2 = enlarged(head.guide_shared(head.guide_2(later)))
    c = enlarged(head.guide_last(hidden))
    found = head.loss((earlier, later, last), samples())
    expected = {
        'loss_cls': cross_entropy(maps),
        'loss_b2': guidance_loss(b2, attention, 0.7, 0.01),
        'loss_b1': guidance_loss(b1, b2.sigmoid(), 0.5, 0.05),
        'loss_c': guidance_loss(c, (b1.sigmoid() + b2.sigmoid()) / 2, 0.7, 0.1),
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].item() == pytest.approx(value.item(), abs=1e-6), name
    assert len({round(value.item(), 4) for value in expected.values()}) == 4


def test_guides_teach_and_do_not_learn():
    """The gradient of B1's loss ends at B1: neither its guide B2 nor the map is moved by it."""
    head = tiny_localiser('spg').head.train()
    feats = [torch.rand(3, c, 4, 4, requires_grad=True) for c in (32, 32, 64)]
    losses = head.loss(tuple(feats), samples())
    for name, moved in (('loss_b2', 1), ('loss_b1', 0), ('loss_c', 2)):
        gradients = torch.autograd.grad(losses[name], feats, retain_graph=True, allow_unused=True)
        assert [i for i, gradient in enumerate(gradients) if gradient is not None and gradient.any()] == [moved], name


@pytest.mark.parametrize('backbone', ['resnet50_birads', 'vgg16_birads', 'inceptionv3_birads', 'resnet18_phantom'])
def test_has_is_cam_on_images_with_hidden_cells(backbone):
    has, cam = (Config.fromfile(f'configs/wsol/{method}_{backbone}.py') for method in ('has', 'cam'))
    assert (
        has.model == cam.model and has.test_dataloader == cam.test_dataloader and has.optim_wrapper == cam.optim_wrapper
    )
    pipeline = has.train_dataloader.dataset.pipeline
    hidden = [step for step in pipeline if step.type == 'mmmammo.HideAndSeek']
    assert (
        len(hidden) == 1 and [step for step in pipeline if step not in hidden] == cam.train_dataloader.dataset.pipeline
    )
