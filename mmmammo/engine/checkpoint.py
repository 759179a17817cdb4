"""Checkpoints are data: loading one never runs code that it carries."""

from __future__ import annotations

import pickle
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from mmmammo.engine.stored_history import StoredHistory, named_statistic
from mmmammo.io.stored_arrays import ARRAY_GLOBALS, ForbiddenArray, made
from mmmammo.structures import MammoError

_ALLOWED = {
    **ARRAY_GLOBALS,
    'mmengine.logging.history_buffer.HistoryBuffer': StoredHistory,
    'builtins.getattr': named_statistic,
}
"""What a checkpoint may name beside torch's own tensors and containers; all of it stands for data."""

_UNREADABLE = (  # the reader trips over a file of something else in many ways
    *(pickle.UnpicklingError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError),
    *(struct.error, OverflowError, MemoryError),
)


@contextmanager
def _only_ours_allowed() -> Iterator[None]:
    """Let torch take :data:`_ALLOWED` and nothing that other code of the process allowed for its own files."""
    others = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals([(stand_in, name) for name, stand_in in _ALLOWED.items()])
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(others)


def _dense(value: Any) -> Any:
    """Refuse sparse tensors: torch does not check their indices, and reads memory at them."""
    if isinstance(value, Tensor) and value.layout is not torch.strided:
        raise ForbiddenArray('a sparse tensor')
    return value


def load_checkpoint(filename: str | Path, map_location: Any = 'cpu') -> dict[str, Any]:
    """Read a local checkpoint, refusing any pickle that is more than dense tensors, arrays of numbers and plain data.

    The training config inside ``meta`` is dropped: mmengine executes it as Python when a run is resumed, and every
    command of ours is given its config anyway.

    Args:
        filename: The ``.pth`` file.
        map_location: As in :func:`torch.load`.

    Raises:
        MammoError: If the file is missing, is not a checkpoint, or holds what could run code or reach other memory.
    """
    path = Path(filename).expanduser()
    if not path.is_file():
        raise MammoError(
            path, field='checkpoint', found='no such file', expected='a .pth file', remedy='check the path'
        )
    try:
        with _only_ours_allowed():
            checkpoint = torch.load(path, map_location=map_location, weights_only=True)
        checkpoint = made(checkpoint, _dense)
    except _UNREADABLE as err:
        raise MammoError(
            path,
            field='checkpoint',
            found=_what_is_wrong(err),
            expected='dense tensors, arrays of numbers and plain data only',
            remedy='use a checkpoint written by tools/train.py; never load one from a source you do not trust',
        ) from err
    if isinstance(checkpoint, dict) and isinstance(checkpoint.get('meta'), dict):
        checkpoint['meta'].pop('config', None)
    return checkpoint


def _what_is_wrong(err: Exception) -> str:
    if isinstance(err, ForbiddenArray):
        return f'{err}, which could reach memory that is not its own'
    forbidden = re.search(r'GLOBAL (\S+)', str(err))
    if forbidden:
        return f'an object of {forbidden.group(1)}, which would run code'
    told = ' '.join(str(err).splitlines()[:1])
    if 'weights_only' in told or not isinstance(err, RuntimeError):  # torch then says to load it unsafely
        return 'no file of torch'
    return f'an unreadable file ({told})'


def classes_of(filename: str | Path) -> tuple[str, ...]:
    """The class list a checkpoint was trained with.

    Raises:
        MammoError: If it does not say; guessing would put wrong names on findings.
    """
    meta = load_checkpoint(filename).get('meta') or {}
    classes = (meta.get('dataset_meta') or {}).get('classes')
    if not classes:
        raise MammoError(
            filename,
            field="meta['dataset_meta']['classes']",
            found='nothing',
            expected='the class list',
            remedy='use a checkpoint written by tools/train.py',
        )
    return tuple(classes)


def use_safe_loading() -> None:
    """Make mmengine's runner read local checkpoints through :func:`load_checkpoint`."""

    def load_from_local(filename: str, map_location: Any = 'cpu') -> dict[str, Any]:  # mmengine logs the name's tail
        return load_checkpoint(filename, map_location)

    CheckpointLoader.register_scheme(prefixes='', loader=load_from_local, force=True)


def require_checkpoint_of(model: nn.Module, filename: str | Path) -> None:
    """Refuse weights that were trained for another model.

    Args:
        model: The model about to be tested.
        filename: Its alleged checkpoint.

    Raises:
        MammoError: If a parameter or buffer is missing, unknown or of another shape.
    """
    checkpoint = load_checkpoint(filename)
    found = checkpoint.get('state_dict', checkpoint)
    expected = model.state_dict()
    missing = sorted(expected.keys() - found.keys())
    unknown = sorted(found.keys() - expected.keys())
    reshaped = sorted(k for k in expected.keys() & found.keys() if expected[k].shape != found[k].shape)
    if missing or unknown or reshaped:
        raise MammoError(
            filename,
            field='state_dict',
            found='; '.join(
                f'{len(keys)} {what} (e.g. {keys[0]})'
                for what, keys in (('missing', missing), ('unknown', unknown), ('of another shape', reshaped))
                if keys
            ),
            expected=f'the {len(expected)} tensors of {type(model).__name__} as this config builds it',
            remedy='give the config the checkpoint was trained with, or the checkpoint of this config',
        )
