"""Average precision as an MMEngine metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    AVG7_IOUS,
    PAPER_AVERAGES,
    average_over_ious,
    average_precision_by_size,
    average_precision_per_class,
)
from mmmammo.evaluation.metrics.detection_metric import DetectionMetric, unique_keys
from mmmammo.evaluation.metrics.log_table import log_table
from mmmammo.registry import METRICS
from mmmammo.structures import ImagePrediction


@METRICS.register_module()
class APMetric(DetectionMetric):
    """Average precision (COCO's 101 points) at any list of IoUs, and the mean over exactly that list.

    Logs ``ap/0.20`` … (one per IoU) and the mean named by its list, e.g. ``ap/mean7_0.20-0.80`` for seven evenly
    spaced IoUs: means over different lists are not comparable, so they do not share a name. If the list goes beyond
    the 7 or 8 IoUs of paper 0's two "Avg", these means are logged too, and a table like the paper's is printed. With
    several classes each number is the mean over the classes that occur in the ground truth, and every class has its
    own ``ap/mass/0.20`` beside it; every size class has ``ap/size/small mass/0.20``.

    Args:
        iou_thrs: Each in (0, 1].
        size_classes: Name -> least and greatest side of a lesion in pixels, categories aside, e.g.
            :data:`mmmammo.evaluation.functional.SIZE_CLASSES`; none by default.
        **kwargs: See :class:`DetectionMetric`.

    Raises:
        MammoError: If two IoUs would share a key.
    """

    default_prefix = 'ap'

    def __init__(
        self,
        iou_thrs: Sequence[float] = AVG7_IOUS,
        size_classes: Mapping[str, tuple[float, float]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.iou_thrs = tuple(iou_thrs)
        self.size_classes = dict(size_classes or {})
        self.keys = unique_keys([f'{iou:.2f}' for iou in self.iou_thrs], self.iou_thrs)
        listed = {round(iou, 6) for iou in self.iou_thrs}
        self.averages = {name: ious for name, ious in PAPER_AVERAGES.items() if listed.issuperset(ious)}

    def score(self, images: list[ImagePrediction]) -> dict[str, float]:
        """AP per class, averaged over the classes that occur, and per size."""
        names = self.class_names
        of_class = average_precision_per_class(images, names, self.iou_thrs)
        per_class = np.array([list(row.values()) for row in of_class.values()])  # (classes, IoUs)
        occurs = ~np.isnan(per_class[:, 0])
        overall = per_class[occurs].mean(axis=0) if occurs.any() else np.full(len(self.iou_thrs), np.nan)
        rows = {'': overall}
        if len(names) > 1:
            rows |= {f'{name}/': ap for name, ap in zip(names, per_class, strict=True)}
        rows |= self._size_rows(images)
        numbers = {prefix + key: value for prefix, ap in rows.items() for key, value in self._row(ap).items()}
        num_lesions = sum(len(image.gt_boxes) for image in images)
        self._log(rows, f'{num_lesions} lesions, {len(images)} images')
        return numbers | {'n_images': len(images), 'n_lesions': num_lesions}

    def _size_rows(self, images: list[ImagePrediction]) -> dict[str, npt.NDArray[np.float64]]:
        by_size = average_precision_by_size(
            [(image.boxes, image.scores) for image in images],
            [image.gt_boxes for image in images],
            self.iou_thrs,
            self.size_classes,
            [image.ignored_boxes for image in images],
        )
        return {f'size/{name}/': np.array(list(ap.values())) for name, ap in by_size.items()}

    def _row(self, ap: npt.NDArray[np.float64]) -> dict[str, float]:
        """Key -> number of one class or size: the APs, their mean, and the paper's means."""
        at = dict(zip(self.iou_thrs, ap.tolist(), strict=True))
        lists = {name_of_mean(ious): ious for ious in (self.iou_thrs, *self.averages.values())}
        means = {key: float(average_over_ious(at, ious)) for key, ious in lists.items()}
        return dict(zip(self.keys, at.values(), strict=True)) | means

    def _log(self, rows: Mapping[str, npt.NDArray[np.float64]], counts: str) -> None:
        mean_key = name_of_mean(self.iou_thrs)
        named = {prefix.rstrip('/') or 'all': ap for prefix, ap in rows.items()}
        log_table(
            f'Average precision: {counts}',
            ['IoU >=', *self.keys, mean_key],
            [[name, *(f'{value:.3f}' for value in [*ap, ap.mean()])] for name, ap in named.items()],
        )
        if self.averages:
            self._log_as_printed(named)

    def _log_as_printed(self, named: Mapping[str, npt.NDArray[np.float64]]) -> None:
        """Paper 0's Table 1: per cent, one column per IoU, and each "Avg" by its own name."""
        shown = max(self.averages.values(), key=len)
        lines = []
        for name, ap in named.items():
            at = dict(zip(self.iou_thrs, ap.tolist(), strict=True))
            averages = [f'{100 * average_over_ious(at, ious):.2f}' for ious in self.averages.values()]
            lines.append([name, *(f'{100 * self._at(at, iou):.1f}' for iou in shown), *averages])
        columns = ['IoU, per cent', *(f'{100 * iou:.0f}' for iou in shown), *self.averages]
        log_table('The same as paper 0 prints it', columns, lines)

    @staticmethod
    def _at(ap: Mapping[float, float], iou: float) -> float:
        """The AP at the IoU that has the same two decimals."""
        return float(average_over_ious(ap, [iou]))


def name_of_mean(iou_thrs: Sequence[float]) -> str:
    """``mean7_0.20-0.80`` if evenly spaced, else all of them, as in ``mean3_0.20_0.50_0.75``."""
    even = np.allclose(iou_thrs, np.linspace(iou_thrs[0], iou_thrs[-1], len(iou_thrs))) and len(iou_thrs) > 2
    text = f'{iou_thrs[0]:.2f}-{iou_thrs[-1]:.2f}' if even else '_'.join(f'{iou:.2f}' for iou in iou_thrs)
    return f'mean{len(iou_thrs)}_{text}'
