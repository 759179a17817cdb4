"""Models of image labels that look twice: Holistic, Attention and Ensemble of paper 4."""

from mmmammo.models.attention.attention_classifier import AttentionClassifier
from mmmammo.models.attention.attention_preprocessor import AttentionPreprocessor
from mmmammo.models.attention.risk_head import RiskHead
from mmmammo.models.attention.saliency import Saliency, centres_of_attention, input_gradients, saliency_map, top_pixels

__all__ = [
    'AttentionClassifier',
    'AttentionPreprocessor',
    'RiskHead',
    'Saliency',
    'centres_of_attention',
    'input_gradients',
    'saliency_map',
    'top_pixels',
]
