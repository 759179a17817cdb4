"""The four views of an exam as radiologists hang them: right beside left, chest walls touching, CC above MLO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from mmmammo.structures import STANDARD_VIEWS, Affine, BreastLandmarks, Laterality, MammoError
from mmmammo.visualization import overlay

_GAP = 4
_HEADER = 26  # pixels above each view, for its name
_TITLE = 24
_MOST_ENLARGED = 2.0
_LEAST_COLUMN = 130  # holds the name of a view


@dataclass(frozen=True, eq=False)
class PanelView:
    """One view and what to draw on it; all coordinates in the pixels of ``image``.

    Args:
        image: (h, w) in [0, 1].
        laterality: ``'L'``, ``'R'`` or ``'U'``.
        view: View abbreviation.
        boxes: (n, 4) xyxy detections.
        scores: (n,).
        marks: (n,) letters of lesions, the same for one lesion in both views; '' for none.
        notes: (n,) what is written after a score.
        gt_boxes: (m, 4) xyxy, or ``None`` where the truth is not known.
        landmarks: Contour, nipple, chest wall.
        nodes: (k, 2).
        attention: (h', w') over the whole image, at any resolution.
        regions: (h', w') likewise, how suspicious each place is, in [0, 1].
        title: Written after side and view. Give no identity of the patient.
        chest_wall: The edge of ``image`` that the chest wall is on: ``'left'`` in every prepared image; in a source
            image ``'left'`` of a left breast and ``'right'`` of a right one.
    """

    image: npt.NDArray[np.floating]
    laterality: str
    view: str
    boxes: npt.ArrayLike = ()
    scores: Sequence[float] | None = None
    gt_boxes: npt.ArrayLike | None = None
    landmarks: BreastLandmarks | None = None
    nodes: npt.ArrayLike = ()
    attention: npt.NDArray[np.floating] | None = None
    regions: npt.NDArray[np.floating] | None = None
    title: str = ''
    chest_wall: str = 'left'
    marks: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def is_hung_mirrored(self) -> bool:
        """Whether the panel shows the image mirrored: right breasts have their chest wall on the right."""
        wanted = {Laterality.RIGHT: 'right', Laterality.LEFT: 'left'}.get(Laterality.parse(self.laterality))
        return wanted is not None and wanted != self.chest_wall


Row = tuple[PanelView | None, PanelView | None]
"""Right, left."""


@dataclass(frozen=True)
class _Layout:
    """Where things go, in panel pixels."""

    scale: float
    columns: tuple[int, int]
    heights: tuple[int, ...]
    top: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.row_top(len(self.heights)) - _HEADER + _GAP, sum(self.columns) + _GAP, 3

    def row_top(self, row: int) -> int:
        """First line of the row's images; its header is above."""
        return self.top + sum(self.heights[:row]) + (row + 1) * _HEADER


def draw_exam_panel(views: Sequence[PanelView], max_side: int = 1600, title: str = '') -> npt.NDArray[np.uint8]:
    """Draw R CC | L CC over R MLO | L MLO, all at one scale; below them repeats and other projections.

    A standard view that is missing leaves its place empty, and says so. Images of unknown side are drawn as they are.

    Args:
        views: In any order.
        max_side: Longest side of the panel in pixels; views are shrunk to fit, and enlarged at most
            twice.
        title: A line on top. Give no identity of the patient.

    Returns:
        (h, w, 3) RGB.

    Raises:
        MammoError: If there is no view, or an image is not (h, w).
    """
    _check(views)
    rows = arrange(views)
    layout = _fit(rows, max_side, _TITLE if title else 0)
    cells = [(i, side, view) for i, row in enumerate(rows) for side, view in enumerate(row)]
    canvas = np.zeros(layout.shape, np.uint8)
    placed = [(view, _place(canvas, view, layout, i, side)) for i, side, view in cells if view is not None]
    figure, axes = overlay.image_axes(canvas)
    for view, to_panel in placed:
        _draw(axes, view, to_panel)
    for i, side, view in cells:
        _write_name(axes, view, layout, i, side)
    axes.text(8, layout.top / 2, title, color='white', fontsize=11, va='center')
    return overlay.figure_pixels(figure)


def save_exam_panel(path: str | Path, views: Sequence[PanelView], max_side: int = 1600, title: str = '') -> None:
    """Write :func:`draw_exam_panel` as PNG; the file holds pixels only, no metadata."""
    panel = draw_exam_panel(views, max_side, title)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), panel[..., ::-1]):
        raise MammoError(
            path, field='file', found='not written', expected='a writable .png path', remedy='choose another path'
        )


def arrange(views: Sequence[PanelView]) -> list[Row]:
    """Rows of (right, left): CC, MLO, then what is left over, side by side; unknown sides fill the free places."""
    left_over = list(views)
    rows: list[Row] = []
    for standard in STANDARD_VIEWS:
        pair = [_take(left_over, side, standard) for side in (Laterality.RIGHT, Laterality.LEFT)]
        rows.append((pair[0], pair[1]))
    right, left = ([v for v in left_over if v.laterality == side] for side in (Laterality.RIGHT, Laterality.LEFT))
    for view in left_over:
        if view.laterality not in (Laterality.RIGHT, Laterality.LEFT):
            min(right, left, key=len).append(view)
    return rows + list(zip_longest(right, left))


def _take(views: list[PanelView], side: str, name: str) -> PanelView | None:
    """Remove and return the first such view."""
    for i, view in enumerate(views):
        if (view.laterality, view.view) == (side, name):
            return views.pop(i)
    return None


def _check(views: Sequence[PanelView]) -> None:
    if not views:
        raise MammoError('exam panel', field='views', found='none', expected='at least one', remedy='check the exam')
    for view in views:
        if view.image.ndim != 2 or view.image.size == 0:
            raise MammoError(
                f'exam panel, {view.laterality} {view.view}',
                field='image',
                found=f'shape {view.image.shape}',
                expected='a grey image (h, w)',
                remedy='give one channel in [0, 1]',
            )


def _fit(rows: Sequence[Row], max_side: int, top: int) -> _Layout:
    """One scale for all views; an empty row or column keeps enough room to say what is missing."""
    shapes = np.array([[view.image.shape if view is not None else (0, 0) for view in row] for row in rows])
    widths, heights = shapes[..., 1].max(axis=0), shapes[..., 0].max(axis=1)
    least_width, least_height = min(200, max_side // 4), 24
    room_down = max_side - top - _GAP - len(rows) * _HEADER - least_height * (heights == 0).sum()
    room_across = max_side - _GAP - least_width * (widths == 0).sum()
    scale = min(_MOST_ENLARGED, room_down / heights.sum(), room_across / widths.sum())
    columns = [max(least_width if width == 0 else _LEAST_COLUMN, round(width * scale)) for width in widths]
    return _Layout(scale, (columns[0], columns[1]), tuple(max(least_height, round(h * scale)) for h in heights), top)


def _place(canvas: npt.NDArray[np.uint8], view: PanelView, layout: _Layout, row: int, side: int) -> Affine:
    """Paint the view against the middle line, vertically centred in its row; returns panel from image pixels."""
    h, w = (max(1, round(size * layout.scale)) for size in view.image.shape)
    method = cv2.INTER_AREA if layout.scale < 1 else cv2.INTER_LINEAR
    rgb = overlay.to_rgb(cv2.resize(np.asarray(view.image, np.float32), (w, h), interpolation=method))
    if view.attention is not None:
        rgb = overlay.blend_attention(rgb, view.attention)
    if view.regions is not None:
        rgb = overlay.blend_regions(rgb, view.regions)
    to_panel = Affine.scaling(w / view.image.shape[1], h / view.image.shape[0])
    if view.is_hung_mirrored:
        rgb, to_panel = rgb[:, ::-1], Affine.mirror(w) @ to_panel
    x = layout.columns[0] + _GAP if side else layout.columns[0] - w
    y = layout.row_top(row) + (layout.heights[row] - h) // 2
    canvas[y : y + h, x : x + w] = rgb
    return Affine.translation(x, y) @ to_panel


def _write_name(axes: Axes, view: PanelView | None, layout: _Layout, row: int, side: int) -> None:
    """Side and view above their place, next to the middle line."""
    if view is not None:
        side_name = view.laterality if view.laterality in ('L', 'R') else 'side unknown'
        text, colour = ' '.join(filter(None, [side_name, view.view, view.title])), 'white'
    elif row < len(STANDARD_VIEWS):
        text, colour = f'{"RL"[side]} {STANDARD_VIEWS[row]}: no image', 'gray'
    else:
        return
    x, align = (layout.columns[0] + _GAP + 6, 'left') if side else (layout.columns[0] - 6, 'right')
    axes.text(x, layout.row_top(row) - _HEADER / 2, text, color=colour, fontsize=10, ha=align, va='center')


def _draw(axes: Axes, view: PanelView, to_panel: Affine) -> None:
    if view.landmarks is not None:
        overlay.draw_landmarks(axes, view.landmarks.transformed(to_panel))
    if np.size(view.nodes):
        overlay.draw_nodes(axes, to_panel.points(view.nodes))
    if view.gt_boxes is not None and np.size(view.gt_boxes):
        overlay.draw_boxes(axes, to_panel.boxes(view.gt_boxes), colour=overlay.TRUTH_COLOUR, dashed=True)
    if np.size(view.boxes):
        top = to_panel.points((0, 0))[1]
        overlay.draw_boxes(axes, to_panel.boxes(view.boxes), view.scores, top=top, marks=view.marks, notes=view.notes)
