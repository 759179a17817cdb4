"""Which prepared sets a checkpoint was trained on, from the text of its config, which is read and never run."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from mmengine.config import ConfigDict

from mmmammo.apis.loaders import datasets_of
from mmmammo.engine.checkpoint import load_checkpoint

_LOADER = 'train_dataloader'


def trained_on(path: Path) -> set[Path]:
    """The prepared sets that the training data of a checkpoint are from; none if it does not say.

    Args:
        path: Of mmengine; any other file of weights says nothing.

    Raises:
        MammoError: If it is no checkpoint, or holds what could run code.
    """
    said = load_checkpoint(path)
    text = said.get('meta', {}).get('cfg') if isinstance(said.get('meta'), dict) else None
    loader = _said_of(text, _LOADER) if isinstance(text, str) else None
    if not isinstance(loader, dict) or not isinstance(loader.get('dataset'), dict):
        return set()
    return {Path(one.data_root).resolve() for one in datasets_of(ConfigDict(loader)) if one.get('data_root')}


def _said_of(text: str, name: str) -> Any:
    """What a config's text assigns to a name, if that is plain data: ``dict(…)`` of literals."""
    try:
        lines = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return None
    for line in lines:
        if isinstance(line, ast.Assign) and [getattr(target, 'id', None) for target in line.targets] == [name]:
            return _plain(line.value)
    return None


def _plain(node: ast.expr) -> Any:
    """The value of an expression of ``dict``, lists and literals; ``None`` of anything else."""
    if isinstance(node, ast.Call) and getattr(node.func, 'id', None) == 'dict' and not node.args:
        return {one.arg: _plain(one.value) for one in node.keywords if one.arg}
    if isinstance(node, ast.Dict):
        return {_plain(key): _plain(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    if isinstance(node, ast.List | ast.Tuple):
        return [_plain(one) for one in node.elts]
    return node.value if isinstance(node, ast.Constant) else None
