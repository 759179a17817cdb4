"""What a heatmap says as detections: a box round each of its peaks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from mmengine.structures import InstanceData
from scipy import ndimage

from mmmammo.evaluation.functional import region_boxes
from mmmammo.structures import Heatmap, MammoError

FloatMap = npt.NDArray[np.float32]


def heatmap_instances(
    heatmap: Heatmap, threshold: float = 0.05, level: float = 0.5, distance: int = 4, max_per_image: int = 100
) -> InstanceData:
    """Boxes round the peaks of every class.

    A peak is the greatest value within ``distance`` cells. Its box surrounds the region that holds it and is higher
    than ``level`` of the way from the median of the class's map, which is what normal tissue scores in this view, to
    the peak. Peaks that share a box count once, with the highest score.

    Args:
        heatmap: Of one view.
        threshold: Lower peaks are left out.
        level: In (0, 1).
        distance: Cells.
        max_per_image: The best that are kept.

    Returns:
        ``bboxes`` (k, 4) in pixels of the image, ``scores`` (k,) the height of the peak, ``labels`` (k,) the class;
        the best first.

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
    rows = [
        (*box, score, label)
        for label, values in enumerate(heatmap.values)
        for box, score in _peaks(values, threshold, level, distance)
    ]
    found = np.array(sorted(rows, key=lambda row: -row[4]), dtype=np.float64).reshape(-1, 6)[:max_per_image]
    height, width = heatmap.shape
    boxes = np.clip(heatmap.image_from_cell.boxes(found[:, :4]), 0, (width, height, width, height))
    return InstanceData(
        bboxes=torch.from_numpy(boxes.astype(np.float32)),
        scores=torch.from_numpy(found[:, 4].astype(np.float32)),
        labels=torch.from_numpy(found[:, 5].astype(np.int64)),
    )


def _peaks(values: FloatMap, threshold: float, level: float, distance: int) -> list[tuple[tuple[float, ...], float]]:
    """Boxes in cells and scores of one class, the highest peak first."""
    if not np.isfinite(values).any():
        return []
    floor = float(np.nanmedian(values))
    heights = np.nan_to_num(values, nan=-1.0)
    greatest = ndimage.maximum_filter(heights, size=2 * distance + 1, mode='constant', cval=-1.0)
    rows, columns = np.nonzero((heights == greatest) & (heights >= threshold) & (heights > floor))
    found: dict[tuple[float, ...], float] = {}
    for row, column in sorted(zip(rows, columns, strict=True), key=lambda at: -heights[at]):
        score = float(heights[row, column])
        found.setdefault(_box_at(heights, (row, column), floor + level * (score - floor)), score)
    return list(found.items())


def _box_at(heights: FloatMap, at: tuple[int, int], above: float) -> tuple[float, ...]:
    """The box round the region above a height that holds a cell."""
    regions, _ = ndimage.label(heights > above)
    mine = np.where(regions == regions[at], np.uint8(255), np.uint8(0))
    return tuple(region_boxes(mine, 0, 'largest', 'continuous')[0].tolist())
