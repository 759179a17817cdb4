"""Tables of arrays that a test run leaves for later: NumPy's compressed format without pickles."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from mmmammo.io.whole_files import written_whole
from mmmammo.structures import MammoError

T = TypeVar('T')


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
        MammoError: If there is no such file, or it is another one.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return build(stored)
    except (OSError, ValueError, KeyError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as err:
        raise MammoError(
            path,
            field='file',
            found=f'{type(err).__name__}: {err}',
            expected=f'what {writer} writes',
            remedy='test the model again with tools/test.py',
        ) from err
