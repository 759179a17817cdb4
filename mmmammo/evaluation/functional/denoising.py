"""ATD(k): how far the anchors of a DINO-like detector start from the lesions they end on.

On patients that are drawn again, ATD(k) is read as it was on all: the lesions of a patient who was drawn twice are
there twice, those of a patient who was not drawn are not, and the mean is of the k largest distances of what is then
there; k does not follow the number of lesions. No draw has a larger distance than the sample itself, and where k is
much smaller than the number of lesions, few patients decide: such an interval tells how much hangs on them, and may be
too narrow above. From k = number of lesions on it is the interval of a plain mean.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import FloatArray
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.structures import MammoError


def average_top_distance(anchors: npt.ArrayLike, boxes: npt.ArrayLike, k: int = 100) -> Reading:
    """Mean of the k largest L1 distances between lesions and their initial anchors, ATD(k) of the DINO paper, 3.3.

    It looks at the worst cases: anchors equal to the lesions give 0, it never rises with k, and from k = number of
    lesions on it is the plain mean.

    Args:
        anchors: (g, 4) for each lesion of the validation set, the *initial* anchor (the output of query selection,
            cxcywh over the image's size) of the query whose box of the last decoder layer is matched to it.
        boxes: (g, 4) the lesions, in the same form.
        k: How many; the DINO paper plots 100.

    Returns:
        A number from 0 up; nan with its reason when there is no lesion.

    Raises:
        MammoError: If ``k`` is below 1, the shapes differ, or a number lies outside [0, 1].
    """
    if k < 1:
        raise MammoError(
            'average_top_distance', field='k', found=k, expected='at least 1', remedy='correct the argument'
        )
    distance = np.sort(anchor_distances(anchors, boxes))
    return Reading(float(distance[-k:].mean())) if len(distance) else Reading.undefined('no lesion in the ground truth')


def anchor_distances(anchors: npt.ArrayLike, boxes: npt.ArrayLike) -> FloatArray:
    """(g,) L1 distance of each lesion from its anchor, the four coordinates summed; see :func:`average_top_distance`.

    To look at small lesions only, choose rows of both arrays before.

    Raises:
        MammoError: If the shapes differ or a number lies outside [0, 1].
    """
    start, end = _normalised('anchors', anchors), _normalised('boxes', boxes)
    if start.shape != end.shape:
        raise MammoError(
            'average_top_distance',
            field='anchors',
            found=f'{len(start)} rows',
            expected=f'{len(end)}, one anchor per lesion',
            remedy='give for each lesion the anchor of the query that is matched to it',
        )
    distances: FloatArray = np.abs(start - end).sum(axis=1)
    return distances


def weighted_top_distances(distances: npt.ArrayLike, weights: npt.ArrayLike, k: int) -> FloatArray:
    """ATD(k) of lesions that count several times, or not at all; for draws of patients, see the module.

    Args:
        distances: (g,) of :func:`anchor_distances`.
        weights: (r, g) how often each lesion occurs in each of r draws.
        k: How many of the largest.

    Returns:
        (r,); nan for a draw without lesions.
    """
    values, counts = np.asarray(distances, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    falling = np.argsort(-values, kind='stable')
    values, counts = values[falling], counts[:, falling]
    before = np.cumsum(counts, axis=1) - counts
    taken = np.clip(k - before, 0, counts)  # the last one that still counts may do so in part
    total = taken.sum(axis=1)
    means: FloatArray = np.divide(taken @ values, total, out=np.full(len(counts), np.nan), where=total > 0)
    return means


def _normalised(name: str, values: npt.ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        return np.empty((0, 4))
    if array.ndim != 2 or array.shape[1] != 4:
        raise MammoError(
            'average_top_distance', field=name, found=f'shape {array.shape}', expected='(g, 4)', remedy='one row each'
        )
    good = ((array >= 0) & (array <= 1)).all(axis=1)
    if not good.all():
        row = int(np.argmin(good))
        raise MammoError(
            'average_top_distance',
            field=f'{name}[{row}]',
            found=array[row].tolist(),
            expected='cx, cy, w, h in [0, 1]',
            remedy='divide by the width and height of the image; apply the sigmoid to raw anchors',
        )
    return array
