"""How often the window of the Attention model holds the lesion, as an MMEngine metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.path import Path as Outline

from mmmammo.evaluation.functional import bootstrap_ci, chance_of_hold, windows_hold
from mmmammo.evaluation.functional.inputs import FloatArray, IntArray
from mmmammo.evaluation.metrics.gathered_metric import GatheredMetric, patients_of, require
from mmmammo.evaluation.metrics.log_table import log_table
from mmmammo.registry import METRICS
from mmmammo.structures.windows import window_corners

_GRID = 40
"""Places along either axis of the image from which chance is computed."""


@dataclass(frozen=True)
class ROIHit:
    """One image.

    Args:
        image_id: ``img_id`` of the sample.
        patient_id: Empty where the sample has none.
        hit: Whether the window holds a lesion's centre; nan without lesion, or in an image that is not positive.
        chance: The same of a window round a random place of the breast.
        middle: The same of a window round the middle of the breast.
    """

    image_id: int
    patient_id: str
    hit: float
    chance: float
    middle: float


@METRICS.register_module()
class ROIHitMetric(GatheredMetric):
    """Share of positive images with a lesion whose window (``roi``) holds the centre of one, beside chance.

    Chance is the mean probability that a window of the same size round a random place within the outline of the breast
    (the image, where there are no landmarks) would; lesions lie towards the middle of it, so that a window round the
    middle, which needs no model, is given too. Logs ``roi/hit``, ``roi/chance``, ``roi/middle``, ``roi/above_chance``,
    the first minus the second, with ``…_low`` and ``…_high`` of a bootstrap of patients, and ``roi/n_images``.

    Args:
        bootstrap: Replicates; 0 for none.
        seed: Of the bootstrap.
        **kwargs: See :class:`GatheredMetric`.
    """

    default_prefix = 'roi'

    def __init__(self, bootstrap: int = 1000, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bootstrap = bootstrap
        self.seed = seed

    def record(self, sample: Mapping[str, Any]) -> ROIHit:
        """Judge one image.

        Raises:
            MammoError: If it lacks window or truth.
        """
        image_id, patient = int(sample['img_id']), str(sample.get('patient_id') or '')
        roi = np.asarray(require(sample, 'roi', 'use a model that looks twice: mmmammo.AttentionClassifier'))
        truth = require(sample, 'gt_instances', 'pack with mmmammo.PackAttentionView and test_mode=True')
        boxes = np.asarray(truth['bboxes'].cpu(), dtype=np.float64).reshape(-1, 4)
        if not len(boxes) or not int(sample['gt_label'][0]):
            return ROIHit(image_id, patient, np.nan, np.nan, np.nan)
        height, width = require(sample, 'ori_shape', "add 'ori_shape' to the meta_keys")[:2]
        size = (int(roi[2] - roi[0]), int(roi[3] - roi[1]))
        places = places_in_breast(sample.get('landmarks'), (width, height))
        chance = chance_of_hold(places, size, (width, height), boxes)
        middle = window_corners(places.mean(axis=0), size, (width, height))
        hit, by_middle = windows_hold(np.stack([roi[:2], middle[0]]), size, boxes)
        return ROIHit(image_id, patient, float(hit), chance, float(by_middle))

    def score(self, images: list[ROIHit]) -> dict[str, float]:
        """Means over the positive images."""
        positive = [image for image in images if not np.isnan(image.hit)]
        rows = [(image.hit, image.chance, image.middle) for image in positive]
        table = np.array(rows, dtype=np.float64).reshape(-1, 3)
        hit, chance, middle = table.mean(axis=0) if len(table) else np.full(3, np.nan)
        low, high = self._interval(table, positive) if self.bootstrap and len(table) else (np.nan, np.nan)
        found = {'Attention': hit, 'random place of the breast': chance, 'middle of the breast': middle}
        log_table(
            f'Windows that hold the lesion: {len(table)} positive images with one',
            ['window', 'share'],
            [[name, f'{value:.3f}'] for name, value in found.items()],
        )
        bounds = {'above_chance_low': float(low), 'above_chance_high': float(high)}
        means = {
            'hit': float(hit),
            'chance': float(chance),
            'middle': float(middle),
            'above_chance': float(hit - chance),
        }
        return means | bounds | {'n_images': len(table)}

    def _interval(self, table: FloatArray, images: list[ROIHit]) -> tuple[float, float]:
        def difference(rows: IntArray) -> float:
            return float((table[rows, 0] - table[rows, 1]).mean())

        drawn = bootstrap_ci(difference, patients_of(images), self.bootstrap, seed=self.seed)
        return float(drawn.low), float(drawn.high)


def places_in_breast(landmarks: Any, image_size: tuple[int, int]) -> FloatArray:
    """(n, 2) points of a regular grid that lie in the outline of the breast; of the whole image without landmarks."""
    axes = [(np.arange(_GRID) + 0.5) * side / _GRID for side in image_size]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    if landmarks is None:
        return grid
    inside = Outline(landmarks.contour).contains_points(grid)
    return grid[inside] if inside.any() else grid
