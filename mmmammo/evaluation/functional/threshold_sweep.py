"""Every threshold that changes who is called positive, with the calls it makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class ThresholdSweep:
    """Calls at each threshold, from the highest down; rows of equal score enter together.

    Args:
        thresholds: (t,) rows with ``score >= threshold`` are called positive; the first is infinite: no call.
        true_positives: (t,) counts.
        false_positives: (t,) counts.
        n_positive: Rows labelled 1.
        n_negative: Rows labelled 0.
    """

    thresholds: FloatArray
    true_positives: FloatArray
    false_positives: FloatArray
    n_positive: int
    n_negative: int

    @property
    def sensitivity(self) -> FloatArray:
        """(t,); nan without positives."""
        return _share(self.true_positives, self.n_positive)

    @property
    def specificity(self) -> FloatArray:
        """(t,); nan without negatives."""
        return _share(self.n_negative - self.false_positives, self.n_negative)

    @property
    def false_positive_rate(self) -> FloatArray:
        """(t,); nan without negatives."""
        return _share(self.false_positives, self.n_negative)

    def f_score(self, beta: float = 1.0) -> FloatArray:
        """(t,) F-beta; nan without positives, 0 where nothing is called."""
        if not self.n_positive:
            return np.full_like(self.thresholds, np.nan)
        called = self.true_positives + self.false_positives
        score: FloatArray = (1 + beta**2) * self.true_positives / (beta**2 * self.n_positive + called)
        return score

    def at(self, thresholds: npt.ArrayLike) -> ThresholdSweep:
        """The same at given thresholds, in their order."""
        wanted = np.asarray(thresholds, dtype=np.float64)
        row = np.searchsorted(-self.thresholds, -wanted, side='right') - 1
        return ThresholdSweep(
            wanted, self.true_positives[row], self.false_positives[row], self.n_positive, self.n_negative
        )


def threshold_sweep(is_positive: BoolArray, scores: FloatArray) -> ThresholdSweep:
    """Sweep over checked rows (see :func:`~mmmammo.evaluation.functional.labelled_scores.labelled_scores`)."""
    order = np.argsort(-scores, kind='stable')
    falling, positive = scores[order], is_positive[order]
    last_of_score = np.flatnonzero(np.append(falling[1:] != falling[:-1], True)[: len(falling)])
    true_positives = np.cumsum(positive, dtype=np.float64)[last_of_score]
    return ThresholdSweep(
        thresholds=np.concatenate([[np.inf], falling[last_of_score]]),
        true_positives=np.concatenate([[0.0], true_positives]),
        false_positives=np.concatenate([[0.0], last_of_score + 1 - true_positives]),
        n_positive=int(is_positive.sum()),
        n_negative=int((~is_positive).sum()),
    )


def _share(counts: FloatArray, total: int) -> FloatArray:
    share: FloatArray = counts / total if total else np.full_like(counts, np.nan)
    return share
