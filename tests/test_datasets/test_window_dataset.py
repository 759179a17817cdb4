"""Windows as a sliding classifier sees them: how many, where, what they show, and their share of an epoch."""

import numpy as np
import pytest
from patch_sets import write_set

from mmmammo.datasets import PatchDataset, WindowDataset
from mmmammo.datasets.transforms import OpenView, SamplePatch
from mmmammo.structures import MammoError

A, B = (10, 40, 50, 70), (30, 90, 40, 120)
VIEWS = [[('mass', A), ('asymmetry', B)], []]
SIDE = 24


@pytest.fixture(autouse=True)
def seeded():
    np.random.seed(0)  # from which transforms draw their generators


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp('windows'), VIEWS)


def dataset(root, kind=WindowDataset, **options):
    return kind(ann_file='annotations/train.json', data_root=str(root), pipeline=[], proposals=2, **options)


def records(data):
    return [data.get_data_info(i) for i in range(len(data))]


def drawn(record, times=200):
    view = OpenView(tile_grids=(2, 4))(record)
    return [SamplePatch(fixed=False)(dict(view)) for _ in range(times)]


def test_every_view_and_every_box_adds_windows_to_the_patches_of_the_paper(root):
    data, patches = dataset(root, window=SIDE, windows=3), dataset(root, PatchDataset)
    plain = [record for record in records(data) if 'patch_window' not in record]
    windows = [record for record in records(data) if 'patch_window' in record]
    assert [record['img_id'] for record in plain] == [record['img_id'] for record in records(patches)]
    assert [record['patch_source'] for record in windows] == [None] * 3 + [0] * 3 + [1] * 3 + [None] * 3
    for name in ('img_id', 'patch_seed'):
        assert len({str(record[name]) for record in records(data)}) == len(data)


def test_a_window_is_a_square_that_holds_the_centre_of_its_finding_anywhere(root):
    record = next(r for r in records(dataset(root, window=SIDE)) if r.get('patch_window') and r['patch_source'] == 0)
    found = drawn(record)
    offsets = []
    for results in found:
        x1, y1, x2, y2 = results['patch']
        assert (x2 - x1, y2 - y1) == (SIDE, SIDE) and results['gt_score'][0] == 1
        offsets.append(((30 - x1) / SIDE, (55 - y1) / SIDE))
    low, high = np.min(offsets, axis=0), np.max(offsets, axis=0)
    assert (low >= -0.03).all() and (high <= 1.03).all()  # rounded to pixels
    assert (low < 0.1).all() and (high > 0.9).all()


def test_a_window_at_random_shows_what_lies_in_it(root):
    record = next(r for r in records(dataset(root, window=SIDE)) if r.get('patch_window') and r['patch_source'] is None)
    labels = set()
    for results in drawn(record):
        (x1, y1, x2, y2), score = results['patch'], tuple(results['gt_score'].tolist())
        assert (x2 - x1, y2 - y1) == (SIDE, SIDE)
        assert score == (float(x1 <= 30 <= x2 and y1 <= 55 <= y2), 0, float(x1 <= 35 <= x2 and y1 <= 105 <= y2))
        labels.add(score)
    assert {(0, 0, 0), (1, 0, 0), (0, 0, 1)} <= labels


def test_a_window_larger_than_the_view_is_all_of_it(root):
    record = next(r for r in records(dataset(root, window=500)) if 'patch_window' in r)
    assert {results['patch'] for results in drawn(record, 5)} == {(0, 0, 120, 160)}


@pytest.mark.parametrize('share', [0.25, 0.5, 0.9])
def test_what_is_drawn_round_no_finding_gets_its_share(root, share):
    data = dataset(root, window=SIDE, windows=3, normal_share=share)
    weights, normal = data.sample_weights(), np.array([record['patch_source'] is None for record in records(data)])
    assert weights[normal].sum() / weights.sum() == pytest.approx(share)
    mass, asymmetry = (weights[[label in data.get_cat_ids(i) for i in range(len(data))]].sum() for label in (0, 2))
    assert mass == pytest.approx(asymmetry)


@pytest.mark.parametrize('options', [{'window': 0}, {'window': 9, 'windows': 0}, {'window': 9, 'normal_share': 1.0}])
def test_numbers_that_make_no_sense(root, options):
    with pytest.raises(MammoError, match='window, windows, normal_share'):
        dataset(root, **options)
