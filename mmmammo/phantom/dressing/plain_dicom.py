"""An uncompressed mammogram with no more header than a download has; the dressings say the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, DigitalMammographyXRayImageStorageForPresentation, ExplicitVRLittleEndian


def write_plain(
    path: Path, image: npt.NDArray[np.float32], bits: int = 12, elements: Mapping[str, Any] | None = None
) -> None:
    """Write a view as MONOCHROME2; folders are made, equal arguments give equal bytes.

    Args:
        path: The file; its name makes the UIDs.
        image: (h, w) in [0, 1] as displayed.
        bits: Of a stored value; up to 8 are allocated as 8.
        elements: More of the header, by keyword.
    """
    stored = np.rint(image * (2**bits - 1))
    dataset = Dataset()
    dataset.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = made_uid(path.name, hashlib.sha256(stored.tobytes()).hexdigest())
    dataset.Modality = 'MG'
    dataset.PresentationIntentType = 'FOR PRESENTATION'
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = 'MONOCHROME2'
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated = 8 if bits <= 8 else 16
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, 0
    for keyword, value in (elements or {}).items():
        setattr(dataset, keyword, value)
    pixels = stored.astype('<u1' if bits <= 8 else '<u2').tobytes()
    dataset.PixelData = pixels + b'\0' * (len(pixels) % 2)
    dataset['PixelData'].VR = 'OB' if bits <= 8 else 'OW'
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


def made_uid(*words: object) -> UID:
    """A UUID-derived UID (root 2.25) that depends on the words only."""
    digest = hashlib.sha256(' '.join(map(str, words)).encode()).digest()
    return UID(f'2.25.{int.from_bytes(digest[:16], "big")}')
