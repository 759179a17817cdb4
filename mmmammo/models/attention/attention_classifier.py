"""The Attention model of paper 4, and the Ensemble of it with the Holistic model that guides it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.runner import CheckpointLoader
from mmengine.structures import InstanceData
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from mmmammo.models.attention.saliency import TOP_SHARE, Saliency, centres_of_attention, input_gradients, saliency_map
from mmmammo.models.wsol.class_maps import map_instances
from mmmammo.preprocessing.framing import cut_window
from mmmammo.registry import MODELS
from mmmammo.structures import Affine, MammoError
from mmmammo.structures.windows import window_corners

SCORES = ('attention', 'mean')


@MODELS.register_module()
class AttentionClassifier(ImageClassifier):
    """Looks with a Holistic model where to look, and judges that window at native resolution (paper 4, 3.2).

    ``locator`` is the trained Holistic model, frozen; backbone, neck and head are a second network of the same kind
    that starts from its weights. The locator's gradient on the overview gives a centre of attention
    (:mod:`~mmmammo.models.attention.saliency`), a window of the whole image round it goes to the second network.

    Training takes windows that the pipeline has cut (``mmmammo.CropAtAttention``). Predicting takes whole images with
    ``overview``, as ``mmmammo.PackAttentionView`` packs them: a checkpoint holds both networks, so that no test needs
    another file. Samples get ``pred_score``, ``attention_centre`` (2,) and ``roi`` (4,) xyxy in prepared pixels, and
    with ``localise`` ``heatmap`` and ``pred_instances``, which localisation metrics and reports read.

    Args:
        locator: Config of the Holistic model, an mmpretrain ``ImageClassifier``.
        roi_size: (width, height) of the window, in prepared pixels.
        share: Of the pixels of the overview that make the centre.
        score: ``'attention'``: risk of the second network. ``'mean'``: mean of both risks, paper 4's Ensemble.
        holistic: Checkpoint of the Holistic model that both networks start from; ``None`` for random weights.
        localise: Whether to add heatmap and boxes.
        box_level: See :class:`~mmmammo.models.wsol.ClassMapHead`.
        **kwargs: As mmpretrain's ``ImageClassifier``.

    Raises:
        MammoError: If ``score`` is unknown.
    """

    def __init__(
        self,
        locator: Mapping[str, Any],
        roi_size: Sequence[int],
        share: float = TOP_SHARE,
        score: str = 'attention',
        holistic: str | None = None,
        localise: bool = False,
        box_level: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if score not in SCORES:
            raise _error('score', repr(score), f'one of {SCORES}', 'correct it')
        self.locator = MODELS.build(dict(locator)).requires_grad_(requires_grad=False)
        self.roi_size = (int(roi_size[0]), int(roi_size[1]))
        self.share = share
        self.score = score
        self.holistic = holistic
        self.localise = localise
        self.box_level = box_level

    def init_weights(self) -> None:
        """As configured; then, with ``holistic``, both networks get its weights.

        Raises:
            MammoError: If these are of another model.
        """
        super().init_weights()
        if self.holistic is None:
            return
        checkpoint = CheckpointLoader.load_checkpoint(str(Path(self.holistic)), map_location='cpu')
        weights = checkpoint.get('state_dict', checkpoint)
        for network in (self.locator, self):
            odd = _differing(network.state_dict(), weights)
            if odd:
                remedy = 'give the checkpoint of the Holistic config that this config derives from'
                raise _error(f'holistic={self.holistic}', odd, 'the weights of the same network', remedy)
            network.load_state_dict(weights, strict=False)

    def train(self, mode: bool = True) -> AttentionClassifier:
        """As usual, but the locator never leaves evaluation mode."""
        super().train(mode)
        self.locator.eval()
        return self

    def forward(
        self,
        inputs: Tensor | list[Tensor],
        data_samples: list[DataSample] | None = None,
        mode: str = 'tensor',
        overview: Tensor | None = None,
    ) -> Any:
        """As mmpretrain's; ``mode='predict'`` needs ``overview``.

        Args:
            inputs: (n, 1, h, w) windows; with ``overview`` a list of whole images (1, h, w) in [0, 1].
            data_samples: With ``gt_label`` for a loss, ``overview_affine`` for a prediction.
            mode: ``'tensor'``, ``'loss'`` or ``'predict'``.
            overview: (n, 1, h, w) normalised.

        Raises:
            MammoError: If the overview is missing.
        """
        if mode != 'predict':
            return super().forward(inputs, data_samples, mode)
        if overview is None or data_samples is None:
            raise _error('overview', 'nothing', 'overview and image', 'pack with mmmammo.PackAttentionView')
        return self._judge(inputs, overview, data_samples)

    def look(self, overview: Tensor) -> Saliency:
        """Logits and gradients of the locator, (n, 1, h, w) normalised in."""
        return input_gradients(lambda pixels: self.locator(pixels, mode='tensor'), overview)

    def attend(self, saliency: Saliency, affines: Sequence[Any]) -> np.ndarray:
        """(n, 2) centres of attention in prepared pixels.

        Args:
            saliency: Of :meth:`look`.
            affines: Per image, overview from prepared pixels.
        """
        points = centres_of_attention(saliency.gradients, self.share).cpu().numpy()
        return np.stack([Affine(affine).inverse().points(point) for affine, point in zip(affines, points, strict=True)])

    def _judge(self, images: list[Tensor], overview: Tensor, samples: list[DataSample]) -> list[DataSample]:
        saliency = self.look(overview)
        centres = self.attend(saliency, [sample.overview_affine for sample in samples])
        windows = []
        for image, centre, sample in zip(images, centres, samples, strict=True):
            corner = window_corners(centre, self.roi_size, image.shape[:0:-1])[0]
            windows.append(torch.from_numpy(cut_window(image[0].cpu().numpy(), tuple(corner.tolist()), self.roi_size)))
            sample.set_field(centre, 'attention_centre')
            sample.set_field(np.concatenate([corner, corner + self.roi_size]), 'roi')
        device = overview.device
        logits = self.head(self.extract_feat(self.data_preprocessor.windows([w[None].to(device) for w in windows])))
        both = (logits + saliency.logits) / 2  # the difference of mean logits is the mean of the risks
        judged = self.head.predict_logits(both if self.score == 'mean' else logits, samples)
        if self.localise:
            for sample, gradient in zip(judged, saliency.gradients, strict=True):
                self._localise(sample, gradient)
        return judged

    def _localise(self, sample: DataSample, gradient: Tensor) -> None:
        """Heatmap over the whole image, as high as the risk, and a box round its peak."""
        seen = saliency_map(gradient) * float(sample.pred_score[-1].detach())
        height, width = sample.img_shape[:2]
        heatmap = _on_image(seen, sample.overview_affine, (height, width))
        sample.set_field(heatmap, 'heatmap')
        instances: InstanceData = map_instances(heatmap.numpy(), (width, height), level=self.box_level)
        sample.set_field(instances, 'pred_instances')


def _on_image(seen: Tensor, affine: Any, shape: tuple[int, int]) -> Tensor:
    """A map of the overview, on the whole image at the overview's resolution; 0 where it did not look."""
    scale_x, scale_y = float(affine[0][0]), float(affine[1][1])
    size = (max(round(shape[1] * scale_x), 1), max(round(shape[0] * scale_y), 1))
    corner = (round(float(affine[0][2])), round(float(affine[1][2])))
    return torch.from_numpy(cut_window(seen.numpy(), corner, size))


def _differing(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """Entries that are missing, unknown or of another shape, the locator's own left out."""
    own = {key: value.shape for key, value in expected.items() if not key.startswith('locator.')}
    given = {key: value.shape for key, value in found.items()}
    return sorted(key for key in own.keys() | given.keys() if own.get(key) != given.get(key))[:3]


def _error(field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError('AttentionClassifier', field=field, found=found, expected=expected, remedy=remedy)
