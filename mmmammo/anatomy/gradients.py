"""Gradients of an image within the breast, for edges that a person sees as such at any brightness."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
Gradient = tuple[Field, Field]
"""Derivatives towards the right and down."""

_LEAST_CONTRAST = 0.004  # of the brightest tissue: fainter is noise even in a smooth image
_RIM = 7  # px of the outline of the breast that are no place for an edge within it


def brightness_root(image: Field, mask: npt.NDArray[np.bool_]) -> Field:
    """Root of the intensity, 1 at the bright end of the breast: one contrast for film-like and for linear images."""
    low, high = np.percentile(image[mask][::4], (0.5, 99)).tolist() if mask.any() else (0.0, 1.0)
    return np.asarray(np.sqrt(np.clip((image - low) / max(high - low, 1e-6), 0, 1)), dtype=np.float32)


def breast_gradient(level: Field, inside: Field, sigma: float) -> Gradient:
    """Derivatives of the mean over the breast within a Gaussian, times sigma so that scales compare.

    Args:
        level: (h, w).
        inside: (h, w) share of each pixel that is breast.
        sigma: Of the Gaussian, px.
    """
    weight = cv2.GaussianBlur(inside, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    blurred = cv2.GaussianBlur(level * inside, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    blurred = np.asarray(blurred / np.maximum(weight, 1e-3), dtype=np.float32)
    dx = cv2.Sobel(blurred, cv2.CV_32F, 1, 0, ksize=3, scale=sigma / 8, borderType=cv2.BORDER_REPLICATE)
    dy = cv2.Sobel(blurred, cv2.CV_32F, 0, 1, ksize=3, scale=sigma / 8, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(dx, dtype=np.float32), np.asarray(dy, dtype=np.float32)


def breast_core(inside: Field) -> npt.NDArray[np.bool_]:
    """The breast without its rim; where the image cuts the breast there is no rim."""
    kernel = np.ones((_RIM, _RIM), np.uint8)
    return cv2.erode((inside > 0.5).astype(np.uint8), kernel, borderType=cv2.BORDER_REPLICATE) > 0


def usual_size(values: npt.NDArray[np.floating]) -> float:
    """The size of gradient that counts as an edge, among these: well above the middle, well below the strongest."""
    middle, strong = np.percentile(values, (50, 99))
    return max(2 * float(middle), 0.5 * float(strong), _LEAST_CONTRAST)
