"""Steps of a pipeline: those of an image (loading … formatting) and those of a whole exam (``Exam…``)."""

from mmmammo.datasets.transforms.attention import AddOverview, CropAtAttention, PackAttentionView
from mmmammo.datasets.transforms.crop_finding import CropFinding
from mmmammo.datasets.transforms.exam_flip import ExamFlip, ExamViewDropout
from mmmammo.datasets.transforms.formatting import PackMammogram
from mmmammo.datasets.transforms.fuse import CLAHEFuse
from mmmammo.datasets.transforms.geometric import ElasticDeform
from mmmammo.datasets.transforms.hide_and_seek import HideAndSeek
from mmmammo.datasets.transforms.loading import LoadMammogram
from mmmammo.datasets.transforms.mammo_albu import MammoAlbu
from mmmammo.datasets.transforms.nyu_window import LoadPatchHeatmaps, NYUWindow
from mmmammo.datasets.transforms.patch_jitter import PatchJitter
from mmmammo.datasets.transforms.patches import CutPatch, OpenView, SamplePatch
from mmmammo.datasets.transforms.smooth_resize import SmoothResize
from mmmammo.datasets.transforms.view_flip import AsDisplayed, FlipView
from mmmammo.datasets.transforms.view_framing import CentreCrop, RandomRigidCrop, ResizeToWidth
from mmmammo.datasets.transforms.view_packing import PackView

__all__ = [
    'AddOverview',
    'AsDisplayed',
    'CLAHEFuse',
    'CentreCrop',
    'CropAtAttention',
    'CropFinding',
    'CutPatch',
    'ElasticDeform',
    'ExamFlip',
    'ExamViewDropout',
    'FlipView',
    'HideAndSeek',
    'LoadMammogram',
    'LoadPatchHeatmaps',
    'MammoAlbu',
    'NYUWindow',
    'OpenView',
    'PackAttentionView',
    'PackMammogram',
    'PackView',
    'PatchJitter',
    'SmoothResize',
    'RandomRigidCrop',
    'ResizeToWidth',
    'SamplePatch',
]
