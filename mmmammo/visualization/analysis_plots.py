"""Pictures of the analyses of paper 3: geometric prior, anchors, losses, feature maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from mmmammo.anatomy import geometric_prior, node_layout
from mmmammo.structures import View
from mmmammo.visualization.figures import COLOURS, GREY, new_axes, style

_PARTS = ('line 1', 'line 2', 'pectoral', 'corner line')


@dataclass(frozen=True)
class LossCurve:
    """The losses of a training.

    Args:
        epochs: (n,) where each was logged; 1.5 is the middle of the second epoch.
        losses: (n,).
        stages: (epoch it begins at, name), for trainings in stages.
    """

    epochs: npt.NDArray[np.float64]
    losses: npt.NDArray[np.float64]
    stages: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, eq=False)
class FeatureRow:
    """One view before and after a neck.

    Args:
        name: Side and view.
        image: (h, w) in [0, 1].
        before: (h', w') mean magnitude of the features over channels.
        after: (h', w') likewise.
        attention: (h', w') in (0, 1), or ``None``.
        boxes: (n, 4) annotated lesions in pixels of ``image``.
    """

    name: str
    image: npt.NDArray[np.floating]
    before: npt.NDArray[np.floating]
    after: npt.NDArray[np.floating]
    attention: npt.NDArray[np.floating] | None
    boxes: npt.NDArray[np.floating]


def draw_geometric_prior(counts: npt.ArrayLike, title: str = '') -> Figure:
    """H_g as a heatmap, its nodes grouped by the lines they lie on; zeros are white.

    Args:
        counts: (n_c, n_m) co-occurrences of (CC node, MLO node).
        title: Above it.
    """
    matrix = geometric_prior(counts)
    figure, axes = new_axes('Node in the MLO view', 'Node in the CC view')
    figure.set_size_inches(7.4, 6.0)
    axes.grid(visible=False)
    shown = axes.imshow(np.where(matrix > 0, matrix, np.nan), cmap='viridis_r', vmin=0, aspect='equal')
    figure.colorbar(shown, ax=axes, shrink=0.82, label='H_g')
    for view, axis, line in (
        (View.CC, axes.yaxis, axes.axhline),
        (View.MLO, axes.xaxis, axes.axvline),
    ):
        ends, names = node_groups(view, matrix.shape[0 if view is View.CC else 1])
        for end in ends[:-1]:
            line(end - 0.5, color=GREY, linewidth=0.7)
        middles = [(begin + end - 1) / 2 for begin, end in zip([0, *ends], ends, strict=False)]
        axis.set_ticks(middles, names)
    axes.tick_params(axis='x', rotation=40)
    pairs = np.asarray(counts).sum()
    axes.set_title(f'{title} ({pairs:g} counts in {np.count_nonzero(counts)} cells)'.strip(), fontsize=11)
    return figure


def node_groups(view: View, num_nodes: int) -> tuple[list[int], list[str]]:
    """Where each group of nodes ends, and what it is."""
    per_line, on_corner = node_layout(view, num_nodes)
    sizes = [1, per_line, per_line, per_line, *([on_corner, 1] if on_corner else [])]
    names = ['nipple', *_PARTS[: 4 if on_corner else 3], *(['corner'] if on_corner else [])]
    return np.cumsum(sizes).tolist(), names


def draw_anchors(sizes: npt.NDArray[np.float64], anchors: Mapping[str, npt.NDArray[np.float64]]) -> Figure:
    """Widths and heights of boxes, and the anchors that are to cover them.

    Args:
        sizes: (n, 2) boxes.
        anchors: Name -> (m, 2).
    """
    figure, axes = new_axes('Width, pixels (logarithmic)', 'Height, pixels (logarithmic)')
    figure.set_size_inches(6.0, 5.4)
    axes.plot(*sizes.T, '.', color=GREY, alpha=0.35, markersize=4, label=f'boxes ({len(sizes)})')
    for index, (name, shapes) in enumerate(anchors.items()):
        axes.plot(*shapes.T, 'sD^o'[index % 4], color=COLOURS[index], fillstyle='none', markersize=8, label=name)
    axes.set_xscale('log')
    axes.set_yscale('log')
    axes.set_aspect('equal', adjustable='datalim')
    axes.legend(loc='upper left', frameon=False, fontsize=9)
    return figure


def draw_losses(runs: Mapping[str, LossCurve]) -> Figure:
    """Losses over epochs; the stages of a training are marked where they begin.

    Args:
        runs: Name -> curve.
    """
    figure, axes = new_axes('Epoch', 'Loss (moving mean)')
    figure.set_size_inches(7.4, 4.2)
    for index, (name, curve) in enumerate(runs.items()):
        axes.plot(curve.epochs, curve.losses, color=COLOURS[index % len(COLOURS)], alpha=0.25, linewidth=0.8)
        smooth = moving_mean(curve.losses, max(len(curve.losses) // 40, 1))
        axes.plot(curve.epochs, smooth, **style(index), linewidth=1.8, label=name)
    axes.set_ylim(bottom=0)
    staged = [curve for curve in runs.values() if curve.stages]
    for epoch, name in staged[0].stages if staged else ():
        axes.axvline(epoch, color=GREY, linestyle=':', linewidth=1)
        axes.annotate(
            name, (epoch, 1), (3, -3), xycoords=('data', 'axes fraction'), textcoords='offset points', va='top',
            rotation=90, fontsize=8, color=GREY,
        )  # fmt: skip
    axes.legend(loc='upper right', frameon=False, fontsize=9)
    return figure


def moving_mean(values: npt.NDArray[np.float64], reach: int) -> npt.NDArray[np.float64]:
    """(n,) mean over the values at most ``reach`` away; fewer at the ends."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(values))
    return np.asarray((total[high] - total[low]) / (high - low))


def draw_feature_maps(rows: Sequence[FeatureRow]) -> Figure:
    """Image, features before and after a neck on one scale, their ratio, and attention; a row per view.

    Args:
        rows: Of one exam.
    """
    with_attention = any(row.attention is not None for row in rows)
    titles = ['image', 'before', 'after', 'after / before', *(['attention'] if with_attention else [])]
    figure = Figure(figsize=(2.3 * len(titles), 2.9 * len(rows)), layout='constrained')
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(rows), len(titles), squeeze=False)
    for axes_row, row in zip(grid, rows, strict=True):
        most = float(max(row.before.max(), row.after.max()))
        ratio = np.divide(row.after, row.before, out=np.ones_like(row.after), where=row.before > 1e-6)
        spread = max(float(np.abs(np.log2(np.clip(ratio, 1e-3, 1e3))).max()), 0.1)
        _show(axes_row[0], row, row.image, 'gray', 0, 1)
        _show(axes_row[1], row, row.before, 'magma', 0, most)
        figure.colorbar(_show(axes_row[2], row, row.after, 'magma', 0, most), ax=axes_row[1:3], shrink=0.8)
        shown = _show(axes_row[3], row, np.log2(np.clip(ratio, 1e-3, 1e3)), 'RdBu_r', -spread, spread)
        figure.colorbar(shown, ax=axes_row[3], shrink=0.8, label='log2')
        if row.attention is not None:
            figure.colorbar(_show(axes_row[4], row, row.attention, 'RdBu_r', 0, 1), ax=axes_row[4], shrink=0.8)
        axes_row[0].set_ylabel(row.name)
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title, fontsize=10)
    return figure


def _show(
    axes: Axes, row: FeatureRow, values: npt.NDArray[np.floating], colours: str, low: float, high: float
) -> AxesImage:
    height, width = row.image.shape
    shown = axes.imshow(
        values, cmap=colours, vmin=low, vmax=high, extent=(0, width, height, 0), interpolation='nearest'
    )
    for x1, y1, x2, y2 in row.boxes:
        axes.plot([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1], color='#35d07f', linewidth=1)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_xticks([])
    axes.set_yticks([])
    return shown
