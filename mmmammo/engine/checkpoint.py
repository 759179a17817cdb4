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

from mmmammo.engine.checkpoint_content import classes_in, require_content, weights_in
from mmmammo.engine.remote_checkpoint import ADDRESSED, local_checkpoint, unread_scheme
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


class _NotPlain(ValueError):
    """A tensor without plain numbers, which no layer of ours takes."""


def _dense(value: Any) -> Any:
    """Refuse sparse tensors, as torch does not check their indices and reads memory at them, and others not plain."""
    if isinstance(value, Tensor):
        if value.layout is not torch.strided:
            raise ForbiddenArray('a sparse tensor')
        if value.is_quantized or value.is_meta:
            raise _NotPlain('a quantised tensor' if value.is_quantized else 'a tensor without content (device meta)')
    return value


def load_checkpoint(filename: str | Path, map_location: Any = 'cpu') -> dict[str, Any]:
    """Read a local checkpoint, refusing any pickle that is more than dense tensors, arrays of numbers and plain data.

    The training config inside ``meta`` is dropped: mmengine executes it as Python when a run is resumed, and every
    command of ours is given its config anyway.

    Args:
        filename: The ``.pth`` file.
        map_location: As in :func:`torch.load`.

    Raises:
        MammoError: If the file is missing, is not a checkpoint, or holds what could run code or reach other memory;
            see also :func:`~mmmammo.engine.checkpoint_content.require_content`.
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
    content = require_content(checkpoint, path)
    if content.get('meta'):
        content['meta'].pop('config', None)
    return content


def _what_is_wrong(err: Exception) -> str:
    if isinstance(err, ForbiddenArray):
        return f'{err}, which could reach memory that is not its own'
    if isinstance(err, _NotPlain):
        return str(err)
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
    return classes_in(load_checkpoint(filename), filename)


def use_safe_loading() -> None:
    """Make mmengine read every checkpoint, by path or address, through :func:`load_checkpoint`.

    What it reads from other places is refused: its own loaders run code, or keep a config that is run later.
    """
    ours = {'': load_from_local, **dict.fromkeys(ADDRESSED, load_from_address)}
    for scheme in tuple(CheckpointLoader._schemes):  # it has no list for others to read
        CheckpointLoader.register_scheme(scheme, ours.get(scheme, load_from_elsewhere), force=True)


# mmengine logs the names of these functions from the eleventh letter on.


def load_from_local(filename: str, map_location: Any = 'cpu') -> dict[str, Any]:
    """See :func:`load_checkpoint`."""
    return load_checkpoint(filename, map_location)


def load_from_address(filename: str, map_location: Any = 'cpu') -> dict[str, Any]:
    """Read a checkpoint by an address that :func:`~mmmammo.engine.remote_checkpoint.local_checkpoint` knows.

    Raises:
        MammoError: As there, and as :func:`load_checkpoint`.
    """
    path = local_checkpoint(filename)
    try:
        return load_checkpoint(path, map_location)
    except MammoError as err:
        remedy = f'delete {path}, should its download have been cut off; else give another checkpoint'
        raise MammoError(filename, field=err.field, found=err.found, expected=err.expected, remedy=remedy) from err


def load_from_elsewhere(filename: str, map_location: Any = 'cpu') -> dict[str, Any]:
    """Refuse.

    Raises:
        MammoError: Always.
    """
    raise unread_scheme(filename)


def require_checkpoint_of(model: nn.Module, filename: str | Path) -> None:
    """Refuse weights that were trained for another model.

    Args:
        model: The model about to be tested.
        filename: Its alleged checkpoint.

    Raises:
        MammoError: If a parameter or buffer is missing, unknown or of another shape.
    """
    found = weights_in(load_checkpoint(filename), filename)
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
