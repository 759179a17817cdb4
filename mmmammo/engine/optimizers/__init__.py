"""Optimisers, their wrappers and schedules that torch and mmengine lack."""

from mmmammo.engine.optimizers.bfloat16_optim_wrapper import BFloat16OptimWrapper
from mmmammo.engine.optimizers.lookahead_radam import LookaheadRAdam
from mmmammo.engine.optimizers.one_cycle import OneCycleLR

__all__ = ['BFloat16OptimWrapper', 'LookaheadRAdam', 'OneCycleLR']
