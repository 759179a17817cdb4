"""Where a classifier looks: the gradient of its risk with respect to the pixels (Simonyan et al. 2014; paper 4, 3.2).

Paper 4 takes the gradient of the loss. For a cross-entropy over two outputs that is ``-sigmoid(-s) ds/dx`` or
``sigmoid(s) ds/dx`` of ``s = z_pos - z_neg``: the largest pixels are those of ``s`` whatever the label, so none is
needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from mmmammo.structures import MammoError

TOP_SHARE = 0.01
"""Of the pixels that make the centre of attention, after paper 4."""


@dataclass(frozen=True, eq=False)
class Saliency:
    """What one forward and one backward pass say of a batch.

    Args:
        logits: (n, 2), without gradient.
        gradients: (n, h, w) magnitude of ds/dx; of several channels the largest.
    """

    logits: Tensor
    gradients: Tensor


def input_gradients(logits_of: Callable[[Tensor], Tensor], inputs: Tensor) -> Saliency:
    """One forward and one backward pass for the whole batch; no weight gets a gradient.

    Images do not mix as long as the network is in evaluation mode, so the sum of their risks has each image's own
    gradient.

    Args:
        logits_of: From (n, c, h, w) to (n, 2).
        inputs: (n, c, h, w).

    Raises:
        MammoError: If a risk or gradient is not finite.
    """
    with torch.enable_grad():
        pixels = inputs.detach().requires_grad_()
        logits = logits_of(pixels)
        (gradient,) = torch.autograd.grad((logits[:, 1] - logits[:, 0]).sum(), pixels)
    magnitude = gradient.abs().amax(dim=1)
    finite = torch.isfinite(magnitude).flatten(1).all(dim=1) & torch.isfinite(logits).all(dim=1)
    if not finite.all():
        raise MammoError(
            'saliency',
            field=f'image {int(finite.int().argmin())} of the batch',
            found='a risk or gradient that is not finite',
            expected='numbers',
            remedy='the model or the image holds nan: train with a smaller rate, look at the image',
        )
    return Saliency(logits.detach(), magnitude)


def top_pixels(gradients: Tensor, share: float = TOP_SHARE) -> Tensor:
    """Flat indices (n, k) of the largest ``k = ceil(share h w)`` pixels of each (h, w)."""
    flat = gradients.flatten(1)
    return flat.topk(math.ceil(share * flat.shape[1]), dim=1, sorted=False).indices


def centres_of_attention(gradients: Tensor, share: float = TOP_SHARE) -> Tensor:
    """Centroid of the largest pixels, all of equal weight; the middle of a map that is 0 everywhere.

    Args:
        gradients: (n, h, w), not negative.
        share: Of the pixels that count.

    Returns:
        (n, 2) float64 as (x, y) in pixels of the input, the centre of the first pixel at (0.5, 0.5).
    """
    height, width = gradients.shape[1:]
    top = top_pixels(gradients, share)
    points = torch.stack([top % width, torch.div(top, width, rounding_mode='floor')], dim=-1).double() + 0.5
    flat = gradients.flatten(1).amax(dim=1) == 0
    return torch.where(flat[:, None], points.new_tensor([width / 2, height / 2]), points.mean(dim=1))


def saliency_map(gradient: Tensor, blur: float = 0.02) -> Tensor:
    """A gradient as a smooth map from 0 to 1, whose regions can be boxed.

    Args:
        gradient: (h, w).
        blur: Standard deviation of the Gaussian, as a share of the longer side: single pixels of a gradient flicker.
    """
    smooth = gaussian_filter(gradient.cpu().numpy().astype(np.float64), blur * max(gradient.shape))
    return torch.from_numpy((smooth / max(float(smooth.max()), np.finfo(float).tiny)).astype(np.float32))
