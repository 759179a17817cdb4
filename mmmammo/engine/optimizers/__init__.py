"""Optimisers and schedules that torch and mmengine lack."""

from mmmammo.engine.optimizers.lookahead_radam import LookaheadRAdam
from mmmammo.engine.optimizers.one_cycle import OneCycleLR

__all__ = ['LookaheadRAdam', 'OneCycleLR']
