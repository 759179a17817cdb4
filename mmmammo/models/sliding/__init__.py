"""Patch classifiers slid over views: heatmaps, exact or quick, and what a network allows."""

from mmmammo.models.sliding.agreement import Agreement
from mmmammo.models.sliding.heatmap_boxes import heatmap_instances
from mmmammo.models.sliding.padding_reach import PaddingReach, padding_reach
from mmmammo.models.sliding.settings import SlidingSettings
from mmmammo.models.sliding.slider import PatchSlider
from mmmammo.models.sliding.sliding_patch_detector import SlidingPatchDetector
from mmmammo.models.sliding.window_grid import WindowGrid

__all__ = [
    'Agreement',
    'PaddingReach',
    'PatchSlider',
    'SlidingPatchDetector',
    'SlidingSettings',
    'WindowGrid',
    'heatmap_instances',
    'padding_reach',
]
