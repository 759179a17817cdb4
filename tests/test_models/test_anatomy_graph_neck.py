"""The neck as a whole: identity at first, symmetric, and silent about what is missing."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.runner.checkpoint import load_state_dict

from mmmammo.anatomy.correspondence import GeometricPrior
from mmmammo.models import AnatomyGraphNeck
from mmmammo.models.layers import ExamContext, nearest_nodes
from mmmammo.models.necks import EvidenceGraphNeck, anatomy_graph_neck
from mmmammo.structures import MammoError
from mmmammo.testing.exam_samples import FOUR_VIEWS, exam_batch, view_sample

CHANNELS = 8
SIZE = (128, 96)
STRIDES = (4, 8, 16, 32, 64)


def make_neck(trained=True, **kwargs):
    torch.manual_seed(0)
    neck = AnatomyGraphNeck(CHANNELS, **kwargs).eval()
    if trained:
        for parameter in neck.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    return neck


def features_of(count, seed=1):
    generator = torch.Generator().manual_seed(seed)
    shapes = [(-(-SIZE[0] // s), -(-SIZE[1] // s)) for s in STRIDES]
    return [torch.randn(count, CHANNELS, *shape, generator=generator) for shape in shapes]


def run(neck, features, samples):
    context = ExamContext.from_data_samples(samples, neck.num_nodes, SIZE, torch.device('cpu'))
    with neck.given(context):
        return neck(features)


def test_parameter_count_of_the_paper():
    neck = AnatomyGraphNeck(256)
    assert sum(p.numel() for p in neck.parameters()) == 393_984


@pytest.mark.parametrize('fusion', ['residual', 'multiplicative'])
@pytest.mark.parametrize('graphs', [(True, True), (True, False), (False, True)], ids=['both', 'bgn', 'ign'])
@pytest.mark.parametrize('views', [FOUR_VIEWS, FOUR_VIEWS[:1], FOUR_VIEWS[:3], [('L', 'ML')]], ids=len)
def test_identity_at_initialisation(fusion, graphs, views):
    neck = make_neck(trained=False, fusion=fusion, bgn=graphs[0], ign=graphs[1])
    features = features_of(len(views))
    for found, expected in zip(run(neck, features, exam_batch(views=views)['data_samples']), features, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('graphs', [(True, True), (True, False), (False, True)], ids=['both', 'bgn', 'ign'])
def test_a_random_start_scrambles_what_the_detector_sees(graphs):
    neck = make_neck(trained=False, fusion='multiplicative', bgn=graphs[0], ign=graphs[1], fusion_start='random')
    weights = [p for name, p in neck.fusion.named_parameters()]
    assert all(w.any() and w.std() > 0.1 for w in weights)
    w_f = torch.cat([neck.fusion.feature_weight, *([neck.fusion.message_weight] if graphs[0] else [])], 1)
    assert w_f.abs().max() <= (6 / sum(w_f.shape)) ** 0.5  # Xavier's bound for the whole of W_f
    features = features_of(4)
    assert not torch.allclose(run(neck, features, exam_batch()['data_samples'])[0], features[0], atol=0.1)


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize('fusion', ['residual', 'multiplicative'])
def test_identity_at_initialisation_to_the_last_digits_of_float64(fusion, float64):
    """What float32 leaves of the identity is the rounding of 1.2 x / 1.2, and nothing else."""
    neck = make_neck(trained=False, fusion=fusion).double()  # as the prior is kept in float32
    features = [level.double() for level in features_of(4)]
    for found, expected in zip(run(neck, features, exam_batch()['data_samples']), features, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-14, atol=1e-14)


def test_other_levels_pass_untouched():
    neck = make_neck(levels=(0, 2), strides=(4, 16))
    features = features_of(4)
    outputs = run(neck, features, exam_batch()['data_samples'])
    assert [found is given for found, given in zip(outputs, features, strict=True)] == [False, True, False, True, True]


FACTORS = {'residual': lambda attention: 2 * attention + 0.2, 'multiplicative': lambda attention: attention}
"""Of paper 3, and of the original AG-RCNN."""


def literal_neck(neck, features, samples, level, index, factor):
    """Paper 3, one examined view at one level, every pixel and node mapped by its own loop."""
    stride, k = STRIDES[level], neck.k
    cc_first = samples[index].view == 'CC'
    maps, nodes = [], []
    for sample, feature in zip(samples, features[level], strict=True):
        a = torch.zeros(feature[0].numel(), len(sample.nodes))
        pixels = -(-np.array(SIZE) // 4)
        for y in range(feature.shape[1]):
            for x in range(feature.shape[2]):
                step = stride // 4
                window = sample.breast_mask[y * step : (y + 1) * step, x * step : (x + 1) * step]
                if window.any():
                    centre = np.array([(x + 0.5) * stride, (y + 0.5) * stride])
                    distance = ((sample.nodes - centre) ** 2).sum(1)
                    a[y * feature.shape[2] + x, np.argsort(distance)[:k].copy()] = 1
        assert sample.breast_mask.shape == tuple(pixels)
        maps.append(a)
        nodes.append((a / a.sum(0).clamp(min=1)).T @ feature.flatten(1).T)
    x_e, x_a, x_c = (nodes[i] for i in (index, index ^ 1, index ^ 2))
    cc, mlo = (x_e, x_a) if cc_first else (x_a, x_e)
    w_s = neck.bipartite.semantic_weight.flatten()
    h = torch.stack([torch.stack([torch.sigmoid(torch.cat([i, j]) @ w_s) for j in mlo]) for i in cc])
    h = neck.bipartite.geometric_prior * h
    z_b = torch.relu((h if cc_first else h.T) @ x_a @ neck.bipartite.message_weight)
    n = len(x_e)
    z_i = 0
    for j_s, w in zip(neck.inception.neighbours[0 if cc_first else 1], neck.inception.branch_weight, strict=True):
        row = torch.cat([torch.eye(n), j_s[:n, :n]], 1)
        z_i = z_i + row / row.sum(1, keepdim=True) @ torch.cat([x_e, x_c]) @ w
    a = maps[index]
    q_r = a / a.sum(1, keepdim=True).clamp(min=1)
    f_b, f_i = q_r @ z_b, q_r @ torch.relu(z_i)
    f_e = features[level][index].flatten(1).T
    attention = torch.sigmoid(f_i @ neck.fusion.attention_weight)
    w_f = torch.cat([neck.fusion.feature_weight, neck.fusion.message_weight], 1)
    y = torch.cat([f_e * factor(attention), f_b], 1) @ w_f.T
    return y.T.view_as(features[level][index])


@pytest.mark.parametrize('index', range(4), ids=['L-CC', 'L-MLO', 'R-CC', 'R-MLO'])
@pytest.mark.parametrize(('fusion', 'level'), [('residual', 1), ('residual', 3), ('multiplicative', 3)])
def test_equals_the_paper_written_out_in_values_and_gradients(index, fusion, level):
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 4, (22, 26))  # not symmetric, with zeros
    neck = make_neck(fusion=fusion, prior=GeometricPrior((22, 26), counts, rng.random((22, 2)), rng.random((26, 2)), 9))
    degree = np.sqrt(np.outer(counts.sum(1), counts.sum(0)))
    np.testing.assert_allclose(neck.bipartite.geometric_prior, counts / degree, rtol=1e-6)
    features = [f.requires_grad_() for f in features_of(4)]
    samples = exam_batch()['data_samples']
    found = run(neck, features, samples)[level][index]
    expected = literal_neck(neck, features, samples, level, index, FACTORS[fusion])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    weights, wanted = torch.randn_like(found), [features[level], *neck.parameters()]
    gradients = [torch.autograd.grad((out * weights).sum(), wanted, retain_graph=True) for out in (found, expected)]
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4 * float(b.abs().max()) + 1e-5)


def test_order_of_the_images_does_not_matter():
    neck = make_neck()
    features, samples = features_of(4), exam_batch()['data_samples']
    order = [2, 0, 3, 1]
    straight = run(neck, features, samples)
    shuffled = run(neck, [f[order] for f in features], [samples[i] for i in order])
    for a, b in zip(straight, shuffled, strict=True):
        torch.testing.assert_close(a[order], b)


def test_two_exams_in_a_batch_equal_each_alone():
    neck = make_neck()
    features, samples = features_of(8), exam_batch(2)['data_samples']
    together = run(neck, features, samples)
    for part in (slice(0, 4), slice(4, 8)):
        alone = run(neck, [f[part] for f in features], samples[part])
        for a, b in zip(together, alone, strict=True):
            torch.testing.assert_close(a[part], b)


def test_a_mirrored_woman_has_mirrored_results():
    neck = make_neck()
    features, samples = features_of(4), exam_batch()['data_samples']
    before = run(neck, features, samples)
    for sample in samples:
        sample.set_metainfo({'laterality': 'R' if sample.laterality == 'L' else 'L'})
    swap = [2, 3, 0, 1]  # back into reading order
    after = run(neck, [f[swap] for f in features], [samples[i] for i in swap])
    for a, b in zip(before, after, strict=True):
        torch.testing.assert_close(a[swap], b)


@pytest.mark.parametrize(
    ('views', 'depends_on'),
    [
        (FOUR_VIEWS, {0, 1, 2}),
        (FOUR_VIEWS[:2], {0, 1}),
        ([FOUR_VIEWS[0], FOUR_VIEWS[2]], {0, 1}),
        ([FOUR_VIEWS[0], FOUR_VIEWS[3]], {0}),
        ([FOUR_VIEWS[0], ('L', 'ML')], {0}),
    ],
    ids=['all', 'ipsilateral only', 'contralateral only', 'diagonal only', 'not standard'],
)
def test_a_view_depends_on_its_partners_only(views, depends_on):
    neck = make_neck()
    features = [f.requires_grad_() for f in features_of(len(views))]
    outputs = run(neck, features, exam_batch(views=views)['data_samples'])
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


def test_an_image_without_nodes_is_treated_like_one_without_partners():
    neck = make_neck(bgn=False)
    features = features_of(1)
    found = run(neck, features, [view_sample('e', 'L', 'CC', nodes=None)])
    expected = 1.2 * torch.einsum('oc,bchw->bohw', neck.fusion.feature_weight, features[0])
    torch.testing.assert_close(found[0], expected)


def test_missing_partners_leave_zero_gradients_in_every_parameter():
    neck = make_neck()
    outputs = run(neck, features_of(1), exam_batch(views=FOUR_VIEWS[:1])['data_samples'])
    sum(f.sum() for f in outputs).backward()
    for name, parameter in neck.named_parameters():
        assert parameter.grad is not None, name
        expected_zero = name != 'fusion.feature_weight'
        assert (float(parameter.grad.abs().max()) == 0.0) is expected_zero, name


def test_view_dropout_only_in_training():
    neck = make_neck(view_dropout=0.999)
    features, samples = features_of(4), exam_batch()['data_samples']
    full, alone = run(neck, features, samples), run(neck, features, samples[:1] + [view_sample('x', 'L', 'CC')] * 3)
    torch.manual_seed(0)
    dropped = run(neck.train(), features, samples)
    assert not torch.allclose(full[0][0], dropped[0][0])
    torch.testing.assert_close(dropped[0][0], alone[0][0])


def test_links_are_drawn_once_per_forward_ipsilateral_first():
    neck = make_neck(view_dropout=0.5).train()
    heard = []
    for graph in (neck.bipartite, neck.inception):
        graph.register_forward_pre_hook(lambda _, inputs: heard.append(inputs[2].present))
    torch.manual_seed(3)
    run(neck, features_of(8), exam_batch(2)['data_samples'])
    torch.manual_seed(3)
    assert [present.tolist() for present in heard] == [(torch.rand(8) >= 0.5).tolist() for _ in range(2)]


def test_nearest_nodes_of_all_levels_and_exams_are_found_in_one_call(monkeypatch):
    found = []

    def counted(*args):
        found.append(nearest_nodes(*args))
        return found[-1]

    monkeypatch.setattr(anatomy_graph_neck, 'nearest_nodes', counted)
    run(make_neck(), features_of(8), exam_batch(2)['data_samples'])
    (tables,) = found
    assert [tuple(table.shape) for table in tables] == [(8, 128 * 96 // stride**2, 3) for stride in STRIDES[:4]]


def test_attention_is_kept_on_request():
    neck = make_neck(store_attention=True)
    run(neck, features_of(3), exam_batch(views=FOUR_VIEWS[:3])['data_samples'])
    assert neck.attention.shape == (3, 32, 24)
    lone = neck.attention[1]  # L-MLO has no contralateral view
    assert torch.equal(lone, torch.full_like(lone, 0.5))
    assert float(neck.attention[0].std()) > 0


@pytest.fixture
def prior():
    rng = np.random.default_rng(0)
    return GeometricPrior(
        num_nodes=(22, 26),
        counts=rng.integers(0, 3, (22, 26)),
        template_cc=rng.random((22, 2)),
        template_mlo=rng.random((26, 2)),
        num_pairs=50,
        info={},
    )


def test_prior_from_a_file_travels_in_the_checkpoint(prior, tmp_path):
    prior.save(tmp_path / 'prior.json')
    neck = AnatomyGraphNeck(CHANNELS, prior=str(tmp_path / 'prior.json'))
    fresh = AnatomyGraphNeck(CHANNELS)
    d_row, d_column = prior.counts.sum(1), prior.counts.sum(0)
    expected = prior.counts[3, 4] / np.sqrt(d_row[3] * d_column[4])
    assert float(neck.bipartite.geometric_prior[3, 4]) == pytest.approx(expected)
    assert not torch.equal(fresh.inception.neighbours, neck.inception.neighbours)
    fresh.load_state_dict(neck.state_dict())
    assert torch.equal(fresh.bipartite.geometric_prior, neck.bipartite.geometric_prior)
    assert torch.equal(fresh.inception.neighbours, neck.inception.neighbours)


def test_a_prior_that_is_named_stays_whatever_a_checkpoint_has(prior, monkeypatch):
    warned = []
    logger = SimpleNamespace(warning=warned.append)
    monkeypatch.setattr(anatomy_graph_neck.MMLogger, 'get_current_instance', lambda: logger)
    neck, before = AnatomyGraphNeck(CHANNELS, prior=prior), AnatomyGraphNeck(CHANNELS, prior=prior).state_dict()
    other = AnatomyGraphNeck(CHANNELS).state_dict()
    given = dict(other)
    neck.load_state_dict(before)
    assert warned == []
    load_state_dict(neck, given, strict=True)  # MMEngine's, as its runner loads
    assert len(warned) == 1 and 'another geometric prior' in warned[0]
    after = neck.state_dict()
    for name in ('bipartite.geometric_prior', 'inception.neighbours'):
        assert torch.equal(after[name], before[name]) and not torch.equal(after[name], other[name])
    assert torch.equal(after['bipartite.message_weight'], other['bipartite.message_weight'])


def test_a_checkpoint_of_other_branches_is_refused():
    wide = AnatomyGraphNeck(CHANNELS, branches=(1, 2, 4)).state_dict()
    message = r'branches: found neighbours of a node: \[1, 2, 4, 1, 2, 4\]; expected \[1, 3, 5'
    with pytest.raises(MammoError, match=message):
        AnatomyGraphNeck(CHANNELS).load_state_dict(wide)
    many = EvidenceGraphNeck(CHANNELS, mirror_neighbours=4).state_dict()
    with pytest.raises(MammoError, match=r'mirror_neighbours: found neighbours of a node: \[4, 4\]; expected \[3, 3\]'):
        EvidenceGraphNeck(CHANNELS).load_state_dict(many)


def test_smoothing_is_added_to_the_counts_before_they_are_normalised():
    """A pair at (0, 0), and 1 more in each of 13 x 17 cells: rows sum to 17, the first to 18, columns to 13 and 14."""
    counts = np.zeros((13, 17))
    counts[0, 0] = 1
    prior = GeometricPrior((13, 17), counts, np.zeros((13, 2)), np.zeros((17, 2)), 1)
    plain, smooth = (
        AnatomyGraphNeck(CHANNELS, num_nodes=(13, 17), prior=prior, prior_smoothing=s).bipartite.geometric_prior
        for s in (0.0, 1.0)
    )
    assert float(plain[0, 0]) == 1 and float(plain.sum()) == 1
    corner = [[2 / (18 * 14) ** 0.5, 1 / (18 * 13) ** 0.5], [1 / (17 * 14) ** 0.5, 1 / (17 * 13) ** 0.5]]
    torch.testing.assert_close(smooth[:2, :2], torch.tensor(corner))
    torch.testing.assert_close(smooth[1:, 1:], torch.full((12, 16), (17 * 13) ** -0.5))


def test_uniform_prior_without_a_file():
    geometric = AnatomyGraphNeck(CHANNELS).bipartite.geometric_prior
    torch.testing.assert_close(geometric, torch.full((22, 26), (22 * 26) ** -0.5))


def test_missing_prior_names_the_command(tmp_path):
    with pytest.raises(MammoError, match=r'no such file.*build_geometric_prior.py CONFIG --out .*--num-nodes 13 17'):
        AnatomyGraphNeck(CHANNELS, num_nodes=(13, 17), prior=tmp_path / 'none.json')


def test_prior_of_other_node_counts_is_refused(prior):
    with pytest.raises(MammoError, match=r'num_nodes: found \(22, 26\); expected \(13, 17\)'):
        AnatomyGraphNeck(CHANNELS, num_nodes=(13, 17), prior=prior)


@pytest.mark.parametrize(
    ('arguments', 'field'),
    [
        ({'bgn': False, 'ign': False}, 'bgn, ign'),
        ({'k': 0}, 'k'),
        ({'k': 23}, 'k'),
        ({'branches': (1, 30)}, 'branches'),
        ({'levels': (0, 1)}, 'strides'),
        ({'strides': (2, 4, 8, 16)}, 'strides'),
        ({'fusion': 'sum'}, 'fusion'),
        ({'fusion_start': 'zero'}, 'fusion_start'),
        ({'view_dropout': 1.0}, 'view_dropout'),
    ],
    ids=str,
)
def test_contradicting_arguments_are_refused(arguments, field):
    with pytest.raises(MammoError) as info:
        AnatomyGraphNeck(CHANNELS, **arguments)
    assert info.value.field == field


def test_wrong_strides_are_refused():
    neck = make_neck(strides=(8, 16, 32, 64))
    with pytest.raises(MammoError, match='strides'):
        run(neck, features_of(1), exam_batch(views=FOUR_VIEWS[:1])['data_samples'])


def test_without_context_it_says_what_to_do():
    with pytest.raises(MammoError, match='MultiViewMixin'):
        make_neck()(features_of(1))


def test_half_precision_keeps_up():
    neck = make_neck()
    features, samples = features_of(4), exam_batch()['data_samples']
    full = run(neck, features, samples)[0].detach()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = run(neck, [f.bfloat16() for f in features], samples)[0].detach()
    assert half.dtype == torch.bfloat16
    assert float((half.float() - full).abs().mean() / full.abs().mean()) < 0.05


def test_a_prior_of_other_corner_lines_than_the_nodes_is_refused():
    counts, templates = np.ones((22, 26)), (np.full((22, 2), 0.5), np.full((26, 2), 0.5))
    neck = make_neck(prior=GeometricPrior((22, 26), counts, *templates, 1, {'corner_mode': 'seed'}))
    samples = exam_batch(views=FOUR_VIEWS)['data_samples']
    for sample in samples:
        sample.set_metainfo({'corner_mode': 'seed'})
    assert neck.read_context(samples, SIZE, torch.device('cpu')).node_mask.any()
    samples[-1].set_metainfo({'corner_mode': 'midpoint'})
    with pytest.raises(MammoError, match="corner_mode: found 'seed', of the prior; expected 'midpoint'"):
        neck.read_context(samples, SIZE, torch.device('cpu'))
