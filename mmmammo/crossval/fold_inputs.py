"""What a config computes from its training set, such as a geometric prior: in a fold, of the fold's own patients."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmmammo.apis.runs import datasets_of


def renewed_inputs(cfg: Config) -> dict[str, dict[str, str]]:
    """The entries of ``cfg.inputs`` that are computed from the training index, with placeholders of a fold.

    In their command the fold's config takes the place of the index file, and a file in the fold's folder that of the
    product; so the tool has to take a config in place of an index file.

    Args:
        cfg: That is cross-validated.

    Returns:
        What the config calls the product -> ``makes`` and ``command`` for the fold.
    """
    indices = {Path(dataset.data_root, dataset.ann_file) for dataset in datasets_of(cfg.train_dataloader)}
    renewed = {}
    for step in cfg.get('inputs', ()):
        tokens = shlex.split(step.command)
        if not indices & set(map(Path, tokens)):
            continue
        product = f'{{fold_dir}}/{Path(step.makes).name}'
        changed = ['{config}' if Path(one) in indices else product if one == step.makes else one for one in tokens]
        renewed[step.makes] = {'makes': product, 'command': shlex.join(changed)}
    return renewed


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
