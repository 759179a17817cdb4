"""Prepared set to samples: images, exams, transforms, samplers."""

from mmmammo.datasets import samplers, transforms
from mmmammo.datasets.cohort_dataset import CohortDataset
from mmmammo.datasets.collate import exam_collate
from mmmammo.datasets.exam_classification_dataset import ExamClassificationDataset
from mmmammo.datasets.exam_dataset import ExamDataset
from mmmammo.datasets.finding_patch_dataset import FindingPatchDataset
from mmmammo.datasets.finding_view_dataset import FindingViewDataset
from mmmammo.datasets.four_view_dataset import FourViewDataset
from mmmammo.datasets.mammogram_dataset import MammogramDataset
from mmmammo.datasets.patch_dataset import PatchDataset
from mmmammo.datasets.view_classification_dataset import ViewClassificationDataset
from mmmammo.datasets.window_dataset import WindowDataset

__all__ = [
    'CohortDataset',
    'ExamClassificationDataset',
    'ExamDataset',
    'FindingPatchDataset',
    'FindingViewDataset',
    'FourViewDataset',
    'MammogramDataset',
    'PatchDataset',
    'ViewClassificationDataset',
    'WindowDataset',
    'exam_collate',
    'samplers',
    'transforms',
]
