"""Heatmaps of the patch classifier, and the command that writes them."""

import numpy as np
import pytest
import torch
from mmengine.config import Config, ConfigDict
from torch import nn

from mmmammo.apis.patch_heatmaps import missing_heatmaps, patch_heatmaps, window_step, write_heatmaps
from mmmammo.engine.nyu_weights import PATCH_CLASSES
from mmmammo.io import read_png16
from mmmammo.preprocessing.nyu_crop import nyu_crop
from mmmammo.testing.prepared_set import make_prepared_set

WINDOW = {'type': 'mmmammo.NYUWindow', 'sizes': {'CC': (64, 48), 'MLO': (72, 40)}, 'iterations': 3, 'buffer': 2}


class Stub(nn.Module):
    """Logits from the mean of a window: malignant where it is bright."""

    def __init__(self, slope):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope)))
        self.seen = 0

    def forward(self, x, mode):
        assert x.shape[1] == 3 and (x[:, 0] == x[:, 2]).all() and mode == 'tensor'
        self.seen += len(x)
        brightness = self.slope * x.mean(dim=(1, 2, 3))
        return torch.stack([brightness, -brightness, *[torch.zeros_like(brightness)] * 2], dim=1)


def half_ellipse(shape=(120, 90)):
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside = (x / (0.8 * shape[1])) ** 2 + ((y - shape[0] / 2) / (0.45 * shape[0])) ** 2 <= 1
    return np.where(inside, 0.3 + 0.4 * (y > shape[0] / 2), 0).astype(np.float32)


def test_a_constant_net_has_constant_maps_within_the_crop():
    image = half_ellipse()
    crop = nyu_crop(image, iterations=3, buffer=2)
    maps = patch_heatmaps(Stub(0), image, crop, stride=9, window=32)
    top, bottom, left, right = crop.window
    np.testing.assert_allclose(maps[:, top:bottom, left:right], 1 / len(PATCH_CLASSES), rtol=1e-5)
    outside = maps.copy()
    outside[:, top:bottom, left:right] = 0
    assert maps.shape == (2, 120, 90) and not outside.any()


def test_the_channels_are_benign_and_malignant():
    image = half_ellipse()
    crop = nyu_crop(image, iterations=3, buffer=2)
    benign, malignant = patch_heatmaps(Stub(3), image, crop, stride=9, window=32)
    assert malignant[85, 25] > 0.5 > benign[85, 25]  # the bright half
    assert malignant[85, 25] > malignant[35, 25]


def test_batches_do_not_matter_and_the_seed_says_where_strides_are_shorter():
    image = half_ellipse()
    crop = nyu_crop(image, iterations=3, buffer=2)
    all_at_once = patch_heatmaps(Stub(3), image, crop, stride=9, window=32, batch_size=1000)
    np.testing.assert_allclose(patch_heatmaps(Stub(3), image, crop, 9, 32, batch_size=7), all_at_once, rtol=1e-5)
    other = patch_heatmaps(Stub(3), image, crop, stride=9, window=32, seed=5)
    assert not np.array_equal(other, all_at_once)
    assert np.abs(other - all_at_once).mean() < 0.01


def test_a_crop_smaller_than_a_window_is_one_window():
    stub, image = Stub(1), half_ellipse((40, 30))
    maps = patch_heatmaps(stub, image, nyu_crop(image, iterations=2, buffer=1), window=256, stride=70)
    assert stub.seen == 1 and maps.shape == (2, 40, 30) and np.isfinite(maps).all()


@pytest.fixture()
def cfg(tmp_path):
    root = make_prepared_set(tmp_path, {'train': 1, 'test': 1})
    loaders = {}
    for split in ('train', 'test'):
        dataset = {
            'type': 'mmmammo.FourViewDataset',
            'data_root': str(root),
            'ann_file': f'annotations/{split}.json',
            'breasts': 'findings',
            'pipeline': [{'type': 'mmmammo.LoadMammogram'}, WINDOW],
        }
        loaders[f'{split}_dataloader'] = {'dataset': dataset}
    return Config(ConfigDict(**loaders))


def test_what_is_there_is_left_alone_and_a_bad_image_is_told(cfg, tmp_path):
    splits = ('train', 'test')
    records = missing_heatmaps(cfg, splits)
    assert len(records) == 8
    broken = dict(records[2])
    (tmp_path / 'images' / 'bad.png').write_bytes(b'nothing')
    broken['img_path'] = str(tmp_path / 'images' / 'bad.png')
    errors = list(write_heatmaps(Stub(1), [*records[:2], broken], window_step(cfg), stride=30, window=48))
    assert errors[:2] == [None, None] and 'bad.png' in str(errors[2])
    for path in records[0]['heatmap_paths']:
        assert read_png16(path).shape == (128, 104)
    assert len(missing_heatmaps(cfg, splits)) == 6
    assert not sorted((tmp_path / 'heatmaps').rglob('.*'))


def test_other_configs_are_refused(cfg):
    cfg.test_dataloader.dataset.pipeline.pop()
    with pytest.raises(ValueError, match=r'without mmmammo\.NYUWindow'):
        window_step(cfg)
    cfg.test_dataloader.dataset = {
        'type': 'mmmammo.MammogramDataset',
        'data_root': cfg.test_dataloader.dataset.data_root,
        'ann_file': 'annotations/test.json',
    }
    with pytest.raises(ValueError, match='found MammogramDataset'):
        missing_heatmaps(cfg, ['test'])
