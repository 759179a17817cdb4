"""Keep what was predicted, for the report and for later evaluation."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmengine.logging import MMLogger

from mmmammo.evaluation.metrics.detection_metric import DetectionMetric
from mmmammo.io.predictions import write_predictions
from mmmammo.registry import METRICS
from mmmammo.structures import ImagePrediction


@METRICS.register_module()
class PredictionDump(DetectionMetric):
    """Write truth and detections of every image to one JSON file (:mod:`mmmammo.io.predictions`).

    The file carries ``patient_id``, which intervals need; the report made from it does not.

    Args:
        path: The file to write.
        images_root: When given, image files are named relative to it.
        **kwargs: See :class:`DetectionMetric`.
    """

    default_prefix = 'predictions'

    def __init__(self, path: str | Path, images_root: str | Path | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.path = Path(path)
        self.images_root = images_root

    def score(self, images: list[ImagePrediction]) -> dict[str, float]:
        """Write the file and count."""
        if self.images_root is not None:
            images = [
                replace(image, file_name=Path(os.path.relpath(image.file_name, self.images_root)).as_posix())
                for image in images
            ]
        write_predictions(self.path, images, self.class_names)
        MMLogger.get_current_instance().info(f'predictions of {len(images)} images: {self.path}')
        return {'n_images': len(images), 'n_detections': sum(len(image.boxes) for image in images)}
