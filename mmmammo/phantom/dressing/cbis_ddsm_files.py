"""Where the files of a dressed CBIS-DDSM lie in each layout, and what is in them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ImplicitVRLittleEndian, SecondaryCaptureImageStorage

from mmmammo.phantom.dressing.plain_dicom import made_uid

LAYOUTS = ('A', 'B', 'C', 'D', 'kaggle')
FULL, CROP, MASK = 'full mammogram images', 'cropped images', 'ROI mask images'
_ROOT = '1.3.6.1.4.1.9590.100.1.2.'
_MANIFEST = 'manifest-ZkhPvrLo5216730872708713142'
_METADATA = (
    *('Series UID', 'Collection', '3rd Party Analysis', 'Data Description URI', 'Subject ID', 'Study UID'),
    *('Study Description', 'Study Date', 'Series Description', 'Manufacturer', 'Modality', 'SOP Class Name'),
    *('SOP Class UID', 'Number of Images', 'File Size', 'File Location', 'Download Timestamp'),
)
_DICOM_INFO = ('file_path', 'image_path', 'BitsAllocated', 'InstanceNumber', 'PatientID', 'SeriesDescription')

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class File:
    """One file of the download.

    Args:
        case: Its case folder.
        study: What makes its study UID.
        series: What makes its series UID.
        number: Of the file in the series, from 0.
        count: Of the files in the series.
        description: Of the series.
        pixels: 8 or 16 bits.
        keeps: How many of its bytes there are; all by default.
    """

    case: str
    study: str
    series: str
    number: int
    count: int
    description: str
    pixels: Pixels
    keeps: int | None = None

    @property
    def study_uid(self) -> str:
        """Of the form that the collection has."""
        return _uid(self.study)

    @property
    def series_uid(self) -> str:
        """Likewise."""
        return _uid(self.series)

    @property
    def in_table(self) -> str:
        """Its cell of a path column."""
        return f'{self.case}/{self.study_uid}/{self.series_uid}/{self.number:06}.dcm'

    def path(self, layout: str) -> str:
        """Relative to the download."""
        study, series = self.study_uid[-5:], self.series_uid[-5:]
        if layout == 'A':
            return f'CBIS-DDSM/{self.in_table}'
        if layout == 'B':
            folders = f'10-04-2016-DDSM-{study}/1-{self.description}-{series}'
            return f'CBIS-DDSM/{self.case}/{folders}/{self.number:06}.dcm'
        if layout == 'C':
            folders = f'07-20-2016-DDSM-NA-{study}/1.000000-{self.description}-{series}'
            return f'{_MANIFEST}/CBIS-DDSM/{self.case}/{folders}/1-{self.number + 1}.dcm'
        if layout == 'D':
            return f'CBIS-DDSM/{self._chosen_folder}/{self.number + 1:08}.dcm'
        return f'jpeg/{self.series_uid}/{self.number + 1}-{100 + int(self.series_uid[-2:]):03}.jpg'

    @property
    def _chosen_folder(self) -> str:
        """Layout D has three kinds of names: a UID, one that only ``metadata.csv`` explains, one that nothing does."""
        kind = int(self.series_uid[-3:]) % 3
        return (self.series_uid, f'{self.case}/series-{self.series_uid[-4:]}', f'download-{self.series_uid[-7:]}')[kind]

    @property
    def is_listed(self) -> bool:
        """Whether ``metadata.csv`` of layout D has it."""
        return int(self.series_uid[-3:]) % 3 == 1


def write_files(out: Path, files: Sequence[File], layout: str) -> None:
    """Write them, and what lies beside them in this layout."""
    for file in files:
        path = out / file.path(layout)
        path.parent.mkdir(parents=True, exist_ok=True)
        if layout == 'kaggle':
            _write_jpeg(path, file.pixels)
        else:
            _dataset(file).save_as(path, enforce_file_format=True)
        if file.keeps is not None:
            path.write_bytes(path.read_bytes()[: file.keeps])
    first = list({file.series: file for file in reversed(files)}.values())[::-1]
    if layout == 'C':
        (out / _MANIFEST / 'LICENSE').write_text('invented\n')
        _write_table(out / _MANIFEST / 'metadata.csv', _METADATA, [_metadata_row(file, layout) for file in first], '\n')
    elif layout == 'D':
        # Written by a retriever on Windows, and every value from the third on one column early.
        rows = [[v.replace('/', '\\') for v in _metadata_row(file, layout)] for file in first if file.is_listed]
        _write_table(out / 'metadata.csv', _METADATA, [row[:2] + row[3:] for row in rows], '\r\n')
    elif layout == 'kaggle':
        _write_table(out / 'csv' / 'dicom_info.csv', _DICOM_INFO, [_info_row(file) for file in files], '\r\n')
        header = ('SeriesInstanceUID', 'StudyInstanceUID', 'Modality', 'SeriesDescription', 'ImageCount')
        meta = [[file.series_uid, file.study_uid, 'MG', file.description, str(file.count)] for file in first]
        _write_table(out / 'csv' / 'meta.csv', header, meta, '\r\n')


def table_folder(layout: str) -> str:
    """Where the four tables lie in this layout."""
    return 'csv' if layout == 'kaggle' else '.'


def write_case_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], layout: str) -> None:
    """Write one of the four tables; those of Kaggle have other line ends."""
    _write_table(path, header, rows, '\r\n' if layout == 'kaggle' else '\n')


def _write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], line_end: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file, lineterminator=line_end)
        writer.writerow(header)
        writer.writerows(rows)


def _metadata_row(file: File, layout: str) -> list[str]:
    folder = Path(file.path(layout)).parent.as_posix().removeprefix(f'{_MANIFEST}/')
    size = f'{file.pixels.nbytes / 1024:.2f} KB'
    said = {
        'Series UID': file.series_uid,
        'Collection': 'CBIS-DDSM',
        'Subject ID': file.case,
        'Study UID': file.study_uid,
        'Study Date': '07-20-2016',
        'Series Description': file.description,
        'Modality': 'MG',
        'SOP Class Name': 'Secondary Capture Image Storage',
        'SOP Class UID': SecondaryCaptureImageStorage,
        'Number of Images': str(file.count),
        'File Size': size,
        'File Location': f'./{folder}',
        'Download Timestamp': '2023-05-24T05:37:09.688',
    }
    return [said.get(column, '') for column in _METADATA]


def _info_row(file: File) -> list[str]:
    jpeg = f'CBIS-DDSM/{file.path("kaggle")}'
    dicom = jpeg.replace('/jpeg/', '/dicom/').replace('.jpg', '.dcm')
    description = '' if int(file.series_uid[-1]) == 0 else file.description  # some rows have none
    return [dicom, jpeg, str(8 * file.pixels.itemsize), str(file.number + 1), file.case, description]


def _write_jpeg(path: Path, pixels: Pixels) -> None:
    grey = pixels if pixels.dtype == np.uint8 else np.rint(pixels / 257).astype(np.uint8)
    cv2.imwrite(str(path), grey, [cv2.IMWRITE_JPEG_QUALITY, 95])


def _dataset(file: File) -> Dataset:
    """As the collection's: a secondary capture that says the view in PatientOrientation and nothing of spacing."""
    words = file.case.split('_')
    dataset = Dataset()
    dataset.SpecificCharacterSet = 'ISO_IR 100'
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = _uid(f'{file.series} {file.number}')
    dataset.StudyDate, dataset.StudyTime, dataset.AccessionNumber = '20160720', '091351', ''
    dataset.Modality, dataset.ConversionType = 'MG', 'WSD'
    dataset.ReferringPhysicianName = ''
    dataset.SeriesDescription = file.description
    dataset.PatientName = dataset.PatientID = file.case
    dataset.PatientBirthDate = dataset.PatientSex = ''
    dataset.BodyPartExamined = 'BREAST'
    dataset.SecondaryCaptureDeviceManufacturer = 'MathWorks'
    dataset.SecondaryCaptureDeviceManufacturerModelName = 'MATLAB'
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = file.study_uid, file.series_uid
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = 'DDSM', 1, file.number + 1
    dataset.PatientOrientation, dataset.Laterality = words[4], words[3][0]
    dataset.private_block(0x13, 'CTP', create=True).add_new(0x10, 'LO', 'CBIS-DDSM')
    _attach_pixels(dataset, file.pixels)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.file_meta.ImplementationVersionName = 'dcm4che-1.4.35'
    return dataset


def _attach_pixels(dataset: Dataset, pixels: Pixels) -> None:
    bits = 8 * pixels.itemsize
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, 'MONOCHROME2'
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits, bits - 1, 0
    for keyword, value in (('SmallestImagePixelValue', pixels.min()), ('LargestImagePixelValue', pixels.max())):
        dataset.add_new(keyword, 'US', int(value))
    content = pixels.astype(f'<u{pixels.itemsize}').tobytes()
    dataset.PixelData = content + b'\0' * (len(content) % 2)
    dataset['PixelData'].VR = 'OW'


def _uid(words: str) -> str:
    """Of the collection's root, with invented digits."""
    digits = int(made_uid('cbis', words).rsplit('.', 1)[1]) % (9 * 10**37)
    return UID(f'{_ROOT}{10**37 + digits}')
