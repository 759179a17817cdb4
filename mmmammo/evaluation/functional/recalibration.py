"""Put probabilities right on one split, apply it elsewhere: temperature and isotonic scaling.

Neither of them repairs a ranking: both keep the order of the scores (isotonic scaling may tie neighbours).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray
from mmmammo.evaluation.functional.labelled_scores import (
    finite_scores,
    labelled_scores,
    one_class_reason,
    same_length,
)
from mmmammo.evaluation.functional.split_record import SplitRecord, load_json, save_json
from mmmammo.structures import MammoError

FORMAT = 'mmmammo-calibration-1'
NEAREST_TO_CERTAIN = 1e-7
_LOG_TEMPERATURE = (-4.0, 4.0)  # temperatures from about 1/55 to 55


def log_odds(probs: npt.ArrayLike) -> FloatArray:
    """Logit of probabilities.

    For a softmax over two classes it is the difference of the two logits, paper 4's risk score; of one in double
    precision, to beyond 30. 0 and 1 count as ``1e-7`` from certain, about what float32 can hold, or as the most certain
    of the others where these are nearer.

    Raises:
        MammoError: If a probability is not in [0, 1].
    """
    values = finite_scores('log_odds', probs, 'probs', probabilities=True)
    odds: FloatArray = logit(values)
    most, known = -float(logit(NEAREST_TO_CERTAIN)), odds[np.isfinite(odds)]
    return np.clip(odds, min(-most, known.min(initial=0.0)), max(most, known.max(initial=0.0)))


@dataclass(frozen=True)
class TemperatureScaling:
    """Divides the log-odds by one number: above 1 the probabilities move towards one half, below 1 away from it.

    It cannot follow a change of prevalence, because one half stays one half.

    Args:
        temperature: Greater than 0.
        chosen_on: The split it was fitted on.
    """

    temperature: float
    chosen_on: SplitRecord

    def apply(self, probs: npt.ArrayLike) -> FloatArray:
        """(n,) calibrated probabilities.

        Raises:
            MammoError: If a probability is not in [0, 1].
        """
        scaled: FloatArray = expit(log_odds(probs) / self.temperature)
        return scaled

    def save(self, path: str | Path) -> None:
        """Write it as JSON; its folder is made."""
        save_json(path, {'format': FORMAT, 'kind': 'temperature'} | asdict(self))


@dataclass(frozen=True)
class IsotonicScaling:
    """A rising step-free curve through the observed frequencies (pool adjacent violators), linear in between.

    It follows any change that keeps the order, prevalence included, but needs many positives: below some hundred
    prefer a temperature.

    Args:
        knots: Rising probabilities of the model.
        values: What they become, never falling.
        chosen_on: The split it was fitted on.
    """

    knots: tuple[float, ...]
    values: tuple[float, ...]
    chosen_on: SplitRecord

    def apply(self, probs: npt.ArrayLike) -> FloatArray:
        """(n,) calibrated probabilities; beyond the knots the last value holds.

        Raises:
            MammoError: If a probability is not in [0, 1].
        """
        model = finite_scores('IsotonicScaling', probs, 'probs', probabilities=True)
        scaled: FloatArray = np.interp(model, self.knots, self.values)
        return scaled

    def save(self, path: str | Path) -> None:
        """Write it as JSON; its folder is made."""
        save_json(path, {'format': FORMAT, 'kind': 'isotonic'} | asdict(self))


def fit_temperature(labels: npt.ArrayLike, probs: npt.ArrayLike, ids: Sequence[Any], split: str) -> TemperatureScaling:
    """The temperature with the greatest likelihood.

    Args:
        labels: (n,) 0 or 1.
        probs: (n,) in [0, 1].
        ids: (n,) of the rows, each once.
        split: Name of the split they are; report on another one (:meth:`SplitRecord.require_other`).

    Raises:
        MammoError: On malformed rows, a missing class, or when no finite temperature is best.
    """
    is_positive, values = _rows('fit_temperature', labels, probs, ids)
    odds = np.where(is_positive, 1, -1) * log_odds(values)
    best = minimize_scalar(
        lambda t: np.logaddexp(0, -odds * np.exp(-t)).mean(), bounds=_LOG_TEMPERATURE, options={'xatol': 1e-8}
    )
    if not _LOG_TEMPERATURE[0] + 1e-3 < best.x < _LOG_TEMPERATURE[1] - 1e-3:
        raise MammoError(
            'fit_temperature',
            field='temperature',
            found=f'no optimum between {np.exp(_LOG_TEMPERATURE[0]):.3f} and {np.exp(_LOG_TEMPERATURE[1]):.0f}',
            expected='probabilities that are neither perfectly right nor useless',
            remedy='take more rows, look whether labels and scores are swapped, or fit_isotonic',
        )
    return TemperatureScaling(float(np.exp(best.x)), SplitRecord.of(split, ids))


def fit_isotonic(labels: npt.ArrayLike, probs: npt.ArrayLike, ids: Sequence[Any], split: str) -> IsotonicScaling:
    """The never falling curve with the least squared error; arguments as of :func:`fit_temperature`.

    Raises:
        MammoError: On malformed rows or a missing class.
    """
    is_positive, values = _rows('fit_isotonic', labels, probs, ids)
    fit = IsotonicRegression(y_min=0, y_max=1, out_of_bounds='clip').fit(values, is_positive)
    return IsotonicScaling(
        tuple(fit.X_thresholds_.tolist()), tuple(fit.y_thresholds_.tolist()), SplitRecord.of(split, ids)
    )


def load_calibration(path: str | Path) -> TemperatureScaling | IsotonicScaling:
    """Read what ``save`` wrote.

    Raises:
        MammoError: If the file is absent, no JSON, of another format or incomplete.
    """
    return load_json(path, FORMAT, _built)


def _built(entries: dict[str, Any]) -> TemperatureScaling | IsotonicScaling:
    chosen_on = SplitRecord(**entries['chosen_on'])
    if entries['kind'] == 'temperature':
        return TemperatureScaling(float(entries['temperature']), chosen_on)
    return IsotonicScaling(tuple(entries['knots']), tuple(entries['values']), chosen_on)


def _rows(where: str, labels: npt.ArrayLike, probs: npt.ArrayLike, ids: Sequence[Any]) -> tuple[BoolArray, FloatArray]:
    is_positive, values = labelled_scores(where, labels, probs, probabilities=True)
    same_length(where, labels=is_positive, ids=ids)
    reason = one_class_reason(is_positive)
    if reason:
        raise MammoError(
            where, field='labels', found=reason, expected='both classes', remedy='fit on rows that have both'
        )
    return is_positive, values
