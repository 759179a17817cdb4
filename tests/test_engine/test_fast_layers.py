"""Quicker layers compute what the stock ones do, and are these wherever something is to be learned."""

import copy

import pytest
import torch
from mmcv.cnn.bricks.transformer import FFN, MultiheadAttention
from torch import nn
from torch.testing import assert_close

from mmmammo.engine import fast_layers
from mmmammo.engine.fast_layers import ChunkedSequential, OneDNNLinear, WeightlessAttention, use_fast_layers


def both(module):
    """A module as it is and made faster, in evaluation."""
    return module.eval(), use_fast_layers(copy.deepcopy(module))


@torch.no_grad()
@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('shape', [(5,), (1, 5), (3, 7, 5), (2, 0, 5), (2, 3, 4, 5)])
def test_linear(bias, shape):
    stock, fast = both(nn.Sequential(nn.Linear(5, 6, bias=bias)))
    assert type(fast[0]) is OneDNNLinear
    inputs = torch.randn(shape)
    assert_close(fast(inputs), stock(inputs), rtol=0, atol=1e-5)


@torch.no_grad()
def test_linear_of_strided_input():
    stock, fast = both(nn.Sequential(nn.Linear(5, 6)))
    strided = torch.randn(5, 7, 3).permute(2, 1, 0)
    assert_close(fast(strided), stock(strided), rtol=0, atol=1e-5)
    assert_close(fast(strided[:, ::2]), stock(strided[:, ::2]), rtol=0, atol=1e-5)


@torch.no_grad()
def test_linear_follows_weights_loaded_later():
    stock, fast = both(nn.Sequential(nn.Linear(5, 6)))
    other = nn.Sequential(nn.Linear(5, 6))
    fast.load_state_dict(other.state_dict())
    inputs = torch.randn(4, 5)
    assert_close(fast(inputs), other(inputs), rtol=0, atol=1e-5)


def test_linear_still_learns():
    stock, fast = both(nn.Sequential(nn.Linear(5, 6)))
    inputs = torch.randn(4, 5)
    grads = []
    for module in (stock, fast):
        module(inputs).square().sum().backward()
        grads.append(module[0].weight.grad)
    assert torch.equal(*grads)


@torch.no_grad()
def test_linear_obeys_autocast_and_other_types():
    fast = use_fast_layers(nn.Sequential(nn.Linear(5, 6)))
    with torch.autocast('cpu', torch.bfloat16):
        assert fast(torch.randn(4, 5)).dtype == torch.bfloat16
    assert fast.double()(torch.randn(4, 5, dtype=torch.float64)).dtype == torch.float64


@torch.no_grad()
@pytest.mark.parametrize('tokens', [1, 4, 5, 11])
def test_feed_forward_in_chunks(monkeypatch, tokens):
    monkeypatch.setattr(fast_layers, 'CHUNK', 4)
    stock, fast = both(nn.Sequential(FFN(8, 16, act_cfg={'type': 'ReLU', 'inplace': True})))
    assert type(fast[0].layers) is ChunkedSequential
    inputs = torch.randn(2, tokens, 8)
    kept = inputs.clone()
    assert_close(fast(inputs), stock(inputs), rtol=0, atol=1e-5)
    assert torch.equal(inputs, kept), 'an activation in place stays within'


@torch.no_grad()
@pytest.mark.parametrize('masked', [False, True])
def test_attention(masked):
    stock, fast = both(nn.Sequential(MultiheadAttention(8, 2, batch_first=True)))
    assert type(fast[0].attn) is WeightlessAttention
    query, position = torch.randn(2, 2, 5, 8)
    mask = torch.ones(5, 5).triu(1).bool() if masked else None
    ours, theirs = (module[0](query, query_pos=position, attn_mask=mask) for module in (fast, stock))
    assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_attention_whose_weights_may_be_read_keeps_them():
    fast = use_fast_layers(nn.ModuleDict({'own': nn.MultiheadAttention(8, 2)}))
    query = torch.randn(3, 1, 8)
    assert fast['own'](query, query, query)[1] is not None
