"""Tables of arrays that a test run leaves for later: NumPy's compressed format without pickles."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from mmmammo.io.whole_files import written_whole
from mmmammo.structures import MammoError

T = TypeVar('T')

UNREADABLE = (
    *(OSError, ValueError, KeyError, EOFError, AttributeError, TypeError, OverflowError, MemoryError),
    *(RuntimeError, zipfile.BadZipFile, zlib.error),  # the first for archives with a password, or of another kind
)
"""What a file of something else raises when it is read as arrays."""
_EXPANSION = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: 1032}  # bytes that one of the archive stands for at most
_EMPTY_MOST = 2**20  # rows of an array without columns: as a list, each of them costs memory


def write_arrays(path: str | Path, arrays: Mapping[str, Any]) -> None:
    """Write a compressed ``.npz``; its folder is made, and it appears whole or not at all.

    Args:
        path: Ends in ``.npz``.
        arrays: Each by its name.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path, 'wb') as file:
        np.savez_compressed(file, **arrays)


def read_arrays(path: str | Path, build: Callable[[Mapping[str, npt.NDArray[Any]]], T], writer: str) -> T:
    """Read what :func:`write_arrays` wrote.

    Args:
        path: The file.
        build: Makes the table of the arrays.
        writer: What writes such files, in the words of a config.

    Raises:
        MammoError: If there is no such file, it is another one, or its arrays are larger than what it holds.
    """
    try:
        require_true_sizes(path)
        with np.load(path, allow_pickle=False) as stored:
            return build(stored)
    except UNREADABLE as err:
        raise MammoError(
            path,
            field='file',
            found=f'{type(err).__name__}: {err}',
            expected=f'what {writer} writes',
            remedy='test the model again with tools/test.py',
        ) from err


def require_true_sizes(path: str | Path) -> None:
    """See that each array of a ``.npz`` file is as large as its header says, before memory is taken for it.

    Raises:
        ValueError: If one is not, or is no plain array; or another of :data:`UNREADABLE` if it is no such file.
    """
    held = Path(path).stat().st_size
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            most = min(member.compress_size, held) * _EXPANSION.get(member.compress_type, 0)
            if member.file_size > most:
                raise ValueError(f'{member.filename} of {member.file_size:,} bytes where at most {most:,} have room')
            with archive.open(member) as file:
                if np.lib.format.read_magic(file) != (1, 0):  # type: ignore[no-untyped-call]
                    raise ValueError(f'{member.filename} of another format')
                shape, _, kind = np.lib.format.read_array_header_1_0(file)  # type: ignore[no-untyped-call]
                _require_size(member.filename, shape, kind, member.file_size - file.tell())


def _require_size(name: str, shape: tuple[int, ...], kind: np.dtype[Any], size: int) -> None:
    many = math.prod(max(side, 1) for side in shape) > _EMPTY_MOST
    if math.prod(shape) * kind.itemsize != size or not kind.itemsize or (not size and many):
        raise ValueError(f'{name} of shape {shape} and dtype {kind} in {size:,} bytes')
