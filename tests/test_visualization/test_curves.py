"""What the curves draw, read back from their axes."""

import numpy as np
import pytest

from mmmammo.evaluation.functional import flatten_images, froc, match_detections
from mmmammo.visualization.curves import draw_froc, draw_precision_recall, draw_sizes, draw_threshold_sweep
from mmmammo.visualization.figures import Plot, save_plots
from mmmammo.visualization.score_curves import draw_reliability, draw_roc, draw_row_precision_recall

LESION = np.array([[20.0, 20, 40, 40]])
NOWHERE = np.array([[50.0, 60, 60, 80]])
FOUND = [(LESION, [0.9]), (NOWHERE, [0.5])]
LABELS, SCORES = np.array([0, 0, 1, 1]), np.array([0.1, 0.45, 0.35, 0.8])


def curve(axes, label):
    (line,) = [line for line in axes.lines if line.get_label().startswith(label)]
    return line.get_xydata().tolist()


def test_froc_marks_the_readings_and_goes_on_flat():
    result = froc(FOUND, [LESION, LESION])
    (axes,) = draw_froc({'a': result}).axes
    line, dots = axes.lines
    assert line.get_xydata()[-1].tolist() == [4.0, 0.5]
    assert dots.get_xydata().tolist() == [[fps, recall] for fps, recall in result.recall_at.items()]


def test_flat_parts_of_the_curve_take_two_points():
    boxes = np.concatenate([LESION, np.repeat(NOWHERE, 1000, axis=0)])
    (axes,) = draw_froc({'a': froc([(boxes, np.linspace(1, 0, 1001))], [LESION])}).axes
    assert axes.lines[0].get_xydata().tolist() == [[0, 0], [0, 1], [1000, 1]]


def test_precision_of_marks_by_hand():
    matches = match_detections(flatten_images(FOUND, [LESION, LESION]))
    (axes,) = draw_precision_recall({'a': matches}).axes
    assert curve(axes, 'a') == [[0.5, 1.0], [0.5, 0.5]]


def test_threshold_sweep_by_hand():
    (axes,) = draw_threshold_sweep(froc(FOUND, [LESION, LESION]), 0.7, 'frozen').axes
    assert curve(axes, 'recall') == [[0.9, 0.5], [0.5, 0.5]]
    assert curve(axes, 'precision') == [[0.9, 1.0], [0.5, 0.5]]
    assert curve(axes, 'F1') == [[0.9, pytest.approx(2 / 3)], [0.5, 0.5]]
    assert curve(axes, '0.700 frozen')[0][0] == 0.7


@pytest.mark.parametrize(('predicted', 'true'), [([], []), ([100.0], []), ([100.0, 1e5], [250.0, 250.0])])
def test_sizes_count_every_box(predicted, true):
    (axes,) = draw_sizes(np.array(predicted), np.array(true), 'mm²').axes
    labels = axes.get_legend_handles_labels()[1]
    both = [f'annotated lesions ({len(true)})', f'marks ({len(predicted)})']
    assert labels == (both if predicted or true else [])


def test_roc_and_precision_by_hand():
    (axes,) = draw_roc({'a': (LABELS, SCORES)}).axes
    assert curve(axes, 'a (AUC 0.750)') == [[0, 0], [0, 0.5], [0.5, 0.5], [0.5, 1], [1, 1]]
    (axes,) = draw_row_precision_recall({'a': (LABELS, SCORES)}).axes
    assert curve(axes, 'a (average precision 0.833)')[:2] == [[0.5, 1.0], [0.5, 0.5]]


def test_a_run_of_one_class_is_named_and_has_no_curve():
    (axes,) = draw_roc({'a': (np.zeros(4, int), SCORES)}).axes
    assert np.isnan(np.array(curve(axes, 'a (no positive label)'))[:, 1]).all()


def test_reliability_shows_only_bins_with_rows():
    (axes,) = draw_reliability(LABELS, SCORES).axes
    assert [text.get_text() for text in axes.texts] == ['n=1'] * 4


def test_files_of_a_plot_are_the_same_each_time(tmp_path):
    plots = [Plot('froc', draw_froc({'a': froc(FOUND, [LESION, LESION])}), 'alt', 'caption') for _ in range(2)]
    first, second = (save_plots([plot], tmp_path / str(i)) for i, plot in enumerate(plots))
    assert [path.name for path in first] == ['froc.svg', 'froc.png']
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
