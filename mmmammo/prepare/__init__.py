"""From exam records to a prepared set: decode, check, orient, crop, find landmarks, write, resume."""

from mmmammo.prepare.exams import PreparedExam, by_exam, prepare_ahead, prepare_exam
from mmmammo.prepare.image import Prepared, prepare_image
from mmmammo.prepare.options import PrepareOptions, SetOptions
from mmmammo.prepare.quality import QualityRow
from mmmammo.prepare.recorded import recorded_options
from mmmammo.prepare.run import prepare_dataset
from mmmammo.prepare.splits import assign_splits
from mmmammo.prepare.summary import Summary

__all__ = [
    'PrepareOptions',
    'Prepared',
    'PreparedExam',
    'QualityRow',
    'SetOptions',
    'Summary',
    'assign_splits',
    'by_exam',
    'prepare_ahead',
    'prepare_dataset',
    'prepare_exam',
    'prepare_image',
    'recorded_options',
]
