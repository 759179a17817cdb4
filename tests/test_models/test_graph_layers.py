"""The two graphs against the formulas of the paper, written with loops and blocks."""

import pytest
import torch

from mmmammo.models.layers import BipartiteGraph, InceptionGraph, Partners, neighbour_matrix

CHANNELS = 4
N_CC, N_MLO = 5, 7


def padded(x, size=N_MLO):
    return torch.nn.functional.pad(x, (0, 0, 0, size - len(x)))


def partner(index, present=True):
    return Partners(torch.tensor(index), torch.full((len(index),), present))


@pytest.fixture
def pair():
    """Node features of a CC and an MLO view as a batch of two."""
    torch.manual_seed(0)
    cc, mlo = torch.randn(N_CC, CHANNELS), torch.randn(N_MLO, CHANNELS)
    return cc, mlo, torch.stack([padded(cc), padded(mlo)])[None]


def test_bipartite_graph_equals_the_formula(pair):
    cc, mlo, batch = pair
    geometric = torch.rand(N_CC, N_MLO)
    graph = BipartiteGraph(CHANNELS, geometric)
    w_s = graph.semantic_weight.detach().flatten()
    h = torch.zeros(N_CC, N_MLO)
    for i in range(N_CC):
        for j in range(N_MLO):
            h[i, j] = geometric[i, j] * torch.sigmoid(torch.cat([cc[i], mlo[j]]) @ w_s)
    h_b = torch.zeros(N_CC + N_MLO, N_CC + N_MLO)
    h_b[:N_CC, N_CC:], h_b[N_CC:, :N_CC] = h, h.T
    assert torch.equal(h_b, h_b.T)
    expected = torch.relu(h_b @ torch.cat([cc, mlo]) @ graph.message_weight.detach())
    found = graph(batch, torch.tensor([0, 1]), partner([1, 0]))[0].detach()
    torch.testing.assert_close(found[0, :N_CC], expected[:N_CC])
    torch.testing.assert_close(found[1], expected[N_CC:])
    assert float(found[0, N_CC:].abs().max()) == 0.0


def test_nodes_without_prior_get_no_message(pair):
    _, _, batch = pair
    geometric = torch.rand(N_CC, N_MLO)
    geometric[2] = 0
    graph = BipartiteGraph(CHANNELS, geometric)
    found = graph(batch, torch.tensor([0, 1]), partner([1, 0]))[0, 0].detach()
    assert float(found[2].abs().max()) == 0.0
    assert float(found.abs().max()) > 0.0


@pytest.mark.parametrize('row_norm', [False, True])
def test_inception_graph_equals_the_block_formula(row_norm):
    torch.manual_seed(0)
    branches = (1, 3, 5)
    templates = (torch.rand(N_CC, 2), torch.rand(N_MLO, 2))
    graph = InceptionGraph(CHANNELS, templates, branches, row_norm)
    examined, other = torch.randn(N_MLO, CHANNELS), torch.randn(N_MLO, CHANNELS)
    x = torch.cat([examined, other])
    blocks = []
    for s in branches:
        j = neighbour_matrix(templates[1], s)
        block = torch.cat([torch.cat([torch.eye(N_MLO), j], 1), torch.cat([j.T, torch.eye(N_MLO)], 1)])
        blocks.append(block / block.sum(1, keepdim=True) if row_norm else block)
    stacked_weights = graph.branch_weight.detach().reshape(-1, CHANNELS)
    expected = torch.relu(torch.cat(blocks, 1) @ torch.block_diag(x, x, x) @ stacked_weights)
    batch = torch.stack([examined, other])[None]
    found = graph(batch, torch.tensor([1, 1]), partner([1, 0]))[0, 0]
    torch.testing.assert_close(found, expected[:N_MLO])


def test_neighbour_matrix_is_the_nearest_by_loop():
    template = torch.rand(6, 2)
    found = neighbour_matrix(template, 3)
    for i in range(6):
        nearest = sorted(range(6), key=lambda j: float((template[i] - template[j]).norm()))[:3]
        assert found[i].nonzero().flatten().tolist() == sorted(nearest)


def test_coincident_template_nodes_are_their_own_nearest():
    assert torch.equal(neighbour_matrix(torch.zeros(4, 2), 1), torch.eye(4))


def test_symmetric_breasts_get_equal_rows():
    graph = InceptionGraph(CHANNELS, (torch.rand(N_CC, 2), torch.rand(N_MLO, 2)), (1,))
    side = torch.randn(N_CC, CHANNELS)
    batch = torch.stack([padded(side), padded(side)])[None]
    left, right = graph(batch, torch.tensor([0, 0]), partner([1, 0]))[0]
    assert torch.equal(left, right)


@pytest.mark.parametrize('number', [0, 1], ids=['CC', 'MLO'])
def test_with_one_neighbour_both_halves_of_the_block_formula_are_the_two_breasts(number):
    """Each node's nearest is itself, so J^ of the examined breast is that of the other one, its halves exchanged."""
    sizes = (N_CC, N_MLO)
    graph = InceptionGraph(CHANNELS, tuple(torch.rand(n, 2) for n in sizes), (1,), row_norm=False)
    n, eye = sizes[number], torch.eye(sizes[number])
    assert torch.equal(neighbour_matrix(torch.rand(n, 2), 1), eye)
    left, right = torch.randn(n, CHANNELS), torch.randn(n, CHANNELS)
    block = torch.cat([torch.cat([eye, eye], 1), torch.cat([eye, eye], 1)])
    expected = torch.relu(block @ torch.cat([left, right]) @ graph.branch_weight.detach()[0])
    batch = torch.stack([padded(left), padded(right)])[None]
    found = graph(batch, torch.tensor([number, number]), partner([1, 0]))[0].detach()
    torch.testing.assert_close(found[0, :n], expected[:n])
    torch.testing.assert_close(found[1, :n], expected[n:])
    torch.testing.assert_close(found[0, :n], found[1, :n])  # I + J = J^T + I: what differs is seen by both


def test_the_mirrored_place_is_looked_at_and_no_other():
    """A change at one node of the other breast moves that node alone, with one neighbour."""
    graph = InceptionGraph(CHANNELS, (torch.rand(N_CC, 2), torch.rand(N_MLO, 2)), (1,))
    torch.nn.init.constant_(graph.branch_weight, 0.5)
    batch = torch.rand(1, 2, N_MLO, CHANNELS)
    changed = batch.clone()
    changed[0, 1, 3] += 1
    index, both = torch.tensor([1, 1]), partner([1, 0])
    moved = (graph(changed, index, both) - graph(batch, index, both))[0, 0].abs().sum(1)
    assert moved.nonzero().flatten().tolist() == [3]


def test_swapping_the_breasts_swaps_the_rows():
    graph = InceptionGraph(CHANNELS, (torch.rand(N_CC, 2), torch.rand(N_MLO, 2)), (1, 3))
    batch = torch.randn(1, 2, N_MLO, CHANNELS)
    both = partner([1, 0])
    found = graph(batch, torch.tensor([1, 1]), both)
    swapped = graph(batch.flip(1), torch.tensor([1, 1]), both)
    torch.testing.assert_close(found, swapped.flip(1))


@pytest.mark.parametrize('kind', ['bipartite', 'inception'])
def test_missing_partner_gives_zero_and_zero_gradient(kind, pair):
    _, _, batch = pair
    batch = batch.clone().requires_grad_()
    if kind == 'bipartite':
        graph = BipartiteGraph(CHANNELS, torch.rand(N_CC, N_MLO))
    else:
        graph = InceptionGraph(CHANNELS, (torch.rand(N_CC, 2), torch.rand(N_MLO, 2)), (1, 3))
    out = graph(batch, torch.tensor([0, 1]), partner([0, 0], present=False))
    out.sum().backward()
    assert float(out.detach().abs().max()) == 0.0
    assert float(batch.grad.abs().max()) == 0.0
    assert all(float(p.grad.abs().max()) == 0.0 for p in graph.parameters())
