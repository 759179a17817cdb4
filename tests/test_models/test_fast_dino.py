"""A whole DINO made faster answers as before: mmdet's and ours, with and without padding, compiled operator or not."""

import copy

import pytest
import torch
from mmdet.models.layers.transformer.utils import inverse_sigmoid
from mmdet.registry import MODELS
from tiny_dino import as_mmdet, batch, tiny_cfg, tiny_dino

from mmmammo.engine.fast_layers import OneDNNLinear, use_fast_layers
from mmmammo.engine.inference import speed_up
from mmmammo.models.layers import FusedDeformableAttention
from mmmammo.ops import attention

SIZE = (64, 48)


def stock_dino():
    model = MODELS.build(as_mmdet(tiny_cfg()))
    model.load_state_dict(tiny_dino().state_dict())
    return model


@pytest.fixture(params=[stock_dino, tiny_dino], ids=['mmdet', 'mmmammo'])
def model(request):
    return request.param().eval()


def queries(model, padded, anchors=None):
    """Logits and boxes of every query and layer, and the anchors; those given replace the chosen ones.

    A selection between equal scores may turn on rounding, and with it which learned query gets which anchor.
    """
    images, samples = batch([[], []], SIZE)
    if padded:
        samples[1].set_metainfo({'img_shape': (50, 31)})
    to_encoder, to_decoder = model.pre_transformer(model.extract_feat(images), samples)
    encoded = model.forward_encoder(**to_encoder)
    chosen, _ = model.pre_decoder(**encoded, batch_data_samples=samples)
    if anchors is not None:
        chosen['reference_points'] = anchors
    decoded = model.forward_decoder(**{**to_decoder, **chosen})
    return *model.bbox_head(**decoded), chosen['reference_points']


@torch.no_grad()
@pytest.mark.parametrize('padded', [False, True])
@pytest.mark.parametrize('compiled', [False, True])
def test_every_query_answers_the_same(model, padded, compiled, monkeypatch):
    if not compiled:
        monkeypatch.setattr(attention, 'is_compiled', lambda: False)
    logits, boxes, anchors = queries(model, padded)
    fast_logits, fast_boxes, _ = queries(speed_up(copy.deepcopy(model)), padded, anchors)
    torch.testing.assert_close(fast_logits.sigmoid(), logits.sigmoid(), rtol=0, atol=1e-5)
    torch.testing.assert_close(fast_boxes, boxes, rtol=0, atol=1e-5)
    assert inverse_sigmoid(anchors).std() > 0.1, 'anchors that tell queries apart'


def test_layers_are_replaced_and_weights_keep_their_names(model):
    fast = use_fast_layers(copy.deepcopy(model))
    assert list(fast.state_dict()) == list(model.state_dict())
    kinds = [type(module) for module in fast.modules()]
    assert kinds.count(FusedDeformableAttention) == len(model.encoder.layers) + len(model.decoder.layers)
    assert OneDNNLinear in kinds
    assert not any(isinstance(module, FusedDeformableAttention) for module in stock_dino().modules()), 'a copy only'


def test_losses_and_gradients_stay():
    lesions = [[[10.0, 10.0, 24.0, 30.0]], [[5.0, 8.0, 12.0, 20.0]]]
    results = []
    for make in (lambda model: model, use_fast_layers):
        model = make(tiny_dino().train())
        torch.manual_seed(3)
        loss = sum(part.sum() for part in model.loss(*batch(lesions, SIZE)).values())
        loss.backward()
        results.append([loss.detach(), *(p.grad for p in model.parameters() if p.grad is not None)])
    assert len(results[0]) == len(results[1]) > 50
    for mine, other in zip(*results, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-3, atol=1e-4)
