"""Whole views with their findings, numbered as the patch classifier numbers its outputs."""

import json

import pytest

from mmmammo.datasets import FindingViewDataset, MammogramDataset
from mmmammo.structures import MammoError
from mmmammo.testing.prepared_set import make_prepared_set


@pytest.fixture(scope='module')
def prepared(tmp_path_factory):
    return make_prepared_set(tmp_path_factory.mktemp('set'), size=(96, 72))


def classes_in(prepared):
    index = json.loads((prepared / 'annotations' / 'test.json').read_text())
    return tuple(category['name'] for category in sorted(index['categories'], key=lambda c: c['id']))


def test_classes_are_numbered_by_the_list_that_is_given(prepared):
    names = classes_in(prepared)
    asked = ('another', *names[::-1])
    given = {'ann_file': 'annotations/train.json', 'data_root': str(prepared)}
    ours, plain = FindingViewDataset(classes=asked, **given), MammogramDataset(**given)
    assert ours.metainfo['classes'] == asked
    pairs = list(zip(ours.iter_images(), plain.iter_images(), strict=True))
    assert any(image['instances'] for image, _ in pairs)
    for mine, theirs in pairs:
        for one, other in zip(mine['instances'], theirs['instances'], strict=True):
            assert asked[one['bbox_label']] == names[other['bbox_label']]
            assert one['bbox'] == other['bbox']


def test_a_category_that_no_output_stands_for_is_refused(prepared):
    with pytest.raises(MammoError, match='categories'):
        FindingViewDataset('annotations/train.json', classes=('another',), data_root=str(prepared))
