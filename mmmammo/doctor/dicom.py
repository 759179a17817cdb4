"""Try out the DICOM decoders. Everything is imported late: it may be missing or broken."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from mmmammo.doctor.result import Row, Status

if TYPE_CHECKING:
    import numpy as np
    from pydicom import Dataset
    from pydicom.uid import UID

ENCODABLE = {
    'ImplicitVRLittleEndian': {},
    'ExplicitVRLittleEndian': {},
    'DeflatedExplicitVRLittleEndian': {},
    'RLELossless': {},
    'JPEGLSLossless': {},
    'JPEGLSNearLossless': {'jls_error': 2},
    'JPEG2000Lossless': {},
    'JPEG2000': {'j2k_psnr': [80]},
}
"""Transfer syntaxes that a picture can be written in here, with the arguments of the encoder."""

DECODABLE = ('JPEGBaseline8Bit', 'JPEGExtended12Bit', 'JPEGLossless', 'JPEGLosslessSV1')
"""Transfer syntaxes without an encoder: the decoder is asked whether it could."""

QUICK = 'RLE, JPEG Lossless'
"""Title of the row about their quick decoders."""

TOLERANCE = {'JPEGLSNearLossless': 2, 'JPEG2000': 4}
"""How far off a grey value of 4095 may come back."""


def probe_dicom() -> list[Row]:
    """Decode each transfer syntax that mammograms come in."""
    return [_round_trip(name) for name in ENCODABLE] + [_availability(name) for name in DECODABLE] + [_quick_decoders()]


def _syntax(name: str) -> UID:
    from pydicom import uid

    return getattr(uid, name)


def _availability(name: str) -> Row:
    from pydicom.pixels import get_decoder

    decoder = get_decoder(_syntax(name))
    if decoder.is_available:
        return (name, Status.OK, f'decoder: {", ".join(decoder.available_plugins) or "pydicom"}')
    return (name, Status.FAIL, f'no decoder; any of {"; ".join(decoder.missing_dependencies)}')


def _quick_decoders() -> Row:
    """Have imagecodecs read what it wrote; without it the decoders above do its work."""
    import numpy as np

    try:
        from imagecodecs import jpeg8_decode, jpeg8_encode, packbits_decode, packbits_encode
    except ImportError as err:
        return (QUICK, Status.WARN, f'{err}: RLE and JPEG Lossless take five times the time')
    ramp = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    try:
        read = jpeg8_decode(jpeg8_encode(ramp, lossless=True, bitspersample=12))
        unpacked = packbits_decode(packbits_encode(ramp.tobytes()))
    except RuntimeError as err:
        return (QUICK, Status.WARN, f'writing or reading a picture fails: {err}; the decoders above are used')
    if not np.array_equal(read, ramp) or bytes(unpacked) != ramp.tobytes():
        return (QUICK, Status.FAIL, 'a picture came back changed')
    return (QUICK, Status.OK, 'imagecodecs; a picture written and read')


def _round_trip(name: str) -> Row:
    """Have a picture written and read, if there is a decoder at all."""
    row = _availability(name)
    if row[1] != Status.OK:
        return row
    try:
        worst = _worst_error(name)
    except (RuntimeError, ValueError) as err:
        return (name, Status.FAIL, f'writing or reading a picture fails: {err}')
    if worst > TOLERANCE.get(name, 0):
        return (name, Status.FAIL, f'a grey value came back {worst} off')
    return (name, Status.OK, f'{row[2]}; a picture written and read')


def _worst_error(name: str) -> int:
    """How far a 12-bit ramp is off after it was written into a file in memory and read back."""
    import numpy as np
    from pydicom import dcmread

    ramp = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    file = BytesIO()
    _dataset(ramp, name).save_as(file, enforce_file_format=True)
    file.seek(0)
    return int(np.abs(dcmread(file).pixel_array.astype(int) - ramp).max())


def _dataset(pixels: np.ndarray, name: str) -> Dataset:
    """The least file that holds the pixels in this transfer syntax."""
    from pydicom import Dataset, uid
    from pydicom.dataset import FileMetaDataset

    syntax = _syntax(name)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian if syntax.is_encapsulated else syntax
    dataset.SOPClassUID = uid.DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = uid.generate_uid()
    dataset.set_pixel_data(pixels, 'MONOCHROME2', 12)
    if syntax.is_encapsulated:
        dataset.compress(syntax, **ENCODABLE[name])
    return dataset
