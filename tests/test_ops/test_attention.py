"""Deformable attention against mmcv's PyTorch version, equation 3 and finite differences."""

import pytest
import torch
from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch

from mmmammo.ops import attention, deformable_attention
from mmmammo.ops.library import why_not_loaded
from mmmammo.structures import MammoError

needs_library = pytest.mark.skipif(
    bool(why_not_loaded()), reason=f'operators: {why_not_loaded()}; python -m mmmammo.ops.build compiles them'
)


@pytest.fixture(params=[pytest.param('compiled', marks=needs_library), 'pytorch'])
def way(request, monkeypatch):
    """Both ways to the result."""
    monkeypatch.setattr(attention, 'is_compiled', lambda: request.param == 'compiled')
    return request.param


def problem(levels, *, batch=1, queries=5, heads=2, dim=8, points=3, spread=1.6, dtype=torch.float64, seed=0):
    """Random inputs; locations reach beyond the levels on all sides."""
    generator = torch.Generator().manual_seed(seed)
    shapes = torch.tensor(levels).view(-1, 2)
    draw = {'generator': generator, 'dtype': dtype}
    value = torch.randn(batch, int(shapes.prod(1).sum()), heads, dim, **draw)
    locations = 0.5 + spread * (torch.rand(batch, queries, heads, len(levels), points, 2, **draw) - 0.5)
    weights = torch.rand(batch, queries, heads, len(levels) * points, **draw).softmax(-1)
    return value, shapes, locations, weights.unflatten(-1, (len(levels), points))


def literal(value, shapes, locations, weights):
    """Equation 3 in loops: each corner within the level counts by its share."""
    batch, queries, heads, levels, points, _ = locations.shape
    out = torch.zeros(batch, queries, heads, value.shape[-1], dtype=value.dtype)
    for b, q, h, l, p in torch.cartesian_prod(*(torch.arange(n) for n in (batch, queries, heads, levels, points))):  # noqa: E741
        rows, columns = shapes[l].tolist()
        start = int(shapes[:l].prod(1).sum())
        x, y = (locations[b, q, h, l, p] * torch.tensor([columns, rows]) - 0.5).tolist()
        for row in range(rows):
            for column in range(columns):
                share = max(0.0, 1 - abs(x - column)) * max(0.0, 1 - abs(y - row))
                out[b, q, h] += weights[b, q, h, l, p] * share * value[b, start + row * columns + column, h]
    return out.flatten(2)


@needs_library
@pytest.mark.parametrize(
    ('levels', 'changes'),
    [
        ([(6, 7), (3, 4), (2, 2)], {}),
        ([(5, 4)], {'points': 1}),
        ([(1, 1)], {'points': 1, 'heads': 1, 'dim': 1}),
        ([(4, 4), (2, 2)], {'batch': 3}),
        ([(1, 9), (9, 1)], {'dim': 11}),
        ([(8, 8), (4, 4), (2, 2), (1, 1)], {'dim': 32, 'heads': 8, 'points': 4, 'queries': 90}),
        ([(4, 5)], {'dim': 43, 'queries': 1}),
        ([(4, 5)], {'spread': 400.0}),
    ],
)
@pytest.mark.parametrize(('dtype', 'tolerance'), [(torch.float32, 2e-6), (torch.float64, 1e-12)])
def test_equals_mmcv(levels, changes, dtype, tolerance):
    given = problem(levels, dtype=dtype, **changes)
    expected = multi_scale_deformable_attn_pytorch(*given)
    result = deformable_attention(*given)
    assert result.dtype == dtype
    assert result.is_contiguous()
    torch.testing.assert_close(result, expected, rtol=0, atol=tolerance)


@needs_library
def test_does_not_depend_on_the_number_of_threads():
    given = problem([(8, 8), (4, 4)], batch=2, queries=77, dtype=torch.float32)
    before = torch.get_num_threads()
    results = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        results.append(deformable_attention(*given))
    torch.set_num_threads(before)
    assert torch.equal(*results)


def test_equals_the_equation(way):
    given = problem([(3, 4), (2, 1)], batch=2, queries=3, points=2, dim=3)
    torch.testing.assert_close(deformable_attention(*given), literal(*given), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ('x', 'expected'),
    [
        (0.5 / 4, 1.0),  # the first centre
        (2.5 / 4, 3.0),
        (1 / 4, 1.5),  # between two
        (0.0, 0.5),  # the border: half of it lies outside
        (1.0, 2.0),
        (-0.5 / 4, 0.0),  # a cell out, where the first touches no more
        (4.5 / 4, 0.0),
        (-7.0, 0.0),
        (1e30, 0.0),
    ],
)
def test_borders_by_hand(way, x, expected):
    """A row of four cells holds 1, 2, 3, 4."""
    value = torch.tensor([1.0, 2, 3, 4]).view(1, 4, 1, 1)
    locations, weights = torch.tensor([x, 0.5]).view(1, 1, 1, 1, 1, 2), torch.ones(1, 1, 1, 1, 1)
    result = deformable_attention(value, torch.tensor([[1, 4]]), locations, weights)
    assert result.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize('bad', [float('nan'), float('inf'), -float('inf')])
@needs_library
def test_location_that_is_not_finite_is_not_hidden(bad):
    value, shapes, locations, weights = problem([(3, 3)])
    locations[0, 2, 1, 0, 0, 0] = bad
    result = deformable_attention(value, shapes, locations, weights).unflatten(-1, (2, -1))
    assert result[0, 2, 1].isnan().all()
    assert int(result.isnan().sum()) == result.shape[-1], 'that head of that query only'


@pytest.mark.parametrize('changes', [{'queries': 0}, {'batch': 0}])
def test_nothing_asked_nothing_answered(way, changes):
    if way == 'pytorch' and 'batch' in changes:
        pytest.skip('grid_sample takes no empty batch')
    value, *rest = problem([(3, 4)], **changes)
    result = deformable_attention(value, *rest)
    assert result.shape == (changes.get('batch', 1), changes.get('queries', 5), 16)


def test_tensors_need_not_be_contiguous(way):
    value, shapes, locations, weights = problem([(3, 4), (2, 2)], batch=2)
    expected = multi_scale_deformable_attn_pytorch(value, shapes, locations, weights)
    strided = [tensor.transpose(0, 1).contiguous().transpose(0, 1) for tensor in (value, locations, weights)]
    assert not strided[0].is_contiguous()
    result = deformable_attention(strided[0], shapes.t().contiguous().t(), *strided[1:])
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_low_precision_is_computed_in_float32(way, dtype):
    """As under autocast, where the values alone are of low precision."""
    value, shapes, locations, weights = problem([(6, 7)], dtype=torch.float32)
    result = deformable_attention(value.to(dtype), shapes, locations, weights)
    expected = multi_scale_deformable_attn_pytorch(value.to(dtype).float(), shapes, locations, weights)
    assert result.dtype == dtype
    torch.testing.assert_close(result, expected.to(dtype), rtol=0, atol=0.02)


@needs_library
def test_gradient_is_that_of_mmcv():
    value, shapes, locations, weights = problem([(4, 5), (2, 3)], batch=2, queries=7, dim=11)
    inputs = [tensor.requires_grad_() for tensor in (value, locations, weights)]
    grad = torch.randn(2, 7, 22, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    ours, theirs = (
        torch.autograd.grad(call(value, shapes, locations, weights), inputs, grad)
        for call in (deformable_attention, multi_scale_deformable_attn_pytorch)
    )
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


def test_gradient_by_finite_differences(way):
    value, shapes, locations, weights = problem([(3, 2)], queries=2, points=2, dim=9)
    inputs = [tensor.requires_grad_() for tensor in (value, locations, weights)]
    assert torch.autograd.gradcheck(lambda v, at, w: deformable_attention(v, shapes, at, w), inputs)


@pytest.mark.parametrize(
    ('change', 'field'),
    [
        (lambda v, s, at, w: (v, s + 1, at, w), 'shapes'),
        (lambda v, s, at, w: (v, s * -1, at, w), 'shapes'),
        (lambda v, s, at, w: (v, s.float(), at, w), 'shapes'),
        (lambda v, s, at, w: (v, s, at[:, :, :1], w), 'locations'),
        (lambda v, s, at, w: (v, s, at[..., :1], w), 'locations'),
        (lambda v, s, at, w: (v, s, at, w[:, 1:]), 'weights'),
        (lambda v, s, at, w: (v[0], s, at, w), 'value, shapes, locations'),
        (lambda v, s, at, w: (v.long(), s, at, w), 'value'),
        (lambda v, s, at, w: (v, s, at, w.to('meta')), 'weights'),
    ],
)
def test_what_does_not_go_together_is_named(way, change, field):
    with pytest.raises(MammoError) as caught:
        deformable_attention(*change(*problem([(3, 4)])))
    assert caught.value.field == field
