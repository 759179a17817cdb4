"""Distances of anchors as an MMEngine metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import anchor_distances, average_top_distance
from mmmammo.evaluation.metrics.gathered_metric import GatheredMetric, require
from mmmammo.evaluation.metrics.log_table import log_table
from mmmammo.io.anchor_tables import AnchorTable, write_anchors
from mmmammo.registry import METRICS

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MatchedAnchors:
    """The lesions of one image and where their queries started.

    Args:
        image_id: Of the image.
        anchors: (n, 4) cxcywh in [0, 1].
        boxes: (n, 4) likewise.
        sides: (n,) root of the area of each lesion in prepared pixels.
        patient_id: Empty where the sample has none.
    """

    image_id: int
    anchors: FloatArray
    boxes: FloatArray
    sides: FloatArray
    patient_id: str = ''


@METRICS.register_module()
class ATDMetric(GatheredMetric):
    """ATD(k) of paper 0 and the DINO paper: mean of the k largest L1 distances of lesions from their initial anchors.

    Logs ``atd/100`` for each k and ``atd/small/100`` for each size class; lower is better. The head must tell the
    anchors: ``test_cfg=dict(match_anchors=True)`` of :class:`mmmammo.models.MammoDINOHead`.

    Args:
        k: One number or several.
        size_classes: Name -> least and greatest side of a lesion in prepared pixels.
        path: A file for the distance of every lesion, to draw patients from later; see
            :mod:`mmmammo.io.anchor_tables`. ``None`` for none.
        **kwargs: See :class:`GatheredMetric`.
    """

    default_prefix = 'atd'

    def __init__(
        self,
        k: int | Sequence[int] = 100,
        size_classes: Mapping[str, tuple[float, float]] | None = None,
        path: str | Path | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path = None if path is None else Path(path)
        self.k = (k,) if isinstance(k, int) else tuple(k)
        self.size_classes = dict(size_classes or {})

    def record(self, sample: Mapping[str, Any]) -> MatchedAnchors:
        """Anchors, lesions and their sizes of one image."""
        require(sample, 'img_id', "add 'img_id' to the meta_keys of the test pipeline's packing transform")
        matched = require(sample, 'matched_anchors', 'set model.test_cfg.match_anchors=True, with a MammoDINOHead')
        boxes = _array(matched['boxes'])
        height, width = sample['ori_shape'][:2]
        sides = np.sqrt(boxes[:, 2] * width * boxes[:, 3] * height)
        patient = str(sample.get('patient_id', ''))
        return MatchedAnchors(int(sample['img_id']), _array(matched['anchors']), boxes, sides, patient)

    def score(self, images: list[MatchedAnchors]) -> dict[str, float]:
        """ATD of all lesions and of each size class."""
        anchors = np.concatenate([image.anchors for image in images])
        boxes = np.concatenate([image.boxes for image in images])
        sides = np.concatenate([image.sides for image in images])
        rows = {'': np.ones(len(sides), dtype=bool)}
        rows |= {f'{name}/': (low <= sides) & (sides <= high) for name, (low, high) in self.size_classes.items()}
        table = {
            name: [float(average_top_distance(anchors[chosen], boxes[chosen], k)) for k in self.k]
            for name, chosen in rows.items()
        }
        log_table(
            f'Distance of anchors from their lesions: {len(sides)} lesions, {len(images)} images',
            ['ATD(k), lower is better', *(f'{k}' for k in self.k)],
            [[name.rstrip('/') or 'all', *(f'{value:.3f}' for value in values)] for name, values in table.items()],
        )
        if self.path is not None:
            write_anchors(self.path, self._table(images))
        numbers = {f'{name}{k}': value for name, row in table.items() for k, value in zip(self.k, row, strict=True)}
        return numbers | {'n_images': len(images), 'n_lesions': len(sides)}

    def _table(self, images: list[MatchedAnchors]) -> AnchorTable:
        """One row per lesion, and what the numbers are called."""
        sizes = {'': (0.0, float('inf'))} | {f'{name}/': sides for name, sides in self.size_classes.items()}
        read = [(f'{self.prefix}/{name}{k}', k, sides) for name, sides in sizes.items() for k in self.k]
        return AnchorTable(
            image_ids=tuple(str(image.image_id) for image in images),
            patient_ids=tuple(image.patient_id for image in images),
            lesion_image=np.repeat(np.arange(len(images)), [len(image.sides) for image in images]),
            distances=np.concatenate([anchor_distances(image.anchors, image.boxes) for image in images]),
            sides=np.concatenate([image.sides for image in images]),
            keys=tuple(key for key, _, _ in read),
            ks=tuple(k for _, k, _ in read),
            sizes=tuple((float(least), float(greatest)) for _, _, (least, greatest) in read),
        )


def _array(values: Any) -> FloatArray:
    return np.asarray(values.detach().cpu().numpy(), dtype=np.float64).reshape(-1, 4)
