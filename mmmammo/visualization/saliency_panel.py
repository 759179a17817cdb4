"""What the Attention model looked at: paper 4's Figure 1, with the window beside it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmmammo.visualization.figures import data_uri
from mmmammo.visualization.overlay import DETECTION_COLOUR, TRUTH_COLOUR

PIXEL_COLOUR = '#7fe7ff'
CENTRE_COLOUR = '#ff3b30'


@dataclass(frozen=True, eq=False)
class SaliencyView:
    """One image and where the model looked.

    Args:
        title: Whose it is, and what was said of it.
        image: (h, w) in [0, 1].
        pixels: (n, 2) the most salient points, in its pixels.
        centre: (2,) their centroid.
        roi: (4,) xyxy window.
        lesions: (m, 4) annotated boxes.
    """

    title: str
    image: npt.NDArray[np.floating]
    pixels: npt.NDArray[np.floating]
    centre: npt.NDArray[np.floating]
    roi: npt.NDArray[np.floating]
    lesions: npt.NDArray[np.floating]


@dataclass(frozen=True)
class WindowPicture:
    """One image and its window, for the page of a report.

    Args:
        title: Whose it is, and what was said of it.
        uri: Address of the picture, which needs no network.
        num_lesions: Annotated lesions in it.
    """

    title: str
    uri: str
    num_lesions: int


def draw_window_picture(view: SaliencyView) -> WindowPicture:
    """The picture of :func:`draw_saliency` as a JPEG, without its title: salient pixels as SVG would be megabytes."""
    content = io.BytesIO()
    draw_saliency([replace(view, title='')]).savefig(content, format='jpeg', dpi=150)
    return WindowPicture(view.title, data_uri('image/jpeg', content.getvalue()), len(view.lesions))


def draw_saliency(views: Sequence[SaliencyView]) -> Figure:
    """Two pictures per image: the whole with salient pixels (cyan), centre (red) and window; and the window alone.

    Args:
        views: In reading order, four to a row.
    """
    columns = min(len(views), 4)
    rows = -(-len(views) // columns)
    figure = Figure(figsize=(4.2 * columns, 3.6 * rows), layout='constrained')
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, 2 * columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for place, view in enumerate(views):
        row, column = divmod(place, columns)
        whole, window = grid[row, 2 * column : 2 * column + 2]
        _show(whole, view)
        whole.plot(*view.pixels.T, linestyle='none', marker='.', markersize=1.5, color=PIXEL_COLOUR, alpha=0.5)
        whole.plot(*view.centre, marker='o', markersize=5, color=CENTRE_COLOUR)
        _outline(whole, view.roi, DETECTION_COLOUR)
        whole.set_title(view.title, fontsize=9, loc='left')
        _show(window, view)
        x1, y1, x2, y2 = view.roi
        window.set_xlim(x1, x2)
        window.set_ylim(y2, y1)
    return figure


def _show(axes: Axes, view: SaliencyView) -> None:
    height, width = view.image.shape
    axes.set_facecolor('black')
    axes.imshow(view.image, cmap='gray', vmin=0, vmax=1, extent=(0, width, height, 0), interpolation='nearest')
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    for box in view.lesions:
        _outline(axes, box, TRUTH_COLOUR, dashed=True)


def _outline(axes: Axes, box: npt.NDArray[np.floating], colour: str, dashed: bool = False) -> None:
    x1, y1, x2, y2 = box
    style = '--' if dashed else '-'
    axes.plot([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1], color=colour, linewidth=1.4, linestyle=style)
