"""Test-time augmentation: a classifier's mean over each image and its mirror image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmpretrain.models.tta import AverageClsScoreTTA
from mmpretrain.structures import DataSample

from mmmammo.models.classifiers.four_view_classifier import FourViewClassifier
from mmmammo.registry import MODELS
from mmmammo.structures import Affine, MammoError


@MODELS.register_module()
class FlipAverage(AverageClsScoreTTA):
    """A classifier that looks at every image twice, as it is and mirrored left to right; scores are averaged.

    The images are mirrored when they come out of the pipeline, so that it works with any pipeline and collate
    function, those of exams included; so are the overviews of an Attention model. What else a model predicts (heatmaps,
    boxes) is that of the image as it is.

    Args:
        module: The classifier, built or as config.

    Raises:
        MammoError: If it is one whose images all face one way.
    """

    def __init__(self, module: Any, **kwargs: Any) -> None:
        super().__init__(module, **kwargs)
        inner = self.module.module if is_model_wrapper(self.module) else self.module
        if isinstance(inner, FourViewClassifier):
            raise MammoError(
                'FlipAverage',
                field='model',
                found='FourViewClassifier, whose breasts all face right',
                expected='a classifier that has seen mirrored images',
                remedy='leave --tta out; its ten windows of each view are its own',
            )

    def test_step(self, data: Mapping[str, Any]) -> list[DataSample]:
        """Scores of a batch.

        Args:
            data: ``inputs``, (c, h, w) each, as a list or stacked, and ``data_samples``.

        Raises:
            MammoError: If the model gives no scores.
        """
        mirrored = _mirrored(data)
        plain = self.module.test_step(data)
        _require_scores(plain)
        flipped = self.module.test_step(mirrored)
        return list(self.merge_preds(list(zip(plain, flipped, strict=True))))


def _mirrored(data: Mapping[str, Any]) -> dict[str, Any]:
    samples = [sample.clone() for sample in data['data_samples']]
    mirrored = {**data, 'inputs': [torch.flip(image, (-1,)) for image in data['inputs']], 'data_samples': samples}
    if 'overview' in data:
        mirrored['overview'] = [torch.flip(overview, (-1,)) for overview in data['overview']]
        for image, overview, sample in zip(data['inputs'], data['overview'], samples, strict=True):
            ends = Affine.mirror(overview.shape[-1]), Affine.mirror(image.shape[-1])
            sample.set_metainfo({'overview_affine': (ends[0] @ Affine(sample.overview_affine) @ ends[1]).matrix})
    return mirrored


def _require_scores(samples: Sequence[Any]) -> None:
    if any(sample.get('pred_score') is None for sample in samples):
        raise MammoError(
            'FlipAverage',
            field='pred_score',
            found='a model that gives no scores',
            expected='a classifier',
            remedy='leave --tta out',
        )
