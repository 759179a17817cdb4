"""What a model and its training may not know of the patients that a fold holds out; refused before a training."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import EarlyStoppingHook
from mmengine.optim import ReduceOnPlateauParamScheduler

from mmmammo.apis.run_results import metrics_of
from mmmammo.apis.runs import datasets_of
from mmmammo.crossval.fold_inputs import renewed_inputs
from mmmammo.crossval.settings import Settings, write_options
from mmmammo.engine.checkpoint import load_checkpoint
from mmmammo.registry import HOOKS, PARAM_SCHEDULERS
from mmmammo.structures import MammoError

_DATA_ROOT = re.compile(r"""\bdata_root\s*=\s*['"]([^'"]+)['"]""")


def require_nothing_held_out(cfg: Config, settings: Settings, config: str) -> None:
    """Refuse a config whose folds would know what they are tested on.

    Args:
        cfg: The config.
        settings: Of the cross-validation, with the options that are written over the config in every fold.
        config: Path of the config, for messages.

    Raises:
        MammoError: If the validation steers the training, which in a fold is of the images held out; if the model has a
            file of the prepared set that is not computed in every fold, or detections are scored by weights fitted on a
            split; or if the training begins from a checkpoint that was trained on this set.
    """
    if settings.average is not None:
        return  # nothing is trained
    fold = copy.deepcopy(cfg)
    write_options(fold, settings.options, config)
    _require_blind(fold, config)
    _require_own_inputs(fold, set(renewed_inputs(cfg)), config)
    _require_no_cross_view(fold, config)
    _require_unseen(fold, config)


def _require_blind(cfg: Config, config: str) -> None:
    schedules = cfg.get('param_scheduler') or []
    schedules = schedules if isinstance(schedules, list | tuple) else [schedules]
    hooks = [hook for hook in (*cfg.get('default_hooks', {}).values(), *cfg.get('custom_hooks', ())) if hook]
    steered = [s['type'] for s in schedules if _is(PARAM_SCHEDULERS.get(s['type']), ReduceOnPlateauParamScheduler)]
    steered += [hook['type'] for hook in hooks if _is(HOOKS.get(hook['type']), EarlyStoppingHook)]
    if steered:
        raise MammoError(
            config,
            field='param_scheduler, hooks',
            found=', '.join(steered),
            expected='nothing that goes by the validation: in a fold, that is of the images held out',
            remedy="name another in crossval.options, e.g. {'param_scheduler': [dict(type='MultiStepLR', …)]}",
        )


def _is(kind: type | None, base: type) -> bool:
    return kind is not None and issubclass(kind, base)


def _require_own_inputs(cfg: Config, renewed: set[str], config: str) -> None:
    roots = _roots(cfg)
    for text in _texts(cfg.get('model', {})):
        if text not in renewed and Path(text).parent.resolve() in roots:
            raise MammoError(
                config,
                field='model',
                found=f'{text}, which was computed from the prepared set, patients of every fold among them',
                expected='a file that every fold computes from its own training patients',
                remedy='name it in `inputs` of a config, with the command that makes it from the training index, or '
                'in crossval.prepare and crossval.options',
            )


def _require_no_cross_view(cfg: Config, config: str) -> None:
    for evaluator in metrics_of(cfg)[0]:
        if evaluator.get('cross_view') is not None:
            raise MammoError(
                config,
                field=f'test_evaluator, cross_view of {evaluator.type}',
                found=evaluator.cross_view,
                expected='none: it was fitted on patients that folds hold out',
                remedy='leave it out',
            )


def _require_unseen(cfg: Config, config: str) -> None:
    """A checkpoint carries the text of the config that it was trained with."""
    path = Path(cfg.get('load_from') or '')
    if not path.is_file():
        return
    said = load_checkpoint(path).get('meta', {}).get('cfg')
    trained_on = {Path(root).resolve() for root in _DATA_ROOT.findall(said)} if isinstance(said, str) else set()
    if trained_on & _roots(cfg):
        raise MammoError(
            config,
            field='load_from',
            found=f'{path}, which was trained on this prepared set, patients of every fold among them',
            expected='weights of other data, or of the same fold',
            remedy="name its config in crossval: dict(needs=dict(first='configs/….py'), "
            "options={'load_from': '{first.checkpoint}'})",
        )


def _roots(cfg: Config) -> set[Path]:
    return {Path(dataset.data_root).resolve() for dataset in datasets_of(cfg.train_dataloader)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)
