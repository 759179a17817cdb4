"""Cancer, and what else is known about an image, from one feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmpretrain.models.heads import MultiLabelClsHead
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.nn import functional as F

from mmmammo.registry import MODELS
from mmmammo.structures import MammoError

VIEWS = ('CC', 'MLO', 'ML', 'LM', 'AT', 'LMO')
"""Those of the RSNA set; the number of a view is its class."""
TASKS = ('laterality', 'biopsy', 'view', 'implant')

_UNKNOWN = -1
_SIDES = {'L': 0, 'R': 1}
_BCE = {'type': 'mmpretrain.CrossEntropyLoss', 'use_sigmoid': True}
_INIT = {'type': 'Normal', 'layer': 'Linear', 'std': 0.01}


@MODELS.register_module()
class MultiTaskHead(MultiLabelClsHead):
    """One linear layer per task on a pooled feature (paper 2, experiments 6 and 7).

    ``L = alpha * L_cancer + (1 - alpha) * mean of the others``. All are binary cross-entropies, that of the view is a
    cross-entropy. A value that an image does not have (no metadata, a side or view that is none of these) is left out
    of its task's mean; a task that no image of a batch knows adds 0 and moves no weight. Predicts cancer alone.

    Logs ``loss_cls``, that of cancer, and ``loss_<task>``, each as it enters the sum.

    Args:
        in_channels: Of the feature.
        alpha: Weight of cancer against all others together, in (0, 1].
        tasks: The others. ``'laterality'`` and ``'view'`` are those of the image, as transforms leave them; any other
            name is a label of the prepared set with the values 0 and 1.
        views: Classes of ``'view'``.
        loss: Of cancer.
        init_cfg: Initial weights.

    Raises:
        MammoError: If ``alpha`` is out of range, or there is no task to give the rest to.
    """

    def __init__(
        self,
        in_channels: int,
        alpha: float = 0.8,
        tasks: Sequence[str] = TASKS,
        views: Sequence[str] = VIEWS,
        loss: Mapping[str, Any] = _BCE,
        init_cfg: Any = _INIT,
    ) -> None:
        super().__init__(loss=dict(loss), init_cfg=init_cfg)
        if not 0 < alpha <= 1 or not tasks or 'cancer' in tasks or len(set(tasks)) < len(tasks):
            raise MammoError(
                'MultiTaskHead',
                field='alpha, tasks',
                found=(alpha, tuple(tasks)),
                expected='alpha in (0, 1], and different tasks beside cancer',
                remedy='correct them; for cancer alone take mmpretrain.MultiLabelLinearClsHead',
            )
        self.alpha = alpha
        self.views = {view: number for number, view in enumerate(views)}
        self.cancer = nn.Linear(in_channels, 1)
        self.others = nn.ModuleDict(
            {task: nn.Linear(in_channels, len(views) if task == 'view' else 1) for task in tasks}
        )

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """(n, 1) logits of cancer."""
        logits: Tensor = self.cancer(self.pre_logits(feats))
        return logits

    def loss(self, feats: tuple[Tensor, ...], data_samples: list[DataSample], **kwargs: Any) -> dict[str, Tensor]:
        """The weighted loss of each task.

        Args:
            feats: The last is the pooled feature, (n, in_channels).
            data_samples: With ``gt_score`` of cancer, and ``laterality``, ``view`` and ``labels`` where known.
            **kwargs: Of the loss of cancer.
        """
        feature = self.pre_logits(feats)
        losses = {'loss_cls': self.alpha * self._get_loss(self.cancer(feature), data_samples, **kwargs)['loss']}
        share = (1 - self.alpha) / len(self.others)
        for task, layer in self.others.items():
            truth = torch.tensor([self._number(task, sample) for sample in data_samples], device=feature.device)
            losses[f'loss_{task}'] = share * known_mean(layer(feature), truth)
        return losses

    def _number(self, task: str, sample: DataSample) -> int:
        """Class number of an image in a task."""
        if task == 'view':
            return self.views.get(sample.get('view'), _UNKNOWN)
        if task == 'laterality':
            return _SIDES.get(sample.get('laterality'), _UNKNOWN)
        value = (sample.get('labels') or {}).get(task)
        return int(value) if value in (0, 1) else _UNKNOWN


def known_mean(logits: Tensor, truth: Tensor) -> Tensor:
    """Mean cross-entropy of the images whose class is known; 0 with zero gradient where none is.

    Args:
        logits: (n, classes), or (n, 1) of a binary task.
        truth: (n,) class numbers, -1 where unknown.
    """
    known = truth != _UNKNOWN
    logits, truth, count = logits[known].float(), truth[known], known.sum().clamp_min(1)
    if logits.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(logits[:, 0], truth.float(), reduction='sum') / count
    return F.cross_entropy(logits, truth, reduction='sum') / count
