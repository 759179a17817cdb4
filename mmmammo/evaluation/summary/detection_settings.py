"""How detections are judged, and what is read off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmmammo.evaluation.functional import HitRule
from mmmammo.evaluation.functional.froc import DEFAULT_FPS_PER_IMAGE


@dataclass(frozen=True)
class DetectionSettings:
    """The protocol of a detection table; the defaults are paper 3's.

    Args:
        matching: When a detection finds a lesion; see :func:`mmmammo.evaluation.functional.froc`.
        iou_thr: Likewise.
        distance_mm: Likewise.
        duplicates: Likewise.
        false_positive_images: Likewise.
        fps_per_image: Where the recall is read.
        operating_fps: The headline, and what the pictures show, are those at this many false positives per image.
        bootstrap: Replicates of the intervals, patients resampled; 0 for none.
        seed: Of the bootstrap.
    """

    matching: str = 'iou'
    iou_thr: float = 0.2
    distance_mm: float | None = None
    duplicates: str = 'false_positive'
    false_positive_images: str = 'all'
    fps_per_image: tuple[float, ...] = DEFAULT_FPS_PER_IMAGE
    operating_fps: float = 1.0
    bootstrap: int = 1000
    seed: int = 0

    @property
    def all_fps(self) -> tuple[float, ...]:
        """Where the recall is read, the operating point included, rising."""
        return tuple(sorted({*self.fps_per_image, self.operating_fps}))

    @property
    def rules(self) -> dict[str, Any]:
        """Arguments of the matching."""
        names = ('matching', 'iou_thr', 'distance_mm', 'duplicates')
        return {name: getattr(self, name) for name in names}

    def describe(self) -> str:
        """The rule in one sentence."""
        if self.matching == 'iou':
            hit = f'their boxes overlap by more than {self.iou_thr:g} (IoU)'
        elif self.matching == 'centre_in_box':
            hit = "its centre lies in the lesion's box"
        else:
            hit = f'their centres lie at most {self.distance_mm:g} mm apart'
        again = 'is a false positive' if self.duplicates == 'false_positive' else 'does not count'
        where = '' if self.false_positive_images == 'all' else ' False positives are counted on normal images only.'
        return (
            f'A detection finds a lesion when {hit}; each lesion is found once, a further hit on it {again}. '
            f'Class labels are not compared, but for the average precision.{where}'
        )

    def as_dict(self) -> Mapping[str, Any]:
        """For JSON."""
        rule = str(HitRule(self.matching, self.iou_thr, False, self.distance_mm))
        return {'rule': rule, **{name: getattr(self, name) for name in self.__dataclass_fields__}}
