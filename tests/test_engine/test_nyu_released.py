"""The outputs that NYU published for their sample exams, from their weights and images.

Neither is ours to distribute: set MMMAMMO_NYU_DIR to a clone of nyukat/breast_cancer_classifier with its files.

Windows and centres are of no chance and must be equal. No published score is: each, that of a single image too, is the
mean over ten randomly moved and scaled crops of another generator, so four decimals cannot be asked for. Ours are ten
crops of the same distribution: the two means differ by the deviation of a crop times sqrt(2 / 10), and four times that
is allowed, with half a unit of the last published decimal.
"""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample

from mmmammo.apis.patch_heatmaps import patch_heatmaps
from mmmammo.engine.nyu_weights import build_nyu_model, convert_nyu_weights
from mmmammo.io.array_pickle import read_array_pickle
from mmmammo.preprocessing.nyu_crop import nyu_crop
from mmmammo.preprocessing.nyu_window import (
    WINDOW_SIZES,
    cut_window,
    noisy_window,
    optimal_centre,
    resized,
    standardised,
)

VIEWS = ('L-CC', 'R-CC', 'L-MLO', 'R-MLO')
WINDOWS = {
    'L-CC': (353, 4009, 0, 2440),
    'R-CC': (71, 3771, 952, 3328),
    'L-MLO': (0, 3818, 0, 2607),
    'R-MLO': (0, 3724, 848, 3328),
}
CROPS = 10
BREASTS = {
    False: {0: {'L': 0.0091, 'R': 0.0179}, 1: {'L': 0.0012, 'R': 0.7258}},
    True: {0: {'L': 0.0099, 'R': 0.0063}, 1: {'L': 0.0009, 'R': 0.9000}},
}
"""Malignancy by whether heatmaps are used, by exam, by breast."""
CENTRES = {'L-CC': (1850, 1417), 'R-CC': (2173, 1354), 'L-MLO': (2279, 1681), 'R-MLO': (2185, 1555)}


@pytest.fixture(scope='module')
def released():
    folder = os.environ.get('MMMAMMO_NYU_DIR')
    if not folder:
        pytest.skip('set MMMAMMO_NYU_DIR to a clone of nyukat/breast_cancer_classifier')
    return Path(folder)


@pytest.fixture(scope='module')
def models(released):
    found = {}
    for path in sorted((released / 'models').glob('*.p')):
        known, state = convert_nyu_weights(path)
        model = build_nyu_model(known)
        model.load_state_dict(state)
        found[known.name] = model.eval()
    return found


def look(released, exam, view):
    """The crop that faces right, the crop's place, and the best centre."""
    image = cv2.imread(str(released / 'sample_data' / 'images' / f'{exam[view][0]}.png'), cv2.IMREAD_UNCHANGED)
    faces_right = view.startswith('L') == (exam['horizontal_flip'] == 'NO')
    crop = nyu_crop(image, faces_right)
    cut = crop.cut(image.astype(np.float32))
    cut = np.ascontiguousarray(cut if faces_right else cut[:, ::-1])
    name = view[2:]
    centre = optimal_centre(cut, crop.rightmost[1], crop.bottommost[0], name, WINDOW_SIZES[name])
    return cut, crop, centre


def crops(planes, centre, name, number=CROPS):
    generator = np.random.default_rng(0)
    out = []
    for _ in range(number):
        window = noisy_window(centre, WINDOW_SIZES[name], planes.shape[1:], 100, 100, generator)
        cut = resized(cut_window(planes, window), WINDOW_SIZES[name])
        out.append(np.concatenate([standardised(cut[0])[None], cut[1:]]))
    return torch.from_numpy(np.stack(out))


def heatmaps_of(model, cut):
    """Of a crop: the whole of it is the place that they are made for."""
    whole = nyu_crop(np.ones_like(cut), iterations=0, buffer=0)
    return patch_heatmaps(model, cut, whole)


def planes_of(models, cut, with_heatmaps):
    planes = cut[None]
    return np.concatenate([planes, heatmaps_of(models['nyu_patch'], cut)]) if with_heatmaps else planes


def breast_scores(released, models, number, with_heatmaps):
    """Of either breast, one score per round of crops."""
    exam = read_array_pickle(released / 'sample_data' / 'exam_list_before_cropping.pkl')[number]
    inputs = []
    for view in VIEWS:
        cut, _, centre = look(released, exam, view)
        inputs.append(crops(planes_of(models, cut, with_heatmaps), centre, view[2:]))
    model = models['nyu_image_heatmaps' if with_heatmaps else 'nyu_image']
    found = {'L': [], 'R': []}
    for i in range(CROPS):
        samples = [DataSample(metainfo={'exam_id': number, 'laterality': v[0], 'view': v[2:]}) for v in VIEWS]
        with torch.no_grad():
            predicted = model([crop[i : i + 1] for crop in inputs], samples, mode='predict')
        scores = {sample.laterality: float(sample.pred_score) for sample in predicted}
        for side, score in scores.items():
            found[side].append(score)
    return found


def assert_agree(scores, published):
    """See the top of this file."""
    allowed = 4 * np.std(scores, ddof=1) * np.sqrt(2 / CROPS) + 0.5e-4
    assert len(scores) == CROPS and np.mean(scores) == pytest.approx(published, abs=allowed)


@pytest.mark.parametrize('view', VIEWS)
def test_crops_and_centres_of_the_first_exam(released, view):
    exam = read_array_pickle(released / 'sample_data' / 'exam_list_before_cropping.pkl')[0]
    _, crop, centre = look(released, exam, view)
    assert crop.window == WINDOWS[view] and centre == CENTRES[view]
    if view == 'L-CC':
        assert crop.rightmost == ((1879, 1958), 2389) and crop.bottommost == (3605, (100, 100))


HEATMAPS = [False, pytest.param(True, marks=pytest.mark.slow)]


@pytest.mark.parametrize('exam', [0, 1])
@pytest.mark.parametrize('with_heatmaps', HEATMAPS)
def test_breasts(released, models, with_heatmaps, exam):
    found = breast_scores(released, models, exam, with_heatmaps)
    for side, published in BREASTS[with_heatmaps][exam].items():
        assert_agree(found[side], published)


@pytest.mark.parametrize('with_heatmaps', HEATMAPS)
def test_a_single_image(released, models, with_heatmaps):
    exam = read_array_pickle(released / 'sample_data' / 'exam_list_before_cropping.pkl')[0]
    cut, _, centre = look(released, exam, 'L-CC')
    model = models['nyu_single_image_heatmaps' if with_heatmaps else 'nyu_single_image']
    with torch.no_grad():
        predicted = model(crops(planes_of(models, cut, with_heatmaps), centre, 'CC'), mode='predict')
    found = np.array([sample.pred_score.tolist() for sample in predicted])
    for scores, published in zip(found.T, (0.0524, 0.0055) if with_heatmaps else (0.0402, 0.0080), strict=True):
        assert_agree(scores, published)  # benign, then malignant
