"""How much memory one image may ask for: a few bytes of a header can promise more than any machine has."""

from __future__ import annotations

from pathlib import Path

from mmmammo.io.errors import UnsupportedPixelData

LARGEST = 2**28
"""Pixels of an image, and bytes that a deflated data set may grow to; no mammogram has an eighth of it."""


def require_size(path: Path, field: str, rows: int, columns: int) -> None:
    """Refuse an image before memory is taken for it.

    Args:
        path: Its file, for the message.
        field: What says the size.
        rows: Of pixels.
        columns: Likewise.

    Raises:
        UnsupportedPixelData: If it has more than :data:`LARGEST` pixels.
    """
    if rows * columns > LARGEST:
        raise too_large(path, field, f'{rows} x {columns} pixels', f'at most {LARGEST:,} pixels')


def too_large(path: Path, field: str, found: str, expected: str) -> UnsupportedPixelData:
    """The error for what would take more memory than any mammogram does."""
    return UnsupportedPixelData(
        path,
        field=field,
        found=found,
        expected=expected,
        remedy='leave the file out: no detector or film scanner makes such an image; if one did, export it smaller',
    )
