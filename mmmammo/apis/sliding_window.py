"""Heatmaps of single views from Python: a config of a sliding patch classifier, its weights, an image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope

from mmmammo.apis.runs import for_testing, load_config
from mmmammo.datasets.transforms import LoadMammogram
from mmmammo.engine.checkpoint import classes_of, load_checkpoint, require_checkpoint_of, use_safe_loading
from mmmammo.engine.inference import speed_up
from mmmammo.models.sliding import SlidingPatchDetector
from mmmammo.registry import MODELS
from mmmammo.structures import Heatmap, MammoError


class SlidingWindow:
    """A trained patch classifier that turns views into heatmaps.

    Example:
        >>> slide = SlidingWindow('configs/patch/patch_effnetv2s_phantom_sliding.py', 'work_dirs/…/best.pth')
        >>> heatmap = slide(read_png16('data/phantom_patches/images/…/L_CC.png'))
        >>> heatmap.values.shape, slide.classes

    Args:
        config: One whose model is a :class:`~mmmammo.models.sliding.SlidingPatchDetector`.
        checkpoint: Weights of it, or of the classifier of patches.
        device: ``'cuda:0'``, ``'cpu'``, …
        settings: Replace those of the config, e.g. ``{'mode': 'dense', 'scales': (1.0, 0.5)}``; see
            :class:`~mmmammo.models.sliding.SlidingSettings`.

    Attributes:
        classes: Names of the maps.
        model: The detector.

    Raises:
        MammoError: If a file is missing, the config is another model's, or a setting makes no sense.
    """

    def __init__(
        self,
        config: str | Path,
        checkpoint: str | Path,
        device: str | torch.device = 'cpu',
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        cfg = for_testing(load_config(config))
        init_default_scope(cfg.default_scope)
        use_safe_loading()
        if 'sliding' not in cfg.model:
            raise MammoError(
                config,
                field='model',
                found=cfg.model.get('type'),
                expected='mmmammo.SlidingPatchDetector',
                remedy='give a config that is called …_sliding.py',
            )
        cfg.model.sliding.update(settings or {})
        model: SlidingPatchDetector = MODELS.build(cfg.model)
        require_checkpoint_of(model, checkpoint)
        weights = load_checkpoint(checkpoint)
        model.load_state_dict(weights.get('state_dict', weights))
        self.classes = classes_of(checkpoint)[: model.num_findings]
        self.model = speed_up(model.to(device))
        steps = Compose(cfg.test_dataloader.dataset.pipeline).transforms
        self.pipeline = Compose([step for step in steps if _is_of_pixels(step)])

    @torch.no_grad()
    def __call__(self, image: npt.NDArray[np.floating]) -> Heatmap:
        """The heatmap of a view, in its pixels.

        Args:
            image: (h, w) in [0, 1], as prepared: chest wall on the left, bright on dark.
        """
        results = {'img': np.asarray(image, dtype=np.float32), 'img_shape': image.shape, 'ori_shape': image.shape}
        sample = self.model.test_step(pseudo_collate([self.pipeline(results)]))[0]
        return sample.class_heatmaps


def _is_of_pixels(step: object) -> bool:
    """Whether a step of a test pipeline is for images without file and truth."""
    return not isinstance(step, LoadMammogram) and type(step).__name__ != 'LoadAnnotations'
