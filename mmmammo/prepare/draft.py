"""An image on its way from source pixels to prepared pixels, and the steps that move or change them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.anatomy.landmarks import OBLIQUE_VIEWS
from mmmammo.prepare.findings import fits
from mmmammo.prepare.options import PrepareOptions
from mmmammo.preprocessing import SmallCopy, orient_chest_left, remove_pectoral
from mmmammo.preprocessing.clahe import clahe
from mmmammo.preprocessing.rsna_recipe import rsna_box, rsna_muscle
from mmmammo.structures import Affine, BreastLandmarks, Laterality, MammoError, View

FloatImage = npt.NDArray[np.floating]

_CLAHE_TILES = 8


@dataclass(frozen=True, eq=False)
class Draft:
    """Pixels and the map to them.

    Args:
        pixels: (h, w) in [0, 1].
        boxes: (n, 4) findings, xyxy in source pixels.
        affine: Pixel of ``pixels`` from source pixel.
        landmarks: In ``pixels``.
    """

    pixels: FloatImage
    boxes: npt.NDArray[np.float64]
    affine: Affine
    landmarks: BreastLandmarks | None = None


def cut(draft: Draft, small: SmallCopy, edge: Laterality, options: PrepareOptions) -> Draft:
    """Cut to the breast if that is wanted, and mirror to have the chest wall on the left.

    A crop that would cut a finding is not made: an annotation is surer than our idea of the breast.

    Args:
        draft: In source pixels, without landmarks.
        small: Copy of the source.
        edge: Side of the image on which the chest wall lies.
        options: Of the set.
    """
    whole = (0, 0, *draft.pixels.shape[::-1])
    if not options.crop:
        return _cut_to(whole, draft, edge)
    box = rsna_box(draft.pixels) if options.crop_method == 'rsna' else small.box()
    boxes = Affine.translation(-float(box[0]), -float(box[1])).boxes(draft.boxes)
    return _cut_to(box if fits(boxes, (box[3] - box[1], box[2] - box[0])) else whole, draft, edge)


def _cut_to(box: tuple[int, ...], draft: Draft, edge: Laterality) -> Draft:
    """The part (x1, y1, x2, y2) of an image, with the chest wall on the left."""
    x1, y1, x2, y2 = box
    image, turned = orient_chest_left(draft.pixels[y1:y2, x1:x2], edge)
    return replace(draft, pixels=image, affine=turned @ Affine.translation(-float(x1), -float(y1)) @ draft.affine)


def without_muscle(draft: Draft, view: View, options: PrepareOptions) -> tuple[Draft, str]:
    """Blank the pectoral muscle of an oblique view.

    As with the crop, a finding is surer than the line: a muscle with a finding in it stays.

    Returns:
        The draft, and a warning if the muscle is still there.
    """
    if view not in OBLIQUE_VIEWS:
        return draft, '' if view is not View.UNKNOWN else 'unknown view: no pectoral muscle removed'
    pixels, reason = _blanked(draft, options)
    if pixels is None:
        return draft, f'pectoral muscle not removed: {reason}'
    for box in draft.affine.boxes(draft.boxes):
        x1, y1, x2, y2 = np.round(box).astype(int).clip(0).tolist()
        if not np.array_equal(pixels[y1:y2, x1:x2], draft.pixels[y1:y2, x1:x2]):
            return draft, 'pectoral muscle not removed: an annotation reaches into it'
    return replace(draft, pixels=pixels), ''


def _blanked(draft: Draft, options: PrepareOptions) -> tuple[FloatImage | None, str]:
    """The pixels without muscle, or why there are none."""
    if options.pectoral_method == 'rsna':
        muscle = rsna_muscle(draft.pixels)
        if muscle is None:
            return None, 'no line by the recipe of paper 2'
        return np.where(muscle, np.asarray(options.pectoral_fill, draft.pixels.dtype), draft.pixels), ''
    if draft.landmarks is None:
        return None, 'no landmarks'
    return remove_pectoral(draft.pixels, draft.landmarks, options.pectoral_fill), ''


def scaled(draft: Draft, options: PrepareOptions, source_height: int, spacing_mm: float | None, where: str) -> Draft:
    """Shrink as the options say; never enlarge.

    Args:
        draft: At the resolution of the source.
        options: Of the set.
        source_height: Of the source, in pixels.
        spacing_mm: Of the source, if it is known.
        where: The file, for the complaint.

    Raises:
        MammoError: If a spacing is wanted and the source has none.
    """
    factor = _factor(draft, options, source_height, spacing_mm, where)
    if factor >= 1:
        return draft
    height, width = draft.pixels.shape
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = np.asarray(cv2.resize(draft.pixels, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    small = small.clip(0, 1)  # the mean of equal values may exceed them by a bit
    affine = Affine.scaling(size[0] / width, size[1] / height)
    landmarks = draft.landmarks and draft.landmarks.transformed(affine)
    return replace(draft, pixels=small, affine=affine @ draft.affine, landmarks=landmarks)


def equalised(draft: Draft, clip_limit: float) -> Draft:
    """Bake CLAHE of 8 x 8 tiles into the pixels."""
    return replace(draft, pixels=clahe(draft.pixels, clip_limit, _CLAHE_TILES))


def _factor(draft: Draft, options: PrepareOptions, source_height: int, spacing_mm: float | None, where: str) -> float:
    if options.height is not None:
        return options.height / source_height
    if options.long_side is not None:
        return options.long_side / max(draft.pixels.shape)
    if options.spacing is None:
        return 1.0 if options.scale is None else options.scale
    if spacing_mm is None:
        raise MammoError(
            where,
            field='pixel spacing',
            found='none',
            expected='the size of a pixel, which --spacing needs',
            remedy='prepare with --height, --scale or --long-side instead',
        )
    return spacing_mm / options.spacing
