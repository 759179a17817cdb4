"""Figures as files and as part of a page: the same numbers give the same bytes."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

COLOURS = ('#2563a8', '#d1495b', '#3a8f5c', '#8a5fbf', '#b07c1f')
LINES = ('-', '--', '-.', ':', (0, (5, 1, 1, 1, 1, 1)))
"""Runs are told apart without colour too."""
GREY = '#6b7280'


@dataclass(frozen=True, eq=False)
class Plot:
    """A figure and what is said about it.

    Args:
        name: Of its files, e.g. ``'froc'``.
        figure: The figure.
        alt: What it shows, for those who do not see it.
        caption: How to read it.
    """

    name: str
    figure: Figure
    alt: str
    caption: str

    @cached_property
    def svg(self) -> bytes:
        """The figure as SVG."""
        return _bytes(self.figure, 'svg')

    @property
    def uri(self) -> str:
        """The same for the ``src`` of an image."""
        return data_uri('image/svg+xml', self.svg)


def save_plots(plots: Sequence[Plot], folder: str | Path) -> list[Path]:
    """Write each plot as SVG and PNG; the folder is made."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for plot in plots:
        for kind, content in (('svg', plot.svg), ('png', _bytes(plot.figure, 'png'))):
            paths.append(folder / f'{plot.name}.{kind}')
            paths[-1].write_bytes(content)
    return paths


def new_axes(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    """An empty figure in the style of the page; no global state of pyplot is touched."""
    figure = Figure(figsize=(6.2, 4.4), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(alpha=0.25)
    axes.spines[['top', 'right']].set_visible(False)
    return figure, axes


def style(index: int) -> dict[str, object]:
    """Colour and dashes of the ``index``-th run."""
    return {'color': COLOURS[index % len(COLOURS)], 'linestyle': LINES[index % len(LINES)]}


def data_uri(mime: str, content: bytes) -> str:
    """Bytes as an address that needs no network."""
    return f'data:{mime};base64,{base64.b64encode(content).decode("ascii")}'


def _bytes(figure: Figure, kind: str) -> bytes:
    buffer = io.BytesIO()
    metadata = {'Date': None} if kind == 'svg' else {'Software': None}
    with rc_context({'svg.hashsalt': 'mmmammo'}):  # else ids are drawn at random
        figure.savefig(buffer, format=kind, metadata=metadata, dpi=130)
    return buffer.getvalue()
