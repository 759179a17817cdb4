"""Curves of a run: FROC and the scores of hits and false positives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmmammo.evaluation.functional import FROCResult

_COLOURS = ('#2563a8', '#d1495b', '#3a8f5c', '#8a5fbf', '#b07c1f')


@dataclass(frozen=True, eq=False)
class Band:
    """An interval around a curve.

    Args:
        fps_per_image: (k,), rising.
        low: (k,) of the recall.
        high: (k,).
        level: Coverage, e.g. 0.95.
        n_groups: Patients resampled.
    """

    fps_per_image: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    level: float
    n_groups: int


def draw_froc(
    results: Mapping[str, FROCResult], bands: Mapping[str, Band] | None = None, max_fps_per_image: float = 4.0
) -> Figure:
    """FROC of one or more runs on common axes, with the readings marked.

    Args:
        results: Name -> result. A run without lesions is named in the legend and has no curve.
        bands: Name -> interval, for those that have one.
        max_fps_per_image: Where the axis ends.
    """
    figure, axes = _axes('False positives per image (FPI)', 'Share of lesions found (recall)')
    for (name, result), colour in zip(results.items(), _cycle(len(results)), strict=True):
        band = (bands or {}).get(name)
        if band is not None:
            label = f'{band.level:.0%} interval, {band.n_groups} patients'
            axes.fill_between(
                band.fps_per_image, band.low, band.high, color=colour, alpha=0.18, linewidth=0, label=label
            )
        label = f'{name} ({result.reason})' if result.reason else f'{name} ({result.n_lesions} lesions)'
        axes.plot(*_corners(result, max_fps_per_image), color=colour, linewidth=1.8, label=label)
        axes.plot(*zip(*result.recall_at.items(), strict=True), 'o', color=colour, markersize=4)
    axes.set_xlim(0, max_fps_per_image)
    axes.set_ylim(0, 1.02)
    axes.legend(loc='lower right', frameon=False, fontsize=9)
    return figure


def draw_score_histogram(
    hits: Sequence[float] | npt.NDArray[np.float64],
    false_positives: Sequence[float] | npt.NDArray[np.float64],
    threshold: float | None = None,
) -> Figure:
    """How far the scores of hits and of false positives lie apart.

    Args:
        hits: Scores of detections that found a lesion, in [0, 1].
        false_positives: Scores of those that did not.
        threshold: Marked, when finite.
    """
    figure, axes = _axes('Score', 'Detections (logarithmic)')
    bins = np.linspace(0, 1, 41)
    for scores, name, colour in ((false_positives, 'false positives', _COLOURS[1]), (hits, 'hits', _COLOURS[0])):
        axes.hist(scores, bins=bins, color=colour, alpha=0.6, label=f'{name} ({len(scores)})')
    if threshold is not None and np.isfinite(threshold):
        axes.axvline(threshold, color='#444', linestyle='--', linewidth=1.2, label=f'operating point, {threshold:.3f}')
    axes.set_yscale('symlog', linthresh=1)
    axes.yaxis.set_major_formatter('{x:,.0f}')
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, 1)
    axes.legend(loc='upper right', frameon=False, fontsize=9)
    return figure


def _corners(result: FROCResult, max_fps_per_image: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The curve without the points along its flat parts, of which there may be millions; it goes on flat at its end."""
    fps = np.append(result.fps_per_image, max(max_fps_per_image, result.fps_per_image[-1]))
    recall = np.append(result.recall, result.recall[-1])
    rises = np.diff(recall) != 0
    kept = np.concatenate([[True], rises]) | np.concatenate([rises, [True]])
    return fps[kept], recall[kept]


def _axes(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, 4.2), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(alpha=0.25)
    axes.spines[['top', 'right']].set_visible(False)
    return figure, axes


def _cycle(n: int) -> list[str]:
    return [_COLOURS[i % len(_COLOURS)] for i in range(n)]
