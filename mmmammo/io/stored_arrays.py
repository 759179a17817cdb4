"""The arrays of a pickle, made by us from checked parts: numpy's own makers would take bytes of a file for pointers.

A pickle may name :data:`ARRAY_GLOBALS`. Behind numpy's names are stand-ins that hold what the file says; :func:`made`
puts arrays of numbers and texts in their place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

_KIND = re.compile(r'[<>=|]?(b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SU][1-9]\d*)')
_LAST_CHARACTER = 0x10FFFF


class ForbiddenArray(ValueError):
    """What a pickle asked of numpy and is not given."""


class _Frozen(type):
    """A pickle can set attributes of whatever it names: not of these classes, which outlive it."""

    def __setattr__(cls, name: str, value: object) -> None:
        raise ForbiddenArray(f'a change of {cls.__name__}.{name}')


class Stored(metaclass=_Frozen):
    """Stands for an object until all of the pickle is read; then its ``value`` takes its place."""

    value: Any
    __hash__ = None  # type: ignore[assignment]  # no key of a dict and no member of a set, where none would find it


class NDArray(metaclass=_Frozen):
    """The name ``numpy.ndarray``, which only says of what class an array is."""

    def __new__(cls, *_: object) -> NDArray:
        """Refuse to be called: numpy would lay an array of pointers over bytes of the file."""
        raise ForbiddenArray('a call of numpy.ndarray')


class StoredType(Stored):
    """A dtype of numbers, truth values or texts; no objects and no fields, which could hide some."""

    def __init__(self, kind: object, *_: object) -> None:
        if not (isinstance(kind, str) and _KIND.fullmatch(kind)):
            raise ForbiddenArray(f'a dtype {kind!r:.40}')
        self.value = np.dtype(kind)

    def __setstate__(self, state: Any) -> None:
        """Take the byte order; the other parts would make another dtype of it."""
        _, order, *inner = state
        if any(part is not None for part in inner[:3]):
            raise ForbiddenArray('a dtype with parts')
        self.value = self.value.newbyteorder(order)


class StoredArray(Stored):
    """An array as numpy's ``_reconstruct`` begins it, empty, before its state says what it holds."""

    def __init__(self, of: object, *_: object) -> None:
        if of is not NDArray:
            raise ForbiddenArray(f'an array of class {of!r:.40}')

    def __setstate__(self, state: Any) -> None:
        """Make the array that the state describes."""
        _, shape, kind, by_columns, data = state
        self.value = _array(data, kind, shape, 'F' if by_columns else 'C')


class StoredBuffer(Stored):
    """An array as protocol 5 has it, in one piece; from numpy 2.3 on its axes may be in any order."""

    def __init__(self, data: object, kind: object, shape: object, order: object, axes: Any = None) -> None:
        if axes is None:
            self.value = _array(data, kind, shape, order)
        else:
            self.value = _array(data, kind, shape, 'C').transpose(axes)


def _scalar(kind: object, data: object) -> Any:
    return _array(data, kind, (), 'C')[()]


def _no_bytes() -> bytes:
    """The content of an empty array, as protocol 2 has it."""
    return b''


ARRAY_GLOBALS: Mapping[str, Callable[..., Any]] = {
    **{f'{builtins}.bytes': _no_bytes for builtins in ('builtins', '__builtin__')},
    'numpy.ndarray': NDArray,
    'numpy.dtype': StoredType,
    **{f'numpy.{core}.multiarray._reconstruct': StoredArray for core in ('core', '_core')},
    **{f'numpy.{core}.multiarray.scalar': _scalar for core in ('core', '_core')},
    **{f'numpy.{core}.numeric._frombuffer': StoredBuffer for core in ('core', '_core')},
}
"""What stands behind the names that pickles of arrays use."""


def _array(data: object, kind: object, shape: object, order: object) -> npt.NDArray[Any]:
    """A copy of the bytes as an array, if they are as many as it needs and none could mislead who reads it."""
    if isinstance(data, str):  # the bytes of Python 2
        data = data.encode('latin1')
    if not isinstance(data, bytes | bytearray):
        raise ForbiddenArray(f'an array over a {type(data).__name__}')
    if not isinstance(kind, StoredType) or order not in ('C', 'F'):
        raise ForbiddenArray(f'an array of {kind!r:.40}, order {order!r:.9}')
    if not (isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)):
        raise ForbiddenArray(f'an array of shape {shape!r:.40}')
    dtype: np.dtype[Any] = kind.value
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ForbiddenArray(f'{len(data)} bytes for an array of shape {shape!r:.40} and dtype {dtype}')
    _require_sound(data, dtype)
    return np.ndarray(shape, dtype, data, order='F' if order == 'F' else 'C').copy(order='K')


def _require_sound(data: bytes | bytearray, dtype: np.dtype[Any]) -> None:
    """Numpy counts on truth values of one bit when it fills masks, and Python on characters that exist."""
    if dtype.kind == 'b' and np.frombuffer(data, np.uint8).max(initial=0) > 1:
        raise ForbiddenArray('truth values other than 0 and 1')
    if dtype.kind == 'U':
        codes = np.frombuffer(data, np.dtype(np.uint32).newbyteorder(dtype.byteorder))
        if codes.max(initial=0) > _LAST_CHARACTER:
            raise ForbiddenArray('characters that do not exist')


def made(content: Any, checked: Callable[[Any], Any] = lambda value: value) -> Any:
    """What a pickle holds, with objects for their stand-ins; dicts and lists are changed in place.

    Args:
        content: What was read with :data:`ARRAY_GLOBALS`.
        checked: Is given every other value that is no container, and returns what is kept.

    Raises:
        ForbiddenArray: If a container is within itself: nobody who walks it would come to an end.
    """
    return _Maker(checked).made(content)


class _Maker:
    def __init__(self, checked: Callable[[Any], Any]) -> None:
        self._checked = checked
        self._done: dict[int, Any] = {}

    def made(self, value: Any) -> Any:
        if isinstance(value, Stored):
            if not hasattr(value, 'value'):
                raise ForbiddenArray(f'a {type(value).__name__} without content')
            return value.value
        if not isinstance(value, dict | list | tuple):
            return self._checked(value)
        place = id(value)
        if place not in self._done:
            self._done[place] = self  # until it is whole
            self._done[place] = self._container(value)
        if self._done[place] is self:
            raise ForbiddenArray('a container within itself')
        return self._done[place]

    def _container(self, value: Any) -> Any:
        if isinstance(value, dict):
            for key in list(value):
                value[key] = self.made(value[key])
            return value
        parts = [self.made(part) for part in value]
        if isinstance(value, list):
            value[:] = parts
            return value
        return value if all(a is b for a, b in zip(parts, value, strict=True)) else tuple(parts)
