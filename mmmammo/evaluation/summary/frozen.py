"""An operating point chosen on one set, frozen, and reported on another with intervals."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    OperatingPoint,
    ShiftResult,
    bootstrap_ci,
    choose_froc_operating_point,
    choose_operating_point,
    report_froc_operating_point,
    report_operating_point,
)
from mmmammo.evaluation.summary.detection_settings import DetectionSettings
from mmmammo.evaluation.summary.detections import DetectionSummary
from mmmammo.evaluation.summary.numbers import Number, by_key, with_interval
from mmmammo.evaluation.summary.scores import ScoreSettings, ScoreSummary, counts_of
from mmmammo.io.intake import first_of
from mmmammo.io.score_tables import ScoreTable
from mmmammo.structures import MammoError

_DETECTION_WORDS = {
    'recall': 'Share of lesions found',
    'precision': 'Share of marks that found a lesion',
    'f1': 'F1, harmonic mean of the two',
    'fps_per_image': 'False positives per image',
}
_ROW_WORDS = {
    'sensitivity': 'Sensitivity',
    'specificity': 'Specificity',
    'positive_predictive_value': 'Positive predictive value',
    'negative_predictive_value': 'Negative predictive value',
    'f1': 'F1',
    'recall_rate': 'Share of rows called positive',
}


@dataclass(frozen=True, eq=False)
class FrozenReport:
    """What a frozen threshold does on the set that is reported.

    Args:
        point: The threshold and where it comes from.
        same_split: Whether it was chosen on the rows it is reported on, which was asked for by name.
        numbers: Key (``'operating_point/recall'``, …) -> result.
        shift: Whether the scores still look as where the threshold was chosen; ``None`` if the point does not know
            how they looked there.
    """

    point: OperatingPoint
    same_split: bool
    numbers: dict[str, Number]
    shift: ShiftResult | None = None


def choose_for_detections(summary: DetectionSummary, rule: str, target: float | None) -> OperatingPoint:
    """A threshold of detections from the set it is to be chosen on."""
    ids = [image.image_id for image in summary.data.images]
    point = choose_froc_operating_point(summary.froc, ids, summary.data.split, rule, target)
    return point.comparable_with(list(summary.exam_scores.values()))


def report_detections(
    point: OperatingPoint, summary: DetectionSummary, *, chosen_on: DetectionSummary | None = None, allow_same: bool
) -> FrozenReport:
    """The frozen threshold on another set.

    Args:
        point: Chosen elsewhere.
        summary: Of the set to report on.
        chosen_on: Of the set it was chosen on, if at hand: its patients must be others. Scores are compared anyway,
            with those that the point keeps.
        allow_same: Report on the same set all the same.

    Raises:
        MammoError: If the sets are the same or share patients.
    """
    images = summary.data.images
    patients = [image.patient_id for image in images]
    if chosen_on is not None and not allow_same:
        refuse_shared_patients([image.patient_id for image in chosen_on.data.images], patients)
    ids = [image.image_id for image in images]
    report = report_froc_operating_point(point, summary.froc, ids, summary.data.split, allow_same_split=allow_same)
    matches = summary.matches
    kept = matches.scores >= point.threshold
    found, false = matches.image[kept & matches.is_true_positive], matches.image[kept & matches.is_false_positive]
    tp, fp, lesions = (np.bincount(which, minlength=len(images)) for which in (found, false, matches.lesion_image))

    def read(rows: npt.NDArray[np.int64]) -> list[float]:
        t, f, g = float(tp[rows].sum()), float(fp[rows].sum()), float(lesions[rows].sum())
        return [_ratio(t, g), _ratio(t, t + f), _ratio(2 * t, t + f + g) if g else np.nan, f / len(rows)]

    counts = summary.headline.counts
    values = {name: getattr(report, name) for name in _DETECTION_WORDS}
    marks = int(tp.sum() + fp.sum())
    units = {'recall': counts['lesions'], 'precision': marks, 'f1': counts['lesions'], 'fps_per_image': len(images)}
    numbers = _numbers(values, _DETECTION_WORDS, counts, units, read, patients, summary.settings)
    shift = None if report.same_split else point.shift(list(summary.exam_scores.values()))
    return FrozenReport(point, report.same_split, numbers, shift)


def choose_for_scores(
    summary: ScoreSummary, rule: str, target: float | None, *, calibrated: bool = False
) -> OperatingPoint:
    """A threshold of rows from the table it is to be chosen on; it remembers what a row is.

    Args:
        summary: Of that table.
        rule: How it is chosen.
        target: What is to be reached.
        calibrated: Whether the scores were calibrated.

    Raises:
        MammoError: If the table has several classes.
    """
    require_one_class(summary.table)
    table = summary.table
    point = choose_operating_point(table.labels[:, 0], table.scores[:, 0], table.ids, table.split, rule, target)
    point = replace(point, chosen_on=replace(point.chosen_on, unit=table.level), calibrated=calibrated)
    return point.comparable_with(_independent(table))


def report_scores(
    point: OperatingPoint, summary: ScoreSummary, *, chosen_on: ScoreSummary | None = None, allow_same: bool
) -> FrozenReport:
    """As :func:`report_detections`, for rows."""
    require_one_class(summary.table)
    table = summary.table
    if chosen_on is not None and not allow_same:
        refuse_shared_patients(chosen_on.table.patient_ids, table.patient_ids)
    labels, scores = table.labels[:, 0], table.scores[:, 0]
    report = report_operating_point(point, labels, scores, table.ids, table.split, allow_same_split=allow_same)
    called, positive = scores >= point.threshold, labels == 1

    def read(rows: npt.NDArray[np.int64]) -> list[float]:
        c, p = called[rows], positive[rows]
        tp, fp, fn, tn = (float(x.sum()) for x in (c & p, c & ~p, ~c & p, ~c & ~p))
        ratios = [_ratio(tp, tp + fn), _ratio(tn, tn + fp), _ratio(tp, tp + fp), _ratio(tn, tn + fn)]
        return [*ratios, _ratio(2 * tp, 2 * tp + fp + fn) if tp + fn else np.nan, (tp + fp) / len(rows)]

    values = {name: getattr(report, name) for name in _ROW_WORDS}
    counts = counts_of(table, labels)
    sizes = (positive.sum(), (~positive).sum(), called.sum(), (~called).sum(), len(labels), len(labels))
    units = dict(zip(_ROW_WORDS, map(int, sizes), strict=True))
    numbers = _numbers(values, _ROW_WORDS, counts, units, read, table.patient_ids, summary.settings)
    shift = None if report.same_split else point.shift(_independent(table))
    return FrozenReport(point, report.same_split, numbers, shift)


def _independent(table: ScoreTable) -> npt.NDArray[np.float64]:
    """The greatest score of each exam, or of each patient where exams are not known: rows of one woman are alike."""
    units = table.exam_ids if all(table.exam_ids) else table.patient_ids
    _, group = np.unique(np.array(units, dtype=str), return_inverse=True)
    greatest = np.full(group.max(initial=-1) + 1, -np.inf)
    np.maximum.at(greatest, group, table.scores[:, 0])
    return greatest


def refuse_shared_patients(chosen_on: Sequence[str], reported_on: Sequence[str], what: str = 'operating point') -> None:
    """A threshold or a calibration is reported on other women than it was chosen on.

    Raises:
        MammoError: If a patient is in both sets.
    """
    shared = sorted(set(chosen_on) & set(reported_on))
    if shared:
        raise MammoError(
            what,
            field='patients',
            found=f'{len(shared)} in both sets: {first_of(shared)}',
            expected='no patient in two splits',
            remedy='choose on other patients, or ask for --allow-same-split by name',
        )


def _numbers(
    values: Mapping[str, float],
    words: Mapping[str, str],
    counts: Mapping[str, int],
    units: Mapping[str, int],
    read: Callable[[npt.NDArray[np.int64]], list[float]],
    patients: Sequence[str],
    settings: DetectionSettings | ScoreSettings,
) -> dict[str, Number]:
    numbers = [
        Number(
            f'operating_point/{name}',
            words[name],
            float(value),
            {**counts, 'units': units[name]},
            getattr(value, 'reason', None),
        )
        for name, value in values.items()
    ]
    if not settings.bootstrap:
        return by_key(numbers)
    interval = bootstrap_ci(read, patients, settings.bootstrap, seed=settings.seed)
    return by_key(with_interval(numbers, interval))


def require_one_class(table: ScoreTable) -> None:
    """Thresholds and calibrations are of one class.

    Raises:
        MammoError: If the table has several.
    """
    if len(table.classes) > 1:
        raise MammoError(
            table.intakes[0].path,
            field='classes',
            found=json.dumps(table.classes),
            expected='one, to choose a threshold or a calibration for',
            remedy='name one label and one score column',
        )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else np.nan
