"""Hooks."""

from mmmammo.engine.hooks.acceleration_hook import AccelerationHook
from mmmammo.engine.hooks.attention_centres_hook import AttentionCentresHook
from mmmammo.engine.hooks.average_statistics_hook import AverageStatisticsHook
from mmmammo.engine.hooks.class_count_hook import ClassCountHook
from mmmammo.engine.hooks.epoch_seed_hook import EpochSeedHook
from mmmammo.engine.hooks.equal_weights_hook import EqualWeightsHook
from mmmammo.engine.hooks.staged_training_hook import Stage, StagedTrainingHook
from mmmammo.engine.hooks.training_truth_hook import TrainingTruthHook

__all__ = [
    'AccelerationHook',
    'AttentionCentresHook',
    'AverageStatisticsHook',
    'ClassCountHook',
    'EpochSeedHook',
    'EqualWeightsHook',
    'Stage',
    'StagedTrainingHook',
    'TrainingTruthHook',
]
