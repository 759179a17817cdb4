"""Optimisers that torch and mmengine lack."""

from mmmammo.engine.optimizers.lookahead_radam import LookaheadRAdam

__all__ = ['LookaheadRAdam']
