"""Cross-validation of any classifier config: cut, train and test each fold, gather the out-of-fold scores."""

from mmmammo.crossval.counts import FoldCounts, count_folds
from mmmammo.crossval.making import FoldRun, Workshop
from mmmammo.crossval.project import METRICS, SCORES, Project, open_project
from mmmammo.crossval.report import gather, gather_average
from mmmammo.crossval.tables import average_tables, merge_folds

__all__ = [
    'FoldCounts',
    'FoldRun',
    'METRICS',
    'Project',
    'SCORES',
    'Workshop',
    'average_tables',
    'count_folds',
    'gather',
    'gather_average',
    'merge_folds',
    'open_project',
]
