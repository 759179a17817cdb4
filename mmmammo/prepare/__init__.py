"""From exam records to a prepared set: decode, check, orient, crop, find landmarks, write, resume."""

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
    'QualityRow',
    'SetOptions',
    'Summary',
    'assign_splits',
    'prepare_dataset',
    'prepare_image',
    'recorded_options',
]
