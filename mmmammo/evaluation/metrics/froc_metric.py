"""FROC as an MMEngine metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmmammo.evaluation.functional import FROCResult, Interval, froc_interval, froc_result, match_images
from mmmammo.evaluation.functional.froc import DEFAULT_FPS_PER_IMAGE
from mmmammo.evaluation.metrics.detection_metric import DetectionMetric, unique_keys
from mmmammo.evaluation.metrics.log_table import log_table
from mmmammo.registry import METRICS
from mmmammo.structures import ImagePrediction, MammoError


@METRICS.register_module()
class FROCMetric(DetectionMetric):
    """Recall at given numbers of false positives per image, categories aside.

    Logs ``froc/recall@0.50`` … (one per FPI), ``froc/fauc`` (area up to 1 FPI), ``froc/n_images``, ``froc/n_lesions``,
    ``froc/n_detections``; with ``bootstrap`` also ``…_low`` and ``…_high`` of each recall and of the area.

    Args:
        iou_thr: A hit has an IoU greater than this.
        fps_per_image: Where to read the recall.
        matching: ``'iou'`` or ``'centre_in_box'``.
        duplicates: What a further hit on a found lesion is: ``'false_positive'`` or ``'ignore'`` for nothing.
        bootstrap: Replicates of the 95 % interval that resamples patients; 0 for none.
        seed: Of the bootstrap.
        **kwargs: See :class:`DetectionMetric`.

    Raises:
        MammoError: If two FPIs would share a key.
    """

    default_prefix = 'froc'

    def __init__(
        self,
        iou_thr: float = 0.2,
        fps_per_image: Sequence[float] = DEFAULT_FPS_PER_IMAGE,
        matching: str = 'iou',
        duplicates: str = 'false_positive',
        bootstrap: int = 0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rules = {'matching': matching, 'iou_thr': iou_thr, 'duplicates': duplicates}
        self.fps_per_image = tuple(fps_per_image)
        self.bootstrap = bootstrap
        self.seed = seed
        self.keys = unique_keys([f'recall@{fps:.2f}' for fps in self.fps_per_image], self.fps_per_image)

    def score(self, images: list[ImagePrediction]) -> dict[str, float]:
        """Match, sweep, read."""
        matches = match_images(images, **self.rules)
        result = froc_result(matches, self.fps_per_image)
        numbers = dict(zip([*self.keys, 'fauc'], [*result.recall_at.values(), result.fauc], strict=True))
        interval = None
        if self.bootstrap:
            interval = froc_interval(matches, self._patients(images), self.fps_per_image, self.bootstrap, self.seed)
            for key, low, high in zip(list(numbers), interval.low, interval.high, strict=True):
                numbers |= {f'{key}_low': float(low), f'{key}_high': float(high)}
        self._log(result, numbers, interval)
        counts = {'n_images': result.n_images, 'n_lesions': result.n_lesions, 'n_detections': result.n_detections}
        return numbers | counts

    @staticmethod
    def _patients(images: list[ImagePrediction]) -> list[str]:
        patients = [image.patient_id for image in images]
        if not all(patients):
            raise MammoError(
                f'image {images[patients.index("")].image_id}',
                field='patient_id',
                found='nothing',
                expected='an id: the bootstrap resamples patients',
                remedy="add 'patient_id' to the meta_keys of PackDetInputs, or set bootstrap=0",
            )
        return patients

    def _log(self, result: FROCResult, numbers: dict[str, float], interval: Interval | None) -> None:
        rule = 'centre in box' if self.rules['matching'] == 'centre_in_box' else f'IoU > {self.rules["iou_thr"]:g}'
        title = f'FROC, {rule}: {result.n_lesions} lesions, {result.n_images} images, {result.n_detections} detections'
        rows = [
            [f'recall at {fps:g} FP per image', key] for fps, key in zip(self.fps_per_image, self.keys, strict=True)
        ]
        rows.append(['area up to 1 FP per image', 'fauc'])
        columns = ['', 'value']
        if interval is not None:
            columns.append(f'95 % interval ({interval.n_groups} patients)')
        log_table(
            title + (f' ({result.reason})' if result.reason else ''),
            columns,
            [
                [name, f'{numbers[key]:.3f}']
                + ([f'{numbers[f"{key}_low"]:.3f} to {numbers[f"{key}_high"]:.3f}'] if interval is not None else [])
                for name, key in rows
            ],
        )
