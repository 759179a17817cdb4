"""The breast in a mammogram: one solid region, without labels, markers and noise of the background.

All lengths are fractions of the square root of the bright area, so that neither resolution nor black padding matters.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.structures import MammoError

WORKING_SIZE = 1024
"""Pixels that neither side of a shrunken image exceeds."""

_OTSU_FRACTION = 0.25  # how far up from the background to Otsu's threshold the skin line is sought
_NOISE_SIGMAS = 4.0
_OPENING = 0.012  # radius that removes strokes of labels and hairs of noise
_PROTRUSION = 0.06  # radius below which what sticks out may be a marker touching the breast
_NECK = 0.12  # of the greatest width: narrower, and wider again behind, is a fold of skin
_SEAL = 0.05  # a gap this narrow between the breast and the edge of the image is a dark strip of the detector

FloatImage = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]


def shrink(image: FloatImage, size: int = WORKING_SIZE) -> tuple[npt.NDArray[np.float32], int]:
    """Average blocks of k x k pixels, k the least integer that brings both sides to at most ``size``.

    A rest narrower than k at the right and lower edge is left out, so that coordinates simply scale by k.

    Args:
        image: (h, w).
        size: Upper bound of either side of the result.

    Returns:
        The small image, finite float32, and k.

    Raises:
        MammoError: If the image is not a grey image with at least one pixel.
    """
    array = as_grey(image)
    factor = -(-max(array.shape) // size)
    if factor > 1:
        height, width = max(array.shape[0] // factor, 1), max(array.shape[1] // factor, 1)
        array = array[: height * factor, : width * factor]
        array = np.asarray(cv2.resize(array, (width, height), interpolation=cv2.INTER_AREA), dtype=np.float32)
    return np.nan_to_num(array, nan=0.0, posinf=1.0, neginf=0.0), factor


def as_grey(image: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """The image as float32 (h, w).

    Raises:
        MammoError: If it has another number of axes, no pixels, or no real numbers in it.
    """
    array = np.asarray(image)
    if array.ndim != 2 or array.size == 0 or array.dtype.kind not in 'fiub':
        raise MammoError(
            'image',
            field='shape and type',
            found=f'{array.shape} {array.dtype}',
            expected='a grey image (h, w) of real numbers',
            remedy='pass one channel, for example Mammogram.pixels',
        )
    return np.ascontiguousarray(array, dtype=np.float32)


def otsu_threshold(image: FloatImage, bins: int = 256) -> float:
    """Otsu's threshold: the level that maximises the variance between the two classes it makes.

    Equation 1 of the third paper. A constant image has its own level as threshold.
    """
    low, high = float(image.min()), float(image.max())
    if high <= low:
        return low
    levels = ((image - low) * ((bins - 1) / (high - low)) + 0.5).astype(np.uint8 if bins <= 256 else np.uint16)
    counts = np.bincount(levels.ravel(), minlength=bins).astype(np.float64)
    weight = np.cumsum(counts)[:-1]
    moment = np.cumsum(counts * np.arange(bins))
    rest = weight[-1] + counts[-1] - weight
    with np.errstate(divide='ignore', invalid='ignore'):
        between = weight * rest * (moment[:-1] / weight - (moment[-1] - moment[:-1]) / rest) ** 2
    best = np.flatnonzero(between == np.nanmax(between))
    # Between well separated classes the maximum is a plateau: its middle is the least arbitrary level.
    return low + (float(best.mean()) + 0.5) * (high - low) / (bins - 1)


def segment_breast(image: FloatImage) -> Mask:
    """Find the breast.

    Otsu's threshold on the square root of the intensities, lowered towards the level of the background but kept above
    its noise; then the largest region, by preference one on the left or right edge, smoothed, its holes filled, bright
    blocks touching its outline taken off.

    Args:
        image: (h, w), breast bright on dark; any range of values.

    Returns:
        (h, w) mask; all False where there is nothing to find.

    Raises:
        MammoError: If the image is not (h, w).
    """
    small, factor = shrink(image)
    mask = breast_mask_of_small(small)
    height, width = np.asarray(image).shape
    if factor == 1 or not mask.any():
        return mask if factor == 1 else np.zeros((height, width), dtype=bool)
    soft = cv2.GaussianBlur(mask.astype(np.uint8) * 255, (0, 0), 1.0)
    target = (mask.shape[1] * factor, mask.shape[0] * factor)
    large = cv2.resize(soft, target, interpolation=cv2.INTER_LINEAR) > 127
    rest = ((0, height - target[1]), (0, width - target[0]))
    return np.pad(large, rest, mode='edge') if any(b for _, b in rest) else large


def breast_mask_of_small(image: npt.NDArray[np.float32]) -> Mask:
    """What :func:`segment_breast` does, at the resolution given; see :func:`shrink`."""
    mask = np.zeros(image.shape, dtype=bool)
    # Padding is no background: beside a detector's own grey it would make that grey look like tissue.
    exposed = image > image.min()
    if exposed.any():
        box = bounds(exposed, border=0)
        mask[box] = _mask_of_exposed(np.ascontiguousarray(image[box]))
    return mask


def _mask_of_exposed(image: npt.NDArray[np.float32]) -> Mask:
    """The breast mask of an image without padding."""
    bright = _bright_pixels(image)
    unit = float(np.sqrt(bright.sum()))
    if unit < 8:
        return np.zeros(image.shape, dtype=bool)
    opened = _open(bright, _OPENING * unit)
    region = _main_region(opened)
    if region.sum() < 0.2 * unit**2:  # many scraps and nothing that stands out
        region = _main_region(bright)
    region = _without_bright_protrusions(region, image, _PROTRUSION * unit)
    filled = _fill(_seal(_cut_at_fold(region), round(_SEAL * unit)))
    # A low threshold on a blurred edge lies a pixel outside of it.
    return cv2.erode(filled.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE) > 0


def bounds(mask: Mask, border: int) -> tuple[slice, slice]:
    """Rows and columns of the box around a mask that is not empty, and of so many pixels around it."""
    at = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    rows, columns = (slice(max(int(i[0]) - border, 0), int(i[-1]) + 1 + border) for i in at)
    return rows, columns


def wall_is_left(mask: Mask) -> bool:
    """Whether the region is flat on its left side, as a left breast on the chest wall is.

    Counts the rows in which the region comes close to the left and to the right edge of its bounding box; the skin of
    a breast touches its box near the nipple only.
    """
    rows = mask[mask.any(axis=1)]
    left = rows.argmax(axis=1)
    right = rows[:, ::-1].argmax(axis=1)
    near = 0.03 * max(rows.shape)
    return int((left <= left.min() + near).sum()) >= int((right <= right.min() + near).sum())


def _bright_pixels(image: npt.NDArray[np.float32]) -> Mask:
    """Brighter than the background and its noise; the root spreads the fat, which Otsu would call dark."""
    low, high = np.percentile(image[::4, ::4], (0, 99.5)).tolist()  # floats keep the image float32
    if not high > low:
        return np.zeros(image.shape, dtype=bool)
    level = np.sqrt(np.clip((image - low) / (high - low), 0, 1))
    level = cv2.GaussianBlur(level, (0, 0), 0.8)
    sample = level[::2, ::2]
    otsu = otsu_threshold(sample)
    background, noise = _mode_and_noise(sample[sample <= otsu])
    threshold = background + max(_OTSU_FRACTION * (otsu - background), _NOISE_SIGMAS * noise)
    return np.asarray(level > min(threshold, otsu), dtype=bool)


def _mode_and_noise(values: npt.NDArray[np.floating]) -> tuple[float, float]:
    """Most frequent value and the spread below it, which no tissue widens."""
    counts, edges = np.histogram(values, bins=64)
    k = int(counts.argmax())
    mode = float(edges[k] + edges[k + 1]) / 2
    below = mode - values[values < mode]
    return mode, float(1.4826 * np.median(below)) if below.size > 0.05 * values.size else 0.0


def _open(mask: Mask, radius: float) -> Mask:
    """Opening by a disc, through distances, so that a large disc costs no more; nothing is rounded at image edges."""
    if radius < 1 or mask.all() or not mask.any():
        return mask
    opened, box = np.zeros(mask.shape, dtype=bool), bounds(mask, border=1)  # to be outside of the mask matters
    eroded = cv2.distanceTransform(mask[box].astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3) > radius
    if eroded.any():
        opened[box] = cv2.distanceTransform((~eroded).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3) <= radius
    return opened


def _main_region(mask: Mask) -> Mask:
    """Largest component; one that lies along the left or right edge of the image counts double."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count < 2:
        return np.zeros(mask.shape, dtype=bool)
    area = stats[1:, cv2.CC_STAT_AREA].astype(np.float64)
    edge = np.zeros(count, dtype=np.int64)
    for column in (labels[:, 0], labels[:, -1]):
        edge += np.bincount(column, minlength=count)
    along = edge[1:] >= 0.25 * stats[1:, cv2.CC_STAT_HEIGHT]
    return np.asarray(labels == 1 + int((area * (1 + along)).argmax()), dtype=bool)


def _without_bright_protrusions(region: Mask, image: npt.NDArray[np.float32], radius: float) -> Mask:
    """Take off what sticks out and is nearly as bright as anything: labels and markers, but not a nipple."""
    core = cv2.dilate(_open(region, radius).astype(np.uint8), np.ones((3, 3), np.uint8))
    parts = (region & (core == 0)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(parts, connectivity=4)
    if count < 2:
        return region
    size = stats[:, cv2.CC_STAT_AREA]
    glaring = np.bincount(labels[image > 0.9 * float(np.percentile(image[region][::4], 99.8))], minlength=count)
    label_like = np.asarray(glaring > 0.35 * size, dtype=bool)
    label_like[0] = False
    if not label_like.any():
        return region
    return _main_region(np.asarray(region & ~label_like[labels], dtype=bool))


def _seal(region: Mask, gap: int) -> Mask:
    """Fill from the chest-wall edge of the image to the breast where they are parted by a dark strip or a fatty bay."""
    if not region.any():
        return region
    left = wall_is_left(region)
    view = region if left else region[:, ::-1]
    rows = np.flatnonzero(view.any(axis=1))
    first = view.argmax(axis=1)
    near = rows[first[rows] <= gap]
    if near.size < 0.1 * rows.size:  # stands free: padded, or no chest wall in the image
        return region
    sealed = view.copy()
    span = np.arange(near[0], near[-1] + 1)
    before_breast = np.arange(view.shape[1]) < first[span, None]
    sealed[span] |= before_breast & np.asarray(view[span].any(axis=1))[:, None]
    return sealed if left else sealed[:, ::-1]


def _cut_at_fold(region: Mask) -> Mask:
    """Leave out what hangs on the breast by a thread, such as the abdomen below the inframammary fold."""
    width = region.sum(axis=1)
    if not width.any():
        return region
    widest = int(width.argmax())
    cut = region.copy()
    for step in (1, -1):
        rows = np.arange(widest, len(width) if step > 0 else -1, step)
        profile = width[rows]
        neck = _neck(profile)
        if neck:
            cut[rows[neck:]] = False
    return cut


def _neck(profile: npt.NDArray[np.int_]) -> int:
    """Index of the narrowest row if the region is much wider again behind it, else 0."""
    wider_behind = np.maximum.accumulate(profile[::-1])[::-1]
    necks = (profile < _NECK * profile[0]) & (wider_behind > 2 * profile + 0.01 * profile[0])
    return int(np.where(necks, profile, profile[0] + 1).argmin()) if necks.any() else 0


def _fill(region: Mask) -> Mask:
    """The region without holes."""
    outlines, _ = cv2.findContours(
        np.ascontiguousarray(region, dtype=np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    filled = np.zeros(region.shape, dtype=np.uint8)
    cv2.drawContours(filled, outlines, -1, 1, thickness=cv2.FILLED)
    return filled > 0
