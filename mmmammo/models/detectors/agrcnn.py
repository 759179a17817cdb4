"""AG-RCNN."""

from __future__ import annotations

from mmdet.models.detectors import MaskRCNN

from mmmammo.models.detectors.multi_view import MultiViewMixin
from mmmammo.registry import MODELS


@MODELS.register_module()
class AGRCNN(MultiViewMixin, MaskRCNN):
    """Mask R-CNN whose views see their partners through an :class:`mmmammo.models.necks.AnatomyGraphNeck`.

    Liu et al., Act Like a Radiologist, TPAMI 2021, as changed by paper 3 (residual attention, staged training).
    """
