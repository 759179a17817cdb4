"""Images of a prepared set decoded once and then mapped into memory.

Inflating the PNG is nearly all of what reading an image costs, and of 16 bits twice as much as of 8. Without it either
depth costs a copy; ``benchmarks/loader.py`` measures what it gains. The price is disk: 2 bytes a pixel, about three
times the PNG. Processes share the pages that the system keeps in memory.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.io.errors import CorruptFile
from mmmammo.io.png16 import full_scale, read_stored
from mmmammo.io.whole_files import written_whole
from mmmammo.structures import MammoError

IMAGES, DECODED = 'images', 'decoded'


def decoded_path(path: str | Path) -> Path:
    """``<set>/decoded/<exam>/<image>.npy`` of ``<set>/images/<exam>/<image>.png``.

    Raises:
        MammoError: If the image lies in no folder ``images``.
    """
    parts = list(Path(path).with_suffix('.npy').parts)
    if IMAGES not in parts[:-1]:
        raise MammoError(
            path,
            field='folder',
            found='no folder `images` in the path',
            expected='an image of a prepared set',
            remedy='read it without keep_decoded',
        )
    last = len(parts) - 1 - parts[::-1].index(IMAGES)
    return Path(*parts[:last], DECODED, *parts[last + 1 :])


def read_decoded(path: str | Path) -> npt.NDArray[np.float32]:
    """As :func:`mmmammo.io.read_png16`; the first who reads an image keeps its pixels in ``<set>/decoded``.

    What is kept has the time of its image, by which an image that was prepared again is noticed. The folder may be
    deleted at any time, also while others read.

    Raises:
        CorruptFile: If the image is missing or damaged, or what was kept of it is.
        UnsupportedPixelData: If it is no grey PNG of 8 or 16 bits.
        MammoError: If it is of no prepared set, or its pixels cannot be kept.
    """
    path, kept = Path(path), decoded_path(path)
    time = _seconds(path)
    if time is None or _seconds(kept) != time:
        stored = read_stored(path)
        _keep(kept, stored, path)
        return full_scale(stored)
    try:
        return full_scale(np.load(kept, mmap_mode='r'))
    except (OSError, ValueError) as err:
        raise CorruptFile(
            kept, field='decoded pixels', found=err, expected=f'those of {path}', remedy='delete the file'
        ) from err


def _seconds(path: Path) -> int | None:
    """Whole seconds of the time of last change, which every file system keeps; ``None`` where there is no file."""
    try:
        return int(path.stat().st_mtime)
    except OSError:
        return None


def _keep(kept: Path, stored: npt.NDArray[Any], path: Path) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        content = BytesIO()
        np.save(content, stored)
        with written_whole(kept, 'wb', like=path) as file:
            file.write(content.getbuffer())
    except OSError as err:
        raise MammoError(
            kept,
            field='decoded pixels',
            found=err,
            expected=f'room for {stored.nbytes:,} bytes in a folder that may be written to',
            remedy='make room, or set keep_decoded=False in LoadMammogram',
        ) from err
