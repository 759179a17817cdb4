"""Batches of the Attention model."""

from __future__ import annotations

from typing import Any

from mmpretrain.models.utils import ClsDataPreprocessor
from torch import Tensor

from mmmammo.registry import MODELS


@MODELS.register_module()
class AttentionPreprocessor(ClsDataPreprocessor):
    """mmpretrain's preprocessor; of a batch with overviews it normalises these and leaves the whole images alone.

    Whole images are of any size and stay where the loader put them: only a window of each goes to the network.
    """

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Windows are batched as usual; see the class for overviews."""
        if 'overview' not in data:
            return super().forward(data, training)
        seen = super().forward({'inputs': data['overview'], 'data_samples': data['data_samples']}, training)
        return {'inputs': data['inputs'], 'overview': seen['inputs'], 'data_samples': seen['data_samples']}

    def windows(self, windows: list[Tensor]) -> Tensor:
        """(n, 1, h, w) normalised, of raw windows of equal size."""
        return super().forward({'inputs': windows})['inputs']
