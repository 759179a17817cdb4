"""CAM, ADL, ACoL and SPG on a tiny backbone: they train, they localise, and they fall back to CAM."""

import copy
import math

import pytest
import torch
from mmpretrain.structures import DataSample
from tiny_wsol import METHODS, fine_localiser, striped_squares, tiny_batch, tiny_localiser
from torchvision.ops import box_iou

from mmmammo.structures import MammoError

LOSSES = {
    'cam': {'loss_cls'},
    'adl': {'loss_cls'},
    'acol': {'loss_cls', 'loss_cls_b'},
    'spg': {'loss_cls', 'loss_b1', 'loss_b2', 'loss_c'},
}


def predict(model, batch=None):
    model.eval()
    with torch.no_grad():
        return model.test_step(batch or tiny_batch())


@pytest.mark.parametrize('method', METHODS)
def test_one_training_step_reaches_every_parameter(method):
    model = tiny_localiser(method)
    losses = model(**model.data_preprocessor(tiny_batch(), training=True), mode='loss')
    assert set(losses) == LOSSES[method]
    sum(losses.values()).backward()
    assert all(torch.isfinite(value) for value in losses.values())
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert not without


def mean_iou(model, images):
    """Of each positive image's box with its square."""
    batch, squares = copy.deepcopy(images)
    found = predict(model, batch)[1::2]
    boxes = torch.cat([sample.pred_instances.bboxes for sample in found])
    assert len(boxes) == len(found)
    return box_iou(boxes, torch.tensor(squares[1::2], dtype=torch.float32)).diagonal().mean().item()


@pytest.mark.parametrize('method', METHODS)
def test_a_localiser_learns_from_image_labels_where_the_square_is(method):
    unseen = striped_squares(16, torch.Generator().manual_seed(99))
    generator = torch.Generator().manual_seed(0)
    model = fine_localiser(method)
    before = mean_iou(model, unseen)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.003)
    for _ in range(30):
        model.train()
        batch, _ = striped_squares(8, generator)
        losses = model(**model.data_preprocessor(batch, training=True), mode='loss')
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
    after = mean_iou(model, unseen)
    assert after > 0.35 and after > before + 0.15


@pytest.mark.parametrize('method', METHODS)
def test_predictions_are_probabilities_a_heatmap_and_boxes_in_prepared_pixels(method):
    for sample in predict(tiny_localiser(method)):
        assert sample.pred_score.sum().item() == pytest.approx(1)
        assert sample.heatmap.shape == (4, 4) and sample.heatmap.min() == 0
        assert sample.heatmap.max().item() == pytest.approx(sample.pred_score[1].item())
        boxes = sample.pred_instances.bboxes
        assert len(boxes) == 1 and (boxes >= 0).all()
        assert (boxes <= torch.tensor([128.0, 256.0, 128.0, 256.0])).all()
        assert 0 < sample.pred_instances.scores[0] <= sample.heatmap.max()


def test_attention_dropout_is_cam_at_test_time():
    cam, adl = tiny_localiser('cam'), tiny_localiser('adl')
    assert cam.state_dict().keys() == adl.state_dict().keys()
    adl.load_state_dict(cam.state_dict())
    for ours, expected in zip(predict(adl), predict(cam), strict=True):
        assert torch.equal(ours.heatmap, expected.heatmap) and torch.equal(ours.pred_score, expected.pred_score)


def test_nothing_erased_and_equal_branches_are_cam():
    acol, cam = tiny_localiser('acol', erase_threshold=1.1), tiny_localiser('cam', hidden=(16,))
    acol.head.other_branch.load_state_dict(acol.head.branch.state_dict())
    cam.load_state_dict({k: v for k, v in acol.state_dict().items() if 'other_branch' not in k})
    for ours, expected in zip(predict(acol), predict(cam), strict=True):
        assert torch.equal(ours.heatmap, expected.heatmap) and torch.equal(ours.pred_score, expected.pred_score)


def test_what_a_branch_sees_is_erased_for_the_other():
    head = tiny_localiser('acol').head
    features, labels = torch.rand(2, 64, 5, 5), torch.tensor([0, 1])
    seen = []
    head.other_branch.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    maps, _ = head.both_maps(features, labels)
    for image, erased, own in zip(features, seen[0], maps[[0, 1], labels], strict=True):
        keep = (own - own.min()) / (own.max() - own.min()) < 0.7
        torch.testing.assert_close(erased, image * keep)
        assert not keep.all()


def test_spg_at_test_time_is_cam():
    spg, cam = tiny_localiser('spg'), tiny_localiser('cam')
    cam.load_state_dict({k: v for k, v in spg.state_dict().items() if 'guide' not in k})
    for ours, expected in zip(predict(spg), predict(cam), strict=True):
        assert torch.equal(ours.heatmap, expected.heatmap)


def test_undefined_weights_show_nothing():
    model = tiny_localiser()
    torch.nn.init.constant_(model.head.branch.classifier[1].weight, math.nan)
    for sample in predict(model):
        assert (sample.heatmap == 0).all() and len(sample.pred_instances.bboxes) == 0


def test_a_flat_image_shows_nothing_of_a_flat_map():
    model = tiny_localiser()
    torch.nn.init.zeros_(model.head.branch.classifier[1].weight)
    assert all((sample.heatmap == 0).all() for sample in predict(model))


def test_bad_samples_and_arguments_are_told():
    model = tiny_localiser()
    batch = tiny_batch(2)
    batch['data_samples'] = [DataSample().set_gt_score([1.0, 0.0]) for _ in range(2)]
    with pytest.raises(MammoError, match=r'gt_label.*ViewClassificationDataset'):
        model(**model.data_preprocessor(batch), mode='loss')
    for arguments in (dict(map_class=2), dict(box_level=1.0), dict(box_regions='some')):
        with pytest.raises(MammoError, match='ClassMapHead'):
            tiny_localiser(**arguments)
    with pytest.raises(MammoError, match='three'):
        tiny_localiser('spg', in_channels=(8, 8))
