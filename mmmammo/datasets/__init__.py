"""Prepared set to samples: images, exams, transforms, samplers."""

from mmmammo.datasets import samplers, transforms
from mmmammo.datasets.collate import exam_collate
from mmmammo.datasets.exam_dataset import ExamDataset
from mmmammo.datasets.finding_patch_dataset import FindingPatchDataset
from mmmammo.datasets.mammogram_dataset import MammogramDataset
from mmmammo.datasets.view_classification_dataset import ViewClassificationDataset

__all__ = [
    'ExamDataset',
    'FindingPatchDataset',
    'MammogramDataset',
    'ViewClassificationDataset',
    'exam_collate',
    'samplers',
    'transforms',
]
