"""MammoDINO: equal to mmdet's DINO where it should be, and its own where paper 0 asks for it."""

import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.runner import load_checkpoint
from scipy.optimize import linear_sum_assignment
from tiny_dino import DIM, as_mmdet, batch, tiny_cfg, tiny_dino
from torchvision.ops import generalized_box_iou

from mmmammo.models import MammoDINO
from mmmammo.models.layers import fuse_deformable_attention
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError

LESIONS = [[[10.0, 10.0, 24.0, 30.0], [30.0, 40.0, 38.0, 50.0]], [[5.0, 8.0, 12.0, 20.0]]]
ODD = {
    'none in the batch': [[], []],
    'none in one image': [[], LESIONS[1]],
    'one pixel': [[[7.0, 9.0, 8.0, 10.0]], []],
    'at the border': [[[0.0, 0.0, 48.0, 64.0], [0.0, 20.0, 3.0, 30.0]], [[40.0, 60.0, 48.0, 64.0]]],
    'more than denoising slots': [LESIONS[0] * 6, LESIONS[1]],
    'more than queries': [LESIONS[0] * 10, []],
}


def losses(model, images, samples, seed=3):
    torch.manual_seed(seed)
    return model.loss(images, samples)


def total(parts):
    return sum(value.sum() for value in parts.values())


@pytest.fixture(scope='module')
def model():
    return tiny_dino().train()


def test_losses_and_boxes_are_those_of_mmdet():
    ours = tiny_dino(num_classes=3)
    theirs = MODELS.build(as_mmdet(tiny_cfg(num_classes=3)))
    theirs.load_state_dict(ours.state_dict(), strict=True)  # a checkpoint of mmdet's loads, and the other way round
    images, samples = batch(LESIONS, labels=[[0, 2], [1]])
    expected, found = (losses(m.train(), images, samples) for m in (theirs, ours))
    assert expected.keys() == found.keys() and len(found) == 15
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name
    with torch.no_grad():
        expected, found = (m.eval().predict(images, samples) for m in (theirs, ours))
        expected, found = (
            [(s.pred_instances.bboxes, s.pred_instances.scores) for s in side] for side in (expected, found)
        )
    for mine, other in zip(found, expected, strict=True):
        assert torch.equal(mine[0], other[0]) and torch.equal(mine[1], other[1])


def test_padded_images_give_what_mmdet_gives():
    ours = tiny_dino().eval()
    theirs = MODELS.build(as_mmdet(tiny_cfg())).eval()
    theirs.load_state_dict(ours.state_dict())
    images, samples = batch(LESIONS)
    samples[0].set_metainfo({'img_shape': (50, 40)})
    with torch.no_grad():
        found, expected = (m.predict(images, copy.deepcopy(samples)) for m in (ours, theirs))
    for mine, other in zip(found, expected, strict=True):
        assert torch.equal(mine.pred_instances.bboxes, other.pred_instances.bboxes)


def test_a_config_is_built_from_twice_and_left_alone():
    cfg = tiny_cfg(encoder={**tiny_cfg()['encoder'], 'num_cp': 1})
    before = copy.deepcopy(cfg)
    first, second = MODELS.build(cfg), MODELS.build(cfg)
    assert cfg == before and isinstance(first, MammoDINO) and isinstance(second, MammoDINO)


@pytest.mark.parametrize('name', ODD)
@pytest.mark.parametrize('denoising', [True, False])
def test_odd_batches_train_every_parameter(name, denoising):
    model = tiny_dino(**({} if denoising else {'dn_cfg': None})).train()
    parts = losses(model, *batch(ODD[name]))
    total(parts).backward()
    assert all(torch.isfinite(value).all() for value in parts.values())
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name  # else DistributedDataParallel waits for it
        assert torch.isfinite(parameter.grad).all(), parameter_name
    assert any(key.startswith('dn_') for key in parts) is denoising


def test_without_denoising_only_its_losses_are_missing():
    with_it, without = (losses(tiny_dino(**change).train(), *batch(LESIONS)) for change in ({}, {'dn_cfg': None}))
    assert {key for key in with_it if 'dn_' not in key} == set(without)
    for key, value in without.items():  # matching queries see no denoising query
        assert value.item() == pytest.approx(with_it[key].item(), rel=1e-5), key


@pytest.mark.parametrize('layers', [2, 3])
def test_shared_heads_are_one_head_beside_that_of_query_selection(layers):
    cfg = tiny_cfg(layers=layers)
    cfg['bbox_head']['share_layers'] = True
    shared, separate = MODELS.build(cfg), MODELS.build(tiny_cfg(layers=layers))
    heads = shared.bbox_head
    assert len({id(branch) for branch in heads.reg_branches}) == len({id(branch) for branch in heads.cls_branches}) == 2
    assert heads.reg_branches[0] is heads.reg_branches[-2] is not heads.reg_branches[-1]
    count = {m: sum(p.numel() for p in m.parameters()) for m in (shared, separate, heads.reg_branches[0])}
    one_head = count[heads.reg_branches[0]] + sum(p.numel() for p in heads.cls_branches[0].parameters())
    assert count[separate] - count[shared] == (layers - 1) * one_head
    total(losses(shared.train(), *batch(LESIONS))).backward()
    assert all(p.grad is not None for p in heads.parameters())


@pytest.mark.parametrize('load', ['torch', 'mmengine'])
def test_a_shared_head_refuses_the_weights_of_separate_ones(load, tmp_path):
    """Names and shapes are the same: all layers would get the last regressor, without a word."""
    cfg = tiny_cfg()
    cfg['bbox_head']['share_layers'] = True
    separate, shared = tiny_dino(), MODELS.build(cfg)
    torch.save({'state_dict': separate.state_dict()}, tmp_path / 'separate.pth')
    with pytest.raises(MammoError, match=r'_branches\.1.*share_layers=False'):
        if load == 'torch':
            shared.load_state_dict(separate.state_dict())
        else:
            load_checkpoint(shared, str(tmp_path / 'separate.pth'))
    shared.load_state_dict(MODELS.build(cfg).state_dict())
    MODELS.build(tiny_cfg()).load_state_dict(shared.state_dict())


def test_mixed_query_selection_takes_anchors_from_the_image_and_contents_from_training(model):
    images, samples = batch(LESIONS)
    inputs = {}
    hook = model.decoder.register_forward_pre_hook(lambda _, __, kwargs: inputs.update(kwargs), with_kwargs=True)
    model.eval()(images, samples, mode='predict')
    hook.remove()
    model.train()
    query, anchors = inputs['query'], inputs['reference_points']
    assert torch.equal(query[0], model.query_embedding.weight) and torch.equal(query[0], query[1])
    assert not torch.allclose(anchors[0], anchors[1])
    assert anchors.shape == (2, 12, 4) and (anchors > 0).all() and (anchors <= 1).all()


def layer_gradient(model, of, through):
    """Norm of d (boxes of layer ``of``) / d (box regressor of layer ``through``)."""
    images, samples = batch(LESIONS)
    model.eval()
    head_inputs = model.forward_transformer(model.extract_feat(images), samples)
    boxes = model.bbox_head(**head_inputs)[1]
    parameters = list(model.bbox_head.reg_branches[through].parameters())
    found = torch.autograd.grad(boxes[of].square().sum(), parameters, allow_unused=True)
    return sum(0.0 if g is None else g.abs().sum().item() for g in found)


@pytest.mark.parametrize(
    ('of', 'through', 'reaches'), [(0, 0, 1), (1, 0, 1), (2, 0, 0), (2, 1, 1), (3, 1, 0), (0, 1, 0)]
)
def test_boxes_look_forward_twice_and_no_further(of, through, reaches):
    # prediction_i = s(s^-1(b'_{i-1}) + d_i), b'_i = s(s^-1(b_{i-1}) + d_i), b_i = detach(b'_i), s the sigmoid
    gradient = layer_gradient(tiny_dino(layers=4), of, through)
    assert (gradient > 0) == bool(reaches)


def test_more_queries_than_cells_are_refused():
    model = tiny_dino(num_queries=400, test_cfg={'max_per_img': 8})
    with pytest.raises(MammoError, match=r'num_queries: found 400 with levels of \[\[8, 6\], \[4, 3\]\].*at most 60'):
        model.eval()(*batch(LESIONS), mode='predict')


def test_more_detections_than_queries_give_are_refused():
    model = tiny_dino(test_cfg={'max_per_img': 13}).eval()
    with pytest.raises(MammoError, match='max_per_img: found 13; expected at most 12, 12 queries of 1 classes'):
        model(*batch(LESIONS), mode='predict')


def test_checkpointed_layers_change_nothing_but_memory():
    plain = tiny_dino().train()
    cfg = tiny_cfg()
    cfg['encoder'] = {**cfg['encoder'], 'num_cp': 2}
    saving = MODELS.build(cfg).train()
    assert list(saving.state_dict()) == list(plain.state_dict())
    saving.load_state_dict(plain.state_dict())
    calls = []
    saving.encoder.layers[0].ffn.register_forward_hook(lambda *_: calls.append(1))
    for m in (plain, saving):
        total(losses(m, *batch(LESIONS))).backward()
    assert len(calls) == 2  # computed again on the way back
    for (name, mine), other in zip(saving.named_parameters(), plain.parameters(), strict=True):
        assert torch.allclose(mine.grad, other.grad, rtol=1e-4, atol=1e-6), name


def test_half_precision_keeps_boxes_in_float32(model):
    images, samples = batch(LESIONS)
    with torch.autocast('cpu', torch.bfloat16):
        parts = losses(model, images, samples)
        features = model.extract_feat(images)
        boxes = model.bbox_head(
            **{
                key: value
                for key, value in model.eval().forward_transformer(features, samples).items()
                if key in ('hidden_states', 'references')
            }
        )[1]
    model.train()
    assert features[0].dtype == torch.bfloat16 and boxes.dtype == torch.float32
    exact = losses(model, images, samples)
    assert total(parts).item() == pytest.approx(total(exact).item(), rel=0.1)


def test_query_selection_is_in_float32_whatever_the_precision(model):
    images, samples = batch(LESIONS)
    with torch.autocast('cpu', torch.bfloat16):
        to_encoder, _ = model.pre_transformer(model.extract_feat(images), samples)
        to_decoder, to_head = model.train().pre_decoder(
            **model.forward_encoder(**to_encoder), batch_data_samples=samples
        )
    assert to_head['enc_outputs_class'].dtype == to_head['enc_outputs_coord'].dtype == torch.float32
    assert to_decoder['reference_points'].dtype == torch.float32


@pytest.mark.parametrize('device', ['cpu', pytest.param('cuda', marks=pytest.mark.gpu)])
@pytest.mark.parametrize('name', ['none in one image', 'one pixel'])
def test_bfloat16_trains(name, device):
    model = fuse_deformable_attention(tiny_dino().train()).to(device)
    images, samples = batch(ODD[name])
    optimizer = {'type': 'AdamW', 'lr': 1e-3}
    clip = {'max_norm': 0.1}
    cfg = {'type': 'mmmammo.BFloat16OptimWrapper', 'optimizer': optimizer, 'clip_grad': clip}
    wrapper = build_optim_wrapper(model, cfg)
    found = []
    for _ in range(4):
        with wrapper.optim_context(model):
            assert model.extract_feat(images.to(device))[0].dtype == torch.bfloat16
            loss = total(losses(model, images.to(device), [sample.to(device) for sample in samples]))
        found.append(loss.item())
        wrapper.update_params(loss)
    assert found[-1] < found[0] and all(parameter.isfinite().all() for parameter in model.parameters())


def test_each_lesion_is_told_the_anchor_of_its_query():
    # With regressors that move nothing, the boxes of the last layer are the initial anchors: matching by boxes alone
    # must take, for a lesion put onto an anchor, that very anchor.
    model = tiny_dino(test_cfg={'max_per_img': 8, 'match_anchors': True}).eval()
    for branch in model.bbox_head.reg_branches[:-1]:
        branch[-1].weight.data.zero_()
        branch[-1].bias.data.zero_()
    for branch in model.bbox_head.cls_branches[:-1]:
        branch.weight.data.zero_()
    images, samples = batch([[], []])
    with torch.no_grad():
        anchors = model.forward_transformer(model.extract_feat(images), samples)['references'][0]
    samples[0].set_metainfo({'scale_factor': (0.5, 0.5)})  # truth is in prepared pixels, twice as many
    cx, cy, w, h = (anchors[0, [2, 7]] * torch.tensor([48.0, 64, 48, 64]) * 2).unbind(-1)
    samples[0].gt_instances.bboxes = torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], -1)
    samples[0].gt_instances.labels = torch.zeros(2, dtype=torch.long)
    with torch.no_grad():
        model(images, samples, mode='predict')
    found = samples[0].matched_anchors
    by_lesion = found.anchors[found.lesions.argsort()]
    assert torch.allclose(by_lesion, anchors[0, [2, 7]], atol=1e-5)
    assert torch.allclose(found.boxes[found.lesions.argsort()].clamp(0, 1), anchors[0, [2, 7]], atol=1e-4)
    assert len(samples[1].matched_anchors) == 0


def test_anchors_are_the_initial_ones_of_the_queries_that_the_last_layer_matches():
    """With regressors that move, against a literal Hungarian match (focal 2, L1 5, GIoU 2) of the last layer."""
    head = tiny_dino(layers=3, test_cfg={'max_per_img': 8, 'match_anchors': True}).eval().bbox_head
    _, (sample, _) = batch(LESIONS)
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(3, 1, 12, DIM, generator=generator)
    references = [0.2 + 0.6 * torch.rand(1, 12, 4, generator=generator) for _ in range(4)]
    with torch.no_grad():
        scores, boxes = head(hidden, references)
        head.predict(hidden, references, [sample])
    size = torch.tensor([48.0, 64, 48, 64])
    truth = sample.gt_instances.bboxes
    centres = torch.cat([(truth[:, :2] + truth[:, 2:]) / 2, truth[:, 2:] - truth[:, :2]], 1) / size
    queries = {layer: literal_match(scores[layer, 0], boxes[layer, 0], centres, size) for layer in (0, 2)}
    assert queries[0] != queries[2] and not torch.allclose(references[0][0, queries[2]], references[3][0, queries[2]])
    found = sample.matched_anchors
    order = found.lesions.argsort()
    assert torch.equal(found.anchors[order], references[0][0, queries[2]])
    assert torch.allclose(found.boxes[order], centres, atol=1e-6)


def literal_match(logits, boxes, truth, size):
    """Query of each lesion of class 0; boxes and truth cxcywh in [0, 1]."""
    p = logits.sigmoid()[:, 0]
    positive, negative = -0.25 * (1 - p) ** 2 * (p + 1e-12).log(), -0.75 * p**2 * (1 - p + 1e-12).log()
    cost = 2 * (positive - negative)[:, None] + 5 * (boxes[:, None] - truth).abs().sum(-1)
    corners = [torch.cat([b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2], 1) * size for b in (boxes, truth)]
    cost -= 2 * generalized_box_iou(*corners)
    rows, columns = linear_sum_assignment(cost)
    return [int(rows[list(columns).index(lesion)]) for lesion in range(len(truth))]


def test_anchors_are_matched_only_where_asked_for(model):
    images, samples = batch(LESIONS)
    with torch.no_grad():
        model.eval()(images, samples, mode='predict')
    model.train()
    assert 'matched_anchors' not in samples[0]
