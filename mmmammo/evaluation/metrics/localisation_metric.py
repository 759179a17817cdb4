"""Localisation accuracy of heatmaps as an MMEngine metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmmammo.evaluation.functional import (
    AVG7_IOUS,
    Interval,
    LocalisationResult,
    best_iou_per_threshold,
    bootstrap_ci,
    localisation_accuracy,
)
from mmmammo.evaluation.functional.inputs import FloatArray, IntArray
from mmmammo.evaluation.metrics.ap_metric import name_of_mean
from mmmammo.evaluation.metrics.detection_metric import unique_keys
from mmmammo.evaluation.metrics.gathered_metric import GatheredMetric, patients_of, require
from mmmammo.evaluation.metrics.log_table import log_table
from mmmammo.io.localisation_tables import LocalisationTable, write_localisation
from mmmammo.registry import METRICS


@dataclass(frozen=True, eq=False)
class ImageLocalisation:
    """How well the regions of one heatmap meet the lesions of its image.

    Args:
        image_id: ``img_id`` of the sample.
        patient_id: Empty where the sample has none.
        best_ious: (T,) a row of :func:`~mmmammo.evaluation.functional.best_iou_per_threshold`; nan without
            lesion.
    """

    image_id: int
    patient_id: str
    best_ious: FloatArray


@METRICS.register_module()
class LocalisationMetric(GatheredMetric):
    """Localisation accuracy at the best threshold per IoU (MaxBoxAccV2), and the mean over the IoUs.

    Heatmaps are enlarged to the network input and lesions brought there, as the WSOL benchmark does. Logs
    ``localisation/0.20`` … , ``localisation/mean7_0.20-0.80`` (the "Avg" of the WSOL rows of paper 0's table, which
    it prints beside), per IoU ``localisation/threshold@0.20``, ``localisation/n_images`` (with a lesion) and
    ``localisation/n_without_lesion``; with a bootstrap ``…_low`` and ``…_high`` of the accuracies.

    Args:
        iou_thrs: Each in (0, 1].
        regions: ``'all'`` regions above a threshold give boxes, or the ``'largest'`` (MaxBoxAcc).
        pixels: ``'inclusive'`` as published WSOL numbers, or ``'continuous'`` as the rest of this package.
        frozen: IoU -> threshold, from another split. By default the best on these images, which flatters them.
        bootstrap: Replicates of intervals that resample patients, thresholds chosen anew in each; 0 for none.
        seed: Of the bootstrap.
        path: A file for the row of every image, to draw patients from later; see
            :mod:`mmmammo.io.localisation_tables`. ``None`` for none.
        **kwargs: See :class:`GatheredMetric`.

    Raises:
        MammoError: If two IoUs would share a key.
    """

    default_prefix = 'localisation'

    def __init__(
        self,
        iou_thrs: Sequence[float] = AVG7_IOUS,
        regions: str = 'all',
        pixels: str = 'inclusive',
        frozen: Mapping[float, float] | None = None,
        bootstrap: int = 0,
        seed: int = 0,
        path: str | Path | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path = None if path is None else Path(path)
        self.iou_thrs = tuple(iou_thrs)
        self.keys = unique_keys([f'{iou:.2f}' for iou in self.iou_thrs], self.iou_thrs)
        self.mean_key = name_of_mean(self.iou_thrs)
        self.rules = {'regions': regions, 'pixels': pixels}
        self.frozen = frozen
        self.bootstrap = bootstrap
        self.seed = seed

    def record(self, sample: Mapping[str, Any]) -> ImageLocalisation:
        """The row of one image.

        Raises:
            MammoError: If the sample lacks its heatmap or its truth.
        """
        truth = require(sample, 'gt_instances', 'pack with mmmammo.PackView and test_mode=True')
        heatmap = require(sample, 'heatmap', 'use a head that localises, such as mmmammo.ClassMapHead')
        height, width = require(sample, 'img_shape', "add 'img_shape' to the meta_keys of the packing transform")[:2]
        lesions = np.asarray(truth['bboxes'].cpu(), dtype=np.float64) * np.tile(sample.get('scale_factor', (1, 1)), 2)
        row = best_iou_per_threshold(heatmap.numpy(), lesions, (width, height), **self.rules)
        return ImageLocalisation(int(sample['img_id']), str(sample.get('patient_id', '')), row)

    def score(self, images: list[ImageLocalisation]) -> dict[str, float]:
        """Choose thresholds, count images that are right."""
        table = np.stack([image.best_ious for image in images])
        result = localisation_accuracy(table, self.iou_thrs, self.frozen)
        numbers = dict(zip([*self.keys, self.mean_key], self._row(result), strict=True))
        interval = self._interval(table, images) if self.bootstrap else None
        if interval is not None:
            for key, low, high in zip([*self.keys, self.mean_key], interval.low, interval.high, strict=True):
                numbers |= {f'{key}_low': float(low), f'{key}_high': float(high)}
        numbers |= {f'threshold@{key}': t for key, t in zip(self.keys, result.threshold.values(), strict=True)}
        self._log(result, numbers, interval)
        if self.path is not None:
            write_localisation(self.path, self._table(table, images))
        return numbers | {'n_images': result.n_images, 'n_without_lesion': result.n_without_lesion}

    def _table(self, table: FloatArray, images: list[ImageLocalisation]) -> LocalisationTable:
        frozen = None if self.frozen is None else tuple(float(self.frozen[iou]) for iou in self.iou_thrs)
        ids = tuple(str(image.image_id) for image in images)
        patients = tuple(image.patient_id for image in images)
        keys = tuple(f'{self.prefix}/{key}' for key in (*self.keys, self.mean_key))
        return LocalisationTable(ids, patients, table, self.iou_thrs, keys, frozen)

    def _row(self, result: LocalisationResult) -> list[float]:
        return [float(value) for value in (*result.accuracy.values(), result.mean)]

    def _interval(self, table: FloatArray, images: list[ImageLocalisation]) -> Interval:
        def numbers(rows: IntArray) -> list[float]:
            return self._row(localisation_accuracy(table[rows], self.iou_thrs, self.frozen))

        return bootstrap_ci(numbers, patients_of(images), self.bootstrap, seed=self.seed)

    def _log(self, result: LocalisationResult, numbers: Mapping[str, float], interval: Interval | None) -> None:
        chosen = 'best on these images' if self.frozen is None else 'frozen'
        reason = f' ({result.mean.reason})' if result.mean.reason else ''
        rows = [['accuracy', *(f'{100 * numbers[key]:.2f}' for key in (*self.keys, self.mean_key))]]
        if interval is not None:
            bounds = zip(interval.low, interval.high, strict=True)
            rows.append(['95 % interval', *(f'{100 * low:.1f}-{100 * high:.1f}' for low, high in bounds)])
        rows.append(['threshold', *(f'{value:.3f}' for value in result.threshold.values()), ''])
        log_table(
            f'Localisation accuracy in per cent, threshold {chosen}: {result.n_images} images with a lesion{reason}, '
            f'{result.n_without_lesion} without are not scored',
            ['IoU >=', *self.keys, 'Avg7' if self.iou_thrs == AVG7_IOUS else self.mean_key],
            rows,
        )
