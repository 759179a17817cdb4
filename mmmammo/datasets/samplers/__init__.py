"""Which exams an epoch sees."""

from mmmammo.datasets.samplers.exam_balanced_sampler import ExamBalancedSampler

__all__ = ['ExamBalancedSampler']
