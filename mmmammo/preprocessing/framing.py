"""Which part of an image a network of fixed input sees: resized to a width, cut, turned, or cut round a point.

Every function keeps the affine that leads from the image it was given to the one it makes.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.structures import Affine

Image = npt.NDArray[np.float32]
Size = tuple[int, int]
"""(width, height)."""


def resize_to_width(image: Image, width: int) -> tuple[Image, Affine]:
    """Resize to a width, the aspect kept up to the rounding of the height; shrunk by area, enlarged linearly.

    Args:
        image: (h, w).
        width: In pixels.
    """
    height, old_width = image.shape
    if old_width == width:
        return image, Affine.identity()
    new_height = max(round(height * width / old_width), 1)
    how = cv2.INTER_AREA if width < old_width else cv2.INTER_LINEAR
    resized = cv2.resize(image, (width, new_height), interpolation=how).astype(np.float32, copy=False)
    return resized, Affine.scaling(width / old_width, new_height / height)


def cut_window(image: Image, corner: tuple[int, int], size: Size) -> Image:
    """A copy of a window; 0 where it lies beyond the image.

    Args:
        image: (h, w).
        corner: Upper left (x, y) in whole pixels, possibly negative.
        size: Of the window.
    """
    (x, y), (width, height) = corner, size
    window = np.zeros((height, width), dtype=image.dtype)
    left, top = max(x, 0), max(y, 0)
    part = image[top : max(y + height, top), left : max(x + width, left)]
    window[top - y : top - y + part.shape[0], left - x : left - x + part.shape[1]] = part
    return window


def centre_corner(image_size: Size, size: Size) -> tuple[int, int]:
    """Corner of the central window; negative where the window is larger."""
    return (image_size[0] - size[0]) // 2, (image_size[1] - size[1]) // 2


def overview(image: Image, width: int, size: Size) -> tuple[Image, Affine]:
    """What the Holistic model sees at test time: resized to ``width``, the centre cut out.

    Args:
        image: (h, w).
        width: To resize to.
        size: Of the cut.
    """
    resized, scaling = resize_to_width(image, width)
    x, y = centre_corner((width, len(resized)), size)
    return cut_window(resized, (x, y), size), Affine.translation(-x, -y) @ scaling


def random_rigid(
    image_size: Size, size: Size, margin: int, degrees: float, mirror_prob: float, rng: np.random.Generator
) -> Affine:
    """Pad, mirror, rotate and cut at random, in one map (paper 4's training view).

    The image lies in the middle of a black canvas that is ``margin`` larger than the window on each side (or as large
    as the image); it is mirrored, turned about its middle, and a window of the canvas is drawn.

    Args:
        image_size: Of the image.
        size: Of the window.
        margin: In pixels.
        degrees: Largest angle, either way.
        mirror_prob: Chance of a left-right mirror.
        rng: Source of all draws.

    Returns:
        Window from image.
    """
    mirrored, angle = rng.random() < mirror_prob, math.radians(rng.uniform(-degrees, degrees))
    middle = np.array(image_size) / 2
    canvas = np.maximum(image_size, np.array(size) + 2 * margin)
    corner = rng.integers(canvas - np.array(size) + 1) - (canvas - np.array(image_size)) / 2
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = Affine(np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]))
    about = Affine.translation(*middle) @ turn @ Affine.translation(*-middle)
    flip = Affine.mirror(image_size[0]) if mirrored else Affine.identity()
    return Affine.translation(*-corner) @ about @ flip


def warp(image: Image, affine: Affine, size: Size) -> Image:
    """The image after an affine, linear between pixels, 0 beyond the image.

    Args:
        image: (h, w).
        affine: Result from image, in continuous coordinates.
        size: Of the result.
    """
    half = Affine.translation(0.5, 0.5)  # pixel centres lie at + 0.5 in our coordinates and at integers in OpenCV's
    matrix = (half.inverse() @ affine @ half).matrix[:2]
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR).astype(np.float32, copy=False)
