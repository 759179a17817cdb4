"""Training in stages, each with its own trainable modules and learning rate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmmammo.registry import HOOKS
from mmmammo.structures import MammoError

BASE_LR = 'stage_base_lr'
"""Key of an optimizer's param group, and so of its checkpoint: the stage learning rate that its ``lr`` derives from."""


@dataclass(frozen=True)
class Stage:
    """One stage of a schedule.

    Args:
        name: For the log.
        epochs: How long it lasts.
        trainable: Regular expressions, each for a parameter's name or a dotted prefix of it: ``'roi_head'``,
            ``'backbone.layer[34]'``, ``'neck.1'``.
        lr: Learning rate, in place of the optimizer's.
    """

    name: str
    epochs: int
    trainable: tuple[str, ...]
    lr: float

    def __post_init__(self) -> None:
        rules = (
            ('epochs', isinstance(self.epochs, int) and self.epochs > 0, 'a whole number above 0'),
            ('lr', isinstance(self.lr, int | float) and self.lr > 0, 'a number above 0'),
            ('trainable', len(self.trainable) > 0, 'at least one pattern'),
        )
        for field, holds, expected in rules:
            if not holds:
                raise _error(f'stage {self.name!r}: {field}', getattr(self, field), expected)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Stage:
        """Read one entry of ``stages``; the keys are the fields of this class."""
        expected = {field.name for field in fields(cls)}
        if set(config) != expected:
            raise _error('stages', f'a stage with keys {sorted(config)}', f'{sorted(expected)}')
        trainable = config['trainable']
        if isinstance(trainable, str) or not all(isinstance(t, str) for t in trainable):
            raise _error('trainable', repr(trainable), 'a list of strings', 'put it in brackets')
        for pattern in trainable:
            try:
                re.compile(pattern)
            except re.error as err:
                raise _error('trainable', f'{pattern!r} ({err})', 'regular expressions') from err
        return cls(**{**config, 'trainable': tuple(trainable)})

    def selects(self, parameter: str) -> bool:
        """Whether the parameter of this name is trained."""
        return any(_matches(pattern, parameter) for pattern in self.trainable)


@HOOKS.register_module()
class StagedTrainingHook(Hook):
    """Trains parts of a model one after the other.

    The active stage follows from the epoch alone, so that a resumed run is where it would have been. A stage sets
    ``requires_grad`` (parameters the model was built with frozen stay so), keeps BatchNorm of frozen modules in
    evaluation mode, and replaces the base learning rate: multipliers of ``paramwise_cfg`` and what param schedulers
    have made of it carry over. Under DDP set ``find_unused_parameters=True``.

    Args:
        stages: One mapping per stage, see :class:`Stage`. Together they last at least ``max_epochs``.

    Raises:
        MammoError: If the schedule is malformed, too short for the run, or names modules the model does not have.
    """

    priority = 'NORMAL'

    def __init__(self, stages: Sequence[Mapping[str, Any]]) -> None:
        if not stages:
            raise _error('stages', 'none', 'at least one')
        self.stages = tuple(Stage.from_config(stage) for stage in stages)
        self._frozen_by_design: frozenset[str] | None = None
        self._frozen_norms: list[_BatchNorm] = []

    def stage_at(self, epoch: int) -> int:
        """Index of the stage that epoch (from 0) belongs to."""
        end = 0
        for index, stage in enumerate(self.stages):
            end += stage.epochs
            if epoch < end:
                return index
        raise _error('stages', f'{end} epochs in all', f'more than {epoch}', 'lengthen a stage or lower max_epochs')

    def before_train(self, runner: Runner) -> None:
        """Check the schedule against the run and the model before the first epoch."""
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise _error('train_cfg', type(runner.train_loop).__name__, 'EpochBasedTrainLoop', 'set by_epoch=True')
        if not isinstance(runner.optim_wrapper, OptimWrapper):
            raise _error('optim_wrapper', type(runner.optim_wrapper).__name__, 'OptimWrapper', 'use one optimizer')
        self.stage_at(runner.max_epochs - 1)
        model = _unwrapped(runner)
        for stage in self.stages:
            _check_patterns(stage, model)
        if self._frozen_by_design is None:
            self._frozen_by_design = frozenset(n for n, p in model.named_parameters() if not p.requires_grad)
        if 0 < runner.epoch < runner.max_epochs:
            runner.logger.info(f'Resuming in stage {self.stages[self.stage_at(runner.epoch)].name!r}')

    def before_train_epoch(self, runner: Runner) -> None:
        """Put the stage of this epoch into effect."""
        index = self.stage_at(runner.epoch)
        stage = self.stages[index]
        trained, total = self._set_trainable(_unwrapped(runner), stage)
        _set_base_lr(runner, stage.lr)
        begin = sum(s.epochs for s in self.stages[:index])
        if runner.epoch == begin:
            runner.logger.info(
                f'Stage {index + 1} of {len(self.stages)}, {stage.name!r}: epochs {begin + 1} to '
                f'{begin + stage.epochs}, {trained:,} of {total:,} parameters trained, learning rate {stage.lr:g}'
            )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Undo what ``model.train()`` has done to frozen BatchNorm since the epoch began."""
        for norm in self._frozen_norms:
            norm.eval()

    def _set_trainable(self, model: nn.Module, stage: Stage) -> tuple[int, int]:
        """Set ``requires_grad`` of all parameters; returns how many values are trained, and how many there are."""
        trained = total = 0
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name not in self._frozen_by_design and stage.selects(name))
            if not parameter.requires_grad:
                parameter.grad = None  # what gradient accumulation has kept of the stage before
            trained += parameter.numel() * parameter.requires_grad
            total += parameter.numel()
        self._frozen_norms = [
            module
            for name, module in model.named_modules()
            if isinstance(module, _BatchNorm) and not stage.selects(f'{name}.weight')
        ]
        return trained, total


def _set_base_lr(runner: Runner, lr: float) -> None:
    """Rescale the learning rates, present and initial, of all groups and schedulers to a new base.

    Each group remembers the base its rate derives from, in the optimizer's state, so that doing this again, or after
    a resume, changes nothing.
    """
    wrapper = runner.optim_wrapper
    for group in wrapper.param_groups:
        ratio = lr / group.get(BASE_LR, wrapper.optimizer.defaults['lr'])
        group[BASE_LR] = lr
        for key in ('lr', 'initial_lr'):
            if key in group:
                group[key] *= ratio
    for scheduler in runner.param_schedulers or ():
        if scheduler.param_name == 'lr':
            scheduler.base_values = [group['initial_lr'] for group in wrapper.param_groups]


def _matches(pattern: str, parameter: str) -> bool:
    return re.fullmatch(rf'(?:{pattern})(?:\..*)?', parameter) is not None


def _check_patterns(stage: Stage, model: nn.Module) -> None:
    names = [name for name, _ in model.named_parameters()]
    for pattern in stage.trainable:
        if not any(_matches(pattern, name) for name in names):
            modules = sorted({'.'.join(name.split('.')[:depth]) for name in names for depth in (1, 2)})
            raise _error(
                f'stage {stage.name!r}: trainable',
                repr(pattern),
                f'a pattern for some of the modules {", ".join(modules)}',
            )


def _unwrapped(runner: Runner) -> nn.Module:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _error(field: str, found: object, expected: str, remedy: str = 'change it in the config') -> MammoError:
    return MammoError('StagedTrainingHook', field=field, found=found, expected=expected, remedy=remedy)
