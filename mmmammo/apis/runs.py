"""What every command does with a config file before a runner sees it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import RUNNERS
from mmengine.runner import FlexibleRunner, Runner
from torch import nn

from mmmammo.apis.loaders import datasets_of
from mmmammo.apis.moved_data import DATA_ROOT, move_data
from mmmammo.datasets.mammogram_dataset import require_prepared
from mmmammo.engine.gpu_operators import require_operators
from mmmammo.engine.sharding import cpu_strategy
from mmmammo.structures import MammoError

_ENTRIES = {
    *inspect.signature(Runner.__init__).parameters,
    *inspect.signature(FlexibleRunner.__init__).parameters,
    'runner_type',
    'inputs',
    'crossval',
    'model_wrapper_cfg',
}
"""What is read of a config by its top-level name."""
_PATIENCE_S = 4 * 3600
"""Seconds that processes wait for the first, which draws the intervals and writes the files; torch's own are 600."""
ABSENT = object()
"""Stands for an entry that a config does not have; see :func:`entry_of`."""


def load_config(path: str | Path, options: Mapping[str, Any] | None = None, work_dir: str | None = None) -> Config:
    """Read a config, override entries, and settle its work dir.

    Args:
        path: A ``.py`` config.
        options: Dotted keys to override, as ``--cfg-options`` gives them; ``data_root`` moves the whole config to
            another set, see :func:`~mmmammo.apis.moved_data.move_data`.
        work_dir: Wins over the config's own, which wins over ``work_dirs/<config name>``.

    Raises:
        MammoError: If there is no such config, if it is not one, or if an option goes through an entry that holds a
            plain value.
    """
    path = Path(path)
    if not path.is_file():
        raise MammoError(
            path,
            field='config',
            found='no such file',
            expected='a config such as configs/agrcnn_phantom.py',
            remedy='run from the repository root, or give the full path',
        )
    cfg, options = _parsed(path), dict(options or {})
    if DATA_ROOT in options:
        cfg = move_data(cfg, str(options.pop(DATA_ROOT)))
    _tell_of_idle(cfg, options)
    try:
        cfg.merge_from_dict(options)
    except (AssertionError, TypeError, KeyError) as err:
        raise MammoError(
            path,
            field='--cfg-options',
            found=f'{options} ({err})',
            expected='dotted keys of entries this config has',
            remedy='print the config with tools/analysis/print_config.py and take a key from there',
        ) from err
    cfg.work_dir = work_dir or cfg.get('work_dir') or str(Path('work_dirs') / path.stem)
    return cfg


def _tell_of_idle(cfg: Config, options: Mapping[str, Any]) -> None:
    """Warn of overrides that may change nothing."""
    new = [key for key in options if entry_of(cfg, key) is ABSENT]
    if new:
        print_log(f'--cfg-options adds what the config does not have: {", ".join(new)}', 'current', logging.WARNING)
    variables = [key for key in options if '.' not in key and key in cfg and key not in _ENTRIES]
    if variables:
        said = f'{", ".join(variables)}: variables of the config file, which it has used before; --cfg-options changes'
        said += ' nothing else with them. Name the entries that use them, see tools/analysis/print_config.py'
        print_log(said, 'current', logging.WARNING)


def entry_of(cfg: Any, dotted: str) -> Any:
    """What a config says under a name such as ``model.neck.1.prior``; :data:`ABSENT` where it says nothing."""
    for name in dotted.split('.'):
        if isinstance(cfg, list | tuple) and name.isdigit() and int(name) < len(cfg):
            cfg = cfg[int(name)]
        elif isinstance(cfg, Mapping | Config) and name in cfg:
            cfg = cfg[name]
        else:
            return ABSENT
    return cfg


def _parsed(path: Path) -> Config:
    try:
        return Config.fromfile(path)
    except (OSError, SyntaxError, NameError) as err:
        raise MammoError(
            path,
            field='config',
            found=f'a file that cannot be read as one ({err})',
            expected='a config such as configs/agrcnn_phantom.py',
            remedy='check the path, or correct the file',
        ) from err


def set_launcher(cfg: Config, launcher: str) -> None:
    """Choose how processes find each other; without a GPU they talk through gloo.

    mmengine's own start of a process group and its default DDP wrapper both ask for a GPU, so that on a CPU the group
    is started here and the wrapper is told of no device. ``env_cfg.dist_cfg.timeout`` is the config's own, or 4 hours.
    """
    cfg.launcher = launcher
    if launcher == 'none':
        return
    patience = cfg.get('env_cfg', {}).get('dist_cfg', {}).get('timeout', _PATIENCE_S)
    cfg.merge_from_dict({'env_cfg.dist_cfg.timeout': patience})
    if torch.cuda.is_available():
        return
    cfg.merge_from_dict({'env_cfg.dist_cfg.backend': 'gloo'})
    cfg.model_wrapper_cfg = {
        'type': 'MMDistributedDataParallel',
        **cfg.get('model_wrapper_cfg', {}),
        'device_ids': None,
    }
    if 'strategy' in cfg:
        cfg.strategy = cpu_strategy(cfg.strategy)
    if launcher == 'pytorch':
        torch.distributed.init_process_group('gloo', timeout=timedelta(seconds=patience))


def build_runner(cfg: Config) -> Runner | FlexibleRunner:
    """The usual runner, or the one that ``runner_type`` names: a FlexibleRunner has a strategy, such as FSDP.

    Raises:
        MammoError: If the config has a strategy but one process only, which leaves nothing to share out; or if mmcv has
            no operators for the device of a detector.
    """
    if 'runner_type' not in cfg:
        runner = Runner.from_cfg(cfg)
        require_operators(runner.model)
        return runner
    if cfg.launcher == 'none':
        raise MammoError(
            cfg.filename or 'config',
            field='strategy',
            found=f'{cfg.strategy.type} in a run of one process',
            expected='several processes',
            remedy='start it with tools/dist_train.sh, or train with the config it derives from',
        )
    runner = RUNNERS.build(cfg)
    runner.model = runner.strategy.build_model(runner.model)  # as every runner has it, not when it is first needed
    require_operators(runner.model)
    return runner


def for_testing(cfg: Config) -> Config:
    """Drop what only training reads: pretrained weights and the prior file. A checkpoint carries both.

    Raises:
        MammoError: If the config has no model.
    """
    if 'model' not in cfg:
        raise MammoError(
            cfg.filename or 'config',
            field='model',
            found='nothing',
            expected='a whole config, such as configs/agrcnn_phantom.py',
            remedy='give a file of configs/ itself; those below configs/_base_ are parts of them',
        )
    cfg.model.backbone.init_cfg = None
    if 'holistic' in cfg.model:
        cfg.model.holistic = None
    for neck in cfg.model.neck if isinstance(cfg.model.get('neck'), list) else []:
        if 'prior' in neck:
            neck.prior = None
    return cfg


def skip_masks(model: nn.Module) -> None:
    """Leave out the mask branch of a two-stage detector whose masks nobody reads.

    mmdet pastes every predicted mask at the size of the prepared image: some gigabytes for four views of full size.
    """
    heads = getattr(model, 'roi_head', None)
    if heads is not None and heads.with_mask:
        heads.mask_head = None  # roi heads ask whether it is there


def require_data(cfg: Config, splits: Sequence[str]) -> None:
    """Refuse a config whose prepared set is missing, before a model is built.

    Raises:
        MammoError: Naming the command that prepares it.
    """
    for split in splits:
        for dataset in datasets_of(cfg[f'{split}_dataloader']):
            require_prepared(Path(dataset.data_root, dataset.ann_file), dataset.data_root)
