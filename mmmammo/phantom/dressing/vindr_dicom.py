"""DICOM files as the de-identification of VinDr-Mammo leaves them.

A list of tags was kept: no SOPClassUID, no patient, no date. UIDs are MD5 digests, and the file meta information names
the made-up class ``1.2.3.4``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from mmmammo.phantom import voi
from mmmammo.phantom.exam import PhantomView
from mmmammo.phantom.marker import burn_marker
from mmmammo.phantom.vendors import Vendor

_NATIVE = ExplicitVRLittleEndian
SIEMENS = Vendor('SIEMENS', 'Mammomat Inspiration', 12, False, _NATIVE, 'linear', 'SRT', False, True, 0.3, 1.0)
PLANMED = Vendor('Planmed', 'Planmed Nuance', 14, True, _NATIVE, 'identity', 'SRT', False, False, 0.3, 1.0)
IMS = Vendor('IMS s.r.l.', 'GIOTTO CLASS', 12, False, _NATIVE, 'linear', 'SRT', True, False, 0.3, 1.0)
GIOTTO = Vendor('IMS GIOTTO S.p.A.', 'GIOTTO IMAGE 3DL', 12, False, _NATIVE, 'lut', 'SRT', False, False, 0.3, 1.0)
MACHINES = (SIEMENS, PLANMED, IMS, GIOTTO)
"""The vendors of the download. Which of them has a VOI LUT is not known; it is given to the rarest."""

_DUMMY = UID('1.2.3.4')


def shown(view: PhantomView, machine: Vendor) -> npt.NDArray[np.float32]:
    """The image as displayed, with the name of the view where this vendor burns it in."""
    if not machine.marker:
        return view.image
    return burn_marker(view.image, view.laterality, view.view, view.projection.spacing_mm)


@disable_value_validation()  # a digest is no valid UID
def write_vindr(
    path: Path, view: PhantomView, machine: Vendor, cells: Mapping[str, str], age: str, intent: str
) -> None:
    """Write one view.

    Args:
        path: The file.
        view: What it shows.
        machine: Its vendor.
        cells: Of the table of breasts: the ids.
        age: As DICOM writes it, or ''.
        intent: ``PresentationIntentType``.
    """
    dataset = Dataset()
    dataset.SOPInstanceUID = cells['image_id']
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = cells['study_id'], cells['series_id']
    dataset.Modality = 'MG'
    dataset.PresentationIntentType = intent
    dataset.Manufacturer, dataset.ManufacturerModelName = machine.name, machine.model_name
    if age:
        dataset.PatientAge = age
    dataset.BodyPartExamined = 'BREAST'
    dataset.ViewPosition, dataset.ImageLaterality = str(view.view), str(view.laterality)
    dataset.ImagerPixelSpacing = [f'{view.projection.spacing_mm:.8g}'] * 2
    _attach_pixels(dataset, voi.store(shown(view, machine), machine), machine)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.file_meta.ImplementationClassUID = _DUMMY
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(cells['image_id'])
    dataset.file_meta.TransferSyntaxUID = _NATIVE
    dataset.save_as(path, enforce_file_format=True)


def _attach_pixels(dataset: Dataset, stored: npt.NDArray[np.uint16], machine: Vendor) -> None:
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = 'MONOCHROME1' if machine.inverted else 'MONOCHROME2'
    dataset.PresentationLUTShape = 'INVERSE' if machine.inverted else 'IDENTITY'
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, machine.bits_stored, machine.bits_stored - 1
    dataset.PixelRepresentation = 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = '0', '1', 'US'
    if machine.padding:
        dataset.PixelPaddingValue, dataset.PixelPaddingRangeLimit = 0, voi.PADDING_LIMIT
    voi.declare(dataset, machine)
    if machine is IMS:
        dataset.WindowCenter = [dataset.WindowCenter, 900]
        dataset.WindowWidth = [dataset.WindowWidth, 500]
        dataset.WindowCenterWidthExplanation = ['NORMAL', 'HARDER']
    dataset.PixelData = stored.astype('<u2').tobytes()
    dataset['PixelData'].VR = 'OW'
