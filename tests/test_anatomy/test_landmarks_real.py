"""On real views: positions read off by eye, tolerances in pixels of an image of 1024 rows."""

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_voi_lut

from mmmammo.anatomy import detect_landmarks, pseudo_landmarks

# Centres of the metal markers beside the nipples. In the CC views the nipple itself bulges some way below its marker.
MARKERS = {'L-CC': (716.5, 884.7), 'R-CC': (96.0, 1267.1), 'L-MLO': (882.5, 2022.9), 'R-MLO': (105.1, 1925.9)}
NEAR_MARKER = {'CC': 40, 'MLO': 15}
# All that is seen of the edges, to where they fade; both muscles are curved, and a straight line can only be near.
MUSCLE_EDGE = {
    'L-MLO': [(700, 190), (636, 403), (572, 826), (427, 1109), (324, 1229), (230, 1348), (171, 1450)],
    'R-MLO': [(355, 166), (368, 331), (418, 547), (459, 712), (517, 894), (567, 977), (608, 1060)],
}
# Of 1024 rows, from the edge: of the best straight line 29 in the left view and 18 in the right.
NEAR_EDGE = {'L-MLO': 40, 'R-MLO': 25}


def exam_view(folder, name):
    return (cv2.imread(str(folder / 'exam_0' / f'0_{name}.png'), cv2.IMREAD_UNCHANGED) / 4095).astype(np.float32)


def ge_right_mlo(folder):
    dataset = pydicom.dcmread(folder / 'dicom' / 'ge_senographe_r_mlo.dcm')
    pixels = apply_voi_lut(dataset.pixel_array, dataset).astype(np.float32)
    return (pixels.max() - pixels if dataset.PhotometricInterpretation == 'MONOCHROME1' else pixels) / 4095


def distance_from_line(line, points):
    direction = (line[1] - line[0]) / np.hypot(*(line[1] - line[0]))
    return np.abs((np.asarray(points) - line[0]) @ (-direction[1], direction[0]))


@pytest.mark.parametrize('name', sorted(MARKERS))
def test_nipple_lies_at_its_marker(real_data, name):
    side, view = name.split('-')
    image = exam_view(real_data, name)
    found = detect_landmarks(image, side, view)
    assert np.hypot(*(found.nipple - MARKERS[name])) * 1024 / image.shape[0] < NEAR_MARKER[view]


@pytest.mark.parametrize('name', ['L-MLO', 'R-MLO'])
def test_nipple_is_found_without_the_marker(real_data, name):
    image = exam_view(real_data, name)
    x, y = (round(v) for v in MARKERS[name])
    patch = image[y - 20 : y + 20, x - 20 : x + 20]
    patch[patch > 0.8] = np.median(patch)
    found = detect_landmarks(image, *name.split('-'))
    assert np.hypot(*(found.nipple - MARKERS[name])) * 1024 / image.shape[0] < 20


def distance_from_edge(edge, points):
    start, step = edge[:-1], np.diff(edge, axis=0)
    to_point = np.asarray(points, dtype=float)[:, None] - start
    share = np.clip((to_point * step).sum(axis=2) / (step**2).sum(axis=1), 0, 1)
    return np.hypot(*np.moveaxis(to_point - share[..., None] * step, 2, 0)).min(axis=1)


@pytest.mark.parametrize('factor', [1.0, 0.25])
@pytest.mark.parametrize('name', sorted(MUSCLE_EDGE))
def test_edge_of_the_muscle_is_followed(real_data, name, factor):
    image = cv2.resize(exam_view(real_data, name), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    found = detect_landmarks(image, *name.split('-'))
    off = distance_from_edge(found.pectoral_edge, factor * np.array(MUSCLE_EDGE[name])) * 1024 / image.shape[0]
    assert np.sort(off)[:4].max() < 15
    assert off.max() < 60, 'gland lies over the lower part of the left one'


@pytest.mark.parametrize('change', ['noise', 'clahe'])
@pytest.mark.parametrize('name', sorted(MUSCLE_EDGE))
def test_noise_and_equalisation_leave_the_line_where_it_is(real_data, name, change):
    image = exam_view(real_data, name)
    if change == 'noise':
        changed = np.clip(image + np.random.default_rng(0).normal(0, 0.05, image.shape), 0, 1)
    else:
        changed = cv2.createCLAHE(1.0, (8, 8)).apply((image * 255).astype(np.uint8)) / 255
    lines = [detect_landmarks(i, *name.split('-')).pectoral_line for i in (image, changed)]
    assert distance_from_line(lines[1], lines[0]).max() * 1024 / image.shape[0] < 12


@pytest.mark.parametrize('factor', [1.0, 0.5, 0.25])
@pytest.mark.parametrize('name', sorted(MUSCLE_EDGE))
def test_pectoral_line_follows_the_edge_of_the_muscle(real_data, name, factor):
    image = cv2.resize(exam_view(real_data, name), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    found = detect_landmarks(image, *name.split('-'))
    off = distance_from_line(found.pectoral_line, factor * np.array(MUSCLE_EDGE[name]))
    assert off.max() * 1024 / image.shape[0] < NEAR_EDGE[name]
    assert found.found_by['pectoral_line'] == 'edge_integral'
    assert found.part_confidence['pectoral_line'] > 0.6


def test_uncropped_linear_image_with_abdomen(real_data):
    image = ge_right_mlo(real_data)
    found = detect_landmarks(image, 'R', 'MLO')
    off = distance_from_line(found.pectoral_line, [(2130, 300), (2193, 420), (2259, 660), (2304, 870), (2358, 1170)])
    assert off.max() * 1024 / image.shape[0] < 12
    assert found.contour[:, 1].max() < 2300, 'the abdomen below the fold is not breast'
    assert 1140 < found.nipple[0] < 1380 and 1850 < found.nipple[1] < 2080


def test_nodes_are_ordered_alike_in_all_four_views(real_data):
    nodes = {}
    for name in MARKERS:
        side, view = name.split('-')
        image = exam_view(real_data, name)
        placed = pseudo_landmarks(detect_landmarks(image, side, view), view, 22 if view == 'CC' else 26)
        outward = placed[:, 0] if side == 'L' else image.shape[1] - placed[:, 0]
        nodes[name] = np.column_stack([outward, placed[:, 1]]) / image.shape[0]
    for view in ('CC', 'MLO'):
        assert np.hypot(*(nodes[f'L-{view}'] - nodes[f'R-{view}']).T).max() < 0.25
    for placed in nodes.values():
        lines = placed[1:22].reshape(3, 7, 2)
        assert (np.diff(lines[..., 1], axis=1) > 0).all(), 'from top to bottom'
        assert (np.diff(lines[..., 0].mean(axis=1)) < 0).all(), 'from the nipple to the chest wall'
