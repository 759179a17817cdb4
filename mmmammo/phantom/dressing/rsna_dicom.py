"""DICOM files as RSNA's challenge has them: compressed, with 26 elements that hardly say what they show.

The header of site 2 is that of a public file; that of site 1 was never printed, and is taken to differ in what is known
of it: JPEG Lossless and MONOCHROME1.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLosslessSV1

from mmmammo.phantom import voi
from mmmammo.phantom.jpeg_lossless import encode_jpeg_lossless
from mmmammo.phantom.vendors import Vendor

SITE_1 = Vendor('site 1', '49', 12, True, JPEGLosslessSV1, 'identity', 'SRT', False, False, 0.3, 1.0)
SITE_2 = Vendor('site 2', '21', 12, False, JPEG2000Lossless, 'identity', 'SRT', False, False, 0.3, 1.0)

_RADIOGRAPH = UID('1.2.840.10008.5.1.4.1.1.1.1')
_ROOT = '1.2.840.10009.1.2.3'


def write_rsna(
    path: Path,
    stored: npt.NDArray[np.uint16],
    machine: Vendor,
    cells: Mapping[str, str],
    elements: Mapping[str, Any],
) -> None:
    """Write one image.

    Args:
        path: The file.
        stored: (h, w), of as many bits as the machine stores.
        machine: Of its site.
        cells: Of its row.
        elements: What the header says instead, by keyword; ``None`` leaves an element out.
    """
    patient, image = cells['patient_id'], cells['image_id']
    dataset = Dataset()
    dataset.SOPInstanceUID = f'{_ROOT}.{patient}.1.{image}'
    dataset.ContentDate, dataset.ContentTime = '20221118', '120000.000000'
    dataset.PatientID = patient
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f'{_ROOT}.{patient}', f'{_ROOT}.{patient}.1'
    dataset.InstanceNumber = image
    dataset.ImageLaterality = cells['laterality']
    _describe_pixels(dataset, stored, machine)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = _RADIOGRAPH
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.ImplementationClassUID = UID('1.2.840.113654.2.3.1995.2.12.0')
    dataset.file_meta.ImplementationVersionName = 'PYDICOM 2.3.0'
    _compress(dataset, stored, machine)
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path, enforce_file_format=True)


def _describe_pixels(dataset: Dataset, stored: npt.NDArray[np.uint16], machine: Vendor) -> None:
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = 'MONOCHROME1' if machine.inverted else 'MONOCHROME2'
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, machine.bits_stored, machine.bits_stored - 1
    dataset.PixelRepresentation = 0
    dataset.PixelPaddingValue = 2**machine.bits_stored - 1 if machine.inverted else 0
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = 'LOG', 1
    voi.declare(dataset, machine)
    if dataset.VOILUTFunction == 'LINEAR':
        del dataset.VOILUTFunction
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = '0', '1', 'US'
    dataset.PartialView = 'NO'
    dataset.LossyImageCompression = '00'


def _compress(dataset: Dataset, stored: npt.NDArray[np.uint16], machine: Vendor) -> None:
    if machine.transfer_syntax == JPEGLosslessSV1:
        dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
        dataset.PixelData = encapsulate([encode_jpeg_lossless(stored, machine.bits_stored)])
        dataset['PixelData'].VR = 'OB'
        return
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.PixelData = stored.astype('<u2').tobytes()
    dataset['PixelData'].VR = 'OW'
    dataset.compress(machine.transfer_syntax, generate_instance_uid=False)
