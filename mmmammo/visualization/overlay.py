"""Marks on one image: boxes with scores, landmarks, nodes, attention.

Marks are drawn on Matplotlib axes made by :func:`image_axes`, whose data coordinates are the pixel coordinates of
docs/conventions.md, one figure pixel per image pixel. No global state of pyplot is touched.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.patheffects import withStroke

from mmmammo.structures import BreastLandmarks

NEUTRAL_ATTENTION = 0.5
_LEAST_DEPARTURE = 0.02
DETECTION_COLOUR = '#ffb000'
TRUTH_COLOUR = '#35d07f'
LANDMARK_COLOURS = {'contour': '#5fa8ff', 'nipple': '#ff5f8f', 'pectoral_line': '#c78bff'}
NODE_COLOUR = '#7fe7ff'
PAIR_COLOURS = ('#ff6ec7', '#7dff6e', '#6ea8ff', '#fff46e', '#ff8f6e', '#b98cff')
REGION_COLOURS = 'inferno'
REGION_OPACITY = 0.65

_DPI = 100
_OUTLINE = [withStroke(linewidth=2.6, foreground='black')]  # keeps thin lines visible on bright tissue


def to_rgb(image: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Grey (h, w) in [0, 1] to (h, w, 3); values beyond are clipped."""
    grey = (np.clip(image, 0, 1) * 255).round().astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def blend_attention(
    rgb: npt.NDArray[np.uint8], attention: npt.NDArray[np.floating], alpha: float = 0.6
) -> npt.NDArray[np.uint8]:
    """Tint an image where its features are strengthened (red) or weakened (blue).

    Args:
        rgb: (h, w, 3).
        attention: (h', w') in (0, 1) over the whole image at any resolution; 1/2 is neutral and leaves the image as it
            is. The strongest departure of the map gets the full tint, so the colours compare places, not images; a
            map that hardly departs (by 0.02) is shown as such.
        alpha: Opacity of the full tint.
    """
    height, width = rgb.shape[:2]
    attention = cv2.resize(np.asarray(attention, dtype=np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    departure = attention - NEUTRAL_ATTENTION
    departure /= max(float(np.abs(departure).max()), _LEAST_DEPARTURE)
    tint = colormaps['coolwarm']((departure + 1) / 2)[..., :3] * 255
    share = alpha * np.abs(departure)[..., None]
    return ((1 - share) * rgb + share * tint).round().astype(np.uint8)


def blend_regions(rgb: npt.NDArray[np.uint8], regions: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Colour an image where detections make it suspicious; see :func:`mmmammo.visualization.region_map`.

    Args:
        rgb: (h, w, 3).
        regions: (h', w') in [0, 1] over the whole image at any resolution. Colours mean the same in every image.
    """
    height, width = rgb.shape[:2]
    values = cv2.resize(np.asarray(regions, dtype=np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    tint = colormaps[REGION_COLOURS](values)[..., :3] * 255
    share = REGION_OPACITY * values[..., None]
    return ((1 - share) * rgb + share * tint).round().astype(np.uint8)


def image_axes(rgb: npt.NDArray[np.uint8]) -> tuple[Figure, Axes]:
    """A figure of exactly the image's size, and axes in its pixels."""
    height, width = rgb.shape[:2]
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor='black')
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(rgb, extent=(0, width, height, 0), interpolation='nearest', aspect='auto')
    axes.set_axis_off()
    axes.set_autoscale_on(False)
    return figure, axes


def figure_pixels(figure: Figure) -> npt.NDArray[np.uint8]:
    """(h, w, 3) RGB."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def draw_boxes(
    axes: Axes,
    boxes: npt.ArrayLike,
    scores: Sequence[float] | None = None,
    colour: str = DETECTION_COLOUR,
    dashed: bool = False,
    top: float = 0.0,
    marks: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> None:
    """Outline boxes; scores stand above their box, or inside where there is no room above.

    Args:
        axes: From :func:`image_axes`.
        boxes: (n, 4) xyxy.
        scores: (n,), shown with two decimals.
        colour: Any Matplotlib colour.
        dashed: As ground truth is drawn.
        top: Where the image begins; no score is written above.
        marks: (n,) letters of lesions, which give boxes of one letter one colour wherever they are; '' for none.
        notes: (n,) what is written after the score.
    """
    boxes = np.asarray(boxes, dtype=float).reshape(-1, 4)
    marks, notes = [list(texts) or [''] * len(boxes) for texts in (marks, notes)]
    for i, (x1, y1, x2, y2) in enumerate(boxes):
        ink = colour_of(marks[i]) if marks[i] else colour
        style = {'linestyle': (0, (4, 3)) if dashed else 'solid', 'linewidth': 1.6, 'edgecolor': ink}
        axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, path_effects=_OUTLINE, **style))
        if scores is not None:
            above = y1 > top + 14
            text = ' '.join(filter(None, [marks[i], f'{scores[i]:.2f}', notes[i]]))
            _write(axes, x1, y1 - 2 if above else y1 + 2, text, ink, 'bottom' if above else 'top')


def colour_of(mark: str) -> str:
    """The colour of a lesion's letter."""
    return PAIR_COLOURS[(ord(mark[0]) - ord('A')) % len(PAIR_COLOURS)]


def draw_landmarks(axes: Axes, landmarks: BreastLandmarks) -> None:
    """Outline the breast, mark the nipple with a cross and the chest wall with a line."""
    colours = LANDMARK_COLOURS
    axes.add_patch(Polygon(landmarks.contour, closed=True, fill=False, edgecolor=colours['contour'], linewidth=1))
    axes.plot(*landmarks.pectoral_line.T, color=colours['pectoral_line'], linewidth=1.6, path_effects=_OUTLINE)
    axes.plot(*landmarks.nipple, marker='+', markersize=12, markeredgewidth=2, color=colours['nipple'])


def draw_nodes(axes: Axes, nodes: npt.ArrayLike) -> None:
    """Dot each anatomical node and write its index beside it; the same index is the same place in every breast."""
    nodes = np.asarray(nodes, dtype=float).reshape(-1, 2)
    axes.plot(*nodes.T, linestyle='none', marker='o', markersize=3.5, color=NODE_COLOUR, path_effects=_OUTLINE)
    for i, (x, y) in enumerate(nodes):
        _write(axes, x + 4, y - 2, str(i), NODE_COLOUR, 'bottom', size=7)


def draw_overlay(
    image: npt.NDArray[np.floating],
    boxes: npt.ArrayLike = (),
    scores: Sequence[float] | None = None,
    gt_boxes: npt.ArrayLike = (),
    landmarks: BreastLandmarks | None = None,
    nodes: npt.ArrayLike = (),
    attention: npt.NDArray[np.floating] | None = None,
) -> npt.NDArray[np.uint8]:
    """One image with everything that is known about it, at its own size.

    Args:
        image: (h, w) in [0, 1].
        boxes: (n, 4) detections, solid.
        scores: (n,).
        gt_boxes: (m, 4) ground truth, dashed.
        landmarks: Contour, nipple, chest wall.
        nodes: (k, 2).
        attention: See :func:`blend_attention`.

    Returns:
        (h, w, 3) RGB.
    """
    rgb = to_rgb(image)
    figure, axes = image_axes(rgb if attention is None else blend_attention(rgb, attention))
    if landmarks is not None:
        draw_landmarks(axes, landmarks)
    draw_nodes(axes, nodes)
    draw_boxes(axes, gt_boxes, colour=TRUTH_COLOUR, dashed=True)
    draw_boxes(axes, boxes, scores)
    return figure_pixels(figure)


def _write(axes: Axes, x: float, y: float, text: str, colour: str, align: str, size: float = 9) -> None:
    ground = {'facecolor': 'black', 'alpha': 0.55, 'linewidth': 0, 'pad': 0.8}
    axes.text(x, y, text, color=colour, fontsize=size, verticalalignment=align, bbox=ground, clip_on=True)
