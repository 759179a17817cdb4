"""RTMDet whose views see their partners."""

from __future__ import annotations

from mmdet.models.detectors import RTMDet

from mmmammo.models.detectors.multi_view import MultiViewMixin
from mmmammo.registry import MODELS


@MODELS.register_module()
class MultiViewRTMDet(MultiViewMixin, RTMDet):
    """mmdet's RTMDet that may have a graph or attention neck behind its own."""
