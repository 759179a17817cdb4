"""Which samples an epoch or a batch sees."""

from mmmammo.datasets.samplers.class_weighted_sampler import ClassWeightedSampler
from mmmammo.datasets.samplers.exam_balanced_sampler import ExamBalancedSampler
from mmmammo.datasets.samplers.fixed_rate_batch_sampler import FixedRateBatchSampler
from mmmammo.datasets.samplers.matched_negatives_sampler import MatchedNegativesSampler

__all__ = [
    'ClassWeightedSampler',
    'ExamBalancedSampler',
    'FixedRateBatchSampler',
    'MatchedNegativesSampler',
]
