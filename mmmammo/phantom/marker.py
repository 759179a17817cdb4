"""The view marker that some vendors burn into the air beside the breast."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.structures import Laterality, View


def burn_marker(
    image: npt.NDArray[np.float32], laterality: Laterality, view: View, spacing_mm: float
) -> npt.NDArray[np.float32]:
    """Write, for example, ``L-MLO`` in the upper corner away from the chest wall; returns a new image."""
    text, height_mm, margin_mm = f'{laterality}-{view}', 4.0, 4.0
    thickness = max(round(0.5 / spacing_mm), 1)
    scale = cv2.getFontScaleFromHeight(cv2.FONT_HERSHEY_SIMPLEX, max(round(height_mm / spacing_mm), 6), thickness)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    margin = round(margin_mm / spacing_mm)
    x = margin if laterality is Laterality.RIGHT else image.shape[1] - margin - width
    ink = np.zeros(image.shape, dtype=np.uint8)
    cv2.putText(ink, text, (x, margin + height), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thickness, cv2.LINE_AA)
    return np.maximum(image, np.where(image > 0, 0, ink).astype(np.float32) / 255)
