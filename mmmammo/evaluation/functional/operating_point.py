"""A threshold chosen on one split, frozen, and reported on another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.froc import FROCResult
from mmmammo.evaluation.functional.labelled_scores import labelled_scores, one_class_reason, same_length
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.evaluation.functional.shift import ShiftResult, score_shift
from mmmammo.evaluation.functional.split_record import SplitRecord, load_json, save_json
from mmmammo.evaluation.functional.threshold_choice import best_froc_threshold, best_threshold, counts_all_images
from mmmammo.evaluation.functional.threshold_sweep import threshold_sweep
from mmmammo.structures import MammoError

FORMAT = 'mmmammo-operating-point-1'
_MOST_SCORES = 2000


@dataclass(frozen=True)
class OperatingPoint:
    """A frozen threshold, and where it comes from.

    Args:
        threshold: Rows or detections with ``score >= threshold`` are called positive.
        rule: One of ``THRESHOLD_RULES``, or ``'froc_'`` and one of ``FROC_THRESHOLD_RULES``.
        target: What the rule had to reach, or ``None``.
        chosen_on: The split it was chosen on.
        n_positive: Positive rows, or lesions, of that split.
        achieved: What it reached there; too good to be reported.
        calibrated: Whether the scores were calibrated before; ``None`` where nobody said.
        exam_scores: The greatest score of each exam there (of many exams 2,000 quantiles), which those of other sets
            are compared with; empty in files of earlier versions.
    """

    threshold: float
    rule: str
    target: float | None
    chosen_on: SplitRecord
    n_positive: int
    achieved: Mapping[str, float]
    calibrated: bool | None = None
    exam_scores: tuple[float, ...] = ()

    def comparable_with(self, exam_scores: npt.ArrayLike) -> OperatingPoint:
        """The same with the greatest score of each exam of its split."""
        scores = np.asarray(exam_scores, dtype=np.float64)
        if len(scores) > _MOST_SCORES:
            scores = np.asarray(np.quantile(scores, (np.arange(_MOST_SCORES) + 0.5) / _MOST_SCORES), dtype=np.float64)
        return replace(self, exam_scores=tuple(np.sort(scores).round(6).tolist()))

    def shift(self, exam_scores: npt.ArrayLike, floor: float = 0.0) -> ShiftResult | None:
        """Whether exams score as those did on which the threshold was chosen; ``None`` where that cannot be asked.

        Args:
            exam_scores: The greatest score of each exam of another set.
            floor: Below it nothing is told of the other set, so lesser scores count as 0 on both sides.
        """
        here = np.asarray(exam_scores, dtype=np.float64)
        if not self.exam_scores or not len(here):
            return None
        there = np.array(self.exam_scores)
        return score_shift(*(np.where(scores >= floor, scores, 0.0) for scores in (there, here)))

    @property
    def of_detections(self) -> bool:
        """Whether it is one of detections, not of rows."""
        return self.rule.startswith('froc_')

    def save(self, path: str | Path) -> None:
        """Write it as JSON; its folder is made."""
        save_json(path, {'format': FORMAT} | asdict(self))

    @classmethod
    def load(cls, path: str | Path) -> OperatingPoint:
        """The inverse of :meth:`save`.

        Raises:
            MammoError: If the file is absent, no JSON, of another format or incomplete.
        """
        return load_json(path, FORMAT, lambda entries: cls(**_with_split(entries)))


@dataclass(frozen=True)
class OperatingReport:
    """What a frozen threshold does to the rows of another split.

    Args:
        sensitivity: Share of the positives that are called.
        specificity: Share of the negatives that are not.
        positive_predictive_value: Share of the called that are positive. It follows the prevalence of the split.
        negative_predictive_value: Share of the others that are negative.
        f1: Harmonic mean of sensitivity and positive predictive value.
        recall_rate: Share of all rows that are called.
        true_positives: Rows.
        false_positives: Rows.
        false_negatives: Rows.
        true_negatives: Rows.
        split: What it is reported on.
        same_split: Whether the threshold was chosen there, which was asked for by name.
    """

    sensitivity: Reading
    specificity: Reading
    positive_predictive_value: Reading
    negative_predictive_value: Reading
    f1: Reading
    recall_rate: Reading
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    split: SplitRecord
    same_split: bool


@dataclass(frozen=True)
class DetectionReport:
    """What a frozen threshold does to the detections of another split.

    Args:
        recall: Share of the lesions found.
        precision: Share of the detections that count that found a lesion.
        f1: Harmonic mean of the two.
        fps_per_image: False positives per image.
        n_images: Images.
        n_lesions: Lesions.
        split: What it is reported on.
        same_split: Whether the threshold was chosen there, which was asked for by name.
    """

    recall: Reading
    precision: Reading
    f1: Reading
    fps_per_image: Reading
    n_images: int
    n_lesions: int
    split: SplitRecord
    same_split: bool


def choose_operating_point(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    ids: Sequence[Any],
    split: str,
    rule: str = 'max_f1',
    target: float | None = None,
) -> OperatingPoint:
    """Choose a threshold of row scores.

    Args:
        labels: (n,) 0 or 1.
        scores: (n,) finite; for ``'max_pf1'`` in [0, 1].
        ids: (n,) of the rows, each once.
        split: Name of the split they are.
        rule: One of ``THRESHOLD_RULES``.
        target: For ``'sensitivity'`` and ``'specificity'``: what to reach.

    Raises:
        MammoError: On malformed rows, a repeated id, a missing class, an unknown rule or a target out of reach.
    """
    where = 'choose_operating_point'
    is_positive, values = labelled_scores(where, labels, scores, probabilities=rule == 'max_pf1')
    same_length(where, labels=is_positive, ids=ids)
    reason = one_class_reason(is_positive)
    if reason:
        raise _error('labels', reason, 'both classes', 'choose on rows that have both')
    threshold = best_threshold(threshold_sweep(is_positive, values), rule, target)
    record = SplitRecord.of(split, ids)
    report = _report(is_positive, values >= threshold, record, same_split=True)
    achieved = {name: float(getattr(report, name)) for name in ('sensitivity', 'specificity', 'f1', 'recall_rate')}
    return OperatingPoint(threshold, rule, target, record, int(is_positive.sum()), achieved)


def report_operating_point(
    point: OperatingPoint,
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    ids: Sequence[Any],
    split: str,
    *,
    allow_same_split: bool = False,
) -> OperatingReport:
    """Apply a frozen threshold to the rows of another split.

    Args:
        point: Chosen elsewhere.
        labels: (n,) 0 or 1.
        scores: (n,) of the same model.
        ids: (n,) of the rows, each once.
        split: Name of the split they are.
        allow_same_split: Report on the rows the threshold was chosen on; the report says so.

    Returns:
        Ratios without denominator are nan with their reason.

    Raises:
        MammoError: On malformed rows, a threshold of detections, or the split that the threshold was chosen on.
    """
    where = 'report_operating_point'
    _require_kind(point, of_detections=False)
    is_positive, values = labelled_scores(where, labels, scores)
    same_length(where, labels=is_positive, ids=ids)
    record = point.chosen_on.require_other(split, ids, allow_same_split=allow_same_split)
    same = _is_same(point, record)
    return _report(is_positive, values >= point.threshold, record, same_split=same)


def choose_froc_operating_point(
    result: FROCResult, image_ids: Sequence[Any], split: str, rule: str = 'max_f1', target: float | None = None
) -> OperatingPoint:
    """Choose a threshold of detections from a FROC curve.

    Args:
        result: Of :func:`~mmmammo.evaluation.functional.froc.froc`.
        image_ids: (n_images,) each once.
        split: Name of the split they are.
        rule: ``'max_f1'`` (paper 3), or ``'fps_per_image'`` or ``'sensitivity'`` with a target.
        target: False positives per image that may be spent, or share of lesions that must be found.

    Raises:
        MammoError: Without lesions, on a repeated id, an unknown rule or a target out of reach.
    """
    same_length('choose_froc_operating_point', images=range(result.n_images), image_ids=image_ids)
    if result.reason:
        raise _error('lesions', result.reason, 'at least one', 'choose on a split with lesions')
    threshold = best_froc_threshold(result, rule, target)
    record = SplitRecord.of(split, image_ids)
    report = _detection_report(result, threshold, record, same_split=True)
    achieved = {name: float(getattr(report, name)) for name in ('recall', 'precision', 'f1', 'fps_per_image')}
    return OperatingPoint(threshold, f'froc_{rule}', target, record, result.n_lesions, achieved)


def report_froc_operating_point(
    point: OperatingPoint,
    result: FROCResult,
    image_ids: Sequence[Any],
    split: str,
    *,
    allow_same_split: bool = False,
) -> DetectionReport:
    """Apply a frozen threshold to the detections of another split; see :func:`report_operating_point`.

    Raises:
        MammoError: On a repeated id, a threshold of row scores, or the split that the threshold was chosen on.
    """
    same_length('report_froc_operating_point', images=range(result.n_images), image_ids=image_ids)
    _require_kind(point, of_detections=True)
    record = point.chosen_on.require_other(split, image_ids, allow_same_split=allow_same_split)
    return _detection_report(result, point.threshold, record, same_split=_is_same(point, record))


def _report(
    is_positive: npt.NDArray[np.bool_], called: npt.NDArray[np.bool_], split: SplitRecord, *, same_split: bool
) -> OperatingReport:
    tp, fp = int((is_positive & called).sum()), int((~is_positive & called).sum())
    fn, tn = int(is_positive.sum()) - tp, int((~is_positive).sum()) - fp
    return OperatingReport(
        sensitivity=_ratio(tp, tp + fn, 'no positive label'),
        specificity=_ratio(tn, tn + fp, 'no negative label'),
        positive_predictive_value=_ratio(tp, tp + fp, 'nothing is called'),
        negative_predictive_value=_ratio(tn, tn + fn, 'everything is called'),
        f1=_ratio(2 * tp, 2 * tp + fp + fn if tp + fn else 0, 'no positive label'),
        recall_rate=_ratio(tp + fp, len(called), 'no row'),
        true_positives=tp,
        false_positives=fp,
        false_negatives=fn,
        true_negatives=tn,
        split=split,
        same_split=same_split,
    )


def _detection_report(result: FROCResult, threshold: float, split: SplitRecord, *, same_split: bool) -> DetectionReport:
    row = int(np.searchsorted(-result.thresholds, -threshold, side='right')) - 1
    false = float(result.fps_per_image[row]) * result.n_images
    found = float(result.recall[row]) * result.n_lesions if result.n_lesions else 0.0
    partly = None if counts_all_images(result) else f'false positives are known of {result.n_fp_images} images only'
    return DetectionReport(
        recall=_ratio(found, result.n_lesions, 'no lesion'),
        precision=_ratio(found, 0 if partly else found + false, partly or 'no detection counts'),
        f1=_ratio(
            2 * found, 0 if partly or not result.n_lesions else found + false + result.n_lesions, partly or 'no lesion'
        ),
        fps_per_image=_ratio(false, result.n_images, 'no image'),
        n_images=result.n_images,
        n_lesions=result.n_lesions,
        split=split,
        same_split=same_split,
    )


def _ratio(part: float, whole: float, reason: str) -> Reading:
    return Reading(part / whole) if whole else Reading.undefined(reason)


def _is_same(point: OperatingPoint, record: SplitRecord) -> bool:
    return record.name == point.chosen_on.name or record.ids_sha256 == point.chosen_on.ids_sha256


def _require_kind(point: OperatingPoint, *, of_detections: bool) -> None:
    if point.of_detections != of_detections:
        expected = 'a threshold of detections' if of_detections else 'a threshold of row scores'
        remedy = 'the scores of detections and of rows are not comparable: choose one for each'
        raise _error('rule', repr(point.rule), expected, remedy)


def _error(field: str, found: str, expected: str, remedy: str) -> MammoError:
    return MammoError('operating point', field=field, found=found, expected=expected, remedy=remedy)


def _with_split(entries: dict[str, Any]) -> dict[str, Any]:
    scores = tuple(map(float, entries.get('exam_scores', ())))
    return entries | {'chosen_on': SplitRecord(**entries['chosen_on']), 'exam_scores': scores}
