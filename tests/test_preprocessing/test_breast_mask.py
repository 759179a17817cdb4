import cv2
import numpy as np
import pytest

from mmmammo.preprocessing import segment_breast
from mmmammo.preprocessing.breast_mask import otsu_threshold, shrink, wall_is_left
from mmmammo.structures import MammoError


def ellipse(size=(600, 400), centre=(0, 300), axes=(260, 250)):
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    return ((x - centre[0]) / axes[0]) ** 2 + ((y - centre[1]) / axes[1]) ** 2 < 1


@pytest.fixture
def breast():
    """Truth and image: fat with a bright gland, a dark hole in it, on a faint noisy ground."""
    truth = ellipse()
    image = np.where(truth, 0.35, 0.0)
    image[ellipse(centre=(80, 300), axes=(120, 140))] = 0.8
    image[ellipse(centre=(150, 200), axes=(12, 12))] = 0.01
    return truth, image


def overlap(mask, truth):
    return (mask & truth).sum() / (mask | truth).sum()


def test_breast_is_found_without_holes(breast):
    truth, image = breast
    mask = segment_breast(image)
    assert mask.dtype == bool and mask.shape == image.shape
    assert overlap(mask, truth) > 0.985
    assert mask[195:205, 145:155].all()


@pytest.mark.parametrize('scale', [1e-3, 1.0, 4095.0])
@pytest.mark.parametrize('offset', [0.0, 0.3])
def test_scale_and_offset_do_not_matter(breast, scale, offset):
    truth, image = breast
    np.testing.assert_array_equal(segment_breast((image + offset) * scale), segment_breast(image))


def test_noisy_ground(breast):
    truth, image = breast
    noisy = image + 0.06 + np.random.default_rng(0).normal(0, 0.02, image.shape)
    assert overlap(segment_breast(noisy), truth) > 0.97


def test_labels_are_left_out(breast):
    truth, image = breast
    image[30:60, 300:380] = 1.0
    cv2.putText(image, 'R-MLO', (250, 580), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1.0, 3)
    assert overlap(segment_breast(image), truth) > 0.98


def test_label_touching_the_skin_is_taken_off(breast):
    truth, image = breast
    image[290:310, 250:330] = 1.0
    assert overlap(segment_breast(image), truth) > 0.98


def test_nipple_in_profile_is_kept(breast):
    truth, image = breast
    nipple = ellipse(centre=(258, 300), axes=(16, 14))
    image[nipple & ~truth] = 0.4
    assert segment_breast(image)[300, 268]


def test_dark_strip_at_the_chest_wall_is_filled(breast):
    truth, image = breast
    image[:, :5] = 0.003 * np.random.default_rng(0).random((600, 5))
    assert segment_breast(image)[100:500, 0].all()


def test_abdomen_below_the_fold_is_left_out(breast):
    truth, image = breast
    image[540:600, :40] = 0.4
    image[545:552, 8:40] = 0.0
    assert not segment_breast(image)[560:].any()


@pytest.mark.parametrize('padding', [((0, 0), (0, 300)), ((100, 50), (200, 100))])
def test_padding_changes_nothing(breast, padding):
    truth, image = breast
    (top, _), (left, _) = padding
    mask = segment_breast(np.pad(image, padding))
    assert overlap(mask[top : top + 600, left : left + 400], truth) > 0.98
    assert mask.sum() == mask[top : top + 600, left : left + 400].sum()


@pytest.mark.parametrize('factor', [2, 3, 5])
def test_large_images_are_segmented_alike(breast, factor):
    truth, image = breast
    grow = np.ones((factor, factor))
    rest = ((0, factor - 1), (0, 1))
    mask = segment_breast(np.pad(np.kron(image, grow), rest, mode='edge'))
    assert mask.shape == (600 * factor + factor - 1, 400 * factor + 1)
    assert overlap(mask[: 600 * factor, : 400 * factor], np.kron(truth, grow) > 0) > 0.98


@pytest.mark.parametrize(
    'image',
    [np.zeros((200, 100)), np.full((200, 100), 0.7), np.full((50, 50), np.nan), np.ones((1, 1)), np.zeros((3, 900))],
    ids=['black', 'grey', 'nan', 'one pixel', 'thin'],
)
def test_nothing_to_find_gives_an_empty_mask(image):
    mask = segment_breast(image)
    assert mask.shape == image.shape and not mask.any()


@pytest.mark.parametrize('seed', range(5))
def test_noise_never_raises(seed):
    rng = np.random.default_rng(seed)
    size = tuple(rng.integers(1, 300, 2))
    image = rng.random(size) ** rng.integers(1, 20)
    assert segment_breast(image).shape == size


@pytest.mark.parametrize('image', [np.zeros((4, 4, 3)), np.zeros((0, 4)), np.zeros((4, 4), complex), 'image'])
def test_only_grey_images_are_taken(image):
    with pytest.raises(MammoError, match='grey image'):
        segment_breast(image)


def test_mirrored_image_gives_the_mirrored_mask(breast):
    _, image = breast
    np.testing.assert_array_equal(segment_breast(image[:, ::-1]), segment_breast(image)[:, ::-1])


def test_wall_side(breast):
    truth, _ = breast
    assert wall_is_left(truth) and not wall_is_left(truth[:, ::-1])


def test_otsu_agrees_with_opencv():
    image = np.random.default_rng(0).normal([[60], [170]], 20, (2, 5000)).clip(0, 255).astype(np.uint8)
    image[0, :2] = 0, 255
    expected, _ = cv2.threshold(image, 0, 255, cv2.THRESH_OTSU)
    assert otsu_threshold(image.astype(np.float32)) == pytest.approx(expected, abs=1)


def test_shrink_averages_whole_blocks():
    image = np.arange(24, dtype=float).reshape(4, 6)
    small, factor = shrink(image, size=3)
    assert factor == 2
    np.testing.assert_allclose(small, [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]])
    assert shrink(image, size=6)[1] == 1


def test_real_views_are_covered(real_data):
    for name in ('L-CC', 'L-MLO', 'R-CC', 'R-MLO'):
        image = cv2.imread(str(real_data / 'exam_0' / f'0_{name}.png'), cv2.IMREAD_UNCHANGED)
        mask = segment_breast(image)
        assert 0.6 < mask.mean() < 0.82
        wall = mask[:, 0 if name[0] == 'L' else -1]
        assert wall.mean() > 0.97
        corner = mask[:150, -60:] if name[0] == 'L' else mask[:150, :60]
        assert not corner.any(), 'the burned-in label is not breast'
