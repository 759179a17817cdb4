"""Labels, tape, edges and frames of films go; the breast stays as it is."""

import cv2
import numpy as np
import pytest

from mmmammo.io import read_mammogram
from mmmammo.phantom.config import PhantomConfig
from mmmammo.phantom.dressing.film_look import SIDES, as_film, black_frame, expose_edge, stick_label, stick_tape
from mmmammo.phantom.exam import make_exam
from mmmammo.preprocessing import remove_film_artifacts, segment_breast
from mmmammo.structures import MammoError

HEIGHT = 512
VIEWS = ('L_CC', 'L_MLO', 'R_CC', 'R_MLO')


@pytest.fixture(scope='module')
def views():
    """By name: breast without marker, and its mask."""
    config = PhantomConfig(height=HEIGHT)
    made = {}
    for view in make_exam(config, 3, 0).views:
        breast = np.zeros(view.image.shape, np.uint8)
        cv2.fillPoly(breast, [np.rint(view.landmarks.contour).astype(np.int32)], 1)
        grown = cv2.dilate(breast, np.ones((9, 9), np.uint8)) > 0
        made[view.name] = (np.where(grown, view.image, np.float32(0)), breast > 0)
    return made


@pytest.fixture(params=VIEWS)
def view(request, views):
    """A clean film, the breast in it, and where the air is: x of the side away from the chest wall."""
    image, breast = views[request.param]
    away = image.shape[1] * (0.85 if request.param[0] == 'L' else 0.15)
    return as_film(image, np.random.default_rng(0)), breast, away


def left_over(film, clean, breast):
    """What is brighter than air outside of the breast, and what of the breast has changed."""
    near = cv2.dilate(breast.astype(np.uint8), np.ones((11, 11), np.uint8)) > 0
    return int((clean[~near] > 0.3).sum()), int((clean != film)[breast].sum())


def test_a_clean_film_comes_back_itself(view):
    assert remove_film_artifacts(view[0])[0] is view[0]
    assert remove_film_artifacts(view[0])[1] == ()


@pytest.mark.parametrize('angle', [0, 12, -35])
@pytest.mark.parametrize('height', [0.07, 0.01])  # in the air; reaching over the border
def test_a_label_goes_and_nothing_else(view, angle, height):
    film, breast, away = view
    width = film.shape[1]
    labelled = stick_label(film, (away, height * HEIGHT), (0.2 * width, 0.06 * HEIGHT), 'MLO', angle)
    clean, removed = remove_film_artifacts(labelled)
    assert removed == ('1 label or tape',) and left_over(labelled, clean, breast) == (0, 0)


def test_a_label_that_is_annotated_is_tissue(view):
    film, _, away = view
    width = film.shape[1]
    labelled = stick_label(film, (away, 0.07 * HEIGHT), (0.2 * width, 0.06 * HEIGHT), 'MLO', 0)
    box = [away - 5, 0.07 * HEIGHT - 5, away + 5, 0.07 * HEIGHT + 5]
    assert remove_film_artifacts(labelled, [box])[0] is labelled
    assert remove_film_artifacts(labelled, [[0, HEIGHT - 9, 9, HEIGHT - 1]])[1] == ('1 label or tape',)


def test_tape_goes(view):
    film, breast, away = view
    taped = stick_tape(film, (away, 0.96 * HEIGHT), (0.3 * film.shape[1], 0.04 * HEIGHT), -12)
    clean, removed = remove_film_artifacts(taped)
    assert removed == ('1 label or tape',) and left_over(taped, clean, breast) == (0, 0)


def test_letters_without_a_label_go_as_one(view):
    film, breast, away = view
    ink = cv2.putText(np.zeros(film.shape, np.uint8), 'CC', (int(away) - 20, 30), 0, 0.8, 245, 2)
    clean, removed = remove_film_artifacts(np.maximum(film, np.float32(ink / 255)))
    assert removed == ('1 label or tape',) and left_over(film, clean, breast)[0] == 0


def test_two_labels_are_counted(view):
    film, _, away = view
    size = (0.15 * film.shape[1], 0.05 * HEIGHT)
    two = stick_label(stick_label(film, (away, 0.05 * HEIGHT), size), (away, 0.95 * HEIGHT), size)
    assert remove_film_artifacts(two)[1] == ('2 labels or tape',)


@pytest.mark.parametrize('distance', [6, -8])  # beside the breast; reaching over its outline
def test_a_label_at_the_breast_goes_and_the_breast_stays(view, distance):
    film, breast, away = view
    row = int(np.median(np.flatnonzero(breast.any(axis=1))))
    columns = np.flatnonzero(breast[row])
    outwards = 1 if away > columns.mean() else -1
    width, height = 0.16 * film.shape[1], 0.05 * HEIGHT
    rows = np.s_[int(row - height / 2) : int(row + height / 2) + 1]
    reach = np.flatnonzero(breast[rows].any(axis=0))
    tip = reach.max() if outwards > 0 else reach.min()
    labelled = stick_label(film, (tip + outwards * (distance + width / 2), row), (width, height))
    clean, removed = remove_film_artifacts(labelled)
    covered = cv2.dilate((labelled != film).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert removed == ('1 label or tape',)
    assert not ((clean != labelled) & breast & ~covered).any()
    assert left_over(labelled, clean, breast)[0] == 0


@pytest.mark.parametrize('side', SIDES)
@pytest.mark.parametrize('width', [(6, 6), (2, 12), (12, 0)])
def test_a_white_edge_goes_also_when_the_film_lay_askew(view, side, width):
    film, breast, _ = view
    exposed = expose_edge(film, side, width)
    clean, removed = remove_film_artifacts(exposed)
    assert removed == (f'white edge at the {side}',)
    strip = cv2.dilate((exposed != film).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert not ((clean != exposed) & ~strip).any()
    assert (clean[exposed != film] > 0.9).mean() < 0.02


@pytest.mark.parametrize('number', [2, 3, 4])
def test_edges_on_several_sides_go_with_their_corners(view, number):
    film, breast, _ = view
    exposed = film
    for side in SIDES[:number]:
        exposed = expose_edge(exposed, side, (5, 8))
    clean, removed = remove_film_artifacts(exposed)
    assert removed == (f'white edge at the {", ".join(SIDES[:number])}',)
    assert (clean > 0.97).sum() == 0


def test_an_edge_behind_a_black_frame_goes(view):
    exposed = expose_edge(view[0], 'bottom', (5, 5), frame=6)
    clean, removed = remove_film_artifacts(exposed)
    assert 'white edge at the bottom' in removed and (clean[-12:] > 0.97).sum() == 0


def test_a_black_frame_becomes_as_grey_as_the_film(view):
    film, breast, _ = view
    clean, removed = remove_film_artifacts(black_frame(film, 8))
    assert removed == ('black frame',)
    assert np.abs(clean[:4] - np.median(film[~breast])).max() < 0.02


def test_all_at_once_and_the_breast_is_found_as_on_the_clean_film(view):
    film, breast, away = view
    dirty = stick_label(film, (away, 0.09 * HEIGHT), (0.2 * film.shape[1], 0.05 * HEIGHT), angle=5)
    for side in SIDES:
        dirty = expose_edge(dirty, side, (4, 4))
    found, expected = segment_breast(remove_film_artifacts(dirty)[0]), segment_breast(film)
    inside = np.s_[8:-8, 8:-8]
    both = (found & expected)[inside].sum() / (found | expected)[inside].sum()
    assert both > 0.98


@pytest.mark.parametrize('scale', [1, 4095, 65535])
def test_the_range_of_values_does_not_matter(view, scale):
    labelled = stick_label(view[0], (view[2], 40), (50, 24)) * np.float32(scale)
    assert remove_film_artifacts(labelled)[1] == ('1 label or tape',)


def test_a_large_film_is_cleaned_up_to_its_last_row(views):
    image, _ = views['L_CC']
    large = cv2.resize(as_film(image, np.random.default_rng(0)), (1477, 2051))
    exposed = expose_edge(large, 'bottom', (20, 20))
    clean, removed = remove_film_artifacts(exposed)
    assert removed == ('white edge at the bottom',) and (clean > 0.97).sum() == 0
    assert not (clean != exposed)[:-36].any()


def test_no_real_breast_is_touched(real_data):
    paths = sorted((real_data / 'exam_0').glob('0_?-???.png')) + sorted((real_data / 'exam_0').glob('0_?-??.png'))
    assert len(paths) == 4
    for path in paths:
        pixels = read_mammogram(path).pixels
        clean, _ = remove_film_artifacts(pixels)
        assert not (clean != pixels)[segment_breast(pixels)].any()


@pytest.mark.parametrize('value', [0.0, 0.5, 1.0])
def test_an_even_image_stays(value):
    image = np.full((60, 50), value, np.float32)
    assert remove_film_artifacts(image)[0] is image


def test_colour_is_refused():
    with pytest.raises(MammoError, match='shape'):
        remove_film_artifacts(np.zeros((20, 20, 3)))
