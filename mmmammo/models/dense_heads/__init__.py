"""Heads that predict from feature maps or queries."""

from mmmammo.models.dense_heads.mammo_dino_head import MammoDINOHead

__all__ = ['MammoDINOHead']
