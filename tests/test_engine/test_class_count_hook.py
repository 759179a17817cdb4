from types import SimpleNamespace

import pytest
from torch import nn

from mmmammo.engine.hooks import ClassCountHook
from mmmammo.structures import MammoError

EVENTS = ('train', 'val', 'test')


def head(num_classes):
    module = nn.Identity()
    module.num_classes = num_classes
    return module


def check(event, classes, model):
    dataset = SimpleNamespace(metainfo={'classes': classes}, ann_file='set/annotations/train.json')
    runner = SimpleNamespace(model=model, **{f'{event}_dataloader': SimpleNamespace(dataset=dataset)})
    return getattr(ClassCountHook(), f'before_{event}')(runner)


@pytest.fixture
def model():
    return nn.ModuleDict({'rpn_head': head(1), 'roi_head': nn.ModuleDict({'bbox_head': head(2), 'mask_head': head(2)})})


@pytest.mark.parametrize('event', EVENTS)
def test_classes_that_fit_pass(event, model):
    assert check(event, ('mass', 'calcification'), model) is None


@pytest.mark.parametrize('event', EVENTS)
@pytest.mark.parametrize('classes', [('mass',), ('mass', 'calcification', 'distortion')], ids=len)
def test_more_or_fewer_classes_are_refused(event, classes, model):
    with pytest.raises(MammoError, match=rf'roi_head.bbox_head.num_classes=.*{len(classes)}') as info:
        check(event, classes, model)
    assert (info.value.where, info.value.found) == ('set/annotations/train.json', classes)


def test_the_head_is_named_as_the_config_has_it_under_ddp(model):
    with pytest.raises(MammoError, match=r'2, which is model\.roi_head\.bbox_head\.num_classes\.'):
        check('train', ('mass',), nn.ModuleDict({'module': model}))


@pytest.mark.parametrize('count', [None, -1, 0])
def test_parts_that_count_no_classes_are_passed_over(count):
    parts = nn.ModuleDict({'backbone': head(count), 'head': head(2)})
    assert check('train', ('no mass', 'mass'), parts) is None
    with pytest.raises(MammoError, match=r'model\.head\.num_classes'):
        check('train', ('mass',), parts)  # the part that counts is looked at all the same
