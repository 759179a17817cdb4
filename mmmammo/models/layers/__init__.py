"""Building blocks of the models."""

from mmmammo.models.layers.bipartite_graph import BipartiteGraph
from mmmammo.models.layers.denoising_queries import MammoCdnQueryGenerator
from mmmammo.models.layers.exam_context import ExamContext, ExamContextReader, Partners
from mmmammo.models.layers.graph_fusion import GraphFusion
from mmmammo.models.layers.graph_prior import GraphPrior, read_graph_prior
from mmmammo.models.layers.inception_graph import InceptionGraph, neighbour_matrix
from mmmammo.models.layers.node_mapping import NodeMapping, nearest_nodes

__all__ = [
    'BipartiteGraph',
    'ExamContext',
    'ExamContextReader',
    'GraphFusion',
    'GraphPrior',
    'InceptionGraph',
    'MammoCdnQueryGenerator',
    'NodeMapping',
    'Partners',
    'nearest_nodes',
    'neighbour_matrix',
    'read_graph_prior',
]
