"""An EfficientNetV2 that trains from scratch on a CPU."""

from __future__ import annotations

from typing import ClassVar

from mmpretrain.models.backbones import EfficientNetV2

from mmmammo.registry import MODELS


@MODELS.register_module()
class CompactEfficientNetV2(EfficientNetV2):
    """mmpretrain's EfficientNetV2 with a further size, ``arch='tiny'``.

    The same kinds of blocks in the same order as in S (fused ones first, squeeze-excite from stride 16 on), one or two
    of each, at a third of the width; 256 channels at the end.
    """

    # repeats, kernel, stride, expansion, channels in, out, squeeze-excite ratio, kind; as in the parent
    arch_settings: ClassVar[dict[str, list[list[float]]]] = {
        **EfficientNetV2.arch_settings,
        'tiny': [
            [1, 3, 1, 1, 8, 8, 0.0, -1],
            [1, 3, 2, 4, 8, 16, 0.0, 0],
            [1, 3, 2, 4, 16, 24, 0.0, 0],
            [2, 3, 2, 4, 24, 40, 0.25, 1],
            [2, 3, 1, 4, 40, 48, 0.25, 1],
            [2, 3, 2, 4, 48, 80, 0.25, 1],
            [1, 1, 1, 1, 80, 256, 0.0, -2],
        ],
    }
