"""Curves of detections: FROC, precision, scores, thresholds, sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from mmmammo.evaluation.functional import FROCResult, Matches, lesion_f1
from mmmammo.visualization.figures import COLOURS, GREY, new_axes, style


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
    figure, axes = new_axes('False positives per image (FPI)', 'Share of lesions found (recall)')
    for index, (name, result) in enumerate(results.items()):
        colour = COLOURS[index % len(COLOURS)]
        band = (bands or {}).get(name)
        if band is not None:
            label = f'{band.level:.0%} interval, {band.n_groups} patients'
            axes.fill_between(
                band.fps_per_image, band.low, band.high, color=colour, alpha=0.18, linewidth=0, label=label
            )
        label = f'{name} ({result.reason})' if result.reason else f'{name} ({result.n_lesions} lesions)'
        axes.plot(*_corners(result, max_fps_per_image), **style(index), linewidth=1.8, label=label)
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
    figure, axes = new_axes('Score', 'Detections (logarithmic)')
    bins = np.linspace(0, 1, 41)
    for scores, name, colour in ((false_positives, 'false positives', COLOURS[1]), (hits, 'hits', COLOURS[0])):
        axes.hist(scores, bins=bins, color=colour, alpha=0.6, label=f'{name} ({len(scores)})')
    if threshold is not None and np.isfinite(threshold):
        axes.axvline(threshold, color='#444', linestyle='--', linewidth=1.2, label=f'operating point, {threshold:.3f}')
    axes.set_yscale('symlog', linthresh=1)
    axes.yaxis.set_major_formatter('{x:,.0f}')
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, 1)
    axes.legend(loc='upper right', frameon=False, fontsize=9)
    return figure


def draw_precision_recall(runs: Mapping[str, Matches]) -> Figure:
    """Precision of the marks against recall of the lesions, class labels aside.

    Args:
        runs: Name -> matches of detections to lesions. A run without lesions has no curve.
    """
    figure, axes = new_axes('Share of lesions found (recall)', 'Share of marks that found a lesion (precision)')
    for index, (name, matches) in enumerate(runs.items()):
        hits, counted = _cumulated(matches)
        recall, precision = hits / (len(matches.lesion_image) or np.nan), hits / np.maximum(counted, 1)
        label = f'{name} ({len(matches.lesion_image)} lesions)'
        axes.plot(recall, precision, **style(index), linewidth=1.8, label=label)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.legend(loc='upper right', frameon=False, fontsize=9)
    return figure


def draw_threshold_sweep(result: FROCResult, threshold: float | None = None, chosen: str = '') -> Figure:
    """Precision, recall and F1 of lesions against the score threshold (paper 3's figure).

    Args:
        result: The FROC.
        threshold: Marked, when finite.
        chosen: Where it comes from, in words.
    """
    figure, axes = new_axes('Score from which on a mark is shown', 'Precision, recall, F1 of lesions')
    found, false = result.recall * result.n_lesions, result.fps_per_image * (result.n_fp_images or result.n_images)
    shown = np.isfinite(result.thresholds)
    precision = np.divide(found, found + false, out=np.full_like(found, np.nan), where=found + false > 0)
    for index, (name, values) in enumerate(
        (('recall', result.recall), ('precision', precision), ('F1', lesion_f1(result)))
    ):
        axes.plot(result.thresholds[shown], values[shown], **style(index), linewidth=1.8, label=name)
    if threshold is not None and np.isfinite(threshold):
        axes.axvline(threshold, color=GREY, linestyle=':', linewidth=1.5, label=f'{threshold:.3f} {chosen}'.rstrip())
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.legend(loc='best', frameon=False, fontsize=9)
    return figure


def draw_sizes(predicted: npt.NDArray[np.float64], true: npt.NDArray[np.float64], unit: str) -> Figure:
    """Sizes of the marks against those of the lesions (paper 3's figure): do small ones go missing?

    Args:
        predicted: (n,) areas of the marks that are shown.
        true: (m,) areas of the annotated boxes.
        unit: Of the areas, e.g. ``'pixels²'``.
    """
    figure, axes = new_axes(f'Area of the box, {unit} (logarithmic)', 'Boxes')
    both = np.concatenate([predicted, true])
    both = both[both > 0]
    if len(both):
        low, high = np.floor(4 * np.log10(both.min())) / 4, np.ceil(4 * np.log10(both.max())) / 4
        bins = np.logspace(low, max(high, low + 0.25), 1 + round(4 * max(high - low, 0.25)) * 2)
        for sizes, name, index in ((true, 'annotated lesions', 2), (predicted, 'marks', 0)):
            axes.hist(sizes, bins=bins, histtype='stepfilled', alpha=0.3, color=COLOURS[index])
            axes.hist(sizes, bins=bins, histtype='step', label=f'{name} ({len(sizes)})', linewidth=1.6, **style(index))
        axes.legend(loc='upper right', frameon=False, fontsize=9)
    axes.set_xscale('log')
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter('{x:,.0f}'))
    axes.xaxis.set_minor_formatter(NullFormatter())
    return figure


def _cumulated(matches: Matches) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Hits, and detections that count, down to each distinct score."""
    hits = np.cumsum(matches.is_true_positive, dtype=np.float64)
    counted = hits + np.cumsum(matches.is_false_positive)
    last = np.flatnonzero(np.append(matches.scores[1:] != matches.scores[:-1], True)[: len(matches.scores)])
    return hits[last], counted[last]


def _corners(result: FROCResult, max_fps_per_image: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The curve without the points along its flat parts, of which there may be millions; it goes on flat at its end."""
    fps = np.append(result.fps_per_image, max(max_fps_per_image, result.fps_per_image[-1]))
    recall = np.append(result.recall, result.recall[-1])
    rises = np.diff(recall) != 0
    kept = np.concatenate([[True], rises]) | np.concatenate([rises, [True]])
    return fps[kept], recall[kept]
