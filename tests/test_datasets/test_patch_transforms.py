"""From a record to a patch: where it lies, what it shows, and that testing repeats itself."""

import numpy as np
import pytest
from patch_sets import CLASSES, SIZE, write_set

from mmmammo.datasets import PatchDataset
from mmmammo.datasets.transforms import CLAHEFuse, CutPatch, OpenView, PatchJitter, SamplePatch
from mmmammo.datasets.transforms.patches import resize_to
from mmmammo.io import read_png16
from mmmammo.structures import MammoError

A, B = (10, 40, 50, 70), (30, 90, 40, 120)
OPEN = {'type': 'mmmammo.OpenView', 'tile_grids': (2, 4)}
VIEWS = [[('mass', A), ('asymmetry', B)], []]


@pytest.fixture(autouse=True)
def seeded():
    np.random.seed(0)  # from which transforms draw their generators


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp('patches'), VIEWS)


def opened(root, number=0, **options):
    data = PatchDataset(ann_file='annotations/train.json', data_root=str(root), pipeline=[], proposals=1, **options)
    return OpenView(tile_grids=(2, 4))(data.get_data_info(number))


def cut(root, patch, **options):
    return CutPatch(**options)(opened(root) | {'patch': patch})['img']


def fused(root):
    image = read_png16(root / 'images' / 'train_1' / 'L_CC.png')
    return CLAHEFuse(tile_grids=(2, 4))({'img': image})['img']


def test_a_patch_of_its_own_size_is_cut_out_of_the_fused_view(root):
    np.testing.assert_array_equal(cut(root, (20, 40, 84, 104), size=64), fused(root)[40:104, 20:84])


def test_context_surrounds_the_patch_and_is_black_beyond_the_view(root):
    image = cut(root, (20, 40, 84, 104), size=64, context=64)
    assert image.shape == (192, 192, 3)
    expected = np.zeros((192, 192, 3), dtype=np.float32)
    expected[24:184, 44:164] = fused(root)  # the view begins at (-44, -24) of what is cut out
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize('patch', [(10, 30, 74, 62), (0, 0, 120, 160), (40, 50, 51, 70)])
def test_the_middle_of_a_patch_with_context_is_the_patch(root, patch):
    alone, around = cut(root, patch, size=64), cut(root, patch, size=64, context=32)
    assert alone.shape == (64, 64, 3) and around.shape == (128, 128, 3)
    inner = np.s_[8:56, 8:56]  # at its border interpolation sees what surrounds it
    assert np.abs(around[32:96, 32:96][inner] - alone[inner]).mean() < 0.06


def test_rotation_reads_what_turns_in_at_the_corners(root, monkeypatch):
    class Fixed:
        def uniform(self, low, high):
            return high

    monkeypatch.setattr('mmmammo.datasets.transforms.patches.call_generator', lambda: Fixed())
    image = cut(root, (20, 60, 52, 92), size=64, rotation=15)
    assert image.shape == (64, 64, 3)
    assert (image[[0, 0, -1, -1], [0, -1, 0, -1]] > 0).all()
    assert np.abs(image - cut(root, (20, 60, 52, 92), size=64)).max() > 0.05


@pytest.mark.parametrize('size', [(10, 6), (80, 6), (10, 90), (70, 80)])
def test_resizing_keeps_the_mean(size):
    image = np.random.default_rng(0).random((60, 40, 3)).astype(np.float32)
    assert resize_to(image, size).shape == (size[1], size[0], 3)
    assert resize_to(image, size).mean() == pytest.approx(image.mean(), abs=0.02)


def test_a_view_smaller_than_a_window_gives_patches_of_all_of_it(tmp_path):
    root = write_set(tmp_path, [[('mass', (5, 5, 25, 25))]], size=(40, 36))
    results = opened(root)
    for _ in range(20):
        results = CutPatch(size=64)(SamplePatch()(results))
        x1, y1, x2, y2 = results['patch']
        assert 0 <= x1 < x2 <= 36 and 0 <= y1 < y2 <= 40
        assert results['img'].shape == (64, 64, 3) and results['gt_score'].tolist() == [1, 0, 0]


def test_a_finding_keeps_its_label_and_takes_those_it_holds(root):
    results = opened(root)
    labels = {tuple(SamplePatch(jitter=5)(results)['gt_score'].tolist()) for _ in range(300)}
    assert labels == {(1, 0, 0), (1, 0, 1)}


def test_normal_patches_show_breast(root):
    results = opened(root, number=2)
    assert results['patch_source'] is None
    shares = []
    for _ in range(50):
        results = SamplePatch(jitter=5)(results)
        assert results['gt_score'].tolist() == [0, 0, 0]
        shares.append(results['stored_view'].fusion.breast_share(results['patch']))
    assert np.mean(np.array(shares) >= 0.5) > 0.9 and len(set(shares)) > 5


def test_an_eleventh_label(root):
    finding, normal = (SamplePatch()(opened(root, number, no_finding=True))['gt_score'] for number in (0, 2))
    assert finding[-1] == 0 and finding[0] == 1
    assert normal.tolist() == [0, 0, 0, 1]


def test_fixed_patches_repeat_and_others_do_not(root):
    results = opened(root)
    fixed = [SamplePatch(fixed=True)(results)['patch'] for _ in range(3)]
    assert len(set(fixed)) == 1
    assert len({SamplePatch()(results)['patch'] for _ in range(10)}) > 5


def test_the_whole_pipeline_packs_what_a_classifier_takes(root, scope):
    pipeline = [
        OPEN,
        {'type': 'mmmammo.SamplePatch'},
        {'type': 'mmmammo.CutPatch', 'size': 64, 'rotation': 15},
        {'type': 'mmcv.RandomFlip', 'prob': 0.5, 'direction': 'vertical'},
        {'type': 'mmmammo.PatchJitter'},
        {'type': 'mmmammo.PackView'},
    ]
    data = PatchDataset(ann_file='annotations/train.json', data_root=str(root), pipeline=pipeline)
    sample = data[0]
    assert sample['inputs'].shape == (3, 64, 64) and sample['inputs'].dtype.is_floating_point
    assert float(sample['inputs'].min()) >= 0 and float(sample['inputs'].max()) <= 1
    assert sample['data_samples'].gt_score.shape == (len(CLASSES),)
    assert sample['data_samples'].exam_id == 'train_1'


def test_jitter_stays_in_range_and_varies_each_of_the_three():
    image = np.random.default_rng(0).random((16, 16, 3)).astype(np.float32)
    for name in ('brightness', 'contrast', 'saturation'):
        strengths = dict.fromkeys(('brightness', 'contrast', 'saturation'), 0.0) | {name: 0.2}
        varied = [PatchJitter(**strengths)({'img': image})['img'] for _ in range(5)]
        assert all(v.min() >= 0 and v.max() <= 1 and v.dtype == np.float32 for v in varied)
        assert max(np.abs(v - image).max() for v in varied) > 0.01
    np.testing.assert_allclose(PatchJitter(0, 0, 0)({'img': image})['img'], image, atol=1e-6)


def test_brightness_multiplies(monkeypatch):
    image = np.full((4, 4, 3), 0.5, dtype=np.float32)
    values = [PatchJitter(0.2, 0, 0)({'img': image})['img'] for _ in range(40)]
    assert all(np.ptp(v) < 1e-6 and 0.4 - 1e-6 <= v[0, 0, 0] <= 0.6 + 1e-6 for v in values)


def test_fusing_with_a_crop_moves_the_boxes():
    image = read = np.zeros((80, 60), dtype=np.float32)
    image[20:70, 5:50] = np.random.default_rng(0).random((50, 45)) * 0.2 + 0.7
    results = CLAHEFuse(tile_grids=(2, 4), crop='otsu')({'img': read})
    assert results['img'].shape == (50, 45, 3) and results['img_shape'] == (50, 45)
    np.testing.assert_array_equal(results['homography_matrix'], [[1, 0, -5], [0, 1, -20], [0, 0, 1]])


def test_image_of_another_size_than_its_index_says(root):
    data = PatchDataset(ann_file='annotations/train.json', data_root=str(root), pipeline=[])
    with pytest.raises(MammoError, match=r'image size'):
        OpenView(tile_grids=(2, 4))(data.get_data_info(0) | {'width': SIZE[1] + 1})


@pytest.mark.parametrize('options', [{'size': 0}, {'size': 64, 'context': -1}, {'size': 64, 'rotation': 90}])
def test_cuts_that_make_no_sense(options):
    with pytest.raises(MammoError, match='size, context, rotation'):
        CutPatch(**options)


def test_jitter_that_makes_no_sense():
    with pytest.raises(MammoError, match='contrast: found 2'):
        PatchJitter(contrast=2)
