"""The config of one fold: the config, its data cut, and what it takes from other cross-validations written in."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmmammo.apis.loaders import datasets_of
from mmmammo.crossval.fold_inputs import renewed_inputs, with_renewed
from mmmammo.crossval.project import Project
from mmmammo.crossval.settings import SPLITS, write_options
from mmmammo.experiments.runs import Run
from mmmammo.structures import MammoError

CONFIG = 'config.py'
_PLACEHOLDER = re.compile(r'\{([A-Za-z_][\w.]*)\}')


def fold_config(project: Project, fold: int, places: Mapping[str, str]) -> Config:
    """An ordinary config that trains and tests one fold.

    Training and data order are those of an epoch, whatever came before it in the process: see
    :class:`~mmmammo.engine.hooks.EpochSeedHook`.

    Args:
        project: The cross-validation.
        fold: From 0.
        places: What placeholders stand for, see :func:`placeholders`.

    Raises:
        MammoError: If an option goes through a plain value, or has an unknown placeholder.
    """
    cfg = uncut_config(project, places)
    cut = project.settings.cut
    for split in SPLITS:
        part = cut.part(cfg, fold, 'rest' if split == 'train' else 'held_out')
        for dataset in datasets_of(cfg[f'{split}_dataloader']):
            dataset.folds = part.of_config()
    cfg.train_dataloader.persistent_workers = False
    cfg.setdefault('randomness', {})['seed'] = project.settings.train_seed
    cfg.custom_hooks = [*cfg.get('custom_hooks', []), {'type': 'mmmammo.EpochSeedHook'}]
    cfg.work_dir = str(project.fold_folder(fold))
    return cfg


def uncut_config(project: Project, places: Mapping[str, str]) -> Config:
    """The config with what a fold has of its own, but all images: for a fold's model on images that no fold has.

    Raises:
        MammoError: As :func:`fold_config`.
    """
    cfg = copy.deepcopy(project.cfg)
    write_options(cfg, filled(project.settings.options, places, project.config), project.config)
    renewed = filled(renewed_inputs(project.cfg), places, project.config)
    cfg = with_renewed(cfg, {name: step['makes'] for name, step in renewed.items()})
    cfg.pop('crossval', None)
    return cfg


def placeholders(project: Project, fold: int, runs: Mapping[str, Run]) -> dict[str, str]:
    """What ``{fold}``, ``{fold_dir}``, ``{config}`` and ``{<need>.checkpoint}``, ``.config``, ``.dir`` stand for.

    Args:
        project: The cross-validation.
        fold: From 0.
        runs: Name of a need -> its run of this fold, complete.
    """
    folder = project.fold_folder(fold)
    known = {'fold': str(fold), 'fold_dir': str(folder), 'config': str(folder / CONFIG)}
    for name, run in runs.items():
        known |= {f'{name}.dir': str(run.folder), f'{name}.config': str(run.folder / CONFIG)}
        if run.checkpoint is not None:
            known[f'{name}.checkpoint'] = str(run.checkpoint)
    return known


def fold_steps(project: Project, places: Mapping[str, str]) -> list[dict[str, str]]:
    """``makes`` and ``command`` of all that is computed before a fold is trained: its inputs, then ``prepare``."""
    steps = [*renewed_inputs(project.cfg).values(), *project.settings.prepare]
    return [dict(step) for step in filled(steps, places, project.config)]


def filled(value: Any, places: Mapping[str, str], where: str | Path) -> Any:
    """Text, list or mapping with all placeholders replaced.

    Raises:
        MammoError: On a placeholder that stands for nothing.
    """
    if isinstance(value, Mapping):
        return {key: filled(inner, places, where) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [filled(inner, places, where) for inner in value]
    if not isinstance(value, str):
        return value
    unknown = [name for name in _PLACEHOLDER.findall(value) if name not in places]
    if unknown:
        raise MammoError(
            where,
            field='crossval placeholders',
            found=f'{{{unknown[0]}}} in {value!r}',
            expected=f'some of {", ".join(f"{{{name}}}" for name in sorted(places))}',
            remedy='correct it; {NAME.checkpoint} needs NAME among crossval.needs',
        )
    return _PLACEHOLDER.sub(lambda match: places[match.group(1)], value)
