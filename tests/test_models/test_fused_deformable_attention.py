"""The fused module is mmcv's: the same results, gradients and names of weights."""

import copy

import pytest
import torch
from mmcv.ops import MultiScaleDeformableAttention

from mmmammo.models.layers import FusedDeformableAttention, fuse_deformable_attention
from mmmammo.models.layers import fused_deformable_attention as fused_module

SHAPES = torch.tensor([[4, 5], [2, 3]])
KEYS, QUERIES, DIM = 26, 7, 16


def pair(**changes):
    """mmcv's module with weights off their start, and the fused copy."""
    torch.manual_seed(0)
    stock = MultiScaleDeformableAttention(DIM, num_heads=2, num_levels=2, num_points=3, dropout=0.0, **changes)
    with torch.no_grad():
        for parameter in stock.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return stock, fuse_deformable_attention(copy.deepcopy(stock))


def inputs(coordinates, batch=2, batch_first=True, **more):
    generator = torch.Generator().manual_seed(1)
    query, position, value = (torch.randn(batch, n, DIM, generator=generator) for n in (QUERIES, QUERIES, KEYS))
    if not batch_first:
        query, position, value = (tensor.transpose(0, 1) for tensor in (query, position, value))
    return {
        'query': query.requires_grad_(),
        'value': value.requires_grad_(),
        'query_pos': position,
        'reference_points': torch.rand(batch, QUERIES, 2, coordinates, generator=generator),
        'spatial_shapes': SHAPES,
        'level_start_index': torch.tensor([0, 20]),
        **more,
    }


@pytest.mark.parametrize('coordinates', [2, 4])
@pytest.mark.parametrize('batch_first', [True, False])
@pytest.mark.parametrize('ratio', [1.0, 0.5])
def test_same_result_and_gradients(coordinates, batch_first, ratio):
    stock, fused = pair(batch_first=batch_first, value_proj_ratio=ratio)
    mask = torch.arange(KEYS) > 20
    results = []
    for module in (stock, fused):
        given = inputs(coordinates, batch_first=batch_first, key_padding_mask=mask.expand(2, -1))
        out = module(**given)
        out.square().sum().backward()
        grads = [given['query'].grad, given['value'].grad, *(p.grad for p in module.parameters())]
        results.append([out, *grads])
    for mine, other in zip(*results, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)
    assert torch.stack([tensor.abs().sum() for tensor in results[1]]).gt(0).all()


def test_queries_serve_as_values_and_identity_by_default():
    stock, fused = pair(batch_first=True)
    query = torch.randn(1, KEYS, DIM, generator=torch.Generator().manual_seed(2))
    rest = {'reference_points': torch.rand(1, KEYS, 2, 2), 'spatial_shapes': SHAPES}
    theirs = stock(query, level_start_index=torch.tensor([0, 20]), **rest)
    torch.testing.assert_close(fused(query, **rest), theirs, rtol=0, atol=1e-5)
    given = torch.ones_like(query)
    torch.testing.assert_close(fused(query, identity=given, **rest), theirs - query + given, rtol=0, atol=1e-5)


def test_weights_keep_their_names_and_a_subclass_its_forward():
    class Own(MultiScaleDeformableAttention):
        pass

    model = torch.nn.ModuleList([*pair(), Own(DIM, num_heads=2)])
    names = list(model.state_dict())
    fuse_deformable_attention(model)
    assert list(model.state_dict()) == names
    assert [type(module) for module in model] == [FusedDeformableAttention, FusedDeformableAttention, Own]


def test_off_the_cpu_bfloat16_is_sampled_by_mmcvs_kernel_in_float32(monkeypatch):
    seen = []

    def kernel(value, shapes, starts, points, weights, step):
        seen.extend([value.dtype, points.dtype, weights.dtype, starts.tolist(), step])
        return value.new_empty(value.shape[0], points.shape[1], DIM)

    monkeypatch.setattr(fused_module.MultiScaleDeformableAttnFunction, 'apply', kernel)
    _, fused = pair(batch_first=True)
    given = inputs(4)
    on_device = ('query', 'value', 'query_pos', 'reference_points')
    given |= {name: given[name].detach().to('meta', torch.bfloat16) for name in on_device}
    out = fused.to('meta', torch.bfloat16)(**given)
    assert seen == [torch.float32, torch.float32, torch.float32, [0, 20], fused.im2col_step]
    assert out.dtype == torch.bfloat16 and out.shape == (2, QUERIES, DIM)


@pytest.mark.gpu
def test_bfloat16_on_a_gpu_is_float32_but_for_rounding():
    _, fused = pair(batch_first=True)
    given = {name: value.cuda() for name, value in inputs(4).items()}
    fused.cuda()
    exact = fused(**given)
    with torch.autocast('cuda', torch.bfloat16):
        rounded = fused(**given)
    torch.testing.assert_close(rounded.float(), exact, rtol=0.05, atol=0.05)
    rounded.square().sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in fused.parameters())
