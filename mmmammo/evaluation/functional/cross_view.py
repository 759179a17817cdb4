"""Scores of detections in the light of the other views of their exam: a logistic model of a few coefficients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from mmmammo.evaluation.functional.inputs import FloatArray
from mmmammo.evaluation.functional.recalibration import log_odds
from mmmammo.evaluation.functional.split_record import SplitRecord, load_json, save_json
from mmmammo.structures import CrossViewEvidence, ImagePrediction, MammoError

FORMAT = 'mmmammo-cross-view-1'
COEFFICIENTS = (
    'own',
    'ipsilateral',
    'ipsilateral_missing',
    'contralateral',
    'contralateral_missing',
    'intercept',
)
"""Names of the columns of :func:`cross_view_features`."""
LEAST_EVIDENCE = 0.01
"""Weaker evidence of a partner view is none: its log-odds end here."""


def cross_view_features(evidence: CrossViewEvidence) -> FloatArray:
    """(n, 6) in the order of :data:`COEFFICIENTS`: log-odds of the scores, with 0 and a mark for a missing partner.

    Raises:
        MammoError: If a score is not in [0, 1].
    """
    own = log_odds(evidence.own)
    columns = [own]
    for found in (evidence.ipsilateral, evidence.contralateral):
        missing = np.isnan(found)
        odds = log_odds(np.clip(np.where(missing, 0.5, found), LEAST_EVIDENCE, 1 - LEAST_EVIDENCE))
        columns += [odds, missing.astype(np.float64)]
    return np.stack([*columns, np.ones_like(own)], axis=1)


@dataclass(frozen=True)
class CrossViewWeights:
    """What the other views are worth, as fitted on detections of one model (``tools/fit_cross_view.py``).

    The new score is the probability ``expit(sum of coefficient * feature)``. It rises with the own score. A missing
    partner puts its ``…_missing`` in the place of evidence, so that it shifts the log-odds of all detections of that
    image alike and their order stays. The defaults leave all scores as they are.

    Args:
        own: Of the log-odds of the own score, at least 0.
        ipsilateral: Of the log-odds of the evidence in the other projection of the breast.
        ipsilateral_missing: Added where there is no such view.
        contralateral: Of the log-odds of the evidence at the mirrored place of the other breast.
        contralateral_missing: Added where there is no such view.
        intercept: Added always.
        chosen_on: The split they were fitted on, its patients being the rows.
        info: How they were fitted.

    Raises:
        MammoError: If a coefficient is not finite, or ``own`` is negative.
    """

    own: float = 1.0
    ipsilateral: float = 0.0
    ipsilateral_missing: float = 0.0
    contralateral: float = 0.0
    contralateral_missing: float = 0.0
    intercept: float = 0.0
    chosen_on: SplitRecord | None = None
    info: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for name in COEFFICIENTS:
            value = getattr(self, name)
            if not isinstance(value, int | float) or not np.isfinite(value) or (name == 'own' and value < 0):
                raise MammoError(
                    'cross-view weights',
                    field=name,
                    found=repr(value),
                    expected='a finite number'
                    + (' of at least 0: a surer detection never loses by it' * (name == 'own')),
                    remedy='fit them anew with tools/fit_cross_view.py',
                )

    def apply(self, evidence: CrossViewEvidence) -> FloatArray:
        """(n,) new scores in [0, 1].

        Raises:
            MammoError: If a score is not in [0, 1].
        """
        scores: FloatArray = expit(cross_view_features(evidence) @ [getattr(self, name) for name in COEFFICIENTS])
        return scores

    def require_other(self, images: Sequence[ImagePrediction], split: str, *, allow_same_split: bool = False) -> None:
        """Refuse to score the patients that the weights were fitted on.

        Args:
            images: To be scored.
            split: Their split's name.
            allow_same_split: Score them all the same, knowing that the numbers flatter.

        Raises:
            MammoError: If the names are equal, or the patients are.
        """
        if self.chosen_on is not None:
            patients = sorted({image.patient_id for image in images})
            self.chosen_on.require_other(split, patients, allow_same_split=allow_same_split)

    def save(self, path: str | Path) -> None:
        """Write them as JSON; the folder is made."""
        save_json(path, {'format': FORMAT} | asdict(self))

    @classmethod
    def load(cls, path: str | Path) -> CrossViewWeights:
        """Read what :meth:`save` wrote.

        Raises:
            MammoError: If the file is absent, no JSON, of another format, incomplete, or holds impossible numbers.
        """
        return load_json(path, FORMAT, _built)


def _built(entries: dict[str, Any]) -> CrossViewWeights:
    record = entries['chosen_on']
    coefficients = {name: entries[name] for name in COEFFICIENTS}
    chosen_on = None if record is None else SplitRecord(**record)
    return CrossViewWeights(**coefficients, chosen_on=chosen_on, info=dict(entries['info']))
