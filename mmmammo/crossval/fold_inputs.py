"""What a config computes from its training set, such as a geometric prior: in a fold, of the fold's own patients."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmmammo.apis.loaders import datasets_of

_CONFIG = '{config}'


def renewed_inputs(cfg: Config) -> dict[str, dict[str, str]]:
    """The entries of ``cfg.inputs`` that are computed from the training index, with placeholders of a fold.

    In their command the fold's config takes the place of the index file, so that the tool has to take a config in place
    of one, and files in the fold's folder that of the products. The index is told by its place in a prepared set, of
    whatever folder: ``--cfg-options`` may have moved the data sets and not the commands. What is computed from a
    product is computed anew, too.

    Args:
        cfg: That is cross-validated.

    Returns:
        What the config calls the product -> ``makes`` and ``command`` for the fold.
    """
    indices = [Path(dataset.ann_file).parts for dataset in datasets_of(cfg.train_dataloader)]
    renewed: dict[str, dict[str, str]] = {}
    for step in cfg.get('inputs', ()):
        places = {Path(made): new['makes'] for made, new in renewed.items()}
        command = shlex.split(step.command)
        changed = [_renewed_token(token, indices, places) for token in command]
        if changed == command:
            continue
        taken = {new['makes'] for new in renewed.values()}
        product = f'{{fold_dir}}/{Path(step.makes).name}'
        product = product if product not in taken else f'{{fold_dir}}/{len(taken)}_{Path(step.makes).name}'
        changed = [_renewed_token(token, (), {Path(step.makes): product}) for token in changed]
        renewed[step.makes] = {'makes': product, 'command': shlex.join(changed)}
    return renewed


def _renewed_token(token: str, indices: Any, places: Mapping[Path, str]) -> str:
    """A part of a command, ``FILE`` or ``--option=FILE``."""
    option, equals, file = token.rpartition('=') if token.startswith('--') else ('', '', token)
    path = Path(file)
    if any(path.parts[-len(index) :] == index for index in indices):
        return f'{option}{equals}{_CONFIG}'
    return f'{option}{equals}{places[path]}' if path in places else token


def with_renewed(cfg: Config, products: Mapping[str, str]) -> Config:
    """A config that takes the products of a fold, and no longer makes those of the whole set.

    Args:
        cfg: The config.
        products: What it calls a product -> the file of the fold.
    """
    said = cfg.to_dict()
    said['inputs'] = [step for step in said.get('inputs', ()) if step['makes'] not in products]
    return Config(_replaced(said, products))


def _replaced(value: Any, products: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _replaced(inner, products) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_replaced(inner, products) for inner in value)
    return products.get(value, value) if isinstance(value, str) else value
