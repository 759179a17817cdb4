"""Heatmaps of one view, class by class, in colour over the image with a bar, as paper 1 shows them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mmmammo.structures import Heatmap, MammoError
from mmmammo.visualization.overlay import DETECTION_COLOUR, REGION_COLOURS, TRUTH_COLOUR, draw_boxes, to_rgb

LONGEST = 900
"""Pixels of a panel's longer side."""
_OPACITY = 0.75
_LEAST_TOP = 0.01


def draw_heatmaps(
    image: npt.NDArray[np.floating],
    heatmap: Heatmap,
    classes: Sequence[str],
    *,
    boxes: npt.ArrayLike = (),
    scores: Sequence[float] | None = None,
    gt_boxes: npt.ArrayLike = (),
    shown: int = 3,
    top: float | None = None,
) -> Figure:
    """The view with its boxes, then the classes whose maps rise highest, in one colour scale, and a bar for it.

    Args:
        image: (h, w) in [0, 1].
        heatmap: Of this image.
        classes: One name per map.
        boxes: (n, 4) detections, solid.
        scores: (n,).
        gt_boxes: (m, 4) truth, dashed, in every panel.
        shown: Classes at most.
        top: Value of the brightest colour; by default the highest of all maps, so that maps of one view compare and
            the bar says how high they are.

    Returns:
        A figure; ``figure.savefig(path)`` writes it.

    Raises:
        MammoError: If the heatmap is of another image, or there is another number of names.
    """
    if heatmap.shape != image.shape or len(classes) != len(heatmap.values):
        raise MammoError(
            'draw_heatmaps',
            field='heatmap',
            found=f'{len(heatmap.values)} maps of an image {heatmap.shape}',
            expected=f'{len(classes)} maps of an image {image.shape}',
            remedy='pass the heatmap of this image and the names of its classes',
        )
    peaks = np.nan_to_num(heatmap.values).max(axis=(1, 2))
    top = max(float(peaks.max()), _LEAST_TOP) if top is None else top
    chosen = np.argsort(-peaks, kind='stable')[:shown].tolist()
    scale = min(1.0, LONGEST / max(image.shape))
    grey = to_rgb(_shrunk(np.asarray(image, dtype=np.float32), scale))
    figure, axes = _panels(len(chosen) + 1, grey.shape[1], grey.shape[0])
    _show(axes[0], grey, 'view')
    draw_boxes(axes[0], np.asarray(boxes, dtype=float).reshape(-1, 4) * scale, scores, DETECTION_COLOUR)
    for panel, label in zip(axes[1:], chosen, strict=True):
        heat = _shrunk(heatmap.at_pixels(heatmap.values[label]), scale)
        _show(panel, tinted(grey, heat / top), f'{classes[label]}  {peaks[label]:.2f}')
    for panel in axes:
        draw_boxes(panel, np.asarray(gt_boxes, dtype=float).reshape(-1, 4) * scale, colour=TRUTH_COLOUR, dashed=True)
    bar = figure.colorbar(ScalarMappable(Normalize(0, top), REGION_COLOURS), ax=list(axes), shrink=0.8, pad=0.015)
    bar.set_label('probability, mean over windows')
    return figure


def tinted(rgb: npt.NDArray[np.uint8], heights: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Lay a map in [0, 1] over an image (h, w, 3) of its size; the higher, the less of the image is left."""
    heights = np.clip(heights, 0, 1)
    colours = colormaps[REGION_COLOURS](heights)[..., :3] * 255
    share = _OPACITY * np.sqrt(heights)[..., None]
    blended: npt.NDArray[np.uint8] = ((1 - share) * rgb + share * colours).round().astype(np.uint8)
    return blended


def _panels(count: int, width: int, height: int) -> tuple[Figure, Sequence[Axes]]:
    tall = 5.2
    figure = Figure(figsize=(count * tall * width / height + 1.2, tall + 0.3), dpi=150, layout='constrained')
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, count, squeeze=False)[0]


def _show(axes: Axes, rgb: npt.NDArray[np.uint8], title: str) -> None:
    height, width = rgb.shape[:2]
    axes.imshow(rgb, extent=(0, width, height, 0), interpolation='nearest')
    axes.set_title(title, fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_autoscale_on(False)


def _shrunk(values: npt.NDArray[np.float32], scale: float) -> npt.NDArray[np.float32]:
    if scale == 1:
        return values
    return np.asarray(cv2.resize(values, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.float32)
