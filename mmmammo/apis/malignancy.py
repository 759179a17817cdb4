"""Second stage: how likely each detected lesion is malignant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from mmdet.registry import MODELS
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope

from mmmammo.apis.runs import for_testing, load_config
from mmmammo.datasets.finding_patch_dataset import PATHOLOGIES
from mmmammo.datasets.transforms import LoadMammogram
from mmmammo.engine.checkpoint import classes_of, load_checkpoint, require_checkpoint_of
from mmmammo.engine.inference import speed_up
from mmmammo.structures import MammoError

MALIGNANT = PATHOLOGIES[1]


class MalignancyClassifier:
    """A trained classifier of patches, for :class:`mmmammo.apis.ExamInferencer`.

    Args:
        config: Its config, such as ``configs/agrcnn/malignancy_resnet_cbam_phantom.py``.
        checkpoint: Its weights.
        device: As for the inferencer; the CPU by default.

    Raises:
        MammoError: If a file is missing, the checkpoint is not this config's, or it does not know malignancy.
    """

    def __init__(self, config: str | Path, checkpoint: str | Path, device: str | torch.device = 'cpu') -> None:
        cfg = for_testing(load_config(config))
        init_default_scope(cfg.default_scope)
        classes = classes_of(checkpoint)
        if MALIGNANT not in classes:
            raise MammoError(
                checkpoint,
                field="meta['dataset_meta']['classes']",
                found=classes,
                expected=f'{PATHOLOGIES}',
                remedy='give the checkpoint of a config that is called malignancy_…',
            )
        self.index = classes.index(MALIGNANT)
        model = MODELS.build(cfg.model)
        require_checkpoint_of(model, checkpoint)
        weights = load_checkpoint(checkpoint)
        model.load_state_dict(weights.get('state_dict', weights))
        self.model = speed_up(model.to(device))
        steps = Compose(cfg.test_dataloader.dataset.pipeline).transforms
        self.pipeline = Compose([step for step in steps if not isinstance(step, LoadMammogram)])

    @torch.no_grad()
    def __call__(self, image: npt.NDArray[np.floating], boxes: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Judge the boxes of one image.

        Args:
            image: (h, w) in [0, 1], prepared.
            boxes: (n, 4) xyxy in its pixels.

        Returns:
            (n,) in [0, 1]; nan for a box without extent.
        """
        scores = np.full(len(boxes), np.nan)
        usable = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1)) if len(boxes) else []
        if len(usable):
            patches = [self.pipeline({'img': image, 'img_shape': image.shape, 'bbox': boxes[i]}) for i in usable]
            judged = self.model.test_step(pseudo_collate(patches))
            scores[usable] = [float(sample.pred_score[self.index]) for sample in judged]
        return scores
