"""Opening DICOM files, also those without preamble or file meta information."""

from __future__ import annotations

import io
import os
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.errors import InvalidDicomError

from mmmammo.io.elements import UNREADABLE, label, shortened
from mmmammo.io.errors import CorruptFile, MammogramError, NotAMammogram
from mmmammo.io.limits import LARGEST, too_large

HEAD_LENGTH = 132
"""Bytes that tell whether a file is DICOM: preamble and prefix."""

_UNPARSABLE = (*UNREADABLE, InvalidDicomError, zlib.error, RecursionError, MemoryError, IndexError)
_PIECE = 2**20  # bytes


@contextmanager
def quiet() -> Iterator[None]:
    """Without pydicom's own warnings: what it finds odd is told by the checks of this package, or does no harm.

    A run over a hundred thousand files would bury everything else in them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', UserWarning)
        yield


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Make of what a header breaks in pydicom or here the fault of one file.

    Raises:
        CorruptFile: If anything in it is of a kind that nobody foresaw; its value may be a name, and is not told.
    """
    try:
        yield
    except MammogramError:
        raise
    except _UNPARSABLE as err:
        raise CorruptFile(
            path,
            field='header',
            found=f'a value of another kind than its element has ({type(err).__name__})',
            expected='a header as the standard has it',
            remedy='export the file again from the archive, or leave it out',
        ) from None


def looks_like_dicom(head: bytes) -> bool:
    """Whether a file with these first :data:`HEAD_LENGTH` bytes is worth parsing as DICOM.

    Without preamble a file starts with a low element of group 2 or 8, in little-endian or (group 8) big-endian order.
    """
    little = head[:2] in (b'\x02\0', b'\x08\0') and head[3:4] == b'\0'
    big = head[:3] == b'\0\x08\0'
    return head[128:132] == b'DICM' or little or big


def open_dicom(path: Path, with_pixels: bool) -> FileDataset:
    """Parse a file and see that it is complete enough to be an image.

    Args:
        path: A file for which :func:`looks_like_dicom` is true.
        with_pixels: Whether to read the pixel data too.

    Raises:
        CorruptFile: If it cannot be parsed, or ends early.
        NotAMammogram: If it is the index of a medium.
        UnsupportedPixelData: If it is deflated, and grows beyond :data:`mmmammo.io.limits.LARGEST`.
    """
    try:
        with _BoundedFile(path) as file, quiet():
            dataset = dcmread(file, force=True, stop_before_pixels=not with_pixels)
    except MammogramError:
        raise
    except _UNPARSABLE as err:
        raise CorruptFile(
            path,
            field='data set',
            found=f'a structure that cannot be parsed ({shortened(err)})',
            expected='a complete DICOM file',
            remedy='copy the file again; if it stays broken, export it again from the archive',
        ) from err
    _check_complete(dataset, path)
    return dataset


class _BoundedFile(io.BufferedReader):
    """A file whose rest, which pydicom asks for without a length only to inflate it, is measured before.

    A megabyte of it may hold a gigabyte; pydicom inflates all of that also where only the header is wanted.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(os.fspath(path)))  # pydicom adds its name to texts
        self._path = path

    def read(self, size: int | None = -1, /) -> bytes:
        """As of a file.

        Raises:
            UnsupportedPixelData: If the rest is asked for, and inflates to too much.
        """
        data = super().read(size)
        if (size is None or size < 0) and _inflates_beyond(data, LARGEST):
            expected = f'at most {LARGEST:,} bytes once it is inflated'
            raise too_large(self._path, 'deflated data set', f'more than {LARGEST:,} bytes', expected)
        return data


def _inflates_beyond(deflated: bytes, most: int) -> bool:
    """Whether a raw stream of zlib gives more than so many bytes; of a broken one, what comes before the damage."""
    inflater, inflated = zlib.decompressobj(-zlib.MAX_WBITS), 0
    try:
        for begin in range(0, len(deflated), _PIECE):
            piece = deflated[begin : begin + _PIECE]
            while piece and inflated <= most and not inflater.eof:  # a byte that pads the stream is never consumed
                inflated += len(inflater.decompress(piece, _PIECE))
                piece = inflater.unconsumed_tail
    except zlib.error:
        pass  # pydicom comes upon it too
    return inflated > most


def _check_complete(dataset: FileDataset, path: Path) -> None:
    """A header that names neither a modality nor an image size is that of a medium's index, or cut off."""
    if 'Modality' in dataset or 'Rows' in dataset:
        return
    if 'DirectoryRecordSequence' in dataset:
        raise NotAMammogram(
            path,
            field=label('DirectoryRecordSequence'),
            found='the index of a medium (DICOMDIR)',
            expected='an image',
            remedy='leave the file out',
        )
    last = max(dataset.keys(), default=None)
    raise CorruptFile(
        path,
        field=label('Modality') if last else 'data set',
        found=f'a header without it that ends at {last}' if last else 'nothing readable before the end of the file',
        expected='the header of an image',
        remedy='copy the file again (it may be cut off); if it is no DICOM image, leave it out',
    )
