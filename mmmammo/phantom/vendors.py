"""Imaginary vendors: how each would store the same image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless


@dataclass(frozen=True)
class Vendor:
    """One way of writing a mammogram.

    Args:
        name: Written to Manufacturer; starts with ``PHANTOM`` so that nobody mistakes the file for a real one.
        model_name: Written to ManufacturerModelName.
        bits_stored: 12 or 14, of 16 allocated.
        inverted: MONOCHROME1 instead of MONOCHROME2.
        transfer_syntax: UID of the encoding.
        voi: Which VOI transform turns stored values into the image: one full-range window, a window within the
            range, three sigmoid windows (the first is meant), or a VOI LUT.
        view_codes: Coding scheme of the view codes.
        padding: Write PixelPaddingValue for the air outside the breast.
        marker: Burn the view's name (such as ``L-MLO``) into the air beside the breast.
        skin_line: Brightness of the skin line in this vendor's processing.
        gamma: Of its tone curve; above 1 is darker.
    """

    name: str
    model_name: str
    bits_stored: int
    inverted: bool
    transfer_syntax: str
    voi: Literal['identity', 'linear', 'sigmoid', 'lut']
    view_codes: Literal['SNM3', 'SRT', 'SCT']
    padding: bool
    marker: bool
    skin_line: float
    gamma: float


VENDORS: Mapping[str, Vendor] = {
    vendor.name: vendor
    for vendor in (
        Vendor('PHANTOM-A', 'Selene P1', 12, False, JPEG2000Lossless, 'linear', 'SRT', False, False, 0.5, 1.0),
        Vendor('PHANTOM-B', 'Seno P2', 12, False, JPEGLSLossless, 'sigmoid', 'SNM3', True, False, 0.2, 1.15),
        Vendor('PHANTOM-C', 'Insp P3', 14, True, ExplicitVRLittleEndian, 'identity', 'SRT', False, True, 0.35, 1.0),
        Vendor('PHANTOM-D', 'Plan P4', 14, False, JPEG2000Lossless, 'lut', 'SCT', True, True, 0.3, 1.1),
    )
}
"""By name. Two photometric interpretations, two bit depths, three encodings and every VOI transform occur."""
