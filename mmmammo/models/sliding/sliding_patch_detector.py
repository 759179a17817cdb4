"""A patch classifier that is asked for whole views: heatmaps, and boxes round their peaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.structures import BaseDataElement
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from mmmammo.models.sliding.heatmap_boxes import heatmap_instances
from mmmammo.models.sliding.settings import SlidingSettings
from mmmammo.models.sliding.slider import PatchSlider
from mmmammo.preprocessing import segment_breast
from mmmammo.registry import MODELS
from mmmammo.structures import Affine, Heatmap, MammoError


@MODELS.register_module()
class SlidingPatchDetector(ImageClassifier):
    """mmpretrain's ``ImageClassifier`` on patches, slid over views when it predicts (paper 1).

    Weights have the same names: checkpoints of the classifier load as they are. ``loss`` is the classifier's own, of
    patches. ``predict`` gives each view's sample

    - ``pred_instances``: boxes round the peaks, scores and labels, in prepared pixels,
    - ``heatmap``: (h, w) in [0, 1], the strongest class at each place, what the report shows,
    - ``class_heatmaps``: a :class:`~mmmammo.structures.Heatmap` of all findings, in prepared pixels,
    - ``pred_score``: (classes,) the greatest value of each.

    Detectors' metrics read the boxes; the breast is looked for in the first channel.

    Args:
        sliding: Arguments of :class:`~mmmammo.models.sliding.SlidingSettings`.
        boxes: Arguments of :func:`~mmmammo.models.sliding.heatmap_boxes.heatmap_instances`.
        num_findings: Outputs that are findings, the first ones; all by default. A last one for "no finding" is none.
        **kwargs: As mmpretrain's ``ImageClassifier``.

    Raises:
        MammoError: If a setting makes no sense.
    """

    def __init__(
        self,
        *args: Any,
        sliding: Mapping[str, Any] | None = None,
        boxes: Mapping[str, Any] | None = None,
        num_findings: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.boxes = dict(boxes or {})
        self.num_findings = num_findings
        self.slider = PatchSlider(self, SlidingSettings(**(sliding or {})))

    def predict(
        self, inputs: Tensor, data_samples: Sequence[BaseDataElement] | None = None, **kwargs: Any
    ) -> list[BaseDataElement]:
        """Heatmaps and boxes of views; see the class.

        Args:
            inputs: (n, c, h, w) normalised; what a view was padded by to the size of the batch is left out.
            data_samples: One per view, with ``img_shape``; without any, views are taken as they are.
            **kwargs: None.
        """
        samples = data_samples or [DataSample(metainfo={'img_shape': tuple(inputs.shape[2:])}) for _ in inputs]
        for image, sample in zip(inputs, samples, strict=True):
            height, width = sample.img_shape[:2]
            self._add(sample, self.heatmap(image[:, :height, :width]))
        return list(samples)

    def heatmap(self, image: Tensor) -> Heatmap:
        """Of one view (c, h, w), normalised; the findings only."""
        heatmap = self.slider(image, self.black(len(image)), segment_breast(image[0].float().cpu().numpy()))
        return Heatmap(heatmap.values[: self.num_findings], heatmap.cell, heatmap.shape)

    def black(self, channels: int) -> Tensor:
        """(c,) what the data preprocessor makes of a black pixel."""
        pixel = torch.zeros(1, channels, 1, 1)
        mean, std = (getattr(self.data_preprocessor, name, None) for name in ('mean', 'std'))
        if mean is None or std is None:
            return pixel.flatten()
        return (-mean / std).flatten().expand(channels)

    def _add(self, sample: BaseDataElement, heatmap: Heatmap) -> None:
        prepared = _in_prepared_pixels(sample, heatmap)
        sample.set_field(heatmap_instances(prepared, **self.boxes), 'pred_instances')
        sample.set_field(torch.from_numpy(prepared.at_pixels(prepared.strongest)), 'heatmap')
        sample.set_field(prepared, 'class_heatmaps')
        sample.set_field(torch.from_numpy(prepared.values).nan_to_num(0).amax(dim=(1, 2)), 'pred_score')


def _in_prepared_pixels(sample: BaseDataElement, heatmap: Heatmap) -> Heatmap:
    """Undo what the pipeline did to the view."""
    matrix = sample.get('homography_matrix')
    if matrix is None:
        return heatmap
    back = Affine(matrix).inverse().matrix
    scale = back[0, 0]
    if not np.allclose(back[:2, :2], scale * np.eye(2), rtol=0.01, atol=1e-6) or scale <= 0:
        raise MammoError(
            f'image {sample.get("img_path", "")}',
            field='homography_matrix',
            found=np.round(back[:2, :2], 3).tolist(),
            expected='one factor for both sides, no mirror: windows are squares of the view',
            remedy='resize with keep_ratio=True, or not at all, in the test pipeline',
        )
    height, width = sample.ori_shape[:2]
    return Heatmap(heatmap.values, heatmap.cell * scale, (height, width), (float(back[0, 2]), float(back[1, 2])))
