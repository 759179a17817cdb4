"""timm's networks, downloading nothing before training begins."""

from __future__ import annotations

from typing import Any

from mmengine.logging import MMLogger
from mmpretrain.models.backbones import TIMMBackbone

from mmmammo.registry import MODELS
from mmmammo.structures import MammoError


@MODELS.register_module()
class TimmBackbone(TIMMBackbone):
    """mmpretrain's ``TIMMBackbone`` whose published weights come with ``init_weights``, as mmengine's do.

    The parent fetches them when it is built, also to test or to resume, where a checkpoint replaces them at once; this
    one builds without a network and fetches them when a training begins.

    Args:
        model_name: Of timm, with or without the tag of its weights: ``'tf_efficientnet_b4.ns_jft_in1k'``.
        pretrained: Whether a training begins with the weights of the tag.
        **kwargs: As the parent's: ``features_only``, ``in_channels``; others go to timm (``out_indices``,
            ``act_layer='mish'``, ``drop_path_rate``, …). timm adds up the first filters of a grey network. On a machine
            without network, ``pretrained_cfg_overlay=dict(file=…)`` takes the weights from a file.
    """

    def __init__(self, model_name: str, pretrained: bool = False, **kwargs: Any) -> None:
        super().__init__(model_name, pretrained=False, **kwargs)
        self.pretrained = pretrained
        self._arguments = {'model_name': model_name, **kwargs}

    def init_weights(self) -> None:
        """Fetch the published weights, if they are wanted.

        Raises:
            MammoError: If they are neither to be had from the network nor kept from an earlier time.
        """
        super().init_weights()
        if self.pretrained:
            self.load_state_dict(self._published().state_dict())
            MMLogger.get_current_instance().info(f'{self._arguments["model_name"]}: loaded the weights of timm')

    def _published(self) -> TIMMBackbone:
        try:
            return TIMMBackbone(pretrained=True, **self._arguments)
        except OSError as err:  # what all errors of downloads are, and those of files
            raise MammoError(
                self._arguments['model_name'],
                field='model.backbone.pretrained',
                found=f'weights that cannot be read: {err}',
                expected='the network, or weights that were fetched before',
                remedy='bring the file and set model.backbone.pretrained_cfg_overlay.file=PATH, or begin without: '
                'model.backbone.pretrained=False',
            ) from err
