"""DICOM files and the damage that networks, disks and careless software do to them, drawn by seed."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from mmmammo.phantom import PhantomConfig, make_dataset, make_exam
from mmmammo.phantom.jpeg_lossless import encode_jpeg_lossless

_LARGEST = 300_000
_WEIGHT = 8
_NOT_WRITTEN = (ValueError, TypeError, AttributeError, KeyError, OverflowError, NotImplementedError, OSError)
_COMPRESSED = (RLELossless, JPEGLSLossless, JPEG2000Lossless)
_RECODED = (ImplicitVRLittleEndian, ExplicitVRBigEndian, JPEGLosslessSV1, *_COMPRESSED)


def seed_files() -> list[bytes]:
    """Undamaged files: phantom views in every transfer syntax that can be written, and pydicom's test files."""
    written = []
    for index in range(4):
        exam = make_exam(PhantomConfig(height=256), seed=0, index=index)
        dataset = make_dataset(exam, exam.views[0])
        written.append(encoded(dataset))
        if not dataset.file_meta.TransferSyntaxUID.is_compressed:
            written += [recoded(dataset, syntax) for syntax in _RECODED]
    folder = Path(pydicom.__file__).parent / 'data' / 'test_files'
    bundled = sorted(path for path in folder.glob('*.dcm') if path.stat().st_size < _LARGEST)
    posing = [as_mammogram(path) for path in bundled]
    return written * _WEIGHT + [data for data in posing if data] + [path.read_bytes() for path in bundled]


def as_mammogram(path: Path) -> bytes | None:
    """An image of any modality that says it is a mammogram, to reach every decoder; ``None`` for what is no image."""
    dataset = pydicom.dcmread(path, force=True)
    if 'PixelData' not in dataset or 'TransferSyntaxUID' not in dataset.file_meta:
        return None
    dataset.Modality = 'MG'
    try:
        return encoded(dataset)
    except _NOT_WRITTEN:
        return None


def encoded(dataset: Dataset, **values: bool) -> bytes:
    """A data set as a file."""
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=not values, force_encoding=bool(values), **values)
    return buffer.getvalue()


def recoded(dataset: Dataset, syntax: UID) -> bytes:
    """The same image, uncompressed so far, in another transfer syntax."""
    copy = pydicom.dcmread(io.BytesIO(encoded(dataset)))
    if syntax in _COMPRESSED:
        copy.compress(syntax, generate_instance_uid=False)
    elif syntax == JPEGLosslessSV1:
        copy.PixelData = encapsulate([encode_jpeg_lossless(copy.pixel_array, copy.BitsStored)])
        copy['PixelData'].is_undefined_length = True
    elif syntax == ExplicitVRBigEndian:
        copy.PixelData = copy.pixel_array.astype('>u2').tobytes()
    copy.file_meta.TransferSyntaxUID = syntax
    return encoded(copy, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=syntax != ExplicitVRBigEndian)


def flip_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """One to 32 bytes anywhere, more often in the header."""
    out = bytearray(data)
    reach = len(out) if rng.uniform() < 0.5 else min(len(out), 2048)
    for place in rng.integers(reach, size=int(rng.integers(1, 33))):
        out[place] = int(rng.integers(256))
    return bytes(out)


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    """The file up to a point, as a broken copy leaves it; or with zeros for the rest, as a broken disk does."""
    end = int(rng.integers(len(data)))
    return data[:end] + bytes(len(data) - end if rng.uniform() < 0.3 else 0)


def insert_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """A few bytes too many, or a piece of the file a second time."""
    place = int(rng.integers(len(data)))
    if rng.uniform() < 0.5:
        return data[:place] + rng.bytes(int(rng.integers(1, 64))) + data[place:]
    return data[: place + int(rng.integers(1, 4096))] + data[place:]


def wrong_length(data: bytes, rng: np.random.Generator) -> bytes:
    """Another length of one element: the two or four bytes after a VR, or after a tag of group 8, 18, 20 or 28."""
    out = bytearray(data)
    spots = [m for g in (b'\x08\0', b'\x18\0', b'\x20\0', b'\x28\0', b'\xe0\x7f') for m in places(data, g)]
    if not spots:
        return flip_bytes(data, rng)
    place = spots[int(rng.integers(len(spots)))] + (4 if rng.uniform() < 0.5 else 6)
    value = [0, 1, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, int(rng.integers(2**32))][int(rng.integers(6))]
    width = 2 if rng.uniform() < 0.5 else 4
    out[place : place + width] = value.to_bytes(4, 'little')[:width]
    return bytes(out)


def places(data: bytes, what: bytes) -> Iterator[int]:
    """Where some bytes are found."""
    place = data.find(what)
    while place >= 0:
        yield place
        place = data.find(what, place + 1)


def edit_tag(data: bytes, rng: np.random.Generator) -> bytes:
    """One element of the header deleted, emptied, or given another value."""
    dataset = pydicom.dcmread(io.BytesIO(data), force=True)
    tags = [element.tag for element in dataset if element.tag.group < 0x7FE0]
    for _ in range(int(rng.integers(1, 4)) if tags else 0):
        tag = tags[int(rng.integers(len(tags)))]
        if tag in dataset:
            edit_element(dataset, tag, rng)
    buffer = io.BytesIO()
    try:
        dataset.save_as(buffer, enforce_file_format=False)
    except _NOT_WRITTEN:
        return flip_bytes(data, rng)  # pydicom will not write what it was asked to
    return buffer.getvalue()


def edit_element(dataset: Dataset, tag: pydicom.tag.BaseTag, rng: np.random.Generator) -> None:
    """Delete one, or give it a value that no standard allows there."""
    if rng.uniform() < 0.3:
        del dataset[tag]
        return
    numbers = [0, 1, 2, 3, 7, 8, 13, 16, 17, 255, 4096, 65535, int(rng.integers(65536))]
    words = [
        '',
        '0',
        '-1',
        'nan',
        '1e400',
        'inf',
        'MONOCHROME3',
        'RGB',
        'SIGMOID',
        '999999999999',
        'x' * 300,
        '\\',
        'é',
    ]
    vr = str(dataset[tag].VR)
    values: Sequence[object] = numbers if vr in ('US', 'SS', 'UL', 'SL') else words
    element = pydicom.DataElement(tag, 'LO' if vr in ('SQ', 'UN', 'OB', 'OW') else vr, None)
    element._value = values[int(rng.integers(len(values)))]  # past pydicom's own checks: a file has none
    dataset[tag] = element


DAMAGE = {
    'flipped bytes': flip_bytes,
    'cut': cut,
    'edited tags': edit_tag,
    'wrong length': wrong_length,
    'inserted bytes': insert_bytes,
}


def damaged(originals: Sequence[bytes], seed: int, number: int) -> tuple[str, bytes]:
    """Damage and contents of one file; equal arguments give equal bytes."""
    rng = np.random.default_rng([seed, number])
    kind = list(DAMAGE)[number % len(DAMAGE)]
    data = originals[int(rng.integers(len(originals)))]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return kind, DAMAGE[kind](data, rng)
