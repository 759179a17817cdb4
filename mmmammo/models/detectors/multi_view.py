"""Makes any mmdet detector class a multi-view one."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import Any

from mmdet.models.detectors.base import ForwardResults
from mmdet.structures import OptSampleList, SampleList
from torch import Tensor, nn

from mmmammo.models.layers import ExamContextReader
from mmmammo.models.lesion_matcher import BatchFeatures, LesionMatcher
from mmmammo.registry import MODELS


class MultiViewMixin:
    """Gives the graph necks of a detector the exam context of each batch: ``class Mine(MultiViewMixin, ItsClass)``.

    A checkpoint of the plain detector loads too: where ``neck`` is a list, its weights go to the first element.

    Args:
        lesion_matcher: Says which detections of the two views of a breast are one lesion, or its config.
        *args: The detector's.
        **kwargs: Likewise.
    """

    def __init__(self, *args: Any, lesion_matcher: LesionMatcher | dict | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lesion_matcher = MODELS.build(lesion_matcher) if isinstance(lesion_matcher, dict) else lesion_matcher
        self.register_load_state_dict_pre_hook(_move_plain_neck)

    def forward(self, inputs: Tensor, data_samples: OptSampleList = None, mode: str = 'tensor') -> ForwardResults:
        """As the parent's, with partners known to the necks while it runs.

        Args:
            inputs: (B, C, H, W), the views of one or more exams.
            data_samples: One per image; see :meth:`ExamContext.from_data_samples` for the metainfo they need.
            mode: 'tensor', 'loss' or 'predict'.
        """
        with ExitStack() as stack:
            for module in self.modules() if data_samples is not None else ():
                if isinstance(module, ExamContextReader):
                    context = module.read_context(data_samples, tuple(inputs.shape[-2:]), inputs.device)
                    stack.enter_context(module.given(context))
            return super().forward(inputs, data_samples, mode)

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor | list[Tensor]]:
        """As the parent's, with the losses that its necks have of their own.

        Args:
            batch_inputs: (B, C, H, W).
            batch_data_samples: One per image.
        """
        losses = super().loss(batch_inputs, batch_data_samples)
        for module in self.modules():
            if isinstance(module, ExamContextReader):
                losses |= module.losses(batch_data_samples)
        return losses

    def predict(self, batch_inputs: Tensor, batch_data_samples: SampleList, rescale: bool = True) -> SampleList:
        """As the parent's; with a ``lesion_matcher`` samples get ``lesion_pairs``, if boxes are in prepared pixels.

        Args:
            batch_inputs: (B, C, H, W).
            batch_data_samples: One per image.
            rescale: Whether boxes are wanted in prepared pixels instead of those of the network input.
        """
        if self.lesion_matcher is None or not rescale:
            return super().predict(batch_inputs, batch_data_samples, rescale)
        seen: list[Any] = []
        handle = self.neck.register_forward_hook(lambda _, __, levels: seen.append(levels))
        try:
            samples = super().predict(batch_inputs, batch_data_samples, rescale)
        finally:
            handle.remove()
        self.lesion_matcher(samples, BatchFeatures(seen[0], tuple(batch_inputs.shape[-2:])))
        return samples


def _move_plain_neck(module: nn.Module, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Rename ``neck.lateral_convs...`` to ``neck.0.lateral_convs...``."""
    if not isinstance(getattr(module, 'neck', None), nn.Sequential):
        return
    plain = re.compile(rf'{re.escape(prefix)}neck\.(?!\d+\.)')
    for key in [key for key in state_dict if plain.match(key)]:
        state_dict[plain.sub(f'{prefix}neck.0.', key, count=1)] = state_dict.pop(key)
