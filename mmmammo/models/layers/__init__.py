"""Building blocks of the models."""

from mmmammo.models.layers.attention_pooling import AttentionPooling, grouped_softmax
from mmmammo.models.layers.bipartite_graph import BipartiteGraph
from mmmammo.models.layers.cbam import CBAM
from mmmammo.models.layers.denoising_queries import MammoCdnQueryGenerator
from mmmammo.models.layers.exam_context import ExamContext, ExamContextReader, ExamLinks, Partners
from mmmammo.models.layers.fused_deformable_attention import FusedDeformableAttention, fuse_deformable_attention
from mmmammo.models.layers.fused_roi_align import FusedRoIAlign, fuse_roi_align
from mmmammo.models.layers.graph_fusion import GraphFusion
from mmmammo.models.layers.graph_prior import GraphPrior, read_graph_prior
from mmmammo.models.layers.inception_graph import InceptionGraph, neighbour_matrix
from mmmammo.models.layers.mirror_graph import MirrorGraph
from mmmammo.models.layers.node_mapping import NodeMapping, nearest_nodes
from mmmammo.models.layers.node_verdicts import NodeVerdicts, lesion_nodes, verdict_loss
from mmmammo.models.layers.roi_levels import FloatLevelExtractor, use_float_levels
from mmmammo.models.layers.token_grid import TokenGrid, sine_encoding
from mmmammo.models.layers.view_context import ViewContext

__all__ = [
    'CBAM',
    'AttentionPooling',
    'BipartiteGraph',
    'ExamContext',
    'ExamContextReader',
    'ExamLinks',
    'FloatLevelExtractor',
    'FusedDeformableAttention',
    'FusedRoIAlign',
    'GraphFusion',
    'GraphPrior',
    'InceptionGraph',
    'MammoCdnQueryGenerator',
    'MirrorGraph',
    'NodeMapping',
    'NodeVerdicts',
    'Partners',
    'TokenGrid',
    'ViewContext',
    'fuse_deformable_attention',
    'fuse_roi_align',
    'grouped_softmax',
    'lesion_nodes',
    'nearest_nodes',
    'neighbour_matrix',
    'read_graph_prior',
    'sine_encoding',
    'use_float_levels',
    'verdict_loss',
]
