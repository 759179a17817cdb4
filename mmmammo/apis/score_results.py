"""What a classifier says about an exam that nobody has read yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.apis.results import missing_views
from mmmammo.prepare import Prepared, QualityRow

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ImageScores:
    """Scores of one image.

    Args:
        prepared: The image as it went into the model's pipeline.
        scores: (c,) in [0, 1], one per class.
        window: (4,) xyxy in source pixels, where a model that judges a window looked; ``None`` for other models.
        counts: Whether the image counts in the scores of its breast and exam.
        called: Whether it reaches the frozen threshold; ``None`` without one.
    """

    prepared: Prepared
    scores: FloatArray
    window: FloatArray | None = None
    counts: bool = True
    called: bool | None = None

    def to_json(self, classes: Sequence[str]) -> dict[str, Any]:
        """Plain values."""
        image, quality = self.prepared.image, self.prepared.quality
        return {
            'file': quality.path,
            'laterality': image.laterality.value,
            'view': image.view.value,
            'warnings': quality.warnings,
            'scores': dict(zip(classes, self.scores.tolist(), strict=True)),
            'counts': self.counts,
            'called': self.called,
            'window': None if self.window is None else np.round(self.window, 2).tolist(),
        }


@dataclass(frozen=True, eq=False)
class ExamScores:
    """Scores of one exam.

    Args:
        exam_id: As the folder names it.
        classes: (c,) what the scores are of; none before any image was scored.
        images: The views that were scored.
        breasts: ``'L'`` and ``'R'`` -> (c,), of breasts with a scored image; on the scale of the rule.
        exam: (c,); ``None`` where no image counts.
        rejected: The files that were not scored, each with its reason.
    """

    exam_id: str
    classes: tuple[str, ...]
    images: tuple[ImageScores, ...]
    breasts: dict[str, FloatArray]
    exam: FloatArray | None
    rejected: tuple[QualityRow, ...] = ()

    @property
    def missing_views(self) -> tuple[str, ...]:
        """Standard views that no scored image shows, e.g. ``'L MLO'``."""
        return missing_views([image.prepared for image in self.images])

    def count(self, laterality: str = '') -> int:
        """Images that count, of a side or of the exam."""
        counted = [image.prepared.image.laterality.value for image in self.images if image.counts]
        return sum(laterality in ('', side) for side in counted)

    def called(self, laterality: str = '') -> int | None:
        """How many images that count are called, of a side or of the exam; ``None`` without a threshold."""
        if not self.images or self.images[0].called is None:
            return None
        counted = [image for image in self.images if image.counts and image.called]
        return sum(laterality in ('', image.prepared.image.laterality.value) for image in counted)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            'exam_id': self.exam_id,
            'scores': None if self.exam is None else self._named(self.exam),
            'called_images': self.called(),
            'breasts': {side: self._named(scores) for side, scores in self.breasts.items()},
            'missing_views': list(self.missing_views),
            'images': [image.to_json(self.classes) for image in self.images],
            'rejected': [{'file': row.path, 'reason': row.reason} for row in self.rejected],
        }

    def _named(self, scores: FloatArray) -> dict[str, float]:
        return dict(zip(self.classes, scores.tolist(), strict=True))
