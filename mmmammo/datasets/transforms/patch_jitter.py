"""Brightness, contrast and saturation of fused patches."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from torchvision.transforms.v2 import functional as F

from mmmammo.datasets.transforms.randomness import call_generator
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import MammoError

_STEPS = {'brightness': F.adjust_brightness, 'contrast': F.adjust_contrast, 'saturation': F.adjust_saturation}


@TRANSFORMS.register_module()
class PatchJitter(BaseTransform):
    """Vary a float image of three channels as torchvision's ``ColorJitter`` does, in random order.

    The channels are a view and two equalisations of it, so saturation moves the three towards or away from their
    weighted mean: it varies how much the equalisations add.

    Required Keys:

    - img ((h, w, 3) float32 in [0, 1])

    Modified Keys:

    - img

    Args:
        brightness: The factor is uniform in [1 - brightness, 1 + brightness].
        contrast: Likewise.
        saturation: Likewise.

    Raises:
        MammoError: If one is not in [0, 1].
    """

    def __init__(self, brightness: float = 0.2, contrast: float = 0.2, saturation: float = 0.2) -> None:
        self.strengths = {'brightness': brightness, 'contrast': contrast, 'saturation': saturation}
        for name, strength in self.strengths.items():
            if not 0 <= strength <= 1:
                raise MammoError(
                    'PatchJitter',
                    field=name,
                    found=strength,
                    expected='a number in [0, 1]',
                    remedy='correct it in the config',
                )

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace the image."""
        rng = call_generator()
        image = torch.from_numpy(np.ascontiguousarray(results['img'].transpose(2, 0, 1)))
        for name in rng.permutation(list(_STEPS)).tolist():
            strength = self.strengths[name]
            image = _STEPS[name](image, float(rng.uniform(1 - strength, 1 + strength)))
        results['img'] = np.ascontiguousarray(image.numpy().transpose(1, 2, 0))
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}({", ".join(f"{name}={value}" for name, value in self.strengths.items())})'
