"""mmpretrain's backbones run step by step, so that a localiser can look or intervene between the steps.

Their maps are finer than a classifier's: 14 x 14 cells of an image of 224, or 28 x 28 with ``large_feature_map``.
Parameters keep their names: ImageNet checkpoints load.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmpretrain.models.backbones import VGG, InceptionV3, ResNet
from torch import Tensor, nn

from mmmammo.models.wsol.attention_dropout import AttentionDropout
from mmmammo.registry import MODELS
from mmmammo.structures import MammoError

LEAST_SIDE = 16
"""Pixels of an input side: one cell of a 14 x 14 map."""


class StepwiseMixin:
    """A backbone whose ``forward`` is its :meth:`steps` one after the other.

    Subclasses name the steps, adapt their parent and then call :meth:`set_steps`.
    """

    @abstractmethod
    def steps(self) -> Iterator[tuple[str, nn.Module]]:
        """Name and module of each step; the names are those of the modules in the state dict."""

    def set_steps(self, out_steps: Sequence[str], attention_dropout: Mapping[str, Any] | None) -> None:
        """Settle what happens between the steps.

        Args:
            out_steps: Steps whose output is returned, in their order; by default the last.
            attention_dropout: Arguments of :class:`AttentionDropout` and ``after``, the steps it follows.

        Raises:
            MammoError: If there is no such step.
        """
        known = [name for name, _ in self.steps()]
        config = dict(attention_dropout or {})
        self.attention_after = tuple(config.pop('after', ()))
        self.attention_dropout = AttentionDropout(**config)
        self.out_steps = tuple(out_steps) or (known[-1],)
        unknown = [name for name in (*self.out_steps, *self.attention_after) if name not in known]
        if unknown:
            raise MammoError(
                type(self).__name__,
                field="out_steps or attention_dropout['after']",
                found=unknown,
                expected=f'some of {known}',
                remedy='correct the names',
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Outputs of ``out_steps``.

        Args:
            x: (n, 3, h, w).

        Raises:
            MammoError: If a side is shorter than :data:`LEAST_SIDE`.
        """
        if min(x.shape[-2:]) < LEAST_SIDE:
            raise MammoError(
                type(self).__name__,
                field='input (h, w)',
                found=tuple(x.shape[-2:]),
                expected=f'at least {LEAST_SIDE} pixels a side',
                remedy='resize in the pipeline',
            )
        outputs = []
        for name, step in self.steps():
            x = step(x)
            if name in self.attention_after:
                x = self.attention_dropout(x)
            if name in self.out_steps:
                outputs.append(x)
        return tuple(outputs)


@MODELS.register_module()
class StepwiseResNet(StepwiseMixin, ResNet):
    """ResNet without the stride of its last stage, or of its last two; steps ``layer1.0`` … ``layer4.2`` (depth 50).

    Args:
        large_feature_map: 28 x 28 cells of an image of 224 instead of 14 x 14.
        out_steps: See :meth:`StepwiseMixin.set_steps`.
        attention_dropout: Likewise.
        **kwargs: Of mmpretrain's ``ResNet``, but for ``strides``, ``out_indices`` and ``deep_stem``.
    """

    def __init__(
        self,
        large_feature_map: bool = False,
        out_steps: Sequence[str] = (),
        attention_dropout: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(strides=(1, 2, 1 if large_feature_map else 2, 1), **kwargs)
        self.set_steps(out_steps, attention_dropout)

    def steps(self) -> Iterator[tuple[str, nn.Module]]:
        """The stem, then block by block."""
        for name in ('conv1', self.norm1_name, 'relu', 'maxpool'):
            yield name, getattr(self, name)
        for layer in self.res_layers:
            yield from ((f'{layer}.{i}', block) for i, block in enumerate(getattr(self, layer)))


@MODELS.register_module()
class StepwiseVGG(StepwiseMixin, VGG):
    """VGG without its last pooling, or its last two; steps ``features.0`` … ``features.16`` (depth 16).

    Args:
        large_feature_map: 28 x 28 cells of an image of 224 instead of 14 x 14.
        out_steps: See :meth:`StepwiseMixin.set_steps`.
        attention_dropout: Likewise.
        **kwargs: Of mmpretrain's ``VGG``, but for ``out_indices``, ``num_classes`` and ``with_last_pool``.
    """

    def __init__(
        self,
        large_feature_map: bool = False,
        out_steps: Sequence[str] = (),
        attention_dropout: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(with_last_pool=False, **kwargs)
        if large_feature_map:
            self.features[self.range_sub_modules[-1][0] - 1] = nn.Identity()
        self.set_steps(out_steps, attention_dropout)

    def steps(self) -> Iterator[tuple[str, nn.Module]]:
        """Convolutions and poolings."""
        return ((f'features.{i}', layer) for i, layer in enumerate(self.features))


@MODELS.register_module()
class StepwiseInceptionV3(StepwiseMixin, InceptionV3):
    """InceptionV3 up to ``Mixed_6e``, padded so that 224 pixels give 14 or 28 cells; steps ``Conv2d_1a_3x3`` ….

    As the WSOL benchmark has it: the poolings and the first convolution are padded, ``Mixed_6a`` has no stride, and a
    pooling before it (step ``pool3``) takes its place.

    Args:
        large_feature_map: 28 x 28 cells of an image of 224 instead of 14 x 14.
        out_steps: See :meth:`StepwiseMixin.set_steps`.
        attention_dropout: Likewise.
        init_cfg: Of mmpretrain's ``InceptionV3``.
    """

    def __init__(
        self,
        large_feature_map: bool = False,
        out_steps: Sequence[str] = (),
        attention_dropout: Mapping[str, Any] | None = None,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(**({} if init_cfg is None else {'init_cfg': init_cfg}))
        for name in ('Mixed_7a', 'Mixed_7b', 'Mixed_7c', 'avgpool', 'dropout', 'fc', 'AuxLogits'):
            delattr(self, name)
        self._refine(large_feature_map)
        self.set_steps(out_steps, attention_dropout)

    def steps(self) -> Iterator[tuple[str, nn.Module]]:
        """The stem, then ``Mixed_5b`` to ``Mixed_6e``."""
        names = [name for name, _ in self.named_children() if name not in ('pool3', 'attention_dropout')]
        names.insert(names.index('Mixed_6a'), 'pool3')
        return ((name, getattr(self, name)) for name in names)

    def _refine(self, large_feature_map: bool) -> None:
        self.Conv2d_1a_3x3.conv.padding = (1, 1)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True)
        self.pool3 = nn.Identity() if large_feature_map else nn.MaxPool2d(3, stride=2, ceil_mode=True)
        for branch in (self.Mixed_6a.branch3x3, self.Mixed_6a.branch3x3dbl_3):
            branch.conv.stride, branch.conv.padding = (1, 1), (1, 1)
        self.Mixed_6a.branch_pool = nn.MaxPool2d(3, stride=1, padding=1)
