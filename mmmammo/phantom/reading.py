"""What two readers of a phantom exam say, and what becomes of the woman.

A reader scores a breast from 1 to 5 by its most conspicuous thing: its contrast, less for what looks benign, and noise.
A woman with a score above 1 is recalled. A cancer of a recalled woman is found by screening; one that neither reader
noticed shows before the next exam: an interval cancer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmmammo.phantom.placement import SIDES, PlacedLesion
from mmmammo.structures import Laterality

NUM_READERS = 2
_HARMLESS = 0.55
_NOISE = 0.45
_STEPS = (1.7, 1.95, 2.2, 2.5)
"""Of the default contrasts about three in ten cancers are seen by neither reader."""


def read_exam(lesions: Sequence[PlacedLesion], rng: np.random.Generator) -> dict[Laterality, Mapping[str, object]]:
    """Labels of each breast, in the words of the source ``cohort``.

    Args:
        lesions: Of the exam, decoys among them.
        rng: Of this exam's readers.

    Returns:
        Side -> ``reader1``, ``reader2``, ``outcome`` and ``exam_outcome``.
    """
    evidence = np.array([_evidence(lesions, side) for side in SIDES])
    noisy = evidence[:, None] + rng.normal(0, _NOISE, (len(SIDES), NUM_READERS))
    scores = 1 + np.searchsorted(_STEPS, noisy)
    word = 'screening' if (scores > 1).any() else 'interval'
    ill = {side: any(_is_cancer(x) for x in lesions if x.laterality is side) for side in SIDES}
    return {
        side: {
            'outcome': word if ill[side] else 'none',
            'exam_outcome': word if any(ill.values()) else 'none',
            **{f'reader{i}': int(score) for i, score in enumerate(row, start=1)},
        }
        for side, row in zip(SIDES, scores, strict=True)
    }


def _evidence(lesions: Sequence[PlacedLesion], side: Laterality) -> float:
    here = [x for x in lesions if x.laterality is side]
    return max((x.lesion.contrast * (1.0 if _is_cancer(x) else _HARMLESS) for x in here), default=0.0)


def _is_cancer(placed: PlacedLesion) -> bool:
    return placed.decoy is None and placed.lesion.pathology == 'malignant'
