"""What a neck without landmarks must know about a batch: who is whose partner, and where an image ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmdet.structures import DetDataSample
from torch import Tensor

from mmmammo.models.layers.exam_context import ExamLinks, Partners, meta_of, pair_samples


@dataclass(frozen=True, eq=False)
class ViewContext(ExamLinks):
    """Partners and sizes of the B images of one batch.

    Args:
        sizes: (B, 2) float, width and height of each image without padding, in network-input pixels.
        ipsilateral: As in :class:`ExamLinks`.
        contralateral: Likewise.
        input_shape: Likewise.
    """

    sizes: Tensor

    @classmethod
    def from_data_samples(
        cls, data_samples: Sequence[DetDataSample], input_shape: tuple[int, int], device: torch.device
    ) -> ViewContext:
        """Read the metainfo of a batch.

        Args:
            data_samples: One per image, with ``exam_id``, ``laterality``, ``view``, ``quality`` and ``img_shape``.
            input_shape: (H, W) of the padded batch.
            device: Where the tensors go.

        Raises:
            MammoError: If a key is missing.
        """
        ipsilateral, contralateral = pair_samples(data_samples, [True] * len(data_samples))
        shapes = [meta_of(sample, 'img_shape')[:2] for sample in data_samples]
        return cls(
            sizes=torch.tensor([(width, height) for height, width in shapes], dtype=torch.float32, device=device),
            ipsilateral=Partners.from_index(ipsilateral, device),
            contralateral=Partners.from_index(contralateral, device),
            input_shape=input_shape,
        )
