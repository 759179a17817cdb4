"""A config on a set that lies elsewhere: ``--cfg-options data_root=DIR``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmmammo.apis.loaders import datasets_of
from mmmammo.prepare.recorded import FACTS
from mmmammo.structures import MammoError

DATA_ROOT = 'data_root'
_LOADERS = tuple(f'{split}_dataloader' for split in ('train', 'val', 'test'))


def move_data(cfg: Config, new: str) -> Config:
    """The config with another prepared set: wherever a path begins with its ``data_root``, it begins with that one.

    So move data sets, metrics' annotations, the prior of a graph, and the commands in ``inputs`` that compute from a
    set. Those that make a set, which is the phantom, stay as they are: it is made nowhere but in its own place.

    Args:
        cfg: With a variable ``data_root`` that its data sets read.
        new: The other set.

    Raises:
        MammoError: If the config has no such variable, or none of its data sets reads it.
    """
    old = str(cfg.get(DATA_ROOT, '')).rstrip('/')
    if not old or not any(_reads(cfg, old)):
        roots = sorted({str(one.data_root) for loader in _LOADERS if loader in cfg for one in datasets_of(cfg[loader])})
        raise MammoError(
            cfg.filename or 'config',
            field=f'--cfg-options {DATA_ROOT}',
            found=f'data sets that do not follow it: {", ".join(roots) or "none"}',
            expected='a config with one set, named in its data_root',
            remedy='name the entries: train_dataloader.dataset.data_root=DIR, and so for val and test',
        )
    words = re.compile(rf'(?<!\S){re.escape(old)}(?=/|\s|$)')
    return Config(_moved(cfg.to_dict(), words, new.rstrip('/')), filename=cfg.filename)


def _reads(cfg: Config, root: str) -> list[bool]:
    loaders = [cfg[loader] for loader in _LOADERS if loader in cfg]
    return [Path(one.data_root) == Path(root) for loader in loaders for one in datasets_of(loader)]


def _moved(value: Any, words: re.Pattern[str], new: str) -> Any:
    if isinstance(value, Mapping):
        if Path(str(value.get('makes', ''))).name == FACTS:
            return value
        return {key: _moved(inner, words, new) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_moved(inner, words, new) for inner in value)
    return words.sub(lambda _: new, value) if isinstance(value, str) else value
