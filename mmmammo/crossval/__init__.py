"""Cross-validation of a config: cut, train and test each fold, gather the out-of-fold scores or detections."""

from mmmammo.crossval.counts import FoldCounts, count_folds
from mmmammo.crossval.making import FoldRun, Workshop
from mmmammo.crossval.project import METRICS, PREDICTIONS, SCORES, Project, open_project
from mmmammo.crossval.report import gather, gather_average, gather_detections
from mmmammo.crossval.tables import average_tables, merge_folds

__all__ = [
    'FoldCounts',
    'FoldRun',
    'METRICS',
    'PREDICTIONS',
    'Project',
    'SCORES',
    'Workshop',
    'average_tables',
    'count_folds',
    'gather',
    'gather_average',
    'gather_detections',
    'merge_folds',
    'open_project',
]
