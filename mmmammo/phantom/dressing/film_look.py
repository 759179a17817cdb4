"""What a film scanner adds to a view: fog and grain of the film, labels, tape, edges and frames."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.phantom.exam import PhantomView

FloatImage = npt.NDArray[np.float32]

SIDES = ('left', 'top', 'right', 'bottom')
_FOG, _WHITE, _GRAIN = 0.05, 0.92, 0.006


def without_marker(view: PhantomView) -> FloatImage:
    """The breast alone: digital machines burn in what films have on labels."""
    breast = np.zeros(view.image.shape, dtype=np.uint8)
    cv2.fillPoly(breast, [np.rint(view.landmarks.contour).astype(np.int32)], 1)
    return np.where(cv2.dilate(breast, np.ones((9, 9), np.uint8)) > 0, view.image, np.float32(0))


def as_film(image: FloatImage, rng: np.random.Generator) -> FloatImage:
    """A view as a scanned film without anything beside the breast: grey where there was air, and grainy.

    Args:
        image: (h, w) in [0, 1].
        rng: Of the grain.
    """
    grain = rng.normal(scale=_GRAIN, size=image.shape)
    return np.clip(_FOG + image * (_WHITE - _FOG) + grain, 0, 1).astype(np.float32)


def stick_label(
    film: FloatImage, centre: tuple[float, float], size: tuple[float, float], text: str = 'R MLO', angle: float = 0
) -> FloatImage:
    """Stick a white label with dark letters on a film.

    Args:
        film: (h, w).
        centre: (x, y) in pixels; the label may reach over the border.
        size: (w, h) in pixels.
        text: Its letters.
        angle: Clockwise, in degrees.
    """
    width, height = max(round(size[0]), 1), max(round(size[1]), 1)
    card = np.full((height, width), 0.98, dtype=np.float32)
    scale = cv2.getFontScaleFromHeight(cv2.FONT_HERSHEY_SIMPLEX, max(round(0.4 * height), 3), 1)
    cv2.putText(card, text, (width // 12, round(0.7 * height)), cv2.FONT_HERSHEY_SIMPLEX, scale, 0.15, 1)
    return _laid_on(film, card, centre, angle)


def stick_tape(film: FloatImage, centre: tuple[float, float], size: tuple[float, float], angle: float) -> FloatImage:
    """Stick a grey strip of tape on a film; arguments as of :func:`stick_label`."""
    card = np.full((max(round(size[1]), 1), max(round(size[0]), 1)), 0.65, dtype=np.float32)
    return _laid_on(film, card, centre, angle)


def expose_edge(film: FloatImage, side: str, width: tuple[float, float], frame: int = 0) -> FloatImage:
    """A white strip where the film ends before the scanner does.

    Args:
        film: (h, w).
        side: One of :data:`SIDES`.
        width: In pixels at either end of the side; they differ where the film lay askew.
        frame: Pixels of black around the strip.
    """
    turns = SIDES.index(side)
    turned = np.rot90(film, turns).copy()
    strip = np.linspace(*width, turned.shape[0])[:, None]
    columns = np.arange(turned.shape[1])
    turned[(columns < strip + frame) & (strip > 0)] = 0.99
    turned[:, :frame] = 0
    return np.ascontiguousarray(np.rot90(turned, -turns))


def black_frame(film: FloatImage, width: int) -> FloatImage:
    """Black of the scanner on all sides of the film."""
    framed = np.zeros_like(film)
    framed[width:-width, width:-width] = film[width:-width, width:-width]
    return framed


def _laid_on(film: FloatImage, card: FloatImage, centre: tuple[float, float], angle: float) -> FloatImage:
    height, width = card.shape
    place = cv2.getRotationMatrix2D((width / 2, height / 2), -angle, 1)
    place[:, 2] += (centre[0] - width / 2, centre[1] - height / 2)
    size = film.shape[::-1]
    cover = cv2.warpAffine(np.ones_like(card), place, size, flags=cv2.INTER_NEAREST)
    return np.where(cover > 0, cv2.warpAffine(card, place, size, flags=cv2.INTER_NEAREST), film)
