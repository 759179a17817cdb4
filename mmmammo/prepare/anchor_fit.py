"""Anchors from the boxes of a training split: their percentiles, and k-means with the IoU as closeness."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmmammo.structures import MammoError, PreparedImage

Sizes = npt.NDArray[np.float64]
"""(n, 2): width and height in pixels."""

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
_MOST_ROUNDS = 300


@dataclass(frozen=True, eq=False)
class AnchorFit:
    """Anchors for an RPN: every side with every ratio.

    Args:
        sides: (levels,) rising; the root of an anchor's area.
        ratios: (r,) rising; height over width, as mmdet has it.
        iou: Mean over the boxes of the IoU with the anchor that fits best.
    """

    sides: npt.NDArray[np.float64]
    ratios: npt.NDArray[np.float64]
    iou: float


def box_sizes(images: Iterable[PreparedImage], scale: tuple[int, int] | None = None) -> Sizes:
    """Widths and heights of all findings, in the pixels a detector sees.

    Args:
        images: Of the training split.
        scale: (longest, shortest) side that the pipeline resizes to, the aspect kept; ``None`` for prepared pixels.

    Raises:
        MammoError: If there is no box of positive size.
    """
    sizes = []
    for image in images:
        factor = 1.0 if scale is None else _resize_factor(image.width, image.height, scale)
        sizes += [((x2 - x1) * factor, (y2 - y1) * factor) for x1, y1, x2, y2 in (f.bbox for f in image.findings)]
    found = np.array(sizes, dtype=np.float64).reshape(-1, 2)
    found = found[(found > 0).all(axis=1)]
    if not len(found):
        raise MammoError(
            'anchors', field='boxes', found='none', expected='findings with a box', remedy='use the training split'
        )
    return found


def iou_of_sizes(first: npt.ArrayLike, second: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """(n, m) IoU of boxes that share their centre.

    Args:
        first: (n, 2) width and height.
        second: (m, 2).
    """
    a, b = np.asarray(first, dtype=np.float64)[:, None], np.asarray(second, dtype=np.float64)[None]
    inner = np.minimum(a, b).prod(axis=-1)
    iou: npt.NDArray[np.float64] = inner / (a.prod(axis=-1) + b.prod(axis=-1) - inner)
    return iou


def kmeans_sizes(sizes: Sizes, k: int) -> Sizes:
    """(k, 2) centres by rising area: k-means with 1 - IoU as distance, begun at evenly spaced quantiles of the area.

    Args:
        sizes: (n, 2).
        k: Number of centres.

    Raises:
        MammoError: If there are fewer different sizes than centres.
    """
    distinct = len(np.unique(sizes, axis=0))
    if not 1 <= k <= distinct:
        raise MammoError(
            'anchors', field='k', found=k, expected=f'1 to {distinct}, the different sizes', remedy='take fewer'
        )
    ordered = np.unique(sizes, axis=0)
    ordered = ordered[np.argsort(ordered.prod(axis=1), kind='stable')]
    centres = ordered[((np.arange(k) + 0.5) / k * distinct).astype(int)]
    for _ in range(_MOST_ROUNDS):
        nearest = iou_of_sizes(sizes, centres).argmax(axis=1)
        members = [sizes[nearest == i] for i in range(k)]
        moved = np.array([own.mean(axis=0) if len(own) else c for own, c in zip(members, centres, strict=True)])
        if np.array_equal(moved, centres):
            break
        centres = moved
    return np.asarray(centres[np.argsort(centres.prod(axis=1), kind='stable')])


def fit_anchors(sizes: Sizes, levels: int = 5, ratios: int = 3) -> AnchorFit:
    """One side per level, from squares of the boxes' areas, and ratios, from boxes of the same shape and area 1."""
    side, shape = np.sqrt(sizes.prod(axis=1)), np.sqrt(sizes[:, 1] / sizes[:, 0])
    sides = np.sqrt(kmeans_sizes(np.stack([side, side], axis=1), levels).prod(axis=1))
    shapes = kmeans_sizes(np.stack([1 / shape, shape], axis=1), ratios)
    found = np.sort(shapes[:, 1] / shapes[:, 0])
    return AnchorFit(sides, found, best_iou(sizes, anchor_sizes(sides, found)))


def anchor_sizes(sides: Sequence[float] | npt.ArrayLike, ratios: Sequence[float] | npt.ArrayLike) -> Sizes:
    """(sides * ratios, 2) width and height of mmdet's anchors."""
    side, ratio = np.meshgrid(np.asarray(sides, dtype=np.float64), np.sqrt(np.asarray(ratios)), indexing='ij')
    return np.stack([(side / ratio).ravel(), (side * ratio).ravel()], axis=1)


def best_iou(sizes: Sizes, anchors: Sizes) -> float:
    """Mean over the boxes of the IoU with the anchor that fits best."""
    return float(iou_of_sizes(sizes, anchors).max(axis=1).mean())


def _resize_factor(width: int, height: int, scale: tuple[int, int]) -> float:
    return min(max(scale) / max(width, height), min(scale) / min(width, height))
