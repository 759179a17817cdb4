"""Pickles that would have numpy take bytes of a file for pointers, sizes or truth values that they are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Calls:
    """Pickled as a call by name, with a state for what it returns: any pickle that somebody could write."""

    def __init__(self, function: Callable[..., Any], *args: Any, state: Any = None) -> None:
        self.call: tuple[Any, ...] = (function, args) if state is None else (function, args, state)

    def __reduce__(self) -> tuple[Any, ...]:
        """Give the call instead of the object."""
        return self.call


_NUMPY: Any = np
_EMPTY = (np.ndarray, (0,), b'b')
_F8, _OBJECT = np.dtype('f8'), np.dtype('O')
_RECONSTRUCT = _NUMPY._core.multiarray._reconstruct
_SCALAR = _NUMPY._core.multiarray.scalar
_FROMBUFFER = _NUMPY._core.numeric._frombuffer
_POINTER = b'A' * 8
_WITH_AN_OBJECT = Calls(np.dtype, 'V8', state=(3, '|', None, ('o',), {'o': (_OBJECT, 0)}, 8, 1, 0))  # flags say: none
ATTACKS = {
    'pointers used': Calls(np.ndarray, Calls(np.ndarray, (1,), _OBJECT, _POINTER)),
    'numpy.ndarray called': Calls(np.ndarray, (4,), _F8),
    'state of objects': Calls(_RECONSTRUCT, *_EMPTY, state=(1, (1,), _OBJECT, False, _POINTER)),
    'list of objects': Calls(_RECONSTRUCT, *_EMPTY, state=(1, (1,), _OBJECT, False, [None])),
    'fields of objects': Calls(_RECONSTRUCT, *_EMPTY, state=(1, (1,), _WITH_AN_OBJECT, False, _POINTER)),
    'fields outside': Calls(np.dtype, 'f8', state=(3, '<', None, ('x',), {'x': (_F8, 2**30)}, 8, 1, 0)),
    'subarray': Calls(np.dtype, 'f8', state=(3, '<', (_F8, (2**20,)), None, None, 8, 1, 0)),
    'dtype of a list': Calls(np.dtype, [('o', 'O')]),
    'dtype of a text': Calls(np.dtype, 'O,f8'),
    'another class': Calls(_RECONSTRUCT, np.dtype, (0,), b'b'),
    'objects in a buffer': Calls(_FROMBUFFER, _POINTER, _OBJECT, (1,), 'C'),
    'a view': Calls(_FROMBUFFER, np.ones(1), _F8, (1,), 'C'),
    'scalar object': Calls(_SCALAR, _OBJECT, _POINTER),
    'scalar with fields': Calls(_SCALAR, _WITH_AN_OBJECT, _POINTER),
    'scalar of nothing': Calls(_SCALAR, _F8, b''),
    'too few bytes': Calls(_RECONSTRUCT, *_EMPTY, state=(1, (2**40,), _F8, False, _POINTER)),
    'larger than any machine': Calls(_RECONSTRUCT, *_EMPTY, state=(1, (0, 2**80), _F8, False, b'')),
    'negative': Calls(_RECONSTRUCT, *_EMPTY, state=(1, (-1, -1), _F8, False, _POINTER)),
    'truth of no bit': Calls(_RECONSTRUCT, *_EMPTY, state=(1, (8,), np.dtype('?'), False, _POINTER)),
    'no such character': Calls(_RECONSTRUCT, *_EMPTY, state=(1, (2,), np.dtype('U1'), False, _POINTER)),
    'no state': Calls(_RECONSTRUCT, *_EMPTY),
}
"""By what they try; to be pickled with any protocol."""
