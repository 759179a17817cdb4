"""Localisation accuracy of heatmaps, as weakly supervised object localisation (WSOL) measures it.

A heatmap above a threshold falls into regions; an image is right at an IoU when the box round some region reaches that
IoU with some lesion. The threshold is chosen per IoU, by tradition on the very images that are scored; freeze one from
another split to avoid that. This is a share of images, one chance each: not an average precision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import FloatArray
from mmmammo.evaluation.functional.precision_recall import AVG7_IOUS, average_over_ious, check_ious
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.structures import MammoError

MAP_THRESHOLDS: FloatArray = np.arange(1000) / 1000
"""Shares of the map's maximum that are tried."""
REGION_RULES = ('all', 'largest')
"""Which regions give a box: every contour (MaxBoxAccV2), or the one of largest area (MaxBoxAcc)."""
PIXEL_RULES = ('inclusive', 'continuous')
"""How boxes are measured: their last pixel belongs to them (WSOL), or pixel i covers [i, i + 1) (this package)."""

ByteArray = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class LocalisationResult:
    """Localisation accuracy at several IoUs.

    Args:
        accuracy: IoU -> share of images that are right at its threshold, in [0, 1].
        threshold: IoU -> that threshold, a share of the map's maximum.
        mean: Mean accuracy over exactly the IoUs asked for.
        curve: (T, k) accuracy at every threshold and IoU.
        n_images: Images with a lesion; the others cannot be right or wrong.
        n_without_lesion: The others.
    """

    accuracy: Mapping[float, Reading]
    threshold: Mapping[float, float]
    mean: Reading
    curve: FloatArray
    n_images: int
    n_without_lesion: int


def localisation_accuracy(
    best_ious: npt.ArrayLike,
    iou_thrs: Sequence[float] = AVG7_IOUS,
    frozen: Mapping[float, float] | None = None,
) -> LocalisationResult:
    """Accuracy at the best threshold per IoU, or at frozen ones.

    To get an interval, resample rows of ``best_ious``.

    Args:
        best_ious: (n, T) rows of :func:`best_iou_per_threshold`; rows of nan, without lesion, are counted apart.
        iou_thrs: Each in (0, 1]; an IoU equal to it is right.
        frozen: IoU -> threshold, as ``threshold`` of a result on another split. By default the best on these images,
            which flatters them.

    Raises:
        MammoError: If the array has another shape, an IoU is out of range, or a frozen threshold missing.
    """
    check_ious(iou_thrs)
    table = np.asarray(best_ious, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(MAP_THRESHOLDS):
        raise MammoError(
            'localisation_accuracy',
            field='best_ious',
            found=f'shape {table.shape}',
            expected=f'(n, {len(MAP_THRESHOLDS)})',
            remedy='stack what best_iou_per_threshold returns',
        )
    scored = table[~np.isnan(table).any(axis=1)]
    reason = None if len(scored) else 'no image with a lesion'
    curve = np.stack([_share_right(scored, iou_thr) for iou_thr in iou_thrs], axis=1)
    columns = [_threshold_index(curve[:, i], iou_thr, frozen) for i, iou_thr in enumerate(iou_thrs)]
    accuracy = {
        iou_thr: Reading.undefined(reason) if reason else Reading(float(curve[column, i]))
        for i, (iou_thr, column) in enumerate(zip(iou_thrs, columns, strict=True))
    }
    chosen = [float('nan') if reason else float(MAP_THRESHOLDS[column]) for column in columns]
    return LocalisationResult(
        accuracy=accuracy,
        threshold=dict(zip(iou_thrs, chosen, strict=True)),
        mean=average_over_ious(accuracy, iou_thrs),
        curve=curve,
        n_images=len(scored),
        n_without_lesion=len(table) - len(scored),
    )


def best_iou_per_threshold(
    score_map: npt.ArrayLike,
    lesions: npt.ArrayLike,
    image_size: tuple[int, int] | None = None,
    *,
    regions: str = 'all',
    pixels: str = 'inclusive',
) -> FloatArray:
    """How well the map's regions meet the lesions of one image, at each of :data:`MAP_THRESHOLDS`.

    Args:
        score_map: (h, w); only its relative heights matter.
        lesions: (m, 4) xyxy in pixels of the image.
        image_size: ``(width, height)`` of the image; the map is enlarged to it (bicubic). By default the map's own.
        regions: See :data:`REGION_RULES`.
        pixels: See :data:`PIXEL_RULES`; ``'inclusive'`` repeats published WSOL numbers.

    Returns:
        (T,) the greatest IoU of a region's box with a lesion; nan without lesions.

    Raises:
        MammoError: If the map is not two-dimensional, a lesion no box, or a rule unknown.
    """
    for field, found, known in (('regions', regions, REGION_RULES), ('pixels', pixels, PIXEL_RULES)):
        if found not in known:
            raise MammoError(
                'localisation', field=field, found=repr(found), expected=f'one of {known}', remedy='correct the name'
            )
    truth = _lesion_boxes(lesions)
    grey = grey_map(score_map, image_size)
    if not len(truth):
        return np.full(len(MAP_THRESHOLDS), np.nan)
    levels = (MAP_THRESHOLDS * int(grey.max())).astype(np.int64)
    pixels_above = np.cumsum(np.bincount(grey.ravel(), minlength=257)[::-1])[::-1][levels + 1]
    _, first, same_as = np.unique(pixels_above, return_index=True, return_inverse=True)
    boxes = [region_boxes(grey, int(level), regions, pixels) for level in levels[first]]
    best = np.array([_greatest_iou(found, truth, extra=float(pixels == 'inclusive')) for found in boxes])
    result: FloatArray = best[same_as]
    return result


def grey_map(score_map: npt.ArrayLike, image_size: tuple[int, int] | None = None) -> ByteArray:
    """The map at the image's size, stretched to 0..255 and cut to whole numbers; all 0 if it is flat or has nan.

    Args:
        score_map: (h, w).
        image_size: ``(width, height)``.

    Raises:
        MammoError: If the map is not two-dimensional.
    """
    values = np.asarray(score_map, dtype=np.float64)
    if values.ndim != 2 or not values.size:
        raise MammoError(
            'localisation', field='score_map', found=f'shape {values.shape}', expected='(h, w)', remedy='pass one map'
        )
    if image_size is not None:
        values = np.asarray(cv2.resize(values, image_size, interpolation=cv2.INTER_CUBIC), dtype=np.float64)
    lowest, height = values.min(), np.ptp(values)
    if not np.isfinite(values).all() or height == 0:
        return np.zeros(values.shape, dtype=np.uint8)
    grey: ByteArray = ((values - lowest) / height * 255).astype(np.uint8)
    return grey


def region_boxes(grey: ByteArray, level: int, regions: str = 'all', pixels: str = 'inclusive') -> FloatArray:
    """Boxes round the regions above a level.

    Args:
        grey: (h, w).
        level: Pixels *above* it are in.
        regions: See :data:`REGION_RULES`.
        pixels: See :data:`PIXEL_RULES`.

    Returns:
        (r, 4) xyxy; a box of zeros if nothing is above the level, as in WSOL.
    """
    above = (grey > level).astype(np.uint8)
    contours, _ = cv2.findContours(above, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return np.zeros((1, 4))
    if regions == 'largest':
        contours = [max(contours, key=cv2.contourArea)]
    x, y, w, h = np.array([cv2.boundingRect(contour) for contour in contours], dtype=np.float64).T
    last = 1 if pixels == 'inclusive' else 0  # WSOL takes x + w for the last pixel, and keeps it inside
    height, width = grey.shape
    return np.stack([x, y, np.minimum(x + w, width - last), np.minimum(y + h, height - last)], axis=1)


def _greatest_iou(boxes: FloatArray, lesions: FloatArray, extra: float) -> float:
    """Over all pairs; ``extra`` is what a side is longer than the difference of its ends."""
    low = np.maximum(boxes[:, None, :2], lesions[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], lesions[None, :, 2:])
    intersection = np.clip(high - low + extra, 0, None).prod(axis=2)
    area, lesion_area = ((b[:, 2:] - b[:, :2] + extra).prod(axis=1) for b in (boxes, lesions))
    union = area[:, None] + lesion_area[None] - intersection
    return float(np.divide(intersection, union, out=np.zeros_like(union), where=union > 0).max())


def _share_right(best_ious: FloatArray, iou_thr: float) -> FloatArray:
    """(T,)."""
    if not len(best_ious):
        return np.full(best_ious.shape[1], np.nan)
    share: FloatArray = (best_ious >= iou_thr).mean(axis=0)
    return share


def _threshold_index(shares: FloatArray, iou_thr: float, frozen: Mapping[float, float] | None) -> int:
    """The lowest of the best thresholds, or the one given."""
    if frozen is None:
        return int(np.argmax(shares))
    value = frozen.get(iou_thr, float('nan'))
    if not 0 <= value <= 1:
        raise MammoError(
            'localisation_accuracy',
            field=f'frozen[{iou_thr:g}]',
            found=value,
            expected='a threshold from 0 to 1 for every IoU asked for',
            remedy='take .threshold of a result with the same IoUs on another split',
        )
    return int(np.argmin(np.abs(MAP_THRESHOLDS - value)))


def _lesion_boxes(lesions: npt.ArrayLike) -> FloatArray:
    boxes = np.asarray(lesions, dtype=np.float64)
    boxes = boxes.reshape(-1, 4) if boxes.size == 0 else boxes
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise MammoError(
            'localisation', field='lesions', found=f'shape {boxes.shape}', expected='(m, 4)', remedy='give xyxy boxes'
        )
    good = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] >= boxes[:, :2]).all(axis=1)
    if not good.all():
        row = int(np.argmin(good))
        raise MammoError(
            'localisation',
            field=f'lesions[{row}]',
            found=boxes[row].tolist(),
            expected='finite x1 <= x2 and y1 <= y2',
            remedy='give (x1, y1, x2, y2), not (x, y, w, h)',
        )
    return boxes
