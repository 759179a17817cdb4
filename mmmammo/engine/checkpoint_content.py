"""What a checkpoint has to hold for those who read it, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from mmmammo.structures import MammoError


def require_content(checkpoint: object, path: str | Path) -> dict[str, Any]:
    """See that a file holds things by name, and that ``meta`` and ``state_dict``, if it has them, are what they say.

    Args:
        checkpoint: What was read.
        path: Its file.

    Returns:
        The checkpoint.

    Raises:
        MammoError: If it does not.
    """
    content = _by_name(checkpoint, path, 'checkpoint')
    if content.get('meta') is not None and not isinstance(content['meta'], dict):
        raise _error(path, 'meta', _told(content['meta']), 'a dict')
    if 'state_dict' in content:
        weights_in(content, path)
    return content


def weights_in(checkpoint: Mapping[str, Any], path: str | Path) -> dict[str, Tensor]:
    """Tensors by name: those of ``state_dict``, or the whole file where it has none.

    Raises:
        MammoError: If one is something else.
    """
    weights = _by_name(checkpoint.get('state_dict', checkpoint), path, 'state_dict')
    for name, value in weights.items():
        if not isinstance(value, Tensor):
            raise _error(path, f'state_dict[{name!r:.80}]', _told(value), 'a tensor')
    return weights


def classes_in(checkpoint: Mapping[str, Any], path: str | Path) -> tuple[str, ...]:
    """The class list that a checkpoint was trained with; a single text is one class.

    Raises:
        MammoError: If it does not say; guessing would put wrong names on findings.
    """
    meta = checkpoint.get('meta') or {}
    said = meta.get('dataset_meta') or {}
    if not isinstance(said, dict):
        raise _error(path, "meta['dataset_meta']", _told(said), 'a dict')
    classes = said.get('classes')
    if isinstance(classes, str) and classes:
        return (classes,)
    if isinstance(classes, list | tuple) and classes and all(isinstance(name, str) for name in classes):
        return tuple(classes)
    found = _told(classes) if classes else 'nothing'
    raise _error(path, "meta['dataset_meta']['classes']", found, 'the class list')


def _by_name(value: object, path: str | Path, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _error(path, field, _told(value), 'a dict')
    for name in value:
        if not isinstance(name, str):
            raise _error(path, field, f'the key {name!r:.40}', 'names as keys')
    return value


def _told(value: object) -> str:
    """The kind of a value, and itself where it is short."""
    shown = '' if isinstance(value, dict | list | tuple | Tensor) else f' {value!r:.40}'
    return f'a {type(value).__name__}{shown}'


def _error(path: str | Path, field: str, found: str, expected: str) -> MammoError:
    remedy = 'use a checkpoint written by tools/train.py'
    return MammoError(path, field=field, found=found, expected=expected, remedy=remedy)
