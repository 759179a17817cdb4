"""Small DICOM files, written by pydicom, with the tags of a mammogram."""

import struct

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

MAMMOGRAPHY = '1.2.840.10008.5.1.4.1.1.1.2'
ENCAPSULATED = ('1.2.840.10008.1.2.4.', '1.2.840.10008.1.2.5')


def make_dicom(pixels, **tags):
    """A left CC mammogram of these pixels (uint8, uint16 or int16); a tag given as None is left out."""
    pixels = np.asarray(pixels)
    bits = 8 * pixels.dtype.itemsize
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    defaults = {
        'SOPClassUID': MAMMOGRAPHY,
        'SOPInstanceUID': generate_uid(entropy_srcs=['mmmammo']),
        'StudyInstanceUID': '1.2.3',
        'Modality': 'MG',
        'PresentationIntentType': 'FOR PRESENTATION',
        'PatientID': 'p1',
        'ImageLaterality': 'L',
        'ViewPosition': 'CC',
        'Rows': pixels.shape[0],
        'Columns': pixels.shape[1],
        'SamplesPerPixel': 1,
        'PhotometricInterpretation': 'MONOCHROME2',
        'BitsAllocated': bits,
        'BitsStored': bits,
        'HighBit': bits - 1,
        'PixelRepresentation': int(pixels.dtype.kind == 'i'),
    }
    for keyword, value in (defaults | tags).items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.add_new('PixelData', 'OW' if bits == 16 else 'OB', pixels.tobytes() + b'\0' * (pixels.nbytes % 2))
    return dataset


def code_item(value, scheme='SCT', meaning='', **tags):
    """An item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    for keyword, content in tags.items():
        setattr(item, keyword, content)
    return item


def lut_item(entries, first=0, bits=12):
    """An item of a LUT sequence."""
    item = Dataset()
    item.add_new('LUTDescriptor', 'US' if first >= 0 else 'SS', [len(entries), first, bits])
    item.add_new('LUTData', 'US', [int(entry) for entry in entries])
    return item


def save_dicom(dataset, path, syntax=ExplicitVRLittleEndian, preamble=True):
    """Write the data set; without preamble, the file starts with its first element."""
    if syntax.startswith(ENCAPSULATED):
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(syntax)
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian and dataset.BitsAllocated == 16:
        dataset.PixelData = np.frombuffer(dataset.PixelData, '<u2').astype('>u2').tobytes()
    if preamble:
        if 'SOPClassUID' not in dataset:  # as de-identification leaves it in VinDr-Mammo
            dataset.file_meta.MediaStorageSOPClassUID = '1.2.3.4'
        dataset.save_as(path, enforce_file_format=True)
        return path
    bare = Dataset(dataset)
    bare.save_as(path, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=syntax != ExplicitVRBigEndian)
    return path


def nested(depth, tag):
    """A sequence in a sequence in a …, as bytes: its text doubles with every level."""
    content = b''
    for _ in range(depth):
        item = b'\xfe\xff\x00\xe0' + struct.pack('<I', len(content)) + content
        content = tag + b'SQ\0\0' + struct.pack('<I', len(item)) + item
    return content
