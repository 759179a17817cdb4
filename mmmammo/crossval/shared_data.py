"""What a cross-validation has in common with those that it needs: the images, and what is said of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmmammo.apis.loaders import datasets_of
from mmmammo.apis.moved_data import DATA_ROOT
from mmmammo.apis.runs import entry_of
from mmmammo.crossval.settings import SPLITS
from mmmammo.structures import MammoError

_OWN = ('pipeline', 'exam_pipeline')
"""Entries of a data set that are each model's own."""


def options_of_need(options: Mapping[str, Any], plain: Config, need: Config) -> dict[str, Any]:
    """The overrides of a config that the config it needs takes too: those of data sets and their place, not pipelines.

    One is taken where both configs, without it, have the same kind of data set that says the same in this place. So a
    needed config on the same images and with the same target follows, and one that is trained to something else keeps
    its own target.

    Args:
        options: Dotted keys and values.
        plain: The config without them.
        need: The config that it needs.
    """
    return {
        key: value
        for key, value in options.items()
        if (key == DATA_ROOT or _is_of_data_set(key)) and _agree(plain, need, key)
    }


def require_one_set(cfg: Config, config: str) -> None:
    """Refuse a config whose data sets are of several prepared sets: each would be cut by itself.

    Raises:
        MammoError: If training, validation and test read index files of different folders.
    """
    roots = [(split, one.data_root) for split in SPLITS for one in datasets_of(cfg[f'{split}_dataloader'])]
    expected = roots[0][1]
    for split, root in roots:
        if Path(root).resolve() != Path(expected).resolve():
            raise MammoError(
                config,
                field=f'{split}_dataloader.dataset.data_root',
                found=root,
                expected=f'{expected}, as in train_dataloader: all images are cut together',
                remedy='give one data_root for train, val and test, in the config or by --cfg-options',
            )


def require_same_images(config: str, files: Sequence[Path], name: str, other: str, others: Sequence[Path]) -> None:
    """Refuse a need whose folds are cut from other images: it may be trained on what is held out here.

    Args:
        config: That has the need.
        files: Index files that it cuts, in their order.
        name: Of the need.
        other: Config of the need.
        others: Index files that this one cuts.

    Raises:
        MammoError: If the files are neither the same nor equal.
    """
    if [path.resolve() for path in files] == [path.resolve() for path in others]:
        return
    if all(path.is_file() for path in (*files, *others)) and _digests(files) == _digests(others):
        return
    raise MammoError(
        config,
        field=f'crossval.needs.{name}',
        found=f'{other}, which cuts {_names(others)}',
        expected=f'the index files that this config cuts, {_names(files)}: else it is trained on images held out here',
        remedy='give both configs the same data_root and ann_file; --cfg-options of data sets reach a needed config '
        'where it says what this one says',
    )


def _is_of_data_set(key: str) -> bool:
    loader, _, rest = key.partition('.')
    names = rest.split('.')
    return (
        loader in {f'{split}_dataloader' for split in SPLITS} and names[0] == 'dataset' and not set(names) & set(_OWN)
    )


def _agree(one: Config, other: Config, key: str) -> bool:
    """Whether two configs say the same under a key, absent included, of data sets of the same types."""
    names = key.split('.')
    types = ('.'.join([*names[:depth], 'type']) for depth in range(1, len(names)))
    return all(entry_of(one, place) == entry_of(other, place) for place in (key, *types))


def _digests(files: Sequence[Path]) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]


def _names(files: Sequence[Path]) -> str:
    return ', '.join(map(str, files))
