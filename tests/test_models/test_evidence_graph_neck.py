"""Nodes as smooth maxima of rectified evidence, standardised within a view, and messages from the other breast."""

import math

import pytest
import torch

from mmmammo.models import AnatomyGraphNeck, EvidenceGraphNeck
from mmmammo.models.layers import BipartiteGraph, ExamContext, MirrorGraph, NodeMapping, Partners
from mmmammo.models.necks.evidence_graph_neck import standardised
from mmmammo.structures import MammoError
from mmmammo.testing.exam_samples import FOUR_VIEWS, exam_batch

SIZE, CHANNELS = (128, 96), 8
# two nodes and one without pixels; pixels 0 and 1 belong to node 0, pixel 2 to node 1, pixel 3 is background
MAPPING = NodeMapping(torch.tensor([[[0], [0], [1], [-1]]], dtype=torch.int16), 3)
PIXELS = torch.tensor([[[[1.0, 3.0], [-2.0, 9.0]]]])


def make_neck(trained=True, **kwargs):
    torch.manual_seed(0)
    neck = EvidenceGraphNeck(CHANNELS, **kwargs).eval()
    for parameter in neck.parameters() if trained else ():
        torch.nn.init.normal_(parameter, std=0.5)
    return neck


def run(neck, views=FOUR_VIEWS):
    generator = torch.Generator().manual_seed(1)
    shapes = [(-(-SIZE[0] // s), -(-SIZE[1] // s)) for s in (4, 8, 16, 32, 64)]
    features = [torch.randn(len(views), CHANNELS, *shape, generator=generator) for shape in shapes]
    samples = exam_batch(views=views)['data_samples']
    context = ExamContext.from_data_samples(samples, neck.num_nodes, SIZE, torch.device('cpu'))
    with neck.given(context):
        return neck(features), features


def test_node_is_the_log_of_the_mean_exponential():
    for sharpness in (0.5, 4.0):
        t = torch.tensor([sharpness])
        expected = torch.log((torch.exp(t * 1.0) + torch.exp(t * 3.0)) / 2) / t
        found = MAPPING.to_nodes(PIXELS, t)
        torch.testing.assert_close(found[0, :, 0], torch.tensor([float(expected), -2.0, 0.0]))


@pytest.mark.parametrize(('sharpness', 'node'), [(1e-3, 2.0), (200.0, 3.0)], ids=['mean', 'maximum'])
def test_sharpness_goes_from_mean_to_maximum(sharpness, node):
    found = MAPPING.to_nodes(PIXELS, torch.tensor([sharpness]))
    torch.testing.assert_close(found[0, 0, 0], torch.tensor(node), atol=5e-3, rtol=0)
    assert found.isfinite().all()


def test_a_small_lesion_is_heard():
    table = torch.zeros(1, 400, 1, dtype=torch.int16)
    pixels = torch.randn(1, 1, 20, 20, generator=torch.Generator().manual_seed(0)) * 0.5
    lesion = pixels.clone()
    lesion[..., 8:12, 8:12] += 4
    mapping, t = NodeMapping(table, 1), torch.tensor([4.0])
    by_mean = mapping.to_nodes(lesion) - mapping.to_nodes(pixels)
    by_evidence = mapping.to_nodes(lesion, t) - mapping.to_nodes(pixels, t)
    assert float(by_mean) < 0.2 and float(by_evidence) > 2


def test_what_one_pixel_says_the_next_does_not_take_back():
    """Two pixels whose mean is that of their background: a mean of features hides them, evidence does not."""
    neck = make_neck(k=1, levels=(0,), strides=(4,))
    with torch.no_grad():
        neck.evidence.weight.copy_(torch.eye(CHANNELS)[..., None, None])
        neck.evidence.bias.zero_()
        neck.log_sharpness.zero_()
    pixels = torch.zeros(1, CHANNELS, 2, 2)
    pixels[0, 0, 0] = torch.tensor([3.0, -3.0])
    assert float(MAPPING.to_nodes(pixels)[0, 0, 0]) == 0
    nodes = torch.zeros(1, 1, 3, CHANNELS)
    nodes[0, 0, 0, 0] = math.log((math.exp(3) + math.exp(0)) / 2)
    occupied = torch.tensor([[[True, True, False]]])
    torch.testing.assert_close(neck._nodes([pixels], [MAPPING]), standardised(nodes, occupied))
    assert float(standardised(nodes, occupied)[0, 0, 0, 0]) > 0.99


def test_standardised_within_the_view_over_nodes_with_pixels():
    nodes = torch.randn(2, 3, 5, 4) * 3 + 7
    occupied = torch.ones(2, 3, 5, dtype=torch.bool)
    occupied[0, 1, 3:] = False
    found = standardised(nodes, occupied)
    kept = found[0, 1, :3]
    torch.testing.assert_close(kept.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(kept.var(0, unbiased=False), torch.ones(4), atol=1e-3, rtol=0)
    assert float(found[0, 1, 3:].abs().max()) == 0
    assert standardised(nodes, torch.zeros_like(occupied)).isfinite().all()


def test_mirror_messages_are_the_means_of_the_nearest_contralateral_nodes():
    template = torch.tensor([[0.0, 0.0], [0.0, 1.0], [0.0, 5.0]])
    graph = MirrorGraph(2, (template, template), num_neighbours=2)
    graph.output_weight.data = torch.randn(2, 2)
    nodes = torch.randn(1, 2, 3, 2)
    partners = Partners(torch.tensor([1, 0]), torch.tensor([True, False]))
    found = graph(nodes, torch.tensor([0, 1]), partners)
    for node, nearest in enumerate([(0, 1), (1, 0), (2, 1)]):
        mean = nodes[0, 1, list(nearest)].mean(0)
        expected = torch.relu(mean @ graph.message_weight) @ graph.output_weight.T
        torch.testing.assert_close(found[0, 0, node], expected)
    assert float(found[0, 1].detach().abs().max()) == 0, 'no partner, no message'


def test_rows_of_the_prior_sum_to_one():
    graph = BipartiteGraph(4, torch.tensor([[1.0, 3.0, 0.0], [0.0, 0.0, 0.0]]), row_norm=True)
    rows = graph._prior_rows(3)
    torch.testing.assert_close(rows[0].sum(1), torch.tensor([1.0, 0.0, 0.0]))
    torch.testing.assert_close(rows[1].sum(1), torch.tensor([1.0, 1.0, 0.0]))


@pytest.mark.parametrize('views', [FOUR_VIEWS, FOUR_VIEWS[:1], [('L', 'ML')]], ids=len)
def test_identity_at_initialisation(views):
    found, given = run(make_neck(trained=False), views)
    for level, expected in zip(found, given, strict=True):
        torch.testing.assert_close(level, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('graphs', [(True, True), (True, False), (False, True)], ids=['both', 'bgn', 'ign'])
def test_other_breast_speaks_whatever_graphs_there_are(graphs):
    neck = make_neck(bgn=graphs[0], ign=graphs[1])
    with_both, _ = run(neck)
    neck.mirror.output_weight.data.zero_()
    without, _ = run(neck)
    assert float((with_both[0] - without[0]).detach().abs().max()) > 1e-3


@pytest.mark.parametrize('seed', range(4))
def test_all_graphs_see_the_same_contralateral_views_in_training(seed):
    neck = make_neck(view_dropout=0.5).train()
    heard = []
    for graph in (neck.mirror, neck.inception):
        graph.register_forward_pre_hook(lambda _, inputs: heard.append(inputs[2].present.tolist()))
    torch.manual_seed(seed)
    run(neck)
    torch.manual_seed(seed)
    _, contralateral = torch.rand(4) >= 0.5, torch.rand(4) >= 0.5
    assert heard == [contralateral.tolist()] * 2


def test_starts_where_the_parent_starts():
    parent, child = AnatomyGraphNeck(256), EvidenceGraphNeck(256)
    extra = sum(p.numel() for p in child.parameters()) - sum(p.numel() for p in parent.parameters())
    assert extra == 3 * 256**2 + 2 * 256 + 4 * 256 + 1  # E, mirror; biases, sharpness; verdicts


@pytest.mark.parametrize(
    'bad', [{'sharpness': 0.0}, {'mirror_neighbours': 0}, {'mirror_neighbours': 23}, {'verdict_weight': -1.0}]
)
def test_bad_arguments(bad):
    with pytest.raises(MammoError, match='sharpness, mirror_neighbours, verdict_weight'):
        EvidenceGraphNeck(CHANNELS, **bad)
