"""FROC as an MMEngine metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmmammo.evaluation.functional import (
    LEVELS,
    FROCResult,
    HitRule,
    ImageRecords,
    Interval,
    Matches,
    at_level,
    count_false_positives_on,
    froc_interval,
    froc_result,
    match_images,
)
from mmmammo.evaluation.functional.froc import DEFAULT_FPS_PER_IMAGE
from mmmammo.evaluation.metrics.detection_metric import DetectionMetric, unique_keys
from mmmammo.evaluation.metrics.gathered_metric import patients_of
from mmmammo.evaluation.metrics.log_table import log_table
from mmmammo.registry import METRICS
from mmmammo.structures import ImagePrediction, MammoError

_UNITS = {
    'lesion': 'lesions, all views together',
    **{level: f'{level}s with a lesion' for level in ('image', 'breast', 'exam', 'patient')},
}


@METRICS.register_module()
class FROCMetric(DetectionMetric):
    """Recall at given numbers of false positives per image, categories aside.

    Logs ``froc/recall@0.50`` … (one per FPI), ``froc/fauc`` (area up to 1 FPI), ``froc/n_images``, ``froc/n_lesions``,
    ``froc/n_detections``; with ``bootstrap`` also ``…_low`` and ``…_high`` of each recall and of the area. Every level
    of ``levels`` adds the same readings under its name, as ``froc/breast/recall@0.50``, and ``froc/breast/n_units``.

    Args:
        iou_thr: A hit has an IoU greater than this.
        fps_per_image: Where to read the recall.
        matching: ``'iou'``, ``'centre_in_box'`` or ``'distance'``; the last needs ``pixel_spacing_mm`` of the images.
        duplicates: What a further hit on a found lesion is: ``'false_positive'`` or ``'ignore'`` for nothing.
        bootstrap: Replicates of the 95 % interval that resamples patients; 0 for none.
        seed: Of the bootstrap.
        distance_mm: For ``'distance'``: how far the centre of a hit may lie from that of the lesion.
        false_positive_images: Where false positives are counted: on ``'all'`` images or on ``'normal'`` ones.
        fauc_limit: Where the area ends. When it is not 1, the area is called by it, as ``froc/fauc_0-2.00``.
        levels: Besides lesion boxes: ``'lesion'`` (all its views together, by the ``lesion_ids`` of the data samples),
            ``'image'``, ``'breast'``, ``'exam'``, ``'patient'``.
        **kwargs: See :class:`DetectionMetric`.

    Raises:
        MammoError: If two FPIs would share a key, a rule or level is unknown, or the samples lack what a level needs.
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
        distance_mm: float | None = None,
        false_positive_images: str = 'all',
        fauc_limit: float = 1.0,
        levels: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rule = HitRule(matching, iou_thr, distance_mm=distance_mm)
        self.duplicates = duplicates
        self.false_positive_images = false_positive_images
        self.fps_per_image = tuple(fps_per_image)
        self.fauc_limit = fauc_limit
        self.levels = _known_levels(levels)
        self.bootstrap = bootstrap
        self.seed = seed
        area = 'fauc' if fauc_limit == 1 else f'fauc_0-{fauc_limit:.2f}'
        self.keys = [*unique_keys([f'recall@{fps:.2f}' for fps in self.fps_per_image], self.fps_per_image), area]

    def score(self, images: list[ImagePrediction]) -> dict[str, float]:
        """Match, sweep, read."""
        matches = match_images(
            images,
            matching=self.rule.matching,
            iou_thr=self.rule.iou_thr,
            duplicates=self.duplicates,
            distance_mm=self.rule.distance_mm,
        )
        matches = count_false_positives_on(matches, self.false_positive_images)
        records = ImageRecords.of_predictions(images)
        result, numbers = self._read(matches, images, 'lesions')
        for level in self.levels:
            found = at_level(matches, records, level) if len(matches.lesion_image) else matches
            of_level, readings = self._read(found, images, _UNITS[level])
            readings['n_units'] = of_level.n_lesions
            numbers |= {f'{level}/{key}': value for key, value in readings.items()}
        counts = {'n_images': result.n_images, 'n_lesions': result.n_lesions, 'n_detections': result.n_detections}
        return numbers | counts

    def _read(self, matches: Matches, images: list[ImagePrediction], units: str) -> tuple[FROCResult, dict[str, float]]:
        """The result of one level, and its numbers."""
        result = froc_result(matches, self.fps_per_image, self.fauc_limit)
        numbers = dict(zip(self.keys, [*result.recall_at.values(), result.fauc], strict=True))
        interval = None
        if self.bootstrap:
            interval = froc_interval(
                matches,
                patients_of(images),
                self.fps_per_image,
                self.bootstrap,
                self.seed,
                fauc_limit=self.fauc_limit,
            )
            for key, low, high in zip(self.keys, interval.low, interval.high, strict=True):
                numbers |= {f'{key}_low': float(low), f'{key}_high': float(high)}
        self._log(result, numbers, interval, units)
        return result, numbers

    def _log(self, result: FROCResult, numbers: dict[str, float], interval: Interval | None, units: str) -> None:
        normal = '' if self.false_positive_images == 'all' else f' ({result.n_fp_images} normal, with false positives)'
        title = (
            f'FROC, {self.rule}: {result.n_lesions} {units}, {result.n_images} images{normal}, '
            f'{result.n_detections} detections' + (f' ({result.reason})' if result.reason else '')
        )
        names = [f'recall at {fps:g} FP per image' for fps in self.fps_per_image]
        rows = [
            [name, f'{numbers[key]:.3f}']
            for name, key in zip([*names, f'area up to {self.fauc_limit:g} FP per image'], self.keys, strict=True)
        ]
        columns = ['', 'value']
        if interval is not None:
            columns.append(f'95 % interval ({interval.n_groups} patients)')
            for row, key in zip(rows, self.keys, strict=True):
                row.append(f'{numbers[f"{key}_low"]:.3f} to {numbers[f"{key}_high"]:.3f}')
        log_table(title, columns, rows)


def _known_levels(levels: Sequence[str]) -> tuple[str, ...]:
    known = tuple(level for level in LEVELS if level != 'box')
    for level in levels:
        if level not in known:
            raise MammoError(
                'FROCMetric',
                field='levels',
                found=repr(level),
                expected=f'some of {known}',
                remedy='correct the list; boxes are always read',
            )
    return tuple(dict.fromkeys(levels))
