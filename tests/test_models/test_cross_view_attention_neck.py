"""Attention between views: identity at first, the formula written out, silent about what is missing."""

import math

import pytest
import torch

from mmmammo.models import CrossViewAttentionNeck
from mmmammo.models.layers import TokenGrid
from mmmammo.structures import MammoError
from mmmammo.testing.exam_samples import FOUR_VIEWS, exam_batch, view_sample

CHANNELS = 8
SIZE = (128, 96)
STRIDES = (4, 8, 16, 32, 64)


def make_neck(trained=True, **kwargs):
    torch.manual_seed(0)
    neck = CrossViewAttentionNeck(CHANNELS, **{'num_heads': 2, 'grid': (3, 4), **kwargs}).eval()
    if trained:
        for parameter in neck.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    return neck


def features_of(count, seed=1):
    generator = torch.Generator().manual_seed(seed)
    shapes = [(-(-SIZE[0] // s), -(-SIZE[1] // s)) for s in STRIDES]
    return [torch.randn(count, CHANNELS, *shape, generator=generator) for shape in shapes]


def run(neck, features, samples):
    with neck.given(neck.read_context(samples, SIZE, torch.device('cpu'))):
        return neck(features)


@pytest.mark.parametrize('views', [FOUR_VIEWS, FOUR_VIEWS[:1], FOUR_VIEWS[:3], [('L', 'ML')]], ids=len)
def test_identity_at_initialisation(views):
    features = features_of(len(views))
    outputs = run(make_neck(trained=False), features, exam_batch(views=views)['data_samples'])
    assert all(torch.equal(found, given) for found, given in zip(outputs, features, strict=True))


def test_other_levels_pass_untouched():
    features = features_of(4)
    outputs = run(make_neck(levels=(0, 2)), features, exam_batch()['data_samples'])
    assert [found is given for found, given in zip(outputs, features, strict=True)] == [False, True, False, True, True]


def literal_news(neck, features, index, partners):
    """One examined view at one level, token by token and head by head."""
    rows, columns = neck.grid
    height, width = features.shape[2:]

    def tokens_of(image):
        cells = []
        for r in range(rows):
            for c in range(columns):
                ys = slice(r * height // rows, -(-(r + 1) * height // rows))
                xs = slice(c * width // columns, -(-(c + 1) * width // columns))
                cells.append(image[:, ys, xs].mean((1, 2)))
        return torch.stack(cells)

    waves = []
    octaves = [0.0, 1.0]  # CHANNELS / 4 of them
    for r in range(rows):
        for c in range(columns):
            x, y = (c + 0.5) / columns, (r + 0.5) / rows
            wave = [f(math.pi * v * 2**o) for v in (x, y) for f in (math.sin, math.cos) for o in octaves]
            waves.append(torch.tensor(wave))
    place = neck.place(torch.stack(waves))
    queries = neck.query(neck.norm(tokens_of(features[index])) + place)
    keys, values = [torch.zeros(1, CHANNELS)], [torch.zeros(1, CHANNELS)]
    for relation, partner in zip(neck.relation, partners, strict=True):
        if partner is not None:
            key, value = neck.key_value(neck.norm(tokens_of(features[partner])) + place).chunk(2, dim=1)
            keys.append(key + relation[:CHANNELS])
            values.append(value + relation[CHANNELS:])
    keys, values = torch.cat(keys), torch.cat(values)
    found = []
    width = CHANNELS // neck.num_heads
    for h in range(neck.num_heads):
        part = slice(h * width, (h + 1) * width)
        shares = torch.softmax(queries[:, part] @ keys[:, part].T / math.sqrt(width), dim=1)
        found.append(shares @ values[:, part])
    return neck.output(torch.cat(found, 1)).T.view(1, CHANNELS, rows, columns)


@pytest.mark.parametrize(
    ('views', 'partners'),
    [(FOUR_VIEWS, (1, 2)), (FOUR_VIEWS[:2], (1, None)), ([FOUR_VIEWS[0], FOUR_VIEWS[2]], (None, 1))],
    ids=['all', 'ipsilateral only', 'contralateral only'],
)
@pytest.mark.parametrize('level', [1, 3])
def test_equals_the_formula_written_out_in_values_and_gradients(views, partners, level):
    neck = make_neck()
    features = [f.requires_grad_() for f in features_of(len(views))]
    found = run(neck, features, exam_batch(views=views)['data_samples'])[level][0]
    news = literal_news(neck, features[level], 0, partners)
    spread = torch.nn.functional.interpolate(news, features[level].shape[2:], mode='bilinear')
    expected = features[level][0] + spread[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    weights = torch.randn_like(found)
    wanted = [features[level], *neck.parameters()]
    gradients = [torch.autograd.grad((out * weights).sum(), wanted, retain_graph=True) for out in (found, expected)]
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_order_of_the_images_does_not_matter():
    neck = make_neck()
    features, samples = features_of(8), exam_batch(2)['data_samples']
    order = [6, 2, 0, 7, 3, 1, 5, 4]
    straight = run(neck, features, samples)
    shuffled = run(neck, [f[order] for f in features], [samples[i] for i in order])
    for a, b in zip(straight, shuffled, strict=True):
        torch.testing.assert_close(a[order], b)


def test_a_mirrored_woman_has_mirrored_results():
    neck = make_neck()
    features, samples = features_of(4), exam_batch()['data_samples']
    before = run(neck, features, samples)
    for sample in samples:
        sample.set_metainfo({'laterality': 'R' if sample.laterality == 'L' else 'L'})
    for a, b in zip(before, run(neck, features, samples), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(
    ('views', 'depends_on'),
    [
        (FOUR_VIEWS, {0, 1, 2}),
        ([FOUR_VIEWS[0], FOUR_VIEWS[3]], {0}),
        ([FOUR_VIEWS[0], ('L', 'ML')], {0}),
    ],
    ids=['all', 'diagonal only', 'not standard'],
)
def test_a_view_depends_on_its_partners_only(views, depends_on):
    features = [f.requires_grad_() for f in features_of(len(views))]
    outputs = run(make_neck(), features, exam_batch(views=views)['data_samples'])
    sum(f[0].square().sum() for f in outputs[:4]).backward()
    touched = {i for i in range(len(views)) if float(features[0].grad[i].abs().max()) > 0}
    assert touched == depends_on


def test_a_missing_view_equals_a_masked_one():
    neck = make_neck()
    features, samples = features_of(4), exam_batch()['data_samples']
    samples[1].set_metainfo({'laterality': 'U'})  # there, but nobody's partner
    masked = run(neck, features, samples)
    kept = [0, 2, 3]
    missing = run(neck, [f[kept] for f in features], [samples[i] for i in kept])
    for a, b in zip(masked, missing, strict=True):
        torch.testing.assert_close(a[kept], b)


def test_without_partners_the_image_passes_and_every_gradient_is_zero():
    neck = make_neck()
    features = features_of(1)
    outputs = run(neck, features, [view_sample('e', 'L', 'CC')])
    assert all(torch.equal(found, given) for found, given in zip(outputs, features, strict=True))
    sum(f.sum() for f in outputs).backward()
    for name, parameter in neck.named_parameters():
        assert parameter.grad is not None and float(parameter.grad.abs().max()) == 0.0, name


def test_needs_no_landmarks():
    neck = make_neck()
    samples = [view_sample('e', side, view, nodes=None, breast_mask=None) for side, view in FOUR_VIEWS]
    features = features_of(4)
    assert not torch.allclose(run(neck, features, samples)[0], features[0])


def test_padding_is_not_looked_at():
    neck = make_neck()
    samples = exam_batch()['data_samples']
    for sample in samples:
        sample.set_metainfo({'img_shape': (64, 96)})  # the lower half of the batch is padding
    features = features_of(4)
    other = [f.clone() for f in features]
    for f in other:
        f[:, :, -(-f.shape[2] // 2) :] += 100
    before, after = run(neck, features, samples), run(neck, other, samples)
    for a, b, given, changed in list(zip(before, after, features, other, strict=True))[:4]:
        torch.testing.assert_close(a - given, b - changed, rtol=1e-4, atol=1e-4)


def test_view_dropout_only_in_training():
    neck = make_neck(view_dropout=0.999)
    features, samples = features_of(4), exam_batch()['data_samples']
    assert not torch.allclose(run(neck, features, samples)[0], features[0])
    torch.manual_seed(0)
    assert torch.equal(run(neck.train(), features, samples)[0], features[0])


def test_constants_survive_the_grid_and_padding_gets_nothing():
    grid = TokenGrid((5, 3), torch.tensor([[96.0, 128.0], [50.0, 77.0]]), SIZE)
    tokens = grid.pool(torch.full((2, CHANNELS, 16, 12), 3.0))
    torch.testing.assert_close(tokens, torch.full((2, 15, CHANNELS), 3.0))
    spread = grid.spread(tokens, (16, 12))
    torch.testing.assert_close(spread[0], torch.full((CHANNELS, 16, 12), 3.0))
    # of stride 8: centres of 10 rows (4 ... 76 < 77) and 6 columns (4 ... 44 < 50) lie in the second image
    expected = torch.zeros(CHANNELS, 16, 12)
    expected[:, :10, :6] = 3.0
    torch.testing.assert_close(spread[1], expected)


def test_the_grid_of_an_image_does_not_depend_on_the_batch():
    features = torch.randn(1, CHANNELS, 10, 6)
    alone = TokenGrid((5, 3), torch.tensor([[48.0, 80.0]]), (80, 48))
    beside = TokenGrid((5, 3), torch.tensor([[48.0, 80.0]]), SIZE)
    padded = torch.nn.functional.pad(features, (0, 6, 0, 6), value=7.0)
    torch.testing.assert_close(alone.pool(features), beside.pool(padded))
    tokens = torch.randn(1, 15, CHANNELS)
    torch.testing.assert_close(alone.spread(tokens, (10, 6)), beside.spread(tokens, (16, 12))[..., :10, :6])


@pytest.mark.parametrize('shape', [(16, 12), (3, 2), (40, 31)])
def test_spreading_is_bilinear_interpolation(shape):
    grid = TokenGrid((5, 3), torch.tensor([[96.0, 128.0]]), SIZE)
    tokens = torch.randn(1, 15, CHANNELS)
    maps = tokens.transpose(1, 2).unflatten(2, (5, 3))
    torch.testing.assert_close(
        grid.spread(tokens, shape), torch.nn.functional.interpolate(maps, shape, mode='bilinear')
    )


def test_an_exam_gets_the_same_beside_a_larger_one():
    """Views of one exam of 64 x 48 pixels, alone and in a batch padded to 128 x 96."""
    neck = make_neck()
    views = exam_batch(views=FOUR_VIEWS[:2])['data_samples']
    for sample in views:
        sample.set_metainfo({'img_shape': (64, 48)})
    features = features_of(2)
    small = [f[:, :, : -(-f.shape[2] // 2), : -(-f.shape[3] // 2)] for f in features][:4]
    with neck.given(neck.read_context(views, (64, 48), torch.device('cpu'))):
        alone = neck(small)
    together = run(neck, features, views)
    for a, b in zip(alone[:3], together[:3], strict=True):  # 3 columns of stride 32 are not halved evenly
        torch.testing.assert_close(a, b[:, :, : a.shape[2], : a.shape[3]], rtol=1e-4, atol=1e-5)


def test_a_level_coarser_than_the_grid_fills_every_token():
    grid = TokenGrid((16, 16), torch.tensor([[96.0, 128.0], [1.0, 1.0]]), SIZE)
    tokens = grid.pool(torch.randn(2, CHANNELS, 4, 3))
    assert tokens.shape == (2, 256, CHANNELS) and tokens.isfinite().all()


@pytest.mark.parametrize(
    'arguments', [{'num_heads': 3}, {'grid': (0, 4)}, {'levels': ()}, {'view_dropout': 1.0}], ids=str
)
def test_contradictory_arguments_are_refused(arguments):
    with pytest.raises(MammoError, match=f'CrossViewAttentionNeck.*(in_channels|{next(iter(arguments))})'):
        make_neck(**arguments)


def test_outside_of_a_detector_the_context_is_missed():
    with pytest.raises(MammoError, match='exam context'):
        make_neck()(features_of(1))
