"""Necks."""

from mmmammo.models.necks.anatomy_graph_neck import AnatomyGraphNeck
from mmmammo.models.necks.cross_view_attention_neck import CrossViewAttentionNeck
from mmmammo.models.necks.evidence_graph_neck import EvidenceGraphNeck

__all__ = ['AnatomyGraphNeck', 'CrossViewAttentionNeck', 'EvidenceGraphNeck']
