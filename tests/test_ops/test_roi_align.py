"""RoIAlign against mmcv's, a literal version, hand-computed bins and finite differences."""

import math

import pytest
import torch
from mmcv.ops.roi_align import roi_align as stock

from mmmammo.ops import region_pooling, roi_align
from mmmammo.ops.library import why_not_loaded
from mmmammo.structures import MammoError

needs_library = pytest.mark.skipif(
    bool(why_not_loaded()), reason=f'operators: {why_not_loaded()}; python -m mmmammo.ops.build compiles them'
)


def problem(size=(3, 8, 20, 13), regions=40, scale=0.25, dtype=torch.float32, seed=0):
    """Random maps, and regions that reach beyond them on all sides."""
    generator = torch.Generator().manual_seed(seed)
    draw = {'generator': generator, 'dtype': dtype}
    extent = torch.tensor([size[3] / scale, size[2] / scale], dtype=dtype)
    corners = (torch.rand(regions, 2, **draw) * 1.4 - 0.2) * extent
    sides = torch.rand(regions, 2, **draw) * 0.8 * extent
    images = torch.randint(0, size[0], (regions, 1), generator=generator).to(dtype)
    return torch.randn(size, **draw), torch.cat([images, corners, corners + sides], 1)


def literal(features, region, size, scale, sampling, aligned):
    """One region, sample by sample."""
    image, *box = region.tolist()
    x1, y1, x2, y2 = (side * scale - (0.5 if aligned else 0.0) for side in box)
    height, width = (side if aligned else max(side, 1.0) for side in (y2 - y1, x2 - x1))
    out = torch.zeros(features.shape[1], *size, dtype=features.dtype)
    down, across = (sampling or math.ceil(side / bins) for side, bins in ((height, size[0]), (width, size[1])))
    for row in range(size[0]):
        for column in range(size[1]):
            for i in range(down):
                for j in range(across):
                    y = y1 + (row + (i + 0.5) / down) * height / size[0]
                    x = x1 + (column + (j + 0.5) / across) * width / size[1]
                    out[:, row, column] += interpolated(features[int(image)], y, x) / (down * across)
    return out


def interpolated(image, y, x):
    rows, columns = image.shape[1:]
    if not (-1 <= y <= rows and -1 <= x <= columns):
        return torch.zeros(len(image), dtype=image.dtype)
    y, x = min(max(y, 0.0), rows - 1), min(max(x, 0.0), columns - 1)
    total = torch.zeros(len(image), dtype=image.dtype)
    for row in range(rows):
        for column in range(columns):
            total += max(0.0, 1 - abs(y - row)) * max(0.0, 1 - abs(x - column)) * image[:, row, column]
    return total


@needs_library
@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('sampling', [0, 2])
@pytest.mark.parametrize('channels', [1, 7, 32, 75])
@pytest.mark.parametrize(('dtype', 'tolerance'), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_equals_mmcv_with_its_gradient(aligned, sampling, channels, dtype, tolerance):
    features, regions = problem((3, channels, 20, 13), dtype=dtype)
    results = []
    for pool in (lambda *given: stock(*given[:5], 'avg', aligned), lambda *given: roi_align(*given[:5], aligned)):
        learned = features.clone().requires_grad_()
        out = pool(learned, regions, (7, 5), 0.25, sampling)
        grad = torch.linspace(-1, 1, out.numel(), dtype=dtype).view(out.shape)
        results.append((out, *torch.autograd.grad(out, learned, grad)))
    for mine, theirs in zip(results[1], results[0], strict=True):
        assert mine.dtype == dtype and mine.shape == theirs.shape
        torch.testing.assert_close(mine, theirs, rtol=0, atol=tolerance)


@needs_library
@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('sampling', [0, 1, 3])
def test_equals_the_literal_version(aligned, sampling):
    features, regions = problem((2, 2, 6, 5), regions=7, scale=0.5, dtype=torch.float64)
    expected = torch.stack([literal(features, region, (3, 2), 0.5, sampling, aligned) for region in regions])
    result = roi_align(features, regions, (3, 2), 0.5, sampling, aligned)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-12)


@needs_library
@pytest.mark.parametrize(
    ('box', 'expected'),
    [
        ((0, 0, 1, 1), 1.0),  # the first cell
        ((3, 0, 4, 1), 4.0),
        ((1, 0, 3, 1), 2.5),  # two cells, a sample in each
        ((-1, 0, 0, 1), 1.0),  # centre half a cell outside: as at the border
        ((-3, 0, -2, 1), 0.0),  # further out
        ((2, 0, 2, 1), 0.0),  # no width, no sample
    ],
)
def test_one_bin_by_hand(box, expected):
    """A row of four cells holds 1, 2, 3, 4."""
    features = torch.tensor([1.0, 2, 3, 4]).view(1, 1, 1, 4)
    result = roi_align(features, torch.tensor([[0.0, *box]]), (1, 1))
    assert result.item() == pytest.approx(expected, abs=1e-6)


@needs_library
def test_gradient_is_the_derivative():
    features, regions = problem((2, 3, 4, 5), regions=5, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda maps: roi_align(maps, regions, (2, 3), 0.25), features.requires_grad_())


def test_reads_channels_last_with_and_without_the_operator(monkeypatch):
    features, regions = problem()
    expected = stock(features, regions, (3, 4), 0.25)
    for compiled in (True, False) if not why_not_loaded() else (False,):
        monkeypatch.setattr(region_pooling, 'is_compiled', lambda compiled=compiled: compiled)
        result = roi_align(features.contiguous(memory_format=torch.channels_last), regions, (3, 4), 0.25)
        assert result.is_contiguous()
        torch.testing.assert_close(result, expected, rtol=0, atol=1e-5)


@needs_library
@pytest.mark.parametrize('side', [1e9, 1e30])
def test_a_region_beyond_all_images_is_refused(side):
    features, regions = problem(regions=1)
    regions[0, 3] = side
    with pytest.raises(RuntimeError, match='a region of'):
        roi_align(features, regions, (7, 7))


@needs_library
def test_a_gradient_of_other_channels_is_refused():
    _, regions = problem(regions=2)
    with pytest.raises(RuntimeError, match='channels, rows, columns'):
        torch.ops.mmmammo.roi_align_backward(torch.zeros(2, 4, 1, 1), regions, [3, 8, 20, 13], 0.25, 0, True)


@needs_library
def test_does_not_depend_on_the_layout_or_the_threads():
    features, regions = problem((4, 16, 30, 20), regions=90)
    before, results = torch.get_num_threads(), []
    for threads, layout in ((1, torch.contiguous_format), (3, torch.channels_last)):
        torch.set_num_threads(threads)
        maps = features.clone(memory_format=layout).requires_grad_()
        out = roi_align(maps, regions, (7, 7), 0.25)
        results.append((out, *torch.autograd.grad(out.square().sum(), maps)))
    torch.set_num_threads(before)
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


@needs_library
def test_a_box_that_is_not_finite_is_not_hidden():
    features, regions = problem(regions=3)
    regions[1, 3] = float('nan')
    result = roi_align(features.requires_grad_(), regions, (2, 2), 0.25)
    assert result[1].isnan().all() and result[[0, 2]].isfinite().all()
    result[[0, 2]].sum().backward()
    assert features.grad.isfinite().all()


def test_one_number_is_both_sides():
    features, regions = problem(regions=2)
    assert roi_align(features, regions, 3).shape == (2, 8, 3, 3)


def test_no_region_is_no_result():
    features, regions = problem(regions=0)
    assert roi_align(features, regions, (7, 7)).shape == (0, 8, 7, 7)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda features, regions: (features[0], regions), r'found \(8, 20, 13\), \(40, 5\); expected \(n, c, h, w\)'),
        (lambda features, regions: (features, regions[:, 1:]), r'expected \(n, c, h, w\) and \(n, 5\)'),
        (
            lambda features, regions: (features, regions.double()),
            r'found torch\.float64 on cpu; expected as the features',
        ),
        (lambda features, regions: (features[:2], regions), r'found image 2; expected 0 to 1'),
        (lambda features, regions: (features, regions - 0.5), r'found image -0\.5; expected 0 to 2'),
        (lambda features, regions: (features, regions * float('nan')), r'found image nan; expected 0 to 2'),
        (lambda features, regions: (features, regions[:, [0, 3, 2, 1, 4]]), r'with x1 <= x2 and y1 <= y2'),
    ],
)
def test_inputs_that_do_not_go_together_are_refused(change, message):
    with pytest.raises(MammoError, match=message):
        roi_align(*change(*problem()), (7, 7))
