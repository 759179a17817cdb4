"""Steps of a pipeline: those of an image (loading … formatting) and those of a whole exam (``Exam…``)."""

from mmmammo.datasets.transforms.crop_finding import CropFinding
from mmmammo.datasets.transforms.exam_flip import ExamFlip, ExamViewDropout
from mmmammo.datasets.transforms.formatting import PackMammogram
from mmmammo.datasets.transforms.geometric import ElasticDeform
from mmmammo.datasets.transforms.hide_and_seek import HideAndSeek
from mmmammo.datasets.transforms.loading import LoadMammogram
from mmmammo.datasets.transforms.mammo_albu import MammoAlbu
from mmmammo.datasets.transforms.view_packing import PackView

__all__ = [
    'CropFinding',
    'ElasticDeform',
    'ExamFlip',
    'ExamViewDropout',
    'HideAndSeek',
    'LoadMammogram',
    'MammoAlbu',
    'PackMammogram',
    'PackView',
]
