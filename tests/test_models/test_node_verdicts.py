"""Which nodes have a lesion, what the loss of their verdicts is, and that a detector trains with it."""

import copy
import math

import pytest
import torch

from mmmammo.models import EvidenceGraphNeck
from mmmammo.models.layers import ExamContext, NodeVerdicts, lesion_nodes, verdict_loss
from mmmammo.testing.exam_samples import FOUR_VIEWS, exam_batch

SIZE, CHANNELS = (128, 96), 8
EMPTY = torch.zeros(0, 4)


def context_of(views=FOUR_VIEWS, **kwargs):
    samples = exam_batch(views=views, size=SIZE, **kwargs)['data_samples']
    return ExamContext.from_data_samples(samples, (22, 26), SIZE, torch.device('cpu')), samples


def box_at(centre, side=10.0):
    return torch.tensor([[centre[0] - side / 2, centre[1] - side / 2, centre[0] + side / 2, centre[1] + side / 2]])


def test_a_lesion_at_a_node_is_that_node():
    context, _ = context_of()
    boxes = [torch.cat([box_at(context.nodes[0, 3]), box_at(context.nodes[0, 9])]), EMPTY, box_at(context.nodes[2, 7])]
    found = lesion_nodes([*boxes, EMPTY], context, 1)
    assert found.nonzero().tolist() == [[0, 3], [0, 9], [2, 7]]


@pytest.mark.parametrize('k', [1, 3])
def test_the_k_nearest_nodes_by_hand(k):
    context, _ = context_of()
    place = torch.tensor([31.0, 57.0])
    found = lesion_nodes([EMPTY, box_at(place), EMPTY, EMPTY], context, k)
    nearest = [((context.nodes[1, n] - place).square().sum().item(), n) for n in range(26)]  # MLO has 26
    assert sorted(n for _, n in sorted(nearest)[:k]) == found[1].nonzero().flatten().tolist()
    assert not found[[0, 2, 3]].any()


def test_views_without_nodes_and_batches_without_lesions_have_none():
    context, _ = context_of((*FOUR_VIEWS[:1], ('L', 'ML')))
    assert not lesion_nodes([EMPTY, box_at((40.0, 40.0))], context, 3).any()
    assert not lesion_nodes([EMPTY, EMPTY], context, 3).any()


def test_verdicts_and_loss_are_the_formula():
    torch.manual_seed(0)
    context, _ = context_of()
    verdicts = NodeVerdicts(CHANNELS, 2)
    nodes = torch.randn(2, 4, 26, CHANNELS)
    weight, bias = verdicts.weigh.weight[0], verdicts.weigh.bias[0]
    v = nodes[0] @ weight[:CHANNELS] + nodes[1] @ weight[CHANNELS:] + bias
    torch.testing.assert_close(verdicts(nodes), v)
    lesions = torch.rand(4, 26) < 0.2
    p = 1 / (1 + torch.exp(-v))
    each = -torch.where(lesions, p.log(), (1 - p).log())
    counted = torch.cat([each[i, : (22, 26)[i % 2]] for i in range(4)])  # CC, MLO, CC, MLO
    torch.testing.assert_close(verdict_loss(v, lesions, context), counted.mean())


def test_begins_at_the_prior():
    loss = verdict_loss(torch.full((4, 26), -math.log(19)), torch.zeros(4, 26, dtype=torch.bool), context_of()[0])
    torch.testing.assert_close(float(loss), -math.log(0.95))
    torch.testing.assert_close(NodeVerdicts(2, 1).weigh.bias.item(), -math.log(19))


def test_a_batch_without_nodes_has_a_loss_of_zero():
    context, _ = context_of((('L', 'ML'),))
    assert float(verdict_loss(torch.randn(1, 26), torch.zeros(1, 26, dtype=torch.bool), context)) == 0


def features_of(count, generator):
    shapes = [(-(-SIZE[0] // s), -(-SIZE[1] // s)) for s in (4, 8, 16, 32)]
    return [torch.randn(count, CHANNELS, *shape, generator=generator) for shape in shapes]


def test_the_neck_asks_its_nodes_once_per_batch_and_in_training_only():
    context, samples = context_of(boxes=[(20, 30, 40, 50)])
    neck, generator = EvidenceGraphNeck(CHANNELS).train(), torch.Generator().manual_seed(0)
    with neck.given(context):
        neck(features_of(4, generator))
        losses = neck.losses(samples)
        assert losses['loss_nodes'].item() > 0 and neck.losses(samples) == {}
        losses['loss_nodes'].backward()
        assert neck.evidence.weight.grad.abs().sum() > 0 and neck.verdicts.weigh.weight.grad.abs().sum() > 0
        neck.eval()(features_of(4, generator))
        assert neck.losses(samples) == {}


def test_a_frozen_neck_is_not_asked():
    """A stage that trains the detector alone would be steered by verdicts that nobody has taught."""
    context, samples = context_of()
    neck = EvidenceGraphNeck(CHANNELS).train().requires_grad_(False)
    with neck.given(context):
        neck(features_of(4, torch.Generator().manual_seed(0)))
        assert neck.losses(samples) == {}


def test_what_was_not_judged_is_forgotten():
    context, samples = context_of()
    neck = EvidenceGraphNeck(CHANNELS).train()
    with neck.given(context):
        neck(features_of(4, torch.Generator().manual_seed(0)))
    copy.deepcopy(neck)  # cannot be done while part of a graph is held
    with neck.given(context):
        assert neck.losses(samples) == {}


def test_the_loss_is_float32_whatever_the_features_are():
    context, samples = context_of()
    neck = EvidenceGraphNeck(CHANNELS).train()
    with neck.given(context), torch.autocast('cpu', torch.bfloat16):
        neck(features_of(4, torch.Generator().manual_seed(0)))
        assert neck.losses(samples)['loss_nodes'].dtype == torch.float32


def test_without_weight_there_is_no_question():
    context, samples = context_of()
    neck = EvidenceGraphNeck(CHANNELS, verdict_weight=0).train()
    with neck.given(context):
        neck(features_of(4, torch.Generator().manual_seed(0)))
        assert neck.losses(samples) == {} and not any('verdicts' in name for name, _ in neck.named_parameters())
