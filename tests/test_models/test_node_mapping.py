"""phi and psi against the paper's matrices, written out."""

import pytest
import torch

from mmmammo.models.layers import NodeMapping, nearest_nodes

STRIDE = 4


def make(num_nodes=6, k=3, shape=(5, 7), seed=0, breast=None):
    generator = torch.Generator().manual_seed(seed)
    size = torch.tensor([shape[1], shape[0]]) * STRIDE
    nodes = torch.rand(1, num_nodes, 2, generator=generator) * size
    mask = torch.ones(1, *shape, dtype=torch.bool) if breast is None else breast
    (table,) = nearest_nodes(nodes, torch.ones(1, num_nodes, dtype=torch.bool), [mask], [STRIDE], k)
    return nodes, table, NodeMapping(table, num_nodes)


def literal_assignment(nodes, shape, k):
    """A_ij = 1 iff node j is among the k nearest of pixel i, one pixel after the other."""
    matrix = torch.zeros(shape[0] * shape[1], len(nodes))
    for y in range(shape[0]):
        for x in range(shape[1]):
            centre = torch.tensor([(x + 0.5) * STRIDE, (y + 0.5) * STRIDE])
            nearest = sorted(range(len(nodes)), key=lambda j: float((nodes[j] - centre).norm()))[:k]
            matrix[y * shape[1] + x, nearest] = 1
    return matrix


@pytest.mark.parametrize('k', [1, 3, 6])
def test_maps_equal_the_matrices_of_the_paper(k):
    nodes, table, mapping = make(k=k)
    a = literal_assignment(nodes[0], (5, 7), k)
    assert table.dtype == torch.int16
    assert table.shape == (1, 35, k)
    assert torch.equal(mapping.assignment[0].T, a)
    features = torch.randn(1, 4, 5, 7)
    values = torch.randn(1, 6, 4)
    counts = a.sum(0)
    q_f = a / counts.clamp(min=1)
    q_r = a / a.sum(1, keepdim=True)
    torch.testing.assert_close(mapping.to_nodes(features)[0], q_f.T @ features[0].flatten(1).T)
    torch.testing.assert_close(mapping.to_pixels(values)[0], (q_r @ values[0]).T)
    torch.testing.assert_close(q_r.sum(1), torch.ones(35))
    torch.testing.assert_close(q_f.sum(0), (counts > 0).float())


def test_constants_are_preserved():
    _, _, mapping = make()
    ones = mapping.to_nodes(torch.full((1, 2, 5, 7), 3.0))
    used = mapping.assignment.sum(2) > 0
    torch.testing.assert_close(ones[used], torch.full_like(ones[used], 3.0))
    torch.testing.assert_close(mapping.to_pixels(torch.full((1, 6, 2), 3.0)), torch.full((1, 2, 35), 3.0))


def test_voronoi_maps_there_and_back():
    _, _, mapping = make(k=1)
    values = torch.randn(1, 6, 4)
    back = mapping.to_nodes(mapping.to_pixels(values).view(1, 4, 5, 7))
    used = mapping.assignment.sum(2) > 0
    torch.testing.assert_close(back[used], values[used])


def test_all_nodes_see_the_global_mean():
    _, _, mapping = make(k=6)
    features = torch.randn(1, 4, 5, 7)
    torch.testing.assert_close(mapping.to_nodes(features)[0], features.mean((2, 3)).expand(6, 4))


def test_empty_node_and_background_are_zero():
    breast = torch.zeros(1, 5, 7, dtype=torch.bool)
    breast[0, 0, 0] = True
    _, table, mapping = make(k=1, breast=breast)
    assert int((table >= 0).sum()) == 1
    nodes = mapping.to_nodes(torch.ones(1, 2, 5, 7))
    assert nodes.isfinite().all()
    assert int((nodes.abs().sum(2) > 0).sum()) == 1
    pixels = mapping.to_pixels(torch.ones(1, 6, 2))
    assert float(pixels[0, :, 1:].abs().max()) == 0.0


def test_masked_nodes_are_never_nearest():
    nodes = torch.zeros(1, 4, 2)  # the last two lie on a corner but are padding
    nodes[0, :2] = torch.tensor([[20.0, 20.0], [24.0, 20.0]])
    mask = torch.tensor([[True, True, False, False]])
    (table,) = nearest_nodes(nodes, mask, [torch.ones(1, 5, 7, dtype=torch.bool)], [STRIDE], 2)
    assert set(table.flatten().tolist()) == {0, 1}


def test_levels_of_a_batch_found_together_equal_each_by_itself():
    generator = torch.Generator().manual_seed(0)
    shapes, strides, k = [(8, 6), (4, 3), (2, 2)], [4, 8, 16], 3
    nodes = torch.rand(2, 7, 2, generator=generator) * torch.tensor([24, 32])
    node_mask = torch.ones(2, 7, dtype=torch.bool)
    node_mask[1, 5:] = False
    breasts = [torch.rand(2, *shape, generator=generator) > 0.3 for shape in shapes]
    tables = nearest_nodes(nodes, node_mask, breasts, strides, k)
    for table, breast, stride in zip(tables, breasts, strides, strict=True):
        (alone,) = nearest_nodes(nodes, node_mask, [breast], [stride], k)
        assert torch.equal(table, alone)
        for image, count in enumerate((7, 5)):
            for y, x in breast[image].nonzero().tolist():
                centre = torch.tensor([(x + 0.5) * stride, (y + 0.5) * stride])
                nearest = (nodes[image, :count] - centre).norm(dim=1).argsort()[:k]
                assert set(table[image, y * breast.shape[2] + x].tolist()) == set(nearest.tolist())


def test_base_is_added_to():
    _, _, mapping = make()
    values, base = torch.randn(1, 6, 4), torch.randn(1, 4, 35)
    expected = base + mapping.to_pixels(values)
    torch.testing.assert_close(mapping.to_pixels(values, base=base), expected)
