"""Pickles of arrays are data: reading one never runs code that it carries."""

from __future__ import annotations

import collections
import importlib
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmmammo.structures import MammoError

_UNREADABLE = (
    *(pickle.UnpicklingError, EOFError, LookupError, ValueError, TypeError, AttributeError, ImportError),
    *(OverflowError, MemoryError),  # an array said to be larger than any machine
)


def _encoded(text: str, encoding: str) -> bytes:
    """The bytes of an array, which old pickles hold as text; no other codec is looked up."""
    if encoding != 'latin1':
        raise pickle.UnpicklingError(f'_codecs.encode to {encoding}')
    return text.encode('latin1')


_ARRAYS: Any = importlib.import_module('numpy._core.multiarray')
_BUFFERS: Any = importlib.import_module('numpy._core.numeric')
_ALLOWED: Mapping[tuple[str, str], Callable[..., Any]] = {
    ('collections', 'OrderedDict'): collections.OrderedDict,
    ('_codecs', 'encode'): _encoded,
    ('numpy', 'ndarray'): np.ndarray,
    ('numpy', 'dtype'): np.dtype,
    **{(f'numpy.{core}.multiarray', '_reconstruct'): _ARRAYS._reconstruct for core in ('core', '_core')},
    **{(f'numpy.{core}.multiarray', 'scalar'): _ARRAYS.scalar for core in ('core', '_core')},
    **{(f'numpy.{core}.numeric', '_frombuffer'): _BUFFERS._frombuffer for core in ('core', '_core')},
}
"""What a pickle may name: the makings of arrays, and nothing that acts."""


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f'{module}.{name}')
        return _ALLOWED[module, name]


def read_array_pickle(path: str | Path) -> Any:
    """Read a pickle of plain containers, numbers, texts and numpy arrays, of Python 2 or 3.

    Raises:
        MammoError: If there is no such file, it is no pickle, or names anything else, which could run code.
    """
    path = Path(path)
    if not path.is_file():
        raise _error(path, 'no such file', 'check the path')
    try:
        with path.open('rb') as file:
            return _ArrayUnpickler(file, encoding='latin1').load()
    except _UNREADABLE as err:
        found = f'what cannot be read as one ({" ".join(str(err).split()) or type(err).__name__})'
        raise _error(path, found, 'never load a pickle from a source that you do not trust') from err


def _error(path: Path, found: str, remedy: str) -> MammoError:
    expected = 'a pickle of arrays, numbers and texts only'
    return MammoError(path, field='pickle', found=found, expected=expected, remedy=remedy)
