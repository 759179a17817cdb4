"""Curves of scores beside labels: ROC, precision, reliability, thresholds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from mmmammo.evaluation.functional import auc, auprc, pr_curve, reliability_curve, roc_curve
from mmmammo.evaluation.functional.threshold_sweep import threshold_sweep
from mmmammo.visualization.figures import COLOURS, GREY, new_axes, style

LabelledScores = Mapping[str, tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]
"""Name -> (labels (n,), scores (n,))."""


def draw_roc(runs: LabelledScores) -> Figure:
    """ROC curves; a run without both classes is named and has no curve."""
    figure, axes = new_axes('False positive rate (1 - specificity)', 'Sensitivity')
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=':', label='chance')
    for index, (name, (labels, scores)) in enumerate(runs.items()):
        curve, area = roc_curve(labels, scores), auc(labels, scores)
        label = f'{name} ({area.reason})' if area.reason else f'{name} (AUC {area:.3f})'
        axes.plot(curve.false_positive_rate, curve.sensitivity, **style(index), linewidth=1.8, label=label)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.legend(loc='lower right', frameon=False, fontsize=9)
    return figure


def draw_row_precision_recall(runs: LabelledScores) -> Figure:
    """Precision against recall of rows; chance is the share of positives."""
    figure, axes = new_axes('Sensitivity (recall)', 'Positive predictive value (precision)')
    for index, (name, (labels, scores)) in enumerate(runs.items()):
        curve, area = pr_curve(labels, scores), auprc(labels, scores)
        label = f'{name} ({area.reason})' if area.reason else f'{name} (average precision {area:.3f})'
        axes.plot(curve.recall, curve.precision, drawstyle='steps-pre', **style(index), linewidth=1.8, label=label)
    shares = {float(labels.mean()) for labels, _ in runs.values() if len(labels)}
    for share in sorted(shares)[:1] if len(shares) == 1 else ():
        axes.axhline(share, color=GREY, linewidth=1, linestyle=':', label=f'chance: {share:.3f} positive')
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.legend(loc='best', frameon=False, fontsize=9)
    return figure


def draw_reliability(labels: npt.NDArray[np.int64], scores: npt.NDArray[np.float64]) -> Figure:
    """Observed share of positives against the predicted probability, in 10 bins with Wilson intervals."""
    figure, axes = new_axes('Predicted probability', 'Observed share of positives')
    curve = reliability_curve(labels, scores)
    full = curve.n > 0
    below, above = curve.observed - curve.low, curve.high - curve.observed
    spread = np.clip(np.stack([below[full], above[full]]), 0, None)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=':', label='perfect calibration')
    axes.errorbar(
        curve.predicted[full], curve.observed[full], spread, fmt='o-', color=COLOURS[0], capsize=3, label='this run'
    )
    for x, y, n in zip(curve.predicted[full], curve.high[full], curve.n[full], strict=True):
        axes.annotate(f'n={n}', (x, min(y, 1.0)), (0, 4), textcoords='offset points', ha='center', fontsize=8)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.08)
    axes.legend(loc='upper left', frameon=False, fontsize=9)
    return figure


def draw_calibration(
    apply: Callable[[npt.ArrayLike], npt.NDArray[np.float64]],
    scores: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
) -> Figure:
    """What a calibration makes of each score, beside the observed shares of positives before it."""
    figure, axes = new_axes('Score before calibration', 'Probability')
    curve, grid = reliability_curve(labels, scores), np.linspace(0, 1, 501)
    full = curve.n > 0
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=':', label='no change')
    axes.plot(grid, apply(grid), **style(1), linewidth=1.8, label='calibration')
    axes.plot(curve.predicted[full], curve.observed[full], 'o', color=COLOURS[0], label='observed share here')
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.legend(loc='upper left', frameon=False, fontsize=9)
    return figure


def draw_row_threshold_sweep(
    labels: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float64],
    threshold: float | None = None,
    chosen: str = '',
) -> Figure:
    """Sensitivity, specificity and F1 against the threshold."""
    figure, axes = new_axes('Score from which on a row is called positive', 'Sensitivity, specificity, F1')
    sweep = threshold_sweep(labels == 1, scores)
    shown = np.isfinite(sweep.thresholds)
    curves = (('sensitivity', sweep.sensitivity), ('specificity', sweep.specificity), ('F1', sweep.f_score()))
    for index, (name, values) in enumerate(curves):
        axes.plot(sweep.thresholds[shown], values[shown], **style(index), linewidth=1.8, label=name)
    if threshold is not None and np.isfinite(threshold):
        axes.axvline(threshold, color=GREY, linestyle=':', linewidth=1.5, label=f'{threshold:.3f} {chosen}'.rstrip())
    axes.set_xlim(0, max(1.0, float(scores.max(initial=0))))
    axes.set_ylim(0, 1.02)
    axes.legend(loc='best', frameon=False, fontsize=9)
    return figure


def draw_row_scores(labels: npt.NDArray[np.int64], scores: npt.NDArray[np.float64]) -> Figure:
    """How far the scores of positives and negatives lie apart."""
    figure, axes = new_axes('Score', 'Rows (logarithmic)')
    bins = np.linspace(0, max(1.0, float(scores.max(initial=0))), 41)
    for value, name, index in ((0, 'negative', 0), (1, 'positive', 1)):
        chosen = scores[labels == value]
        axes.hist(chosen, bins=bins, color=COLOURS[index], alpha=0.35)
        axes.hist(chosen, bins=bins, histtype='step', linewidth=1.6, label=f'{name} ({len(chosen)})', **style(index))
    axes.set_yscale('symlog', linthresh=1)
    axes.yaxis.set_major_formatter('{x:,.0f}')
    axes.set_ylim(bottom=0)
    axes.legend(loc='upper right', frameon=False, fontsize=9)
    return figure
