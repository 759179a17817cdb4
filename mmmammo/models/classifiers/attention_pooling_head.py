"""One score per breast from all its views, and from those of the other breast."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from mmpretrain.models.heads import MultiLabelClsHead
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmmammo.models.layers import AttentionPooling
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError

_BCE = {'type': 'mmpretrain.CrossEntropyLoss', 'use_sigmoid': True}
_INIT = {'type': 'Normal', 'std': 0.01, 'override': {'name': 'classify'}}
_SIDES = ('L', 'R')


@MODELS.register_module()
class AttentionPoolingHead(MultiLabelClsHead):
    """Pools the views of a breast by attention, and classifies the breast; for mmpretrain's ``ImageClassifier``.

    A shared encoder has given each image of a batch of exams a feature. The views of a breast are pooled to one
    (:class:`~mmmammo.models.layers.AttentionPooling`); beside it stands, with ``exam_context``, what a second pooling
    makes of all views of the exam. One linear layer gives the logits. A breast may have any number of views: one that
    is missing is just not there, and their order has no influence. An image of unknown side is a breast of its own.

    A breast counts once in the loss, and is positive if one of its images is. In prediction every image gets the score
    of its breast, so that the metrics and files of image classifiers serve; the mean over a breast's images is that
    score. ``view_weight`` of an image is its share in the pooled feature.

    Args:
        in_channels: Of the encoder's feature.
        num_classes: Labels.
        hidden: Of the attention.
        gated: Whether the attention is gated.
        dropout: Of the attention, and of what is classified.
        exam_context: Look at the other breast too.
        loss: Of a breast.
        init_cfg: Initial weights.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int = 1,
        hidden: int = 128,
        gated: bool = False,
        dropout: float = 0.0,
        exam_context: bool = True,
        loss: Mapping[str, Any] = _BCE,
        init_cfg: Any = _INIT,
    ) -> None:
        super().__init__(loss=dict(loss), init_cfg=init_cfg)
        self.breast_pooling = AttentionPooling(in_channels, hidden, gated, dropout)
        self.exam_pooling = AttentionPooling(in_channels, hidden, gated, dropout) if exam_context else None
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(in_channels * (2 if exam_context else 1), num_classes)

    def forward(self, feats: Sequence[Tensor], data_samples: Sequence[DataSample]) -> tuple[Tensor, Tensor, Tensor]:
        """Classify the breasts of a batch.

        Args:
            feats: The last is (n, in_channels), a row per image.
            data_samples: (n,) with ``laterality``, and ``exam_slot`` or ``exam_id``; with ``breast_side`` where a flip
                exchanged the side.

        Returns:
            Logits (b, num_classes), the breast of each image (n,), and its weight there (n,).
        """
        feature = feats[-1]
        breast, exam = groups_of(data_samples, feature.device)
        pooled, weights = self.breast_pooling(feature, breast, int(breast.max()) + 1)
        if self.exam_pooling is not None:
            whole, _ = self.exam_pooling(feature, exam, int(exam.max()) + 1)
            exam_of = torch.zeros(len(pooled), dtype=exam.dtype, device=exam.device).scatter(0, breast, exam)
            pooled = torch.cat([pooled, whole[exam_of]], dim=1)
        return self.classify(self.dropout(pooled)), breast, weights

    def loss(self, feats: Sequence[Tensor], data_samples: list[DataSample], **kwargs: Any) -> dict[str, Tensor]:
        """Binary cross-entropy, a row per breast.

        Args:
            feats: See :meth:`forward`.
            data_samples: Also with ``gt_score``.
            **kwargs: Of the loss.
        """
        logits, breast, _ = self(feats, data_samples)
        truth = torch.stack([sample.gt_score for sample in data_samples]).to(logits)
        of_breast = truth.new_zeros(logits.shape).scatter_reduce(0, breast[:, None].expand_as(truth), truth, 'amax')
        return {'loss_cls': self.loss_module(logits, of_breast, avg_factor=len(logits), **kwargs)}

    def predict(self, feats: Sequence[Tensor], data_samples: list[DataSample] | None = None) -> list[DataSample]:
        """Give every image ``pred_score`` of its breast, and ``view_weight``.

        Raises:
            MammoError: Without data samples: nobody would know which images belong together.
        """
        if data_samples is None:
            raise _error('data_samples', 'none')
        logits, breast, weights = self(feats, data_samples)
        samples = self._get_predictions(logits[breast], data_samples)
        for sample, weight in zip(samples, weights.tolist(), strict=True):
            sample.set_field(weight, 'view_weight')
        return list(samples)


def groups_of(data_samples: Sequence[DataSample], device: torch.device) -> tuple[Tensor, Tensor]:
    """The breast and the exam of each image, (n,) int64 each, counted from 0.

    Raises:
        MammoError: If a sample says neither ``exam_slot`` nor ``exam_id``.
    """
    breasts: dict[Hashable, int] = {}
    exams: dict[Hashable, int] = {}
    of_image = []
    for row, sample in enumerate(data_samples):
        exam = sample.get('exam_slot', sample.get('exam_id'))
        if exam is None:
            raise _error(f'exam of image {row}', 'nothing')
        side = sample.get('breast_side', sample.get('laterality'))
        breast = (exam, side if side in _SIDES else row)
        of_image.append((breasts.setdefault(breast, len(breasts)), exams.setdefault(exam, len(exams))))
    breast, exam = torch.tensor(of_image, dtype=torch.int64, device=device).unbind(1)
    return breast, exam


def _error(field: str, found: str) -> MammoError:
    return MammoError(
        'AttentionPoolingHead',
        field=field,
        found=found,
        expected='images that say which exam and breast they are of',
        remedy='read exams with mmmammo.ExamClassificationDataset, pack with mmmammo.PackView, and set '
        "collate_fn=dict(type='mmmammo.exam_collate')",
    )
