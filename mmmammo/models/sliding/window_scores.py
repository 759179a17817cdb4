"""The definition: every window by itself through the classifier, some at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from mmpretrain.models.classifiers import BaseClassifier
from torch import Tensor

from mmmammo.models.sliding.window_grid import Mask, WindowGrid


def pad_image(image: Tensor, grid: WindowGrid, context: int, black: Tensor) -> Tensor:
    """Fill up with black, to whole windows on the right and below and by the context on all sides.

    Args:
        image: (c, h, w).
        grid: Of its windows.
        context: Pixels.
        black: (c,) what black is in each channel.

    Returns:
        (c, H + 2 context, W + 2 context).
    """
    height, width = grid.padded
    out = black.to(image)[:, None, None].repeat(1, height + 2 * context, width + 2 * context)
    out[:, context : context + image.shape[1], context : context + image.shape[2]] = image
    return out


def classify(model: BaseClassifier, batch: Tensor, bfloat16: bool = False) -> Tensor:
    """(n, classes) probabilities of windows (n, c, h, w), as the model's head predicts them."""
    with torch.autocast(batch.device.type, torch.bfloat16, enabled=bfloat16):
        features = model.extract_feat(batch)
    if bfloat16:
        features = tuple(feature.float() for feature in features)
    return torch.stack([sample.pred_score for sample in model.head.predict(features)])


def score_windows(
    score: Callable[[Tensor], Tensor], image: Tensor, grid: WindowGrid, wanted: Mask, context: int, batch_size: int
) -> npt.NDArray[np.floating]:
    """Scores of the windows that are wanted.

    Args:
        score: (n, c, side, side) windows with their context -> (n, classes).
        image: (c, H, W), see :func:`pad_image`.
        grid: Of the windows.
        wanted: (rows, columns), at least one.
        context: Pixels around each window.
        batch_size: Windows per call of ``score``, at most.

    Returns:
        (classes, rows, columns) in the precision of the scores, nan where not wanted.
    """
    side = grid.window + 2 * context
    windows = image.unfold(1, side, grid.stride).unfold(2, side, grid.stride)  # a view: nothing is copied yet
    rows, columns = np.nonzero(wanted)
    found = []
    for first in range(0, len(rows), batch_size):
        some = slice(first, first + batch_size)
        batch = windows[:, torch.from_numpy(rows[some]), torch.from_numpy(columns[some])].transpose(0, 1)
        found.append(score(batch.contiguous(memory_format=torch.channels_last)).cpu())
    values = torch.cat(found).numpy()
    scores = np.full((values.shape[1], *grid.counts), np.nan, dtype=values.dtype)
    scores[:, rows, columns] = values.T
    return scores
