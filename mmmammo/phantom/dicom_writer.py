"""A phantom view as a DICOM file that looks like a vendor's, except that it says what it is."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, DigitalMammographyXRayImageStorageForPresentation, ExplicitVRLittleEndian

from mmmammo.io.whole_files import written_whole
from mmmammo.phantom import voi
from mmmammo.phantom.exam import PhantomExam, PhantomView
from mmmammo.phantom.vendors import Vendor
from mmmammo.structures import Laterality, View

VIEW_CODES = {
    View.CC: {'SNM3': 'R-10242', 'SRT': 'R-10242', 'SCT': '399162004', 'meaning': 'cranio-caudal'},
    View.MLO: {'SNM3': 'R-10226', 'SRT': 'R-10226', 'SCT': '399368009', 'meaning': 'medio-lateral oblique'},
}
"""CID 4014, in the coding schemes met in practice."""
_BREAST_CODES = {'SNM3': 'T-04000', 'SRT': 'T-04000', 'SCT': '76752008', 'meaning': 'Breast'}
_ORIENTATION = {
    (Laterality.LEFT, View.CC): ['A', 'R'],
    (Laterality.LEFT, View.MLO): ['A', 'FR'],
    (Laterality.RIGHT, View.CC): ['P', 'L'],
    (Laterality.RIGHT, View.MLO): ['P', 'FL'],
}


def make_dataset(exam: PhantomExam, view: PhantomView) -> Dataset:
    """The DICOM dataset of one view, pixels compressed as the exam's vendor does; UIDs follow from seed and index."""
    dataset = Dataset()
    uid = _identify(dataset, exam, view)
    _describe_patient(dataset, exam)
    _describe_acquisition(dataset, exam, view)
    _describe_view(dataset, view, exam.vendor)
    _attach_pixels(dataset, view, exam.vendor)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    dataset.file_meta.MediaStorageSOPInstanceUID = uid
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if exam.vendor.transfer_syntax != ExplicitVRLittleEndian:
        dataset.compress(exam.vendor.transfer_syntax, generate_instance_uid=False)
    return dataset


def write_dicom(path: Path, exam: PhantomExam, view: PhantomView) -> None:
    """Write one view; the file appears whole or not at all."""
    dataset = make_dataset(exam, view)
    with written_whole(path, 'wb') as file:
        dataset.save_as(file, enforce_file_format=True)


def _uid(exam: PhantomExam, purpose: str) -> UID:
    """A UUID-derived UID (root 2.25) that depends on seed, index, size and purpose only."""
    shape = exam.views[0].image.shape
    digest = hashlib.sha256(f'mmmammo phantom {exam.seed} {exam.index} {shape} {purpose}'.encode()).digest()
    return UID(f'2.25.{int.from_bytes(digest[:16], "big")}')


def _identify(dataset: Dataset, exam: PhantomExam, view: PhantomView) -> UID:
    dataset.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = _uid(exam, view.name)
    dataset.StudyInstanceUID = _uid(exam, 'study')
    dataset.SeriesInstanceUID = _uid(exam, f'series {view.name}')
    dataset.StudyID = str(exam.index)
    dataset.AccessionNumber = f'PHANTOM{exam.index:05d}'
    dataset.SeriesNumber = dataset.InstanceNumber = 1 + [x.name for x in exam.views].index(view.name)
    dataset.StudyDate = dataset.ContentDate = dataset.AcquisitionDate = '20200101'
    dataset.StudyTime = dataset.ContentTime = dataset.AcquisitionTime = '120000'
    return dataset.SOPInstanceUID


def _describe_patient(dataset: Dataset, exam: PhantomExam) -> None:
    dataset.PatientName = f'PHANTOM^SYNTHETIC {exam.index:05d}'
    dataset.PatientID = exam.patient_id
    dataset.PatientBirthDate = ''
    dataset.PatientSex = 'F'
    dataset.PatientAge = f'{exam.woman.age:03d}Y'
    dataset.PatientComments = 'Synthetic image of the mmmammo phantom; no person was imaged'


def _describe_acquisition(dataset: Dataset, exam: PhantomExam, view: PhantomView) -> None:
    vendor, breast = exam.vendor, view.projection.breast
    dataset.Modality = 'MG'
    dataset.PresentationIntentType = 'FOR PRESENTATION'
    dataset.ImageType = ['ORIGINAL', 'PRIMARY']
    dataset.Manufacturer = vendor.name
    dataset.ManufacturerModelName = vendor.model_name
    dataset.SoftwareVersions = 'mmmammo phantom'
    dataset.StudyDescription = 'PHANTOM SCREENING'
    dataset.ReferringPhysicianName = ''
    dataset.BodyPartExamined = 'BREAST'
    dataset.BodyPartThickness = f'{breast.thickness:.1f}'
    dataset.PositionerType = 'MAMMOGRAPHIC'
    dataset.PositionerPrimaryAngle = f'{view.angle_deg:.0f}'
    dataset.ImagerPixelSpacing = [f'{view.projection.spacing_mm:.8g}'] * 2
    dataset.BreastImplantPresent = 'NO'
    dataset.BurnedInAnnotation = 'YES' if vendor.marker else 'NO'
    dataset.QualityControlImage = 'NO'


def _describe_view(dataset: Dataset, view: PhantomView, vendor: Vendor) -> None:
    dataset.ViewPosition = str(view.view)
    dataset.ImageLaterality = str(view.laterality)
    dataset.PatientOrientation = _ORIENTATION[view.laterality, view.view]
    code = _code(VIEW_CODES[view.view], vendor.view_codes)
    code.ViewModifierCodeSequence = Sequence()
    dataset.ViewCodeSequence = Sequence([code])
    dataset.AnatomicRegionSequence = Sequence([_code(_BREAST_CODES, vendor.view_codes)])


def _code(codes: dict[str, str], scheme: str) -> Dataset:
    item = Dataset()
    item.CodeValue = codes[scheme]
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = codes['meaning']
    return item


def _attach_pixels(dataset: Dataset, view: PhantomView, vendor: Vendor) -> None:
    stored = voi.store(view.image, vendor)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = 'MONOCHROME1' if vendor.inverted else 'MONOCHROME2'
    dataset.PresentationLUTShape = 'INVERSE' if vendor.inverted else 'IDENTITY'
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, vendor.bits_stored, vendor.bits_stored - 1
    dataset.PixelRepresentation = 0
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = 'LOG', 1 if vendor.inverted else -1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = '0', '1', 'US'
    dataset.LossyImageCompression = '00'
    if vendor.padding:
        dataset.PixelPaddingValue = 0
        dataset.PixelPaddingRangeLimit = voi.PADDING_LIMIT
    voi.declare(dataset, vendor)
    dataset.PixelData = stored.astype('<u2').tobytes()
    dataset['PixelData'].VR = 'OW'
