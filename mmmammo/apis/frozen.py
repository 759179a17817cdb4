"""What was chosen on one split, saved, and is used on exams that nobody has read: a calibration, a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import OperatingPoint, load_calibration
from mmmammo.evaluation.functional.recalibration import IsotonicScaling, TemperatureScaling
from mmmammo.structures import MammoError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Frozen:
    """How probabilities are calibrated and which scores are called, as files of ``tools/evaluate.py`` say.

    Args:
        calibration: Applied to each probability before anything else; ``None`` for none.
        point: Its threshold counts on what the calibration gives, as in ``tools/evaluate.py``; ``None`` for none.
    """

    calibration: TemperatureScaling | IsotonicScaling | None = None
    point: OperatingPoint | None = None

    @classmethod
    def load(cls, calibration: str | Path | None, point: str | Path | None, *, of_detections: bool) -> Frozen:
        """Read ``calibration.json`` and ``operating_point.json``.

        Args:
            calibration: File; ``None`` for none.
            point: Likewise.
            of_detections: Whether the model gives boxes, which have thresholds of their own.

        Raises:
            MammoError: If a file cannot be used, or the threshold was chosen on the other kind of scores.
        """
        found = None if point is None else OperatingPoint.load(point)
        if found is not None and found.of_detections != of_detections:
            kinds = ('scores of a classifier', 'detections')
            raise MammoError(
                str(point),
                field='rule',
                found=f'{found.rule!r}, chosen on {kinds[not of_detections]}',
                expected=f'a threshold of {kinds[of_detections]}',
                remedy='choose one with tools/evaluate.py on results of this model',
            )
        frozen = cls(None if calibration is None else load_calibration(calibration), found)
        if found is not None and found.calibrated not in (None, calibration is not None):
            raise MammoError(
                str(point),
                field='calibrated',
                found=f'a threshold of scores that were{"" if found.calibrated else " not"} calibrated',
                expected='the same scale here',
                remedy='give the calibration it was chosen with' if found.calibrated else 'leave --calibration out',
            )
        return frozen

    def require_unit(self, unit: str) -> None:
        """See that both were chosen on what the model gives a score to.

        Args:
            unit: ``'image'``, or ``'exam'`` for a model with one score per exam.

        Raises:
            MammoError: If one was chosen on breasts or exams made of images, say.
        """
        for name, of in (('calibration', self.calibration), ('operating point', self.point)):
            if of is not None and of.chosen_on.unit not in ('', unit):
                raise MammoError(
                    name,
                    field='chosen_on.unit',
                    found=of.chosen_on.unit,
                    expected=unit,
                    remedy='choose it with tools/evaluate.py scores --level row',
                )

    def __bool__(self) -> bool:
        return self.calibration is not None or self.point is not None

    def probabilities(self, scores: FloatArray) -> FloatArray:
        """(c,) calibrated.

        Raises:
            MammoError: If there are several and something is frozen for one.
        """
        if self and len(scores) != 1:
            raise MammoError(
                'frozen calibration or threshold',
                field='scores',
                found=f'{len(scores)} per image',
                expected='one, which it was chosen for',
                remedy='leave --calibration and --operating-point out',
            )
        return scores if self.calibration is None else self.calibration.apply(scores)

    def called(self, scores: FloatArray) -> bool | None:
        """Whether a calibrated score is called positive; ``None`` where no threshold is frozen."""
        return None if self.point is None else bool(scores[0] >= self.point.threshold)

    def as_info(self) -> dict[str, Any]:
        """For the ``info`` of result files: what it was, and on which split it was chosen."""
        info: dict[str, Any] = {}
        if self.calibration is not None:
            info['calibration'] = {
                'method': type(self.calibration).__name__,
                'chosen_on': self.calibration.chosen_on.name,
            }
        if self.point is not None:
            chosen = {'rule': self.point.rule, 'target': self.point.target, 'chosen_on': self.point.chosen_on.name}
            info['operating_point'] = {'threshold': self.point.threshold} | chosen
        return info
