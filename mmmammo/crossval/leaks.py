"""What a model and its training may not know of the patients that a fold holds out; refused before a training."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import EarlyStoppingHook
from mmengine.optim import ReduceOnPlateauParamScheduler

from mmmammo.apis.loaders import datasets_of
from mmmammo.apis.run_results import metrics_of
from mmmammo.crossval.fold_inputs import renewed_inputs
from mmmammo.crossval.settings import SPLITS
from mmmammo.crossval.trained_on import trained_on
from mmmammo.registry import HOOKS, PARAM_SCHEDULERS
from mmmammo.structures import MammoError

_CHECKPOINTS = ('.pth', '.pt')


def require_nothing_held_out(cfg: Config, root: Path, config: str) -> None:
    """Refuse a config whose folds would know what they are tested on.

    Args:
        cfg: The config, with the options that are written over it in every fold.
        root: Folder that paths of the training are relative to.
        config: Path of the config, for messages.

    Raises:
        MammoError: If the validation steers the training, which in a fold is of the images held out; if the model has a
            file of the prepared set that is not computed in every fold, or detections are scored by weights fitted on a
            split; if the training begins from a checkpoint that was trained on this set; or if a loader has several
            data sets.
    """
    _require_one_part(cfg, config)
    _require_blind(cfg, config)
    _require_own_inputs(cfg, renewed_inputs(cfg), config)
    _require_no_cross_view(cfg, config)
    _require_unseen(cfg, root, config)


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


def _require_own_inputs(cfg: Config, renewed: Collection[str], config: str) -> None:
    roots = _roots(cfg)
    made = {step.makes for step in cfg.get('inputs', ())}
    for text in _texts(cfg.get('model', {})):
        of_set = '/' in text and '://' not in text and any(Path(text).resolve().is_relative_to(root) for root in roots)
        if text not in renewed and (of_set or text in made):
            raise MammoError(
                config,
                field='model',
                found=f'{text}, which was computed from the prepared set, patients of every fold among them',
                expected='a file that every fold computes from its own training patients',
                remedy='leave it to the `inputs` of the config: an entry whose command names the training index is '
                'made anew in every fold; or name it in crossval.prepare and crossval.options',
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


def _require_unseen(cfg: Config, root: Path, config: str) -> None:
    roots = _roots(cfg)
    names = [('load_from', cfg.get('load_from') or ''), *(('model', text) for text in _texts(cfg.get('model', {})))]
    for field, name in names:
        path = root / name
        if path.suffix not in _CHECKPOINTS or not path.is_file() or not trained_on(path) & roots:
            continue
        raise MammoError(
            config,
            field=field,
            found=f'{name}, which was trained on this prepared set, patients of every fold among them',
            expected='weights of other data, or of the same fold',
            remedy="name its config in crossval: dict(needs=dict(first='configs/….py'), "
            "options={'load_from': '{first.checkpoint}'})",
        )


def _require_one_part(cfg: Config, config: str) -> None:
    for split in SPLITS:
        number = len(list(datasets_of(cfg[f'{split}_dataloader'])))
        if number > 1:
            raise MammoError(
                config,
                field=f'{split}_dataloader.dataset',
                found=f'{number} data sets, each of which would hold the whole part of a fold',
                expected='one, in whatever wrappers',
                remedy='make one index file of them: tools/merge_sets.py, or prepare them together',
            )


def _roots(cfg: Config) -> set[Path]:
    return {Path(dataset.data_root).resolve() for dataset in datasets_of(cfg.train_dataloader)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner)
