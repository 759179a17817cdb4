"""From loaded views to a normalised, padded batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.models.data_preprocessors import DetDataPreprocessor

from mmmammo.registry import MODELS
from mmmammo.structures import MammoError


@MODELS.register_module()
class ExamDataPreprocessor(DetDataPreprocessor):
    """mmdet's preprocessor for float images in [0, 1], whether of whole exams or single views.

    ``mmmammo.exam_collate`` has flattened exams by then, so that both arrive as a list of images. Views of different
    sizes are padded to the largest with black, the background of a mammogram.

    Args:
        mean: One value per channel; .459 is the luma-weighted ImageNet mean.
        std: Likewise; .226.
        pad_value: After normalisation. By default that of black.
        copies: How often a grey channel is repeated, for backbones that are written for three (Darknet, CSPDarknet).
        channels_last: Lay the batch out with the channels innermost, which convolutions are faster on; the values are
            the same.
        **kwargs: As in :class:`mmdet.models.DetDataPreprocessor`.

    Raises:
        MammoError: If there is no one value of black, or inputs are not what ``mean`` and ``std`` are made for.
    """

    def __init__(
        self,
        mean: Sequence[float] = (0.459,),
        std: Sequence[float] = (0.226,),
        pad_value: float | None = None,
        copies: int = 1,
        channels_last: bool = False,
        **kwargs: Any,
    ) -> None:
        if pad_value is None:
            black = {-m / s for m, s in zip(mean, std, strict=True)}
            if len(black) > 1:
                raise MammoError(
                    'ExamDataPreprocessor',
                    field='pad_value',
                    found=f'None with mean {tuple(mean)} and std {tuple(std)}, which give black {len(black)} values',
                    expected='a number',
                    remedy='set pad_value, or make the channels alike',
                )
            pad_value = black.pop()
        super().__init__(mean=mean, std=std, pad_value=pad_value, **kwargs)
        self.copies = copies
        self.channels_last = channels_last

    def forward(self, data: dict, training: bool = False) -> dict:
        """As the parent's, after a look at what came in.

        Args:
            data: ``inputs``, (C, h, w) float tensors in [0, 1] as a list or stacked, and ``data_samples``.
            training: Whether to augment.
        """
        for image in data['inputs']:
            self._check(image)
        out = super().forward(data, training)
        if self.copies > 1:
            out['inputs'] = out['inputs'].repeat(1, self.copies, 1, 1)
        if self.channels_last:
            out['inputs'] = out['inputs'].contiguous(memory_format=torch.channels_last)
        return out

    def _check(self, image: object) -> None:
        if not isinstance(image, torch.Tensor):
            self._refuse(
                f'a {type(image).__name__} of views', 'one image', "set collate_fn=dict(type='mmmammo.exam_collate')"
            )
        if not image.is_floating_point():
            self._refuse(f'{image.dtype}', 'float in [0, 1]', 'load images with mmmammo.LoadMammogram')
        if len(image) != len(self.mean):
            self._refuse(f'{len(image)} channels', f'{len(self.mean)}', 'set mean and std for each channel')

    @staticmethod
    def _refuse(found: str, expected: str, remedy: str) -> None:
        raise MammoError('ExamDataPreprocessor', field='inputs', found=found, expected=expected, remedy=remedy)
