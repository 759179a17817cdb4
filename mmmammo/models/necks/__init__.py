"""Necks."""

from mmmammo.models.necks.anatomy_graph_neck import AnatomyGraphNeck

__all__ = ['AnatomyGraphNeck']
