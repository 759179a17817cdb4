"""The head of paper 1: from the features of a window to one score per finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmpretrain.models.heads import MultiLabelClsHead
from torch import Tensor, nn
from torch.nn import functional as F

from mmmammo.registry import MODELS
from mmmammo.structures import MammoError

POOLINGS = ('average', 'flatten')


@MODELS.register_module()
class PatchHead(MultiLabelClsHead):
    """Pooling, Linear, ReLU, Linear; the sigmoid is in the loss and in ``predict``.

    A window's features are one cell per 32 pixels. ``average`` is their mean. ``flatten`` pools them to ``grid`` x
    ``grid`` cells and keeps the place of each, as torchvision's VGG does. The model has no neck: ``extract_feat`` gives
    the map before pooling, :meth:`forward` judges whole windows, and :meth:`score_map` every window of a larger map,
    in which the linear layers are convolutions.

    Args:
        in_channels: Of the feature map.
        num_classes: Outputs, 10 in the paper.
        hidden_channels: 512 in the paper.
        pooling: One of :data:`POOLINGS`.
        grid: Cells per side that ``flatten`` keeps.
        cells: Side of the central block of the map that is the window; what lies around it is context, which its
            features have seen. By default the whole map is the window.
        thr: Scores from here on are in ``pred_label``.
        loss: Of (n, c) logits and targets.
        **kwargs: As mmpretrain's ``MultiLabelClsHead``.

    Raises:
        MammoError: If the pooling is unknown or a number not positive.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int = 10,
        hidden_channels: int = 512,
        pooling: str = 'average',
        grid: int = 7,
        cells: int | None = None,
        thr: float = 0.5,
        loss: Mapping[str, Any] | nn.Module | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(loss=loss or {'type': 'mmmammo.MultiLabelFocalLoss', 'gamma': 2.0}, thr=thr, **kwargs)
        numbers = {
            'in_channels': in_channels,
            'num_classes': num_classes,
            'hidden_channels': hidden_channels,
            'grid': grid,
            'cells': 1 if cells is None else cells,
        }
        for name, number in numbers.items():
            if number < 1:
                raise _error(name, number, 'at least 1')
        if pooling not in POOLINGS:
            raise _error('pooling', repr(pooling), f'one of {POOLINGS}')
        self.num_classes = num_classes
        self.pooling = pooling
        self.grid = grid if pooling == 'flatten' else 1
        self.cells = cells
        self.hidden = nn.Linear(in_channels * self.grid**2, hidden_channels)
        self.fc = nn.Linear(hidden_channels, num_classes)

    def pre_logits(self, feats: Sequence[Tensor]) -> Tensor:
        """(n, d) vector of each window.

        Args:
            feats: The last is the map (n, c, h, w) of the window and its context, or is already pooled, (n, d).
        """
        features = feats[-1]
        if features.dim() == 2:
            return features
        if self.cells is not None:
            features = central_block(features, self.cells)
        return F.adaptive_avg_pool2d(features, self.grid).flatten(1)

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """(n, num_classes) logits; see :meth:`pre_logits`."""
        return self.fc(F.relu(self.hidden(self.pre_logits(feats))))

    def score_map(self, features: Tensor, cells: int) -> Tensor:
        """Logits of every window of a map.

        Args:
            features: (n, c, h, w).
            cells: Side of a window.

        Returns:
            (n, num_classes, h - cells + 1, w - cells + 1); entry (i, j) is :meth:`forward` of the ``cells`` x ``cells``
            block whose upper left cell is (i, j).

        Raises:
            MammoError: If the map is smaller than a window, or a window cannot be pooled to the grid by one stride.
        """
        if min(features.shape[-2:]) < cells:
            raise _error('feature map', tuple(features.shape[-2:]), f'at least {cells} x {cells} cells, one window')
        kernel = cells - self.grid + 1
        if self.pooling == 'flatten' and kernel not in (1, 2):  # else adaptive bins differ in size
            raise _error('cells', cells, f'{self.grid} or {self.grid + 1}, with a grid of {self.grid}')
        pooled = F.avg_pool2d(features, kernel, stride=1)
        weight = self.hidden.weight.unflatten(1, (features.shape[1], self.grid, self.grid))
        hidden = F.relu(F.conv2d(pooled, weight, self.hidden.bias))
        return F.conv2d(hidden, self.fc.weight[:, :, None, None], self.fc.bias)


def central_block(features: Tensor, cells: int) -> Tensor:
    """The ``cells`` x ``cells`` cells in the middle of maps (n, c, h, w).

    Raises:
        MammoError: If there is no such middle.
    """
    around = [side - cells for side in features.shape[-2:]]
    if min(around) < 0 or any(rest % 2 for rest in around):
        expected = f'{cells} x {cells} and an equal number of cells on either side'
        raise _error('feature map', tuple(features.shape[-2:]), expected)
    top, left = (rest // 2 for rest in around)
    return features[..., top : top + cells, left : left + cells]


def _error(field: str, found: object, expected: str) -> MammoError:
    return MammoError(
        'PatchHead', field=field, found=found, expected=expected, remedy='correct the config, or the size of the input'
    )
