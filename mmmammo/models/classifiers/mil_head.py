"""One score per exam from all its images, learnt from exams: multiple-instance learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmpretrain.structures import DataSample
from torch import Tensor

from mmmammo.models.classifiers.attention_pooling_head import AttentionPoolingHead, groups_of
from mmmammo.registry import MODELS


@MODELS.register_module()
class MILHead(AttentionPoolingHead):
    """Pools all images of an exam by gated attention (Ilse et al., ICML 2018), and classifies the exam.

    The exam is the bag and its images are the instances: any number of them, of any projection, and nobody needs to
    know which breast has the cancer. An exam counts once in the loss, and is positive if one of its images is. In
    prediction every image gets the score of its exam, and ``view_weight``, its share in it: the weights of an exam add
    up to 1 and say where the model looked.

    Args:
        in_channels: Of the encoder's feature.
        gated: Equation 9 of the paper; equation 8 without.
        **kwargs: As :class:`AttentionPoolingHead`, which pools breasts, but for ``exam_context``.
    """

    scored_unit = 'exam'
    """All its images have one score."""

    def __init__(self, in_channels: int, gated: bool = True, **kwargs: Any) -> None:
        super().__init__(in_channels, gated=gated, exam_context=False, **kwargs)

    def forward(self, feats: Sequence[Tensor], data_samples: Sequence[DataSample]) -> tuple[Tensor, Tensor, Tensor]:
        """Classify the exams of a batch.

        Args:
            feats: The last is (n, in_channels), a row per image.
            data_samples: (n,) with ``exam_slot`` or ``exam_id``.

        Returns:
            Logits (e, num_classes), the exam of each image (n,), and its weight there (n,).
        """
        _, exam = groups_of(data_samples, feats[-1].device)
        pooled, weights = self.breast_pooling(feats[-1], exam, int(exam.max()) + 1)
        return self.classify(self.dropout(pooled)), exam, weights
