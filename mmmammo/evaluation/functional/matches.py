"""The fate of every detection, and what counts of it.

A FROC over breasts, over small lesions or over normal images is the same curve of other matches: the functions here
take matches and return those in which fewer detections, lesions or images count. Nothing is matched twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import BoolArray, IntArray
from mmmammo.structures import MammoError

FALSE_POSITIVE_IMAGES = ('all', 'normal')
"""The images whose false positives are counted: all, or only those without a lesion."""


@dataclass(frozen=True, eq=False)
class Matches:
    """The fate of every detection, in falling order of score (equal scores in input order).

    Args:
        scores: (d,).
        detection: (d,) index into the detections as they were given, laid end to end.
        image: (d,).
        lesion: (d,) index of the lesion found, or -1.
        ignored: (d,) neither hit nor false positive: a duplicate under ``duplicates='ignore'``, or inside an ignored
            region, or set aside by a function of this module.
        lesion_image: (g,) image of each lesion.
        num_images: Number of images.
        fp_images: (num_images,) whether the image's false positives are counted; ``None`` for all images.
    """

    scores: npt.NDArray[np.float64]
    detection: IntArray
    image: IntArray
    lesion: IntArray
    ignored: BoolArray
    lesion_image: IntArray
    num_images: int
    fp_images: BoolArray | None = None

    @property
    def is_true_positive(self) -> BoolArray:
        """(d,)."""
        return self.lesion >= 0

    @property
    def is_false_positive(self) -> BoolArray:
        """(d,)."""
        return (self.lesion < 0) & ~self.ignored

    def detections(self, which: BoolArray | IntArray | slice) -> Matches:
        """Only some of the detections, by mask, index or slice; lesions and images stay."""
        columns = ('scores', 'detection', 'image', 'lesion', 'ignored')
        return replace(self, **{name: getattr(self, name)[which] for name in columns})


def count_false_positives_on(matches: Matches, which: str) -> Matches:
    """Count false positives on ``'all'`` images, or on ``'normal'`` ones: those without a lesion.

    Lesions count everywhere; on ``'normal'``, the FPI is per normal image.

    Raises:
        MammoError: If the name is unknown.
    """
    if which not in FALSE_POSITIVE_IMAGES:
        raise MammoError(
            'false positives',
            field='false_positive_images',
            found=repr(which),
            expected=f'one of {FALSE_POSITIVE_IMAGES}',
            remedy='correct the name',
        )
    if which == 'all':
        return matches
    normal = np.bincount(matches.lesion_image, minlength=matches.num_images) == 0
    outside = matches.is_false_positive & ~normal[matches.image]
    return replace(matches, ignored=matches.ignored | outside, fp_images=normal)


def select_images(matches: Matches, which: npt.ArrayLike) -> Matches:
    """Only some of the images, with their lesions and detections.

    Args:
        matches: Detections matched to lesions.
        which: (num_images,) mask.

    Raises:
        MammoError: If the mask has another length.
    """
    mask = _mask(which, matches.num_images, 'images')
    image_index = np.cumsum(mask) - 1
    kept_lesions = mask[matches.lesion_image]
    kept = matches.detections(mask[matches.image])
    return replace(
        kept,
        image=image_index[kept.image],
        lesion=_renumber(kept.lesion, kept_lesions),
        lesion_image=image_index[matches.lesion_image[kept_lesions]],
        num_images=int(mask.sum()),
        fp_images=None if matches.fp_images is None else matches.fp_images[mask],
    )


def select_lesions(matches: Matches, which: npt.ArrayLike) -> Matches:
    """Only some of the lesions, on all images: a hit on another lesion is neither hit nor false positive.

    Args:
        matches: Detections matched to lesions.
        which: (g,) mask.

    Raises:
        MammoError: If the mask has another length.
    """
    mask = _mask(which, len(matches.lesion_image), 'lesions')
    others = np.append(~mask, False)[matches.lesion]  # index -1, no lesion, reads the appended entry
    return replace(
        matches,
        lesion=_renumber(np.where(others, -1, matches.lesion), mask),
        ignored=matches.ignored | others,
        lesion_image=matches.lesion_image[mask],
    )


def count_units(matches: Matches, units: npt.ArrayLike) -> Matches:
    """Count units (lesions over views, images, breasts, exams, patients) in place of lesion boxes.

    A unit is found as soon as any of its boxes is; further hits in it count neither way.

    Args:
        matches: Detections matched to lesions.
        units: (g,) unit of each lesion box, any label; see :func:`~mmmammo.evaluation.functional.lesion_units`.

    Returns:
        Matches whose lesions are the units, in order of their first box. The image of a unit is that of its first box,
        which serves to find its patient.

    Raises:
        MammoError: If there is not one unit per lesion box.
    """
    labels = np.asarray(units)
    if labels.shape != (len(matches.lesion_image),):
        raise MammoError(
            'units',
            field='shape',
            found=labels.shape,
            expected=f'({len(matches.lesion_image)},), one unit per lesion box',
            remedy='take the units from lesion_units()',
        )
    _, first_box, by_label = np.unique(labels, return_index=True, return_inverse=True)
    order = np.argsort(first_box)
    unit = np.argsort(order)[by_label]
    hits = np.flatnonzero(matches.is_true_positive)
    found, first_hit = np.unique(unit[matches.lesion[hits]], return_index=True)
    lesion, ignored = np.full_like(matches.lesion, -1), matches.ignored.copy()
    ignored[hits] = True
    lesion[hits[first_hit]] = found
    ignored[hits[first_hit]] = False
    return replace(matches, lesion=lesion, ignored=ignored, lesion_image=matches.lesion_image[first_box[order]])


def _renumber(lesion: IntArray, kept: BoolArray) -> IntArray:
    """Indices among the kept lesions; -1 stays."""
    return np.append(np.cumsum(kept) - 1, -1)[lesion]


def _mask(which: npt.ArrayLike | Sequence[Any], length: int, name: str) -> BoolArray:
    mask = np.asarray(which)
    if mask.shape != (length,) or (mask.dtype != np.bool_ and length):
        raise MammoError(
            f'choice of {name}',
            field='mask',
            found=f'{mask.dtype} of shape {mask.shape}',
            expected=f'bool of shape ({length},)',
            remedy=f'give one True or False per {name[:-1]}',
        )
    return mask.astype(np.bool_)
