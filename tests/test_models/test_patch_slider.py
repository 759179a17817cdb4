"""Exact, context and dense: what they promise of each other."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from tiny_patches import build_classifier, in_double

from mmmammo.models.sliding import Agreement, PatchSlider, SlidingSettings, WindowGrid
from mmmammo.models.sliding.agreement import spread
from mmmammo.models.sliding.focal_probability import undo_focal
from mmmammo.models.sliding.tiles import plan_tiles
from mmmammo.structures import MammoError

BLACK = torch.zeros(3)
GREY = torch.tensor([-2.0, -1.0, 0.5])  # nothing that a padding with zeros could be taken for


def view(height, width, dtype=torch.float32):
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(0)).to(dtype)


def slider(model, mode, **settings):
    return PatchSlider(model, SlidingSettings(mode=mode, **({'window': 64, 'stride': 32} | settings)))


def watch(module):
    """Every number of elements that goes into a module."""
    seen = []
    module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].numel()))
    return seen


def test_exact_is_every_window_by_itself():
    model, image = build_classifier(), view(100, 70)
    scores = slider(model, 'exact', batch_size=2).window_scores(image, BLACK)
    padded = torch.zeros(3, 128, 96)
    padded[:, :100, :70] = image
    with torch.no_grad():
        for i in range(3):
            for j in range(2):
                window = padded[None, :, 32 * i : 32 * i + 64, 32 * j : 32 * j + 64]
                expected = torch.sigmoid(model.head(model.extract_feat(window)))[0]
                np.testing.assert_allclose(scores[:, i, j], expected, atol=1e-6)


def test_what_lies_beyond_the_image_is_black():
    model, image = build_classifier(), view(40, 64)
    black = torch.tensor([-2.0, -1.0, -3.0])
    scores = slider(model, 'exact').window_scores(image, black)
    filled = torch.cat([image, black[:, None, None].expand(3, 24, 64)], dim=1)
    np.testing.assert_allclose(scores, slider(model, 'exact').window_scores(filled, BLACK), atol=1e-6)


@pytest.mark.parametrize(
    ('name', 'context', 'cells'), [('thin_resnet50', 224, 2), ('thin_vgg19', 128, 2), ('thin_mobilenetv2', 256, 1)]
)
def test_context_equals_window_by_window(name, context, cells):
    """In float64, on the graphs of the three backbones."""
    model, image = in_double(build_classifier(name, cells=cells)), view(30, 32 * cells + 20, torch.float64)
    settings = {'context': context, 'window': 32 * cells}
    one_by_one = slider(model, 'exact', batch_size=1, **settings).window_scores(image, GREY)
    at_once = slider(model, 'context', **settings).window_scores(image, GREY)
    in_tiles = slider(model, 'context', tile=2 * context + 32, **settings).window_scores(image, GREY)
    assert one_by_one.shape == (3, 1, 2) and one_by_one.dtype == np.float64
    assert np.ptp(one_by_one, axis=2).min() > 1e-5
    np.testing.assert_allclose(at_once, one_by_one, rtol=0, atol=1e-12)
    np.testing.assert_allclose(in_tiles, one_by_one, rtol=0, atol=1e-12)


def test_less_context_than_the_padding_reaches_makes_a_difference():
    model, image = in_double(build_classifier('thin_resnet50', cells=2)), view(200, 200, torch.float64)
    one_by_one = slider(model, 'exact', context=32).window_scores(image, GREY)
    dense = slider(model, 'dense', context=32, check=0).window_scores(image, GREY)
    assert np.abs(dense - one_by_one).max() > 1e-6


@pytest.mark.slow
@pytest.mark.parametrize(('name', 'context'), [('resnet50', 224), ('vgg19', 128)])
def test_context_equals_window_by_window_at_full_width(name, context):
    model, image = in_double(build_classifier(name, cells=1)), view(32, 64, torch.float64)
    settings = {'context': context, 'window': 32}
    one_by_one = slider(model, 'exact', batch_size=1, **settings).window_scores(image, BLACK)
    at_once = slider(model, 'context', **settings).window_scores(image, BLACK)
    np.testing.assert_allclose(at_once, one_by_one, rtol=0, atol=1e-12)


def test_flattened_cells_are_densified_too():
    """Claim 6: pooling 8 x 8 cells to 7 x 7 has stride one, so that the linear layer is a convolution."""
    model = in_double(build_classifier('thin_vgg19', pooling='flatten', grid=1, cells=2))
    image = view(64, 130, torch.float64)
    one_by_one = slider(model, 'exact', context=128).window_scores(image, BLACK)
    at_once = slider(model, 'context', context=128).window_scores(image, BLACK)
    np.testing.assert_allclose(at_once, one_by_one, rtol=0, atol=1e-12)
    blocks = torch.rand(2, 5, 8, 8, dtype=torch.float64)
    assert torch.equal(torch.nn.AdaptiveAvgPool2d(7)(blocks), torch.nn.AvgPool2d(2, stride=1)(blocks))


@pytest.mark.parametrize(('shape', 'tile'), [((700, 400), 544), ((40, 1100), 192)])
def test_no_seam_between_tiles(shape, tile):
    model, image = build_classifier(), view(*shape)
    whole = slider(model, 'dense', check=0, tile=4096).window_scores(image, BLACK)
    tiled = slider(model, 'dense', check=0, tile=tile).window_scores(image, BLACK)
    assert whole.std() > 1e-3
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize(('mode', 'limit'), [('exact', 2 * 3 * 64 * 64), ('dense', 3 * 512 * 512)])
def test_what_goes_through_the_network_at_once_is_bounded(mode, limit):
    model = build_classifier()
    seen = watch(model.backbone)
    for height in (300, 700):
        run = slider(model, mode, check=0, tile=512, batch_size=2, stride=64)
        run.reach_of(3) if mode == 'dense' else None
        seen.clear()
        run(view(height, 200), BLACK)
        assert seen and max(seen) <= limit


@pytest.mark.parametrize('mode', ['exact', 'dense'])
def test_leaving_out_the_background_changes_nothing_in_the_breast(mode):
    model, image = build_classifier(), view(500, 400)
    breast = np.zeros((500, 400), dtype=bool)
    breast[150:330, :120] = True
    everything = slider(model, mode, check=0)(image, BLACK)
    seen = watch(model.backbone)
    some = slider(model, mode, check=0)(image, BLACK, breast)
    cells = WindowGrid((500, 400), 64, 32).cells_of(breast)
    np.testing.assert_allclose(some.values[:, cells], everything.values[:, cells], atol=1e-6)
    assert np.isnan(some.values[:, ~cells]).all()
    if mode == 'exact':
        wanted = WindowGrid((500, 400), 64, 32).windows_on(cells)
        assert sum(seen) == wanted.sum() * 3 * 64 * 64 < 0.4 * wanted.size * 3 * 64 * 64


def test_an_empty_breast_mask_is_no_mask():
    model, image = build_classifier(), view(80, 90)
    heatmap = slider(model, 'exact')(image, BLACK, np.zeros((80, 90), dtype=bool))
    np.testing.assert_array_equal(heatmap.values, slider(model, 'exact')(image, BLACK).values)


@pytest.mark.parametrize('mode', ['exact', 'dense'])
@pytest.mark.parametrize('shape', [(1, 1), (20, 30), (64, 10)])
def test_an_image_smaller_than_a_window(mode, shape):
    heatmap = slider(build_classifier(), mode)(view(*shape), BLACK)
    assert heatmap.values.shape == (3, 2, 2)
    assert heatmap.at_pixels(heatmap.strongest).shape == shape
    assert (np.isfinite(heatmap.values) == WindowGrid(shape, 64, 32).cells_of(np.ones(shape, dtype=bool))).all()


def test_scales_look_at_resized_views():
    model, image = build_classifier(), view(192, 128)
    both = slider(model, 'exact', scales=(1.0, 0.5))(image, BLACK)
    alone = [slider(model, 'exact', scales=(scale,))(image, BLACK) for scale in (1.0, 0.5)]
    assert [heatmap.cell for heatmap in alone] == [32, 64]
    coarse = alone[1].values.repeat(2, axis=1).repeat(2, axis=2)[:, :6, :4]
    np.testing.assert_array_equal(both.values, np.maximum(alone[0].values, coarse))
    mean = slider(model, 'exact', scales=(1.0, 0.5), combine='mean')(image, BLACK)
    np.testing.assert_allclose(mean.values, (alone[0].values + coarse) / 2, rtol=1e-6)


def test_a_mirrored_view_has_the_mirrored_heatmap():
    model = build_classifier()
    stub = torch.nn.Conv2d(3, 64, 32, stride=32)  # every cell by its own pixels, the same for left and right
    torch.nn.init.constant_(stub.weight, 0.01)
    model.backbone = torch.nn.Sequential(stub)
    model.extract_feat = lambda inputs: (model.backbone(inputs),)
    image = view(96, 128)
    run = slider(model, 'exact')
    mirrored = run(image.flip(2), BLACK).values
    np.testing.assert_allclose(mirrored, run(image, BLACK).values[..., ::-1], atol=1e-6)


@pytest.mark.parametrize('mode', ['exact', 'dense'])
def test_bfloat16_is_close(mode):
    model, image = build_classifier(), view(100, 100)
    full, half = (slider(model, mode, check=0, bfloat16=on).window_scores(image, BLACK) for on in (False, True))
    assert half.dtype == np.float32 and (half != full).any()
    np.testing.assert_allclose(half, full, atol=0.02)


@pytest.mark.parametrize(('name', 'tie'), [('mobilenetv3', 'squeeze-excite'), ('swin_t', 'attention')])
def test_context_is_refused_where_it_cannot_be_exact(name, tie):
    run = slider(build_classifier(name, cells=8), 'context', context=320, window=256)
    with pytest.raises(MammoError, match=rf'{tie}.*convolutions and poolings alone.*exact'):
        run.reach_of(3)


@pytest.mark.parametrize(('name', 'tie'), [('mobilenetv3', 'squeeze-excite'), ('swin_t', 'attention')])
def test_dense_warns_where_it_is_a_guess(name, tie, monkeypatch):
    said = []
    monkeypatch.setattr('mmengine.logging.MMLogger.warning', lambda _, text, *args: said.append(text))
    slider(build_classifier(name), 'dense', window=256).reach_of(3)
    assert len(said) == 1 and tie in said[0] and 'guess' in said[0]


def test_too_little_context_is_refused_with_what_it_takes():
    with pytest.raises(MammoError, match=r'192 pixels.*at least 224 pixels with ResNet'):
        slider(build_classifier('thin_resnet50', cells=2), 'context', context=192).reach_of(3)
    with pytest.raises(MammoError, match='more than can be given with DenseNet'):
        slider(build_classifier('densenet121', cells=2), 'context', context=224).reach_of(3)


def test_a_head_that_would_judge_the_context_is_refused():
    with pytest.raises(MammoError, match=r'224 pixels, and a head without cells'):
        slider(build_classifier(), 'exact', context=224)
    with pytest.raises(MammoError, match=r'64 pixels.*96, by head\.cells'):
        slider(build_classifier(cells=3), 'dense', context=224).reach_of(3)


def test_dense_tells_its_agreement_once(monkeypatch):
    said = []
    monkeypatch.setattr('mmengine.logging.MMLogger.info', lambda _, text, *args: said.append(text))
    run = slider(build_classifier(), 'dense', check=5)
    run(view(200, 200), BLACK)
    run(view(200, 200), BLACK)
    assert run.agreement.windows == 5
    assert run.agreement.greatest_difference > 0
    assert [text for text in said if 'dense against exact' in text] == [f'dense against exact: {run.agreement}']


def test_modes_other_than_exact_need_a_map_of_scores():
    model = build_classifier()
    model.head = torch.nn.Linear(3, 3)
    with pytest.raises(MammoError, match=r"Linear.*score_map.*mode='exact'"):
        slider(model, 'dense')(view(70, 70), BLACK)


@pytest.mark.parametrize(
    ('settings', 'field'),
    [
        ({'mode': 'fast'}, 'mode'),
        ({'combine': 'sum'}, 'combine'),
        ({'scales': ()}, 'scales'),
        ({'scales': (0.0,)}, 'scales'),
        ({'batch_size': 0}, 'batch_size'),
        ({'context': -1}, 'context'),
        ({'focal_gamma': -1.0}, 'focal_gamma'),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, field):
    with pytest.raises(MammoError, match=f'{field}.*expected'):
        SlidingSettings(**settings)


def test_windows_that_are_no_whole_cells_are_refused():
    with pytest.raises(MammoError, match='multiples of 32'):
        slider(build_classifier(), 'dense', window=48, stride=16)(view(70, 70), BLACK)


def test_tiles_cover_what_is_needed_and_fit():
    needed = np.zeros((60, 40), dtype=bool)
    rows, columns = np.ogrid[:60, :40]
    needed[(rows - 30) ** 2 + columns**2 < 25**2] = True
    tiles = plan_tiles(needed, overlap=4, side=24)
    covered = np.zeros(needed.shape, dtype=int)
    for tile in tiles:
        covered[tile.top : tile.bottom, tile.left : tile.right] += 1
        top, bottom, left, right = tile.read
        assert tile.read_cells == (bottom - top) * (right - left) <= 24**2
        assert (top, left) == (max(tile.top - 4, 0), max(tile.left - 4, 0))
        assert (bottom, right) == (min(tile.bottom + 4, 60), min(tile.right + 4, 40))
    assert (covered[needed] == 1).all() and covered.max() == 1
    assert plan_tiles(np.zeros((3, 3), dtype=bool), 1, 9) == []
    with pytest.raises(MammoError, match='at least 9 x 9'):
        plan_tiles(needed, overlap=4, side=8)


def test_a_large_breast_with_the_longest_context_is_one_tile():
    """MobileNetV2 on a view of 3328 x 2560, a quarter of it breast: windows reach 7 cells beyond, padding 8."""
    rows, columns = np.ogrid[:120, :96]  # with a context of 8 cells on all sides
    breast = ((rows - 60) / 34.4) ** 2 + ((columns - 8) / 38.4) ** 2 < 1
    breast[:, :8] = False
    assert breast.sum() == pytest.approx(0.25 * 104 * 80, rel=0.02)
    needed = ndimage.binary_dilation(breast, np.ones((15, 15)))
    needed[:, :8] = False
    (tile,) = plan_tiles(needed, overlap=8, side=SlidingSettings().tile // 32)
    assert (needed.any(axis=1).sum() + 16) * (needed.any(axis=0).sum() + 16) == tile.read_cells
    assert 97 * 73 * 64 / tile.read_cells > 70  # cells that all windows read


def test_agreement_of_equal_and_of_constant_scores():
    scores = np.array([[0.1, 0.5, 0.9], [0.2, 0.2, 0.2]])
    same = Agreement.of(scores, scores)
    assert (same.windows, same.mean_difference, same.greatest_difference) == (3, 0, 0)
    assert same.correlation == pytest.approx(1)
    assert np.isnan(Agreement.of(scores[1:], scores[1:]).correlation)
    assert Agreement.of(scores, scores[:, ::-1]).greatest_difference == pytest.approx(0.8)


def test_a_sample_is_spread_evenly():
    wanted = np.ones((4, 5), dtype=bool)
    wanted[0] = False
    assert np.flatnonzero(spread(wanted, 3)).tolist() == [5, 12, 19]
    assert (spread(wanted, 99) == wanted).all()


def test_the_focal_loss_is_undone_before_windows_are_averaged():
    model, image = build_classifier(), view(128, 96)
    plain = slider(model, 'exact')
    heatmap = slider(model, 'exact', focal_gamma=2.0)(image, BLACK)
    scores = plain.window_scores(image, BLACK)
    expected = WindowGrid((128, 96), 64, 32).heatmap(undo_focal(scores, 2.0))
    np.testing.assert_allclose(heatmap.values, expected, atol=1e-6)
    assert np.abs(heatmap.values - plain(image, BLACK).values).max() > 0.01
