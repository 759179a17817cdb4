"""The two readers every other part of the package uses; the format is told from the content, never from the name."""

from __future__ import annotations

import math
from pathlib import Path

from mmmammo.io.dicom import read_dicom, read_dicom_meta
from mmmammo.io.dicom_file import HEAD_LENGTH, looks_like_dicom
from mmmammo.io.errors import CorruptFile
from mmmammo.io.raster import raster_format, raster_meta, read_raster, unreadable
from mmmammo.structures import MammoError, Mammogram, MammogramMeta, Policy


def read_mammogram(
    path: str | Path,
    *,
    for_processing: Policy = Policy.QUARANTINE,
    use_voi: bool = True,
    rows_needed: float = math.inf,
) -> Mammogram:
    """Read one image as displayed: float32 in [0, 1], breast bright on dark ground.

    DICOM files are recognised with any extension or none, and without preamble. Raster images (PNG, PGM, TIFF, JPEG;
    grey, 8 or 16 bits) take side and projection from their name. docs/dicom.md tells which tag wins and why.

    Args:
        path: The file.
        for_processing: What to do with the raw image of a detector: ``QUARANTINE`` raises, ``ACCEPT`` shows it as its
            header says, ``MEND`` makes a picture of it (:mod:`mmmammo.io.raw_detector`). Those read nevertheless have
            ``meta.attributes['for_processing']``.
        use_voi: Whether the VOI LUT or window of a DICOM file is used; else its least value is black and its greatest
            white. Not how the image is meant to be seen; some published pipelines do so.
        rows_needed: How many rows the caller will shrink the image to, or if it is at most 1, their share. JPEG 2000 is
            then decoded at the lowest resolution of its own that has as many, and enlarged to its size: in less time,
            but not the same pixels. docs/dicom.md says which files this is done with; of those
            ``meta.attributes['halvings']`` says how often their rows were halved.

    Returns:
        Pixels and meta. ``meta.laterality`` and ``meta.view`` are ``UNKNOWN`` where the file does not say them;
        ``meta.attributes['voi']`` says what made the display values, ``'inverted'`` whether they were inverted.

    Raises:
        CorruptFile: If the file is missing, empty, truncated or undecodable, holds one value everywhere, or is neither
            DICOM nor a raster image.
        NotAMammogram: If it shows something else.
        UnsupportedPixelData: If it has no pixels, colours, several frames or an unknown transfer syntax.
        NotForPresentation: If it is the raw image of a detector.
        MammoError: If ``rows_needed`` is not greater than 0.
    """
    path = Path(path)
    if not rows_needed > 0:
        raise MammoError(
            path,
            field='rows_needed',
            found=rows_needed,
            expected='rows, or a share of them, greater than 0',
            remedy='leave it out to read all',
        )
    file_format = _file_format(path)
    if file_format == 'dicom':
        return read_dicom(path, for_processing, use_voi, rows_needed)
    return read_raster(path, file_format)


def read_meta(path: str | Path) -> MammogramMeta:
    """Read what a file says about itself, without its pixels.

    Tomosynthesis and raw images are described too; only :func:`read_mammogram` refuses them. ``bits_stored`` is what
    the header claims, and ``None`` for a raster image, whose depth only its pixels tell.

    Args:
        path: The file.

    Raises:
        CorruptFile: If the file is missing, empty or unparsable, or neither DICOM nor a raster image.
        NotAMammogram: If it shows something else.
    """
    path = Path(path)
    file_format = _file_format(path)
    return read_dicom_meta(path) if file_format == 'dicom' else raster_meta(path, file_format)


def _file_format(path: Path) -> str:
    if path.exists() and not path.is_file():  # a named pipe would be waited for without end
        raise CorruptFile(
            path,
            field='file',
            found='a folder' if path.is_dir() else 'a named pipe, a socket or a device',
            expected='a file',
            remedy='leave it out',
        )
    try:
        with path.open('rb') as file:
            head = file.read(HEAD_LENGTH)
    except OSError as err:
        raise unreadable(path, err) from err
    file_format = 'dicom' if looks_like_dicom(head) else raster_format(head)
    if file_format is None:
        raise CorruptFile(
            path,
            field='first bytes',
            found=head[:8].hex(' ') or 'an empty file',
            expected='a DICOM file or a PNG, PGM, TIFF or JPEG image',
            remedy='copy the file again; if it is something else, convert it or leave it out',
        )
    return file_format
