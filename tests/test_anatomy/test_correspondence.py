import json
import re

import numpy as np
import pytest

from mmmammo.anatomy import GeometricPrior, cooccurrence, geometric_prior, nearest_node, spread_counts
from mmmammo.anatomy.published_prior import published_counts
from mmmammo.structures import MammoError

# (row, column, count) of the published H_g, decoded from its figure
PUBLISHED = """
(0,0,4)(2,2,1)(2,9,2)(3,0,2)(3,3,2)(3,4,1)(4,4,2)(4,5,2)(4,6,2)(4,15,2)(5,0,2)(5,4,2)(5,5,3)(5,6,2)(6,4,4)(7,5,4)
(9,9,1)(9,10,1)(10,8,1)(10,11,2)(11,2,2)(11,5,2)(11,8,1)(11,9,2)(11,12,2)(11,13,2)(12,4,2)(12,11,2)(12,12,4)(13,4,4)
(13,6,2)(13,7,4)(13,10,1)(13,11,3)(13,12,4)(18,9,2)(18,10,2)(18,11,2)(18,12,2)(19,5,1)(19,12,2)(19,13,2)(19,15,2)
(20,6,2)(20,11,4)(20,13,2)(20,16,2)(20,19,1)
"""


@pytest.fixture
def published():
    cells = [tuple(map(int, cell)) for cell in re.findall(r'(\d+),(\d+),(\d+)', PUBLISHED)]
    pairs = [(i, j) for i, j, count in cells for _ in range(count)]
    return cooccurrence(pairs, (22, 26))


@pytest.fixture
def prior(published):
    rng = np.random.default_rng(0)
    return GeometricPrior((22, 26), published, rng.random((22, 2)), rng.random((26, 2)), 105, {'source': 'figure'})


def test_nearest_node():
    nodes = [(0, 0), (10, 0), (0, 10)]
    np.testing.assert_array_equal(nearest_node([(1, 1), (9, 2), (2, 9), (5, 0)], nodes), [0, 1, 2, 0])
    assert nearest_node(np.zeros((0, 2)), nodes).shape == (0,)
    with pytest.raises(MammoError, match='nodes'):
        nearest_node([(0, 0)], np.zeros((0, 2)))


def test_cooccurrence_counts_repeats():
    np.testing.assert_array_equal(cooccurrence([(0, 1), (0, 1), (1, 2)], (2, 3)), [[0, 2, 0], [0, 0, 1]])
    assert cooccurrence([], (2, 3)).sum() == 0


@pytest.mark.parametrize('pair', [(2, 0), (0, 3), (-1, 0)])
def test_pairs_outside_of_the_nodes_are_refused(pair):
    with pytest.raises(MammoError, match='pairs'):
        cooccurrence([pair], (2, 3))


def test_published_prior(published):
    relation = geometric_prior(published)
    assert (published > 0).sum() == 48 and published.sum() == 105
    assert relation[0, 0] == pytest.approx(0.7071, abs=5e-5)
    assert np.linalg.svd(relation, compute_uv=False)[0] == pytest.approx(1.0)


def test_prior_is_the_printed_formula():
    eps = np.random.default_rng(3).integers(0, 4, (5, 7))
    eps[2] = 0
    expected = np.zeros((5, 7))
    for i in range(5):
        for j in range(7):
            degrees = eps[i].sum() * eps[:, j].sum()
            expected[i, j] = eps[i, j] / degrees**0.5 if degrees else 0.0
    relation = geometric_prior(eps)
    np.testing.assert_allclose(relation, expected)
    assert (relation[2] == 0).all()
    assert np.linalg.svd(relation, compute_uv=False)[0] == pytest.approx(1.0)


def test_prior_follows_a_permutation_of_the_nodes():
    eps = np.random.default_rng(4).integers(0, 4, (5, 7))
    rows, columns = np.random.default_rng(5).permutation(5), np.random.default_rng(6).permutation(7)
    np.testing.assert_allclose(geometric_prior(eps[rows][:, columns]), geometric_prior(eps)[rows][:, columns])


def test_smoothing_opens_every_cell(published):
    assert (geometric_prior(published, smoothing=0.1) > 0).all()
    assert (geometric_prior(np.zeros((2, 3))) == 0).all()


def test_spread_counts_keep_their_total_and_reach_neighbours():
    nodes = np.array([[0.0, 0], [0.1, 0], [1, 0]])
    counts = np.zeros((3, 3))
    counts[0, 0] = 8
    spread = spread_counts(counts, nodes, nodes, sigma=0.1)
    assert spread.sum() == pytest.approx(8)
    assert spread[0, 0] > spread[0, 1] == spread[1, 0] > 1e-3 > spread[2, 2]


@pytest.mark.parametrize('sigma', [0.0, -1.0, np.nan])
def test_spreading_needs_a_width(sigma):
    with pytest.raises(MammoError, match='sigma'):
        spread_counts(np.ones((1, 1)), [(0, 0)], [(0, 0)], sigma)


@pytest.mark.parametrize('counts', [[[-1, 2]], [[np.nan, 1]], [1, 2]])
def test_bad_counts_are_refused(counts):
    with pytest.raises(MammoError, match='counts'):
        geometric_prior(counts)


def test_saved_prior_is_read_back(prior, tmp_path):
    prior.save(tmp_path / 'prior.json')
    again = GeometricPrior.load(tmp_path / 'prior.json')
    np.testing.assert_array_equal(again.counts, prior.counts)
    np.testing.assert_allclose(again.template_mlo, prior.template_mlo, atol=1e-6)
    assert (again.num_nodes, again.num_pairs, again.info) == ((22, 26), 105, {'source': 'figure'})


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ({'format': 'other'}, 'format'),
        ({'num_nodes': [22, 27]}, 'num_nodes of MLO'),
        ({'num_nodes': 22}, 'contents'),
        ({'counts': [[1.0]]}, 'counts'),
        ({'counts': 'many'}, 'contents'),
        ({'template_cc': [[0.0, 0.0]]}, 'template_cc'),
        ({'num_pairs': None}, 'num_pairs'),
        ({'info': None}, 'info'),
    ],
)
def test_damaged_files_are_named(prior, tmp_path, change, said):
    path = tmp_path / 'prior.json'
    prior.save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(MammoError, match=said) as caught:
        GeometricPrior.load(path)
    assert caught.value.where == str(path)


def test_missing_key_missing_file_and_no_json(prior, tmp_path):
    path = tmp_path / 'prior.json'
    with pytest.raises(MammoError, match='build_geometric_prior'):
        GeometricPrior.load(path)
    path.write_text('{"format": "mmmammo-geometric-prior-1"}')
    with pytest.raises(MammoError, match='num_nodes'):
        GeometricPrior.load(path)
    path.write_text('not json')
    with pytest.raises(MammoError, match='a JSON file'):
        GeometricPrior.load(path)


def test_the_published_prior_is_what_its_figure_shows(published):
    np.testing.assert_array_equal(published_counts(), published)
    assert published.sum() == 105 and np.count_nonzero(published) == 48
    prior = geometric_prior(published)
    assert np.linalg.norm(prior, 2) == pytest.approx(1)
    assert prior[0, 0] == pytest.approx(4 / (4 * 8) ** 0.5)
