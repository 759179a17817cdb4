"""JPEG 2000 decoded at a lower resolution of its own, for images that are shrunk anyway.

A codestream holds its image at half the rows and columns, at a quarter, and so on: low-pass samples of a wavelet, of
which sample n lies on pixel n * 2 ** halvings. Nearly all time of decoding goes into the finest details, which are left
out here. The samples are enlarged to the size of the image by linear interpolation, so that nothing that follows needs
to know; for the wavelet of lossless streams (5/3) that is what its own synthesis makes of details that are zero.

Only what cannot go wrong is decoded so; everything else is left to the full decoding.
"""

from __future__ import annotations

import io
import math
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000, UID, JPEG2000Lossless

from mmmammo.io.codestream import JPEG2000Header, first_frame, jpeg2000_header
from mmmammo.io.elements import number
from mmmammo.io.fast_decoders import UNDECODABLE
from mmmammo.io.voi import has_voi, is_inverted

Patterns = npt.NDArray[np.integer]

_MOST_HALVINGS = 5  # OpenCV interpolates in steps of 1/32 of a sample
_SIDE_LIMIT = 2**15 - 1  # of an image, which OpenCV maps only below it
_END = b'\xff\xd9'


class Coarse(NamedTuple):
    """Pixels whose finest details are left out.

    Args:
        pixels: (h, w) stored values of the size of the image.
        halvings: How often rows and columns were halved, at least once.
    """

    pixels: Patterns
    halvings: int


def coarsely_decoded(syntax: UID, dataset: Dataset, rows_needed: float) -> Coarse | None:
    """Decode at the lowest resolution that has enough rows.

    Args:
        syntax: Of the pixel data.
        dataset: With a pixel module that is complete.
        rows_needed: Rows, or if it is at most 1, their share of the rows of the image.

    Returns:
        ``None`` where all details are needed, or the stream is not of the plain kind that this can be done with: one
        unsigned component of the size and depth that the tags say, complete, its padding where black is shown.
    """
    if syntax not in (JPEG2000, JPEG2000Lossless) or math.isinf(rows_needed):
        return None
    try:
        frame = first_frame(dataset)
        header = jpeg2000_header(frame)
        if header is None or not _is_plain(header, frame, dataset):
            return None
        halvings = _halvings(header, rows_needed)
        samples = _low_pass(frame, header, halvings) if halvings else None
    except (*UNDECODABLE, SyntaxError):  # which is what Pillow raises; full decoding is to judge
        return None
    return None if samples is None else Coarse(_enlarged(samples, header.shape[:2], halvings), halvings)


def _is_plain(header: JPEG2000Header, frame: bytes, dataset: Dataset) -> bool:
    return (
        header.shape == (dataset.Rows, dataset.Columns, 1)
        and max(header.shape) < _SIDE_LIMIT
        and not (header.is_signed or dataset.PixelRepresentation)
        and (8 if header.precision <= 8 else 16) == dataset.BitsAllocated
        and frame[-16:].rstrip(b'\0').endswith(_END)
        and has_voi(dataset)  # the range of the pixels would be another one
        and _has_black_padding(dataset, header.precision)
    )


def _has_black_padding(dataset: Dataset, bits: int) -> bool:
    """Whether padding, if there is any, has the stored value that is shown black, so that its borders are dark."""
    ends = [number(dataset, keyword) for keyword in ('PixelPaddingValue', 'PixelPaddingRangeLimit')]
    given = [end for end in ends if end is not None]
    return all(end >= 2**bits - 1 if is_inverted(dataset) else end == 0 for end in given)


def _halvings(header: JPEG2000Header, rows_needed: float) -> int:
    """The most that leave enough rows, and a size that Pillow, which rounds where the standard rounds up, computes."""
    rows, columns, _ = header.shape
    needed = rows_needed if rows_needed > 1 else rows_needed * rows
    possible = [
        n
        for n in range(1, min(header.levels, _MOST_HALVINGS) + 1)
        if _halved(rows, n) >= needed and all(_halved(side, n) == (side + 2**n // 2) >> n for side in (rows, columns))
    ]
    return max(possible, default=0)


def _halved(side: int, times: int) -> int:
    return -(-side >> times)  # rounded up


def _low_pass(frame: bytes, header: JPEG2000Header, halvings: int) -> Patterns:
    """Samples; where they overshoot the range of the stream, OpenJPEG has clipped them to it."""
    image = Jpeg2KImageFile(io.BytesIO(frame))  # not Image.open, whose limits of size are not ours
    image.reduce = halvings
    samples: Patterns = np.asarray(image)
    return samples >> (8 * samples.itemsize - header.precision)  # Pillow makes white of the whole container


def _enlarged(samples: Patterns, shape: tuple[int, ...], halvings: int) -> Patterns:
    """Linear interpolation with sample n on pixel n * 2 ** halvings."""
    step = 0.5**halvings
    from_pixel = np.array([[step, 0.0, 0.0], [0.0, step, 0.0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    enlarged = cv2.warpAffine(samples, from_pixel, shape[1::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return enlarged.astype(samples.dtype, copy=False)
