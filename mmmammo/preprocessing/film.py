"""What a scanned film shows beside the breast: its edges, labels and tape.

All looking is done on a shrunken copy (see :func:`mmmammo.preprocessing.breast_mask.shrink`).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy.stats import theilslopes

from mmmammo.preprocessing.breast_mask import breast_mask_of_small, otsu_threshold, shrink

FloatImage = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]

_SIDES = ('left', 'top', 'right', 'bottom')
_WHITE = 0.85  # of the brightest pixel: an edge without film in front of the lamp
_BLACK = 0.3  # of the brightest pixel: a frame around such an edge
_DEEPEST = 0.1  # of the image: where an edge ends at the latest
_SHORTEST = 0.25  # of a side
_STRAIGHT = 0.006  # of the image: an edge is a line, tissue is not
_STEP = 0.7  # of the brightest pixel: what lies behind an edge is darker, for the greater part of it
_STANDS_OUT = 0.1  # of the range above the background
_REACH = 0.008  # of the longer side: what is as near to the breast may be skin
_SHARP = 0.6  # of its own brightness, which a label has right behind its border and tissue has not
_DEPTH = 3.0  # pixels behind the border
_RECTANGULAR = 0.85  # of the smallest rectangle around it; an ellipse has 0.79
_IN_THE_OPEN = 0.3  # of its surroundings are background: a label that reaches into the breast is not inside of it
_DARKER = 0.5  # than the background, in a black frame
_NOISE_SIGMAS = 4.0  # of the background, likewise
_LEAST_GREY = 0.01  # of the brightest pixel: what a frame can be darker than
_SMALLEST = 0.001  # of the image
_LARGEST = 0.5  # of the breast
_WORD = 0.015  # of the longer side: between letters
_MARGIN = 2  # pixels around what is removed, whose values are mixed


def remove_film_artifacts(image: FloatImage, annotated: npt.ArrayLike = ()) -> tuple[FloatImage, tuple[str, ...]]:
    """Set white edges, black frames, labels and tape to the level of the background.

    An edge is a straight white strip along a side, also a tilted one, or one behind a black frame. Labels and tape
    stand out of the background with a sharp border and do not touch the breast; what does goes only if it is a white
    rectangle with background around a good part of it. Tissue is never changed: where a label covers the breast, only
    the label is. What touches an annotation is no label: a node of the axilla may lie apart from the breast.

    Args:
        image: (h, w), breast bright on dark; any range of values.
        annotated: (n, 4) xyxy boxes of findings, in its pixels.

    Returns:
        The image, a new one if anything was removed, and what that was.

    Raises:
        MammoError: If the image is not (h, w).
    """
    small, factor = shrink(image)
    edges = {side: strip for side in _SIDES if (strip := _edge(small, side)).any()}
    gone = np.any([*edges.values(), np.zeros(small.shape, dtype=bool)], axis=0)
    if gone.all():
        return image, ()
    background, noise = _background(small[~gone])
    frame = _black_frame(small, min(_DARKER * background, background - _NOISE_SIGMAS * noise))
    gone |= frame
    labels = _white_rectangles(np.where(gone, background, small), background)
    covered = np.any([gone, *labels], axis=0)
    labels += _free_labels(np.where(covered, np.float32(background), small), background)
    tissue = _inside(annotated, small.shape, factor)
    labels = [label for label in labels if not (label & tissue).any()]
    notes = [f'white edge at the {", ".join(edges)}'] if edges else []
    notes += ['black frame'] if frame.any() else []
    notes += [_counted(labels)] if labels else []
    gone = np.any([gone, *labels], axis=0)
    return (_blanked(image, gone, factor, background), tuple(notes)) if notes else (image, ())


def _background(values: FloatImage) -> tuple[float, float]:
    """The most frequent of the dark values, and the noise of it: the spread below, which no tissue widens."""
    dark = np.sqrt(np.clip(values - values.min(), 0, None))  # spreads the dark ones, as in segment_breast
    counts, bounds = np.histogram(dark[dark <= otsu_threshold(dark)], bins=16)
    k = int(counts.argmax())
    level = float(np.median(values[(dark >= bounds[k]) & (dark <= bounds[k + 1])]))
    below = level - values[(values < level) & (values > _DARKER * level)]
    return level, float(1.4826 * np.median(below)) if below.size else 0.0


def _counted(labels: list[Mask]) -> str:
    """How many they are; letters beside each other are one."""
    together = _grown(np.any(labels, axis=0), round(_WORD * max(labels[0].shape)))
    count = len(_parts(together))
    return f'{count} label{"s" if count > 1 else ""} or tape'


def _inside(boxes: npt.ArrayLike, shape: tuple[int, ...], factor: int) -> Mask:
    """Cells of the shrunken copy that boxes in the image's pixels touch."""
    mask = np.zeros(shape, dtype=bool)
    for x1, y1, x2, y2 in np.reshape(np.asarray(boxes, dtype=float), (-1, 4)) / factor:
        rows, columns = (slice(max(int(low), 0), max(int(np.ceil(high)), 0)) for low, high in ((y1, y2), (x1, x2)))
        mask[rows, columns] = True
    return mask


def _edge(small: FloatImage, side: str) -> Mask:
    """The white strip along one side; empty if there is none."""
    turns = _SIDES.index(side)
    return np.ascontiguousarray(np.rot90(_left_edge(np.rot90(small, turns)), -turns))


def _left_edge(image: FloatImage) -> Mask:
    """The white strip along the left side.

    In each row it ends where white first steps to darker; a line is laid through these ends.
    """
    rows, columns = image.shape
    peak, deepest = float(image.max()), max(round(_DEEPEST * columns), 2)
    margin = image[:, : deepest + 1]
    white = margin >= _WHITE * peak
    before = ~np.logical_or.accumulate(white, axis=1)
    begins = white.any(axis=1) & ((margin <= _BLACK * peak) | ~before).all(axis=1)
    filled = before | white
    end = np.where(filled.all(axis=1), columns, filled.argmin(axis=1))
    behind = image[np.arange(rows), np.minimum(end + _MARGIN, columns - 1)]
    steps = begins & (end <= deepest) & (behind < _STEP * peak)
    strip = np.zeros(image.shape, dtype=bool)
    if steps.sum() < max(_SHORTEST * rows, 0.5 * begins.sum(), 8):
        return strip
    y, tolerance = np.flatnonzero(steps), max(_STRAIGHT * columns, 1.5)
    slope, offset = theilslopes(end[y], y)[:2]
    border = slope * np.arange(rows) + offset
    if np.median(np.abs(end[y] - border[y])) <= tolerance:
        inside = np.arange(columns) < np.minimum(end, border + tolerance)[:, None]
        strip = inside & begins[:, None] & (np.abs(np.arange(rows) - y.mean()) <= np.ptp(y))[:, None]
    return np.asarray(strip)


def _black_frame(image: FloatImage, level: float) -> Mask:
    """What is around a film that is grey where nothing is: darker than a level, and connected to a good part of a side.

    Empty if there is no such frame.
    """
    black = np.pad(image < level, 1, constant_values=level > _LEAST_GREY * float(image.max()))
    _, labels = cv2.connectedComponents(black.astype(np.uint8), connectivity=4)
    frame = ((labels == labels[0, 0]) & black)[1:-1, 1:-1]
    longest = max(float(side.mean()) for side in (frame[0], frame[-1], frame[:, 0], frame[:, -1]))
    return np.asarray(frame & (longest >= _SHORTEST))


def _white_rectangles(image: FloatImage, background: float) -> list[Mask]:
    """Labels that may touch the breast, one mask each."""
    low, high = background, float(image.max())
    white = (image >= low + _WHITE * (high - low)).astype(np.uint8)
    dark = image <= low + _STANDS_OUT * (high - low)
    found = []
    for part in _parts(white > 0, _SMALLEST * white.size):
        outline, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        hull = cv2.convexHull(np.concatenate(outline))  # holds the letters too, those at its border as well
        filled = cv2.fillConvexPoly(np.zeros_like(white), hull, 1) > 0
        width, height = cv2.minAreaRect(hull)[1]
        ring = _grown(filled, 2 * _MARGIN) & ~_grown(filled, _MARGIN)
        is_rectangle = filled.sum() >= _RECTANGULAR * (width + 1) * (height + 1)
        if is_rectangle and ring.any() and dark[ring].mean() >= _IN_THE_OPEN:
            found.append(filled)
    return found


def _free_labels(image: npt.NDArray[np.float32], background: float) -> list[Mask]:
    """Labels and tape that do not touch the breast, one mask each."""
    breast = breast_mask_of_small(image)
    low, high = background, float(image.max())
    if not breast.any() or not high > low:
        return []
    near = _grown(breast, round(_REACH * max(image.shape)))
    parts = [part for part in _parts(image > low + _STANDS_OUT * (high - low)) if not (part & near).any()]
    return [part for part in parts if _is_label(part, image, low) and part.sum() < _LARGEST * breast.sum()]


def _is_label(part: Mask, image: FloatImage, background: float) -> bool:
    """Whether a bright part has a sharp border, as printed matter has, or is as thin as its letters."""
    depth = cv2.distanceTransform(np.pad(part, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3)[1:-1, 1:-1]
    behind_border = part & (depth > _DEPTH - 1) & (depth <= _DEPTH)
    if not behind_border.any():
        return True
    brightness = float(np.percentile(image[part], 90)) - background
    return float(np.median(image[behind_border])) - background >= _SHARP * brightness


def _parts(mask: Mask, least: float = 9) -> list[Mask]:
    """Connected parts of at least so many pixels."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return [labels == i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= least]


def _grown(mask: Mask, radius: int) -> Mask:
    size = 2 * radius + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0)


def _blanked(image: FloatImage, gone: Mask, factor: int, background: float) -> FloatImage:
    """The image with the marked cells of its shrunken copy, and their margin, at the level of the background."""
    large = np.repeat(np.repeat(_grown(gone, _MARGIN), factor, axis=0), factor, axis=1)
    rest = [(0, size - marked) for size, marked in zip(image.shape, large.shape, strict=True)]
    result = image.copy()
    result[np.pad(large, rest, mode='edge')] = background
    return result
