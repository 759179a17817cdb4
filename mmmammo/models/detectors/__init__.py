"""Detectors."""

from mmmammo.models.detectors.agrcnn import AGRCNN
from mmmammo.models.detectors.mammo_dino import MammoDINO
from mmmammo.models.detectors.multi_view import MultiViewMixin
from mmmammo.models.detectors.multi_view_rtmdet import MultiViewRTMDet

__all__ = ['AGRCNN', 'MammoDINO', 'MultiViewMixin', 'MultiViewRTMDet']
