"""Source files as they lie on a user's disk: tiny breasts as PNG and DICOM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

SIZE = (256, 200)
_MAMMOGRAPHY = '1.2.840.10008.5.1.4.1.1.1.2'


def draw_breast(laterality: str = 'L', size: tuple[int, int] = SIZE, seed: int = 0) -> npt.NDArray[np.uint16]:
    """A textured half ellipse of 12 bits on black: a left breast points right, a right breast left."""
    height, width = size
    y, x = np.mgrid[:height, :width] + 0.5
    radius = np.hypot(x / (0.8 * width), (y - height / 2) / (0.4 * height))
    texture = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=size), (0, 0), 2)
    tissue = 1500 + 1500 * np.clip(1 - radius, 0, 1) + 400 * texture
    image = np.where(radius <= 1, tissue, 0).clip(0, 4095).astype(np.uint16)
    return image if laterality == 'L' else np.ascontiguousarray(image[:, ::-1])


def write_png(path: Path, pixels: npt.NDArray[Any]) -> Path:
    """Write an 8- or 16-bit PNG; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)
    return path


def write_dicom(path: Path, pixels: npt.NDArray[np.uint16], **tags: Any) -> Path:
    """Write an uncompressed mammogram of 12 bits, left CC unless the tags say otherwise; ``None`` leaves a tag out."""
    defaults = {
        'SOPClassUID': _MAMMOGRAPHY,
        'SOPInstanceUID': generate_uid(entropy_srcs=[str(path)]),
        'Modality': 'MG',
        'PresentationIntentType': 'FOR PRESENTATION',
        'ImageLaterality': 'L',
        'ViewPosition': 'CC',
        'Rows': pixels.shape[-2],
        'Columns': pixels.shape[-1],
        'SamplesPerPixel': 1,
        'PhotometricInterpretation': 'MONOCHROME2',
        'BitsAllocated': 16,
        'BitsStored': 12,
        'HighBit': 11,
        'PixelRepresentation': 0,
        'PixelData': pixels.astype('<u2').tobytes(),
    }
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword, value in (defaults | tags).items():
        if value is not None:
            setattr(dataset, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path
