"""Cancer and four other tasks from one feature."""

import math

import pytest
import torch
from mmpretrain.structures import DataSample
from torch.nn import functional as F

from mmmammo.datasets.transforms import FlipView
from mmmammo.models import MultiTaskHead
from mmmammo.models.classifiers.multi_task_head import known_mean
from mmmammo.structures import MammoError

OTHERS = ('laterality', 'biopsy', 'view', 'implant')


def sample(cancer=1, laterality='L', view='CC', **labels):
    labels = {'biopsy': 1, 'implant': 0} | labels
    return DataSample(metainfo={'laterality': laterality, 'view': view, 'labels': labels}).set_gt_score(
        torch.tensor([float(cancer)])
    )


def head(zero=True, **options):
    torch.manual_seed(0)
    built = MultiTaskHead(5, **options)
    for parameter in built.parameters():
        torch.nn.init.zeros_(parameter) if zero else torch.nn.init.normal_(parameter)
    return built


FEATURE = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
SAMPLES = [
    sample(1, 'L', 'CC'),
    sample(0, 'R', 'MLO', biopsy=0, implant=1),
    sample(0, 'R', 'AT', biopsy=0),
    sample(0, 'L', 'LMO', biopsy=0),
]


def test_without_knowledge_the_loss_is_that_of_guessing():
    losses = head().loss((FEATURE,), SAMPLES)
    assert set(losses) == {'loss_cls', *(f'loss_{task}' for task in OTHERS)}
    total = sum(losses.values()).item()
    assert total == pytest.approx(0.8 * math.log(2) + 0.05 * (3 * math.log(2) + math.log(6)), rel=1e-6)


def test_the_loss_is_the_formula_of_the_paper():
    built = head(zero=False)
    logits = {task: layer(FEATURE) for task, layer in built.others.items()}
    truth = {'laterality': [0.0, 1, 1, 0], 'biopsy': [1.0, 0, 0, 0], 'implant': [0.0, 1, 0, 0]}
    parts = {
        task: F.binary_cross_entropy(logits[task][:, 0].sigmoid(), torch.tensor(values))
        for task, values in truth.items()
    }
    parts['view'] = -logits['view'].log_softmax(1)[range(4), [0, 1, 4, 5]].mean()
    cancer = F.binary_cross_entropy(built((FEATURE,))[:, 0].sigmoid(), torch.tensor([1.0, 0, 0, 0]))
    literal = 0.8 * cancer + 0.2 * sum(parts.values()) / 4
    torch.testing.assert_close(sum(built.loss((FEATURE,), SAMPLES).values()), literal)


def test_what_an_image_does_not_have_is_left_out_of_its_task():
    built = head(zero=False)
    unknown = DataSample(metainfo={'laterality': 'U', 'view': 'XCCL', 'labels': {'age': None}})
    unknown.set_gt_score(torch.tensor([0.0]))
    known = built.loss((FEATURE[:1],), SAMPLES[:1])
    both = built.loss((FEATURE[:2],), [SAMPLES[0], unknown])
    for task in OTHERS:
        torch.testing.assert_close(both[f'loss_{task}'], known[f'loss_{task}'])
    assert both['loss_cls'] != known['loss_cls']


def test_a_batch_that_knows_nothing_moves_no_other_task():
    built = head(zero=False)
    bare = DataSample().set_gt_score(torch.tensor([1.0]))
    losses = built.loss((FEATURE[:2],), [bare, bare])
    assert all(losses[f'loss_{task}'] == 0 for task in OTHERS)
    sum(losses.values()).backward()
    for layer in built.others.values():
        assert (layer.weight.grad == 0).all()
    assert (built.cancer.weight.grad != 0).any()


def test_the_mean_of_none_is_zero_and_of_some_is_theirs():
    logits = torch.tensor([[2.0], [-1.0], [0.5]])
    assert known_mean(logits, torch.tensor([-1, -1, -1])) == 0
    torch.testing.assert_close(
        known_mean(logits, torch.tensor([1, -1, 0])), (F.softplus(-logits[0, 0]) + F.softplus(logits[2, 0])) / 2
    )


def test_only_cancer_is_predicted():
    built = head(zero=False).eval()
    found = built.predict((FEATURE,), [sample() for _ in range(4)])
    torch.testing.assert_close(torch.stack([s.pred_score for s in found]), built((FEATURE,)).sigmoid())


@pytest.mark.parametrize('other', ['mmmammo.MultiLabelFocalLoss', 'mmpretrain.CrossEntropyLoss'])
def test_cancer_may_have_another_loss(other):
    options = {'alpha': 0.75} if 'Focal' in other else {'use_sigmoid': True}
    built = head(loss=dict(type=other, **options))
    expected = {'mmmammo.MultiLabelFocalLoss': (0.75 + 3 * 0.25) / 4 * 0.25 * math.log(2)}.get(other, math.log(2))
    assert built.loss((FEATURE,), SAMPLES)['loss_cls'].item() == pytest.approx(0.8 * expected)


def test_a_flip_exchanges_the_side_that_is_learnt():
    image = {'img': FEATURE.numpy().copy(), 'laterality': 'L'}
    flipped = FlipView(prob=1.0)(image)
    built = head()
    assert built._number('laterality', sample(laterality='L')) == 0
    assert built._number('laterality', sample(laterality=flipped['laterality'])) == 1
    assert FlipView(prob=1.0)(flipped)['laterality'] == 'L'


@pytest.mark.parametrize('options', [dict(alpha=0.0), dict(alpha=1.1), dict(tasks=()), dict(tasks=('cancer',))])
def test_senseless_tasks_are_refused(options):
    with pytest.raises(MammoError, match=r'MultiTaskHead: alpha, tasks'):
        MultiTaskHead(5, **options)
