"""What the neck learns from data samples."""

import numpy as np
import pytest
import torch

from mmmammo.datasets import exam_collate
from mmmammo.models.layers import ExamContext, ExamContextReader, Partners
from mmmammo.structures import MammoError
from mmmammo.testing.exam_samples import FOUR_VIEWS, exam_batch, view_sample

SIZE = (128, 96)


def context_of(samples, num_nodes=(22, 26), shape=SIZE):
    return ExamContext.from_data_samples(samples, num_nodes, shape, torch.device('cpu'))


def links(partners):
    return torch.where(partners.present, partners.index, -1).tolist()


def test_partners_of_a_full_exam():
    context = context_of(exam_batch()['data_samples'])
    assert links(context.ipsilateral) == [1, 0, 3, 2]
    assert links(context.contralateral) == [2, 3, 0, 1]
    assert context.projection.tolist() == [0, 1, 0, 1]
    assert context.node_mask.sum(1).tolist() == [22, 26, 22, 26]


@pytest.mark.parametrize(('num_views', 'num_triads'), [(4, 4), (3, 1), (2, 0)])
def test_as_many_triads_as_the_published_scheme_builds(num_views, num_triads):
    """A triad needs both partners of its examined view."""
    context = context_of(exam_batch(views=FOUR_VIEWS[:num_views])['data_samples'])
    assert int((context.ipsilateral.present & context.contralateral.present).sum()) == num_triads


def test_exams_are_not_mixed():
    context = context_of(exam_batch(2)['data_samples'])
    assert links(context.ipsilateral) == [1, 0, 3, 2, 5, 4, 7, 6]


def test_two_copies_of_an_exam_in_a_batch_are_kept_apart():
    batch = exam_collate([exam_batch(), exam_batch(views=FOUR_VIEWS[:3])])
    assert links(context_of(batch['data_samples']).ipsilateral) == [1, 0, 3, 2, 5, 4, -1]


def test_image_without_nodes_neither_has_nor_is_a_partner():
    samples = [view_sample('e', 'L', 'CC'), view_sample('e', 'L', 'MLO', nodes=None), view_sample('e', 'R', 'CC')]
    context = context_of(samples)
    assert links(context.ipsilateral) == [-1, -1, -1]
    assert links(context.contralateral) == [2, -1, 0]
    assert not context.breast_mask[1].any()


def test_of_repeats_the_better_is_the_partner():
    samples = [view_sample('e', 'L', 'CC')] + [view_sample('e', 'L', 'MLO', quality=q) for q in (0.2, 0.9)]
    assert links(context_of(samples).ipsilateral) == [2, 0, 0]


def test_other_projections_and_unknown_sides_are_carried_along():
    samples = [view_sample('e', 'L', 'ML'), view_sample('e', 'U', 'CC'), view_sample('e', 'L', 'CC')]
    context = context_of(samples)
    assert links(context.ipsilateral) == [-1, -1, -1]
    assert links(context.contralateral) == [-1, -1, -1]


def test_padding_is_not_breast():
    sample = view_sample('e', 'L', 'CC', breast_mask=np.ones((32, 24), dtype=bool))
    context = context_of([sample], shape=(160, 128))
    assert int(context.breast_mask.sum()) == 32 * 24
    assert int(context.breast_mask_at(8).sum()) == 16 * 12
    assert context.breast_mask_at(32).shape == (1, 5, 4)


def test_coarse_pixel_is_breast_if_any_part_is():
    mask = np.zeros((32, 24), dtype=bool)
    mask[5, 7] = True
    context = context_of([view_sample('e', 'L', 'CC', breast_mask=mask)])
    assert context.breast_mask_at(16)[0].nonzero().tolist() == [[1, 1]]


def test_without_mask_the_whole_image_is_breast():
    context = context_of([view_sample('e', 'L', 'CC', breast_mask=None)], shape=(160, 128))
    assert int(context.breast_mask.sum()) == 32 * 24


@pytest.mark.parametrize(
    ('change', 'field'),
    [
        ({'nodes': np.zeros((13, 2))}, 'nodes'),
        ({'nodes': np.full((22, 2), np.nan)}, 'nodes'),
        ({'view': 'ML', 'nodes': np.zeros((22, 2))}, 'nodes'),
        ({'breast_mask': np.zeros((5, 5), dtype=bool)}, 'breast_mask'),
    ],
    ids=['other node count', 'nan', 'other projection', 'mask of another size'],
)
def test_unfit_metainfo_is_refused(change, field):
    sample = view_sample('e', 'L', 'CC')
    sample.set_metainfo(change)
    with pytest.raises(MammoError) as info:
        context_of([sample])
    assert info.value.field == field
    assert info.value.where == 'e/L-CC.png'


@pytest.mark.parametrize('key', ['exam_id', 'laterality', 'view', 'quality', 'nodes', 'breast_mask'])
def test_missing_metainfo_is_named(key):
    sample = view_sample('e', 'L', 'CC')
    sample.pop(key)
    with pytest.raises(MammoError, match=f'{key}: found no such metainfo.*meta_keys'):
        context_of([sample])


def test_context_ends_with_its_block_even_after_an_error():
    reader = ExamContextReader()
    context = context_of([view_sample('e', 'L', 'CC')])
    with pytest.raises(RuntimeError, match='inside'), reader.given(context):
        assert reader.context is context
        raise RuntimeError('inside')
    with pytest.raises(MammoError, match=r'mmmammo\.AGRCNN'):
        _ = reader.context


def test_dropped_links():
    partners = Partners(torch.arange(1000), torch.arange(1000) % 2 == 0)
    torch.manual_seed(0)
    kept = partners.dropped(0.1).present
    assert not kept[1::2].any()
    assert 420 < int(kept.sum()) < 480
