"""Hooks."""

from mmmammo.engine.hooks.equal_weights_hook import EqualWeightsHook
from mmmammo.engine.hooks.staged_training_hook import Stage, StagedTrainingHook

__all__ = ['EqualWeightsHook', 'Stage', 'StagedTrainingHook']
