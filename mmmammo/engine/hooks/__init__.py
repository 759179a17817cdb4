"""Hooks."""

from mmmammo.engine.hooks.staged_training_hook import Stage, StagedTrainingHook

__all__ = ['Stage', 'StagedTrainingHook']
