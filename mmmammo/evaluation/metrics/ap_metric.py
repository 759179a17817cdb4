"""Average precision as an MMEngine metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmmammo.evaluation.functional import average_precision
from mmmammo.evaluation.metrics.detection_metric import DetectionMetric, unique_keys
from mmmammo.evaluation.metrics.log_table import log_table
from mmmammo.registry import METRICS
from mmmammo.structures import ImagePrediction


@METRICS.register_module()
class APMetric(DetectionMetric):
    """Average precision (COCO's 101 points) at any list of IoUs, and the mean over exactly that list.

    Logs ``ap/0.20`` … (one per IoU) and the mean named by its list, e.g. ``ap/mean7_0.20-0.80`` for seven evenly
    spaced IoUs: means over different lists are not comparable, so they do not share a name. With several classes
    each number is the mean over the classes that occur in the ground truth, and every class has its own
    ``ap/mass/0.20`` beside it.

    Args:
        iou_thrs: Each in (0, 1].
        **kwargs: See :class:`DetectionMetric`.

    Raises:
        MammoError: If two IoUs would share a key.
    """

    default_prefix = 'ap'

    def __init__(self, iou_thrs: Sequence[float] = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.iou_thrs = tuple(iou_thrs)
        self.keys = unique_keys([f'{iou:.2f}' for iou in self.iou_thrs], self.iou_thrs)

    def score(self, images: list[ImagePrediction]) -> dict[str, float]:
        """AP per class, averaged over the classes that occur."""
        names = self.class_names
        per_class = np.array([self._class_ap(images, label) for label in range(len(names))])  # (classes, IoUs)
        occurs = ~np.isnan(per_class[:, 0])
        overall = per_class[occurs].mean(axis=0) if occurs.any() else np.full(len(self.iou_thrs), np.nan)
        mean_key = name_of_mean(self.iou_thrs)
        rows = {'': overall} | (
            {f'{name}/': ap for name, ap in zip(names, per_class, strict=True)} if len(names) > 1 else {}
        )
        numbers: dict[str, float] = {}
        for prefix, values in rows.items():
            numbers |= {prefix + key: float(ap) for key, ap in zip(self.keys, values, strict=True)}
            numbers[prefix + mean_key] = float(values.mean())
        num_lesions = sum(len(image.gt_boxes) for image in images)
        log_table(
            f'Average precision: {num_lesions} lesions, {len(images)} images',
            ['IoU >=', *self.keys, mean_key],
            [[prefix.rstrip('/') or 'all', *(f'{ap:.3f}' for ap in [*ap, ap.mean()])] for prefix, ap in rows.items()],
        )
        return numbers | {'n_images': len(images), 'n_lesions': num_lesions}

    def _class_ap(self, images: list[ImagePrediction], label: int) -> list[float]:
        chosen = [image.of_label(label) for image in images]
        ap = average_precision(
            [(image.boxes, image.scores) for image in chosen],
            [image.gt_boxes for image in chosen],
            self.iou_thrs,
            [image.ignored_boxes for image in chosen],
        )
        return [ap[iou_thr] for iou_thr in self.iou_thrs]


def name_of_mean(iou_thrs: Sequence[float]) -> str:
    """``mean7_0.20-0.80`` if evenly spaced, else all of them, as in ``mean3_0.20_0.50_0.75``."""
    even = np.allclose(iou_thrs, np.linspace(iou_thrs[0], iou_thrs[-1], len(iou_thrs))) and len(iou_thrs) > 2
    text = f'{iou_thrs[0]:.2f}-{iou_thrs[-1]:.2f}' if even else '_'.join(f'{iou:.2f}' for iou in iou_thrs)
    return f'mean{len(iou_thrs)}_{text}'
