"""Pickles of arrays are data: reading one never runs code that it carries."""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mmmammo.io.stored_arrays import ARRAY_GLOBALS, made
from mmmammo.structures import MammoError

_UNREADABLE = (
    *(pickle.UnpicklingError, EOFError, LookupError, ValueError, TypeError, AttributeError, ImportError),
    *(OverflowError, MemoryError, RecursionError),  # sizes larger than any machine, containers without an end
)
_OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}
_MOST_STEPS = 2**22
"""Opcodes of a pickle, and objects to remember: weights have some thousands, and a byte can make a set of 216 bytes."""


def _encoded(text: str, encoding: str) -> bytes:
    """The bytes of an array, which old pickles hold as text; no other codec is looked up."""
    if encoding != 'latin1':
        raise pickle.UnpicklingError(f'_codecs.encode to {encoding}')
    return text.encode('latin1')


_ALLOWED: Mapping[str, Callable[..., Any]] = {
    **ARRAY_GLOBALS,
    '_codecs.encode': _encoded,
    'collections.OrderedDict': dict,  # as ordered, and a pickle cannot set attributes of it
}
"""What a pickle may name: the makings of arrays, and nothing that acts."""


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[f'{module}.{name}']
        except KeyError as err:
            raise pickle.UnpicklingError(f'{module}.{name}') from err


def _require_bounded(data: bytes) -> None:
    """See that a pickle takes no more memory than its content, before it is read.

    The unpickler makes room up to the number under which an object is to be remembered, however few there are, and
    for bytes of the length that the file says, whether they follow or not.

    Raises:
        UnpicklingError: If it has, or remembers, more than :data:`_MOST_STEPS`.
        ValueError: If the content ends early.
    """
    stream = io.BytesIO(data)
    for _ in range(_MOST_STEPS):
        opcode = _OPCODES.get(stream.read(1).decode('latin1'))
        if opcode is None:
            raise pickle.UnpicklingError(f'no opcode at byte {stream.tell()}')
        if opcode.name == 'STOP':
            return
        if opcode.name == 'STRING':  # which pickletools takes for ASCII; those of Python 2 hold arrays
            stream.readline()
        elif opcode.arg is not None:
            argument = opcode.arg.reader(stream)
            if opcode.name in ('PUT', 'LONG_BINPUT') and argument > _MOST_STEPS:
                raise pickle.UnpicklingError(f'an object to remember as number {argument:,}')
    raise pickle.UnpicklingError(f'more than {_MOST_STEPS:,} steps')


def read_array_pickle(path: str | Path) -> Any:
    """Read a pickle of plain containers, numbers, texts and numpy arrays of them, of Python 2 or 3.

    Ordered dicts come back as dicts. Arrays of objects or with fields are refused: their bytes could be pointers.

    Raises:
        MammoError: If there is no such file, it is no pickle, names anything else, which could run code, or asks for
            more memory than its content needs.
    """
    path = Path(path)
    if not path.is_file():
        raise _error(path, 'no such file', 'check the path')
    try:
        data = path.read_bytes()
        _require_bounded(data)
        return made(_ArrayUnpickler(io.BytesIO(data), encoding='latin1').load())
    except _UNREADABLE as err:
        found = f'what cannot be read as one ({" ".join(str(err).split()) or type(err).__name__})'
        raise _error(path, found, 'never load a pickle from a source that you do not trust') from err


def _error(path: Path, found: str, remedy: str) -> MammoError:
    expected = 'a pickle of arrays, numbers and texts only'
    return MammoError(path, field='pickle', found=found, expected=expected, remedy=remedy)
