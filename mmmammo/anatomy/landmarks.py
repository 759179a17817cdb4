"""Contour, nipple and pectoral line of a mammogram."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.anatomy.contour import no_breast, paper_contour, trace_mask
from mmmammo.anatomy.errors import LandmarkError
from mmmammo.anatomy.lines import chord_or_projection, downward
from mmmammo.anatomy.nipple import find_nipple, paper_nipple
from mmmammo.anatomy.pectoral_hough import paper_pectoral_line
from mmmammo.anatomy.pectoral_line import LineFound, chest_wall_line, find_pectoral_line
from mmmammo.preprocessing.breast_mask import Mask, as_grey, wall_is_left
from mmmammo.preprocessing.small_copy import SmallCopy
from mmmammo.structures import Affine, BreastLandmarks, Laterality, View

Small = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

OBLIQUE_VIEWS = (View.MLO, View.LMO)
"""Projections that show the muscle as a triangle; all others have the chest-wall edge for a pectoral line."""

_OTHER_VIEW_FACTOR = 0.6  # confidence in the chest-wall edge where the projection is not CC
_LEAST_AREA = 0.005  # of the image: less is not a breast
_SMALL_AREA = 0.05
_WHOLE_IMAGE = 0.97


def detect_landmarks(
    image: npt.NDArray[np.floating], laterality: Laterality | str, view: View | str, method: str = 'robust'
) -> BreastLandmarks:
    """Find contour, nipple and pectoral line.

    A right breast is mirrored, worked on as a left one and mirrored back. The work is done on an image averaged down
    to at most 1024 pixels a side. See docs/landmarks.md for the two methods and for what a confidence means.

    Args:
        image: (h, w), breast bright on dark, as displayed: a left breast points right, a right breast left.
        laterality: ``'L'`` or ``'R'``.
        view: MLO and LMO have a pectoral line along the muscle; in any other view it is the chest-wall edge of
            the breast, and outside of CC the confidence in it is lower.
        method: ``'robust'``, or ``'paper'`` for the third paper's own recipe.

    Returns:
        In continuous coordinates of the image. ``found_by`` names each part's way, ``fallback_…`` where it was not
        seen and a rule of thumb stands in; the confidence of such a part is low.

    Raises:
        LandmarkError: If side, view or method are none of the above, or no breast is in the image.
        MammoError: If the image is not (h, w).
    """
    if Laterality.parse(laterality) is not Laterality.RIGHT:
        return landmarks_of(SmallCopy.of(image), laterality, view, method)
    grey = as_grey(image)
    found = landmarks_of(SmallCopy.of(np.asarray(cv2.flip(grey, 1))), Laterality.LEFT, view, method)
    return found.transformed(Affine.mirror(grey.shape[1]))


def landmarks_of(
    small: SmallCopy, laterality: Laterality | str, view: View | str, method: str = 'robust'
) -> BreastLandmarks:
    """:func:`detect_landmarks` for an image whose small copy is there already.

    Args:
        small: Copy of the image.
        laterality: See there.
        view: See there.
        method: See there.

    Returns:
        In pixels of the image, not of the copy.
    """
    side, projection = Laterality.parse(laterality), View.parse(view)
    _check(side, projection, laterality, view, method)
    if side is not Laterality.RIGHT:
        return _METHODS[method](small.pixels, small.breast, projection).transformed(Affine.scaling(small.factor))
    mirrored, mask = np.ascontiguousarray(small.pixels[:, ::-1]), np.ascontiguousarray(small.breast[:, ::-1])
    back = Affine.scaling(small.factor) @ Affine.mirror(mirrored.shape[1])
    return _METHODS[method](mirrored, mask, projection).transformed(back)


def _check(side: Laterality, projection: View, laterality: object, view: object, method: str) -> None:
    """Refuse requests that have no answer."""
    if side is Laterality.UNKNOWN:
        raise LandmarkError(
            'detect_landmarks',
            field='laterality',
            found=repr(str(laterality)),
            expected="'L' or 'R'",
            remedy='take it from the file, or from preprocessing.breast_side(image)',
        )
    if projection in (View.SPECIMEN, View.UNKNOWN):
        raise LandmarkError(
            'detect_landmarks',
            field='view',
            found=repr(str(view)),
            expected='a projection of the breast, such as CC or MLO',
            remedy='take it from the file, or leave this image out',
        )
    if method not in _METHODS:
        raise LandmarkError(
            'detect_landmarks',
            field='method',
            found=repr(method),
            expected=' or '.join(map(repr, _METHODS)),
            remedy='use one of these',
        )


def _robust(small: Small, mask: Mask, view: View) -> BreastLandmarks:
    """Contour of the breast mask; line along the edge of the muscle; nipple far from the line where the skin bulges."""
    if mask.mean() < _LEAST_AREA:
        raise no_breast(small)
    contour = trace_mask(mask)
    found = find_pectoral_line(small, mask, contour) if view in OBLIQUE_VIEWS else _edge_line(contour, view)
    line = chord_or_projection(contour, found.line[0], downward(found.line))
    nipple = find_nipple(contour, line, mask.shape)
    return _assembled(
        contour,
        nipple.point,
        line,
        confidences=(_contour_confidence(mask), nipple.confidence, found.confidence),
        found_by=('mask', nipple.found_by, found.found_by),
        pectoral_edge=found.edge,
    )


def _paper(small: Small, mask: Mask, view: View) -> BreastLandmarks:
    """Items 1 to 4 of the third paper's pipeline; the line in an MLO view runs from y = 0 to y = h."""
    if not float(small.max()) > float(small.min()):
        raise no_breast(small)
    oblique = view in OBLIQUE_VIEWS
    contour = paper_contour(small, 'MLO' if oblique else 'CC')
    found = paper_pectoral_line(small) if oblique else _edge_line(contour, view)
    nipple = paper_nipple(contour, 'MLO' if oblique else 'CC', small.shape)
    return _assembled(
        contour,
        nipple.point,
        found.line,
        confidences=(_agreement(contour, mask), nipple.confidence, found.confidence),
        found_by=('otsu_bspline', nipple.found_by, found.found_by),
    )


_METHODS: dict[str, Callable[[Small, Mask, View], BreastLandmarks]] = {'robust': _robust, 'paper': _paper}


def _edge_line(contour: Points, view: View) -> LineFound:
    """The chest-wall edge, less trusted in projections that are not CC."""
    found = chest_wall_line(contour)
    factor = 1.0 if view is View.CC else _OTHER_VIEW_FACTOR
    return LineFound(found.line, found.found_by, factor * found.confidence)


def _contour_confidence(mask: Mask) -> float:
    """Lower for a breast that is tiny, that leaves no background, or that faces the other way."""
    share = float(mask.mean())
    confidence = 0.95 * min(share / _SMALL_AREA, 1.0)
    if share > _WHOLE_IMAGE:
        confidence *= 0.3
    if not wall_is_left(mask):
        confidence *= 0.3
    return confidence


def _agreement(contour: Points, mask: Mask) -> float:
    """Confidence in a contour: that in the breast mask times their overlap (intersection over union)."""
    drawn = np.zeros(mask.shape, dtype=np.uint8)
    cv2.fillPoly(drawn, [np.round(contour - 0.5).astype(np.int32)], 1)
    union = int((mask | (drawn > 0)).sum())
    return _contour_confidence(mask) * int((mask & (drawn > 0)).sum()) / max(union, 1)


def _assembled(
    contour: Points,
    nipple: Points,
    line: Points,
    confidences: tuple[float, float, float],
    found_by: tuple[str, str, str],
    pectoral_edge: Points | None = None,
) -> BreastLandmarks:
    """The parts as one; the whole is as sure as its least sure part."""
    parts = ('contour', 'nipple', 'pectoral_line')
    rounded = {part: round(value, 3) for part, value in zip(parts, confidences, strict=True)}
    return BreastLandmarks(
        contour=contour,
        nipple=nipple,
        pectoral_line=line,
        confidence=min(rounded.values()),
        part_confidence=rounded,
        found_by=dict(zip(parts, found_by, strict=True)),
        pectoral_edge=pectoral_edge,
    )
