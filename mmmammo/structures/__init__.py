"""The nouns: plain dataclasses and enums, no torch."""

from mmmammo.structures.cross_view import CrossViewEvidence
from mmmammo.structures.errors import MammoError
from mmmammo.structures.exam import (
    VIEW_MODIFIERS,
    FilmScan,
    ImageRecord,
    Mammogram,
    MammogramMeta,
    PreparedImage,
    pair_views,
)
from mmmammo.structures.findings import Finding, MaskedFinding, Polygon
from mmmammo.structures.geometry import Affine
from mmmammo.structures.heatmap import Heatmap
from mmmammo.structures.landmarks import MASK_STRIDE, BreastLandmarks
from mmmammo.structures.prediction import ImagePrediction, LesionPair
from mmmammo.structures.problems import Policy, Problem
from mmmammo.structures.views import STANDARD_VIEWS, Laterality, View

__all__ = [
    'VIEW_MODIFIERS',
    'MASK_STRIDE',
    'STANDARD_VIEWS',
    'Affine',
    'BreastLandmarks',
    'CrossViewEvidence',
    'FilmScan',
    'Finding',
    'Heatmap',
    'ImagePrediction',
    'ImageRecord',
    'Laterality',
    'LesionPair',
    'Mammogram',
    'MammogramMeta',
    'MammoError',
    'MaskedFinding',
    'Policy',
    'Polygon',
    'PreparedImage',
    'Problem',
    'View',
    'pair_views',
]
