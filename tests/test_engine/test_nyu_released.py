"""The outputs that NYU published for their sample exams, from their weights and images.

Neither is ours to distribute: set MMMAMMO_NYU_DIR to a clone of nyukat/breast_cancer_classifier with its files. The
published numbers are means over ten random crops of other seeds, hence the tolerances.
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


def crops(planes, centre, name, number=10):
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


def breast_scores(released, models, number, *, with_heatmaps):
    exam = read_array_pickle(released / 'sample_data' / 'exam_list_before_cropping.pkl')[number]
    inputs, samples = [], []
    for view in VIEWS:
        cut, _, centre = look(released, exam, view)
        planes = cut[None]
        if with_heatmaps:
            planes = np.concatenate([planes, heatmaps_of(models['nyu_patch'], cut)])
        inputs.append(crops(planes, centre, view[2:]))
        samples.append(DataSample(metainfo={'exam_id': number, 'laterality': view[0], 'view': view[2:]}))
    model = models['nyu_image_heatmaps' if with_heatmaps else 'nyu_image']
    with torch.no_grad():
        predicted = model(inputs, samples, mode='predict')
    return {sample.laterality: float(sample.pred_score) for sample in predicted}


@pytest.mark.parametrize('view', VIEWS)
def test_crops_and_centres_of_the_first_exam(released, view):
    exam = read_array_pickle(released / 'sample_data' / 'exam_list_before_cropping.pkl')[0]
    _, crop, centre = look(released, exam, view)
    assert crop.window == WINDOWS[view] and centre == CENTRES[view]
    if view == 'L-CC':
        assert crop.rightmost == ((1879, 1958), 2389) and crop.bottommost == (3605, (100, 100))


def test_breasts_by_the_images_alone(released, models):
    assert breast_scores(released, models, 1, with_heatmaps=False)['R'] == pytest.approx(0.7258, abs=0.05)
    assert breast_scores(released, models, 0, with_heatmaps=False)['L'] == pytest.approx(0.0091, abs=0.005)


def test_a_single_image(released, models):
    exam = read_array_pickle(released / 'sample_data' / 'exam_list_before_cropping.pkl')[0]
    cut, _, centre = look(released, exam, 'L-CC')
    with torch.no_grad():
        found = models['nyu_single_image'](crops(cut[None], centre, 'CC', 1), mode='predict')[0].pred_score
    assert found.tolist() == pytest.approx([0.0402, 0.0080], abs=0.01)


@pytest.mark.slow
def test_breasts_with_heatmaps(released, models):
    assert breast_scores(released, models, 1, with_heatmaps=True)['R'] == pytest.approx(0.9000, abs=0.05)
    assert breast_scores(released, models, 0, with_heatmaps=True)['L'] == pytest.approx(0.0099, abs=0.005)
