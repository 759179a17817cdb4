"""Losses that mm* lack."""

from mmmammo.models.losses.multi_label_focal_loss import MultiLabelFocalLoss

__all__ = ['MultiLabelFocalLoss']
