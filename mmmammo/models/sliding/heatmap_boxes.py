"""What a heatmap says as detections: a box round each of its peaks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from mmengine.structures import InstanceData
from scipy import ndimage

from mmmammo.evaluation.functional import region_boxes
from mmmammo.structures import Heatmap, MammoError

FloatMap = npt.NDArray[np.float32]


def heatmap_instances(
    heatmap: Heatmap,
    threshold: float = 0.05,
    level: float = 0.5,
    distance: int = 4,
    max_per_image: int = 100,
    per_class: bool = False,
) -> InstanceData:
    """Boxes round the peaks of a heatmap.

    A peak is the greatest value within ``distance`` cells. Its box surrounds the region that holds it and is higher
    than ``level`` of the way from the median of the map, which is what normal tissue scores in this view, to the peak.
    Peaks that share a box count once, with the highest score.

    Args:
        heatmap: Of one view.
        threshold: Lower peaks are left out.
        level: In (0, 1).
        distance: Cells.
        max_per_image: The best that are kept.
        per_class: Look at the map of each class, for metrics that judge classes apart. By default at the strongest
            class of each place, so that no place is told of twice.

    Returns:
        ``bboxes`` (k, 4) in pixels of the image, ``scores`` (k,) the height of the peak, ``labels`` (k,) the class, the
        strongest one at the peak; the best first.

    Raises:
        MammoError: If a number makes no sense.
    """
    if not (0 <= threshold <= 1 and 0 < level < 1 and distance >= 1 and max_per_image >= 1):
        raise MammoError(
            'heatmap_instances',
            field='threshold, level, distance, max_per_image',
            found=(threshold, level, distance, max_per_image),
            expected='a threshold in [0, 1], a level in (0, 1), and at least 1',
            remedy='correct them in the config',
        )
    maps = heatmap.values if per_class else heatmap.strongest[None]
    found = [(label, peak) for label, values in enumerate(maps) for peak in _peaks(values, threshold, level, distance)]
    found = sorted(found, key=lambda item: -item[1].score)[:max_per_image]
    labels = [label if per_class else int(np.nanargmax(heatmap.values[:, *peak.at])) for label, peak in found]
    height, width = heatmap.shape
    boxes = heatmap.image_from_cell.boxes(np.array([peak.box for _, peak in found]).reshape(-1, 4))
    return InstanceData(
        bboxes=torch.from_numpy(np.clip(boxes, 0, (width, height, width, height)).astype(np.float32)),
        scores=torch.tensor([peak.score for _, peak in found], dtype=torch.float32),
        labels=torch.tensor(labels, dtype=torch.long),
    )


class _Peak(NamedTuple):
    """Row and column, height, and box in cells."""

    at: tuple[int, int]
    score: float
    box: tuple[float, ...]


def _peaks(values: FloatMap, threshold: float, level: float, distance: int) -> list[_Peak]:
    """Of one map, the highest first."""
    if not np.isfinite(values).any():
        return []
    floor = float(np.nanmedian(values))
    heights = np.nan_to_num(values, nan=-1.0)
    greatest = ndimage.maximum_filter(heights, size=2 * distance + 1, mode='constant', cval=-1.0)
    places = np.argwhere((heights == greatest) & (heights >= threshold) & (heights > floor)).tolist()
    found: dict[tuple[float, ...], _Peak] = {}
    for row, column in sorted(places, key=lambda at: -heights[tuple(at)]):
        score = float(heights[row, column])
        box = _box_at(heights, (row, column), floor + level * (score - floor))
        found.setdefault(box, _Peak((row, column), score, box))
    return list(found.values())


def _box_at(heights: FloatMap, at: tuple[int, int], above: float) -> tuple[float, ...]:
    """The box round the region above a height that holds a cell."""
    regions, _ = ndimage.label(heights > above)
    mine = np.where(regions == regions[at], np.uint8(255), np.uint8(0))
    return tuple(region_boxes(mine, 0, 'largest', 'continuous')[0].tolist())
