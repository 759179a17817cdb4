"""Runs side by side on the same images, with paired differences from the first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    PairedDifference,
    auc,
    paired_difference,
    paired_froc,
    patients_in,
    rank_scores,
    score_reader,
    side_by_side,
    weighted_paired_difference,
)
from mmmammo.evaluation.summary.average_precision import average_precision_reader, class_matches
from mmmammo.evaluation.summary.detections import DetectionSummary, patients_of
from mmmammo.evaluation.summary.numbers import Number
from mmmammo.evaluation.summary.scores import OF_PROBABILITIES, ScoreSummary, measures_of
from mmmammo.io.detection_files import DetectionSet
from mmmammo.io.intake import first_of
from mmmammo.io.score_tables import ScoreTable
from mmmammo.structures import ImagePrediction, MammoError

_SAME_BOX_PX = 1e-3
COMPARED = ('auc', 'auprc', 'pf1')
"""Which numbers of each of several classes are compared; of a single class, all are."""


@dataclass(frozen=True)
class Difference:
    """A run minus the first one.

    Args:
        key: Of the number.
        value: The difference; nan where a number is undefined.
        low: Lower bound of its interval, patients resampled, the same for both runs.
        high: Upper bound.
        p_bootstrap: Two-sided, from the same replicates.
        p_permutation: Two-sided, the runs exchanged patient by patient.
        reason: Why something is nan, or ``None``.
    """

    key: str
    value: float
    low: float
    high: float
    p_bootstrap: float
    p_permutation: float
    reason: str | None = None

    def as_dict(self) -> dict[str, float | str | None]:
        """For JSON, which has no nan."""
        numbers = {name: getattr(self, name) for name in ('value', 'low', 'high', 'p_bootstrap', 'p_permutation')}
        return {name: value if math.isfinite(value) else None for name, value in numbers.items()} | {
            'reason': self.reason
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs on the same set.

    Args:
        names: Of the runs; the first is the one compared with.
        numbers: Of each run.
        differences: Of each run but the first: key -> difference.
        counts: What they were all measured on.
    """

    names: tuple[str, ...]
    numbers: tuple[dict[str, Number], ...]
    differences: tuple[dict[str, Difference], ...]
    counts: Mapping[str, int]


def on_same_images(sets: Sequence[DetectionSet], names: Sequence[str]) -> list[DetectionSet]:
    """The sets in the order of the first one's images, with its truth.

    Raises:
        MammoError: If images differ, naming which; or the truth of an image does.
    """
    first = sets[0].images
    aligned = [sets[0]]
    for data, name in zip(sets[1:], names[1:], strict=True):
        by_id = {image.image_id: image for image in data.images}
        _require_same([_who(image) for image in first], [_who(image) for image in data.images], names[0], name)
        images = []
        for image in first:
            other = by_id[image.image_id]
            if not _same_truth(image, other):
                raise MammoError(
                    name,
                    field=f'lesions of {_who(image)}',
                    found=f'{len(other.gt_boxes)} box(es) {np.round(other.gt_boxes, 1).tolist()}',
                    expected=f'those of {names[0]}: {np.round(image.gt_boxes, 1).tolist()}',
                    remedy='test both runs on the same annotations',
                )
            images.append(replace(image, boxes=other.boxes, scores=other.scores, labels=other.labels))
        aligned.append(replace(data, images=tuple(images)))
    return aligned


def compare_detections(
    summaries: Sequence[DetectionSummary], names: Sequence[str], *, same_scale: bool = False
) -> Comparison:
    """Every later run against the first.

    Args:
        summaries: Of sets from :func:`on_same_images`.
        names: Of the runs.
        same_scale: Whether a score means the same in all runs; see
            :func:`~mmmammo.evaluation.functional.paired_froc`.
    """
    first = summaries[0]
    return Comparison(
        names=tuple(names),
        numbers=tuple(summary.numbers for summary in summaries),
        differences=tuple(_detection_differences(other, first, same_scale) for other in summaries[1:]),
        counts=first.headline.counts,
    )


def on_same_rows(tables: Sequence[ScoreTable], names: Sequence[str], *, same_labels: bool = True) -> list[ScoreTable]:
    """The tables in the order of the first one's rows.

    Args:
        tables: Of the same images.
        names: Of the runs.
        same_labels: Whether other labels are refused; else each table keeps its own, as models do that are trained to
            different things.

    Raises:
        MammoError: If rows or classes differ, naming which, or a label does.
    """
    first = tables[0]
    aligned = [first]
    for table, name in zip(tables[1:], names[1:], strict=True):
        _require_same(first.ids, table.ids, names[0], name)
        _require_same(first.classes, table.classes, names[0], name)
        place = {row_id: row for row, row_id in enumerate(table.ids)}
        rows = np.array([place[row_id] for row_id in first.ids])
        wrong = np.flatnonzero((table.labels[rows] != first.labels).any(axis=1))
        if len(wrong) and same_labels:
            raise MammoError(
                name,
                field='labels',
                found=f'others than in {names[0]} for {first_of([first.ids[row] for row in wrong])}',
                expected='the same truth in both tables',
                remedy='correct the labels',
            )
        own = {column: tuple(values[row] for row in rows) for column, values in table.attributes.items()}
        attributes = {**first.attributes, **own}  # a fold, say, is the table's own
        aligned.append(
            replace(
                first,
                labels=table.labels[rows],
                scores=table.scores[rows],
                attributes=attributes,
                intakes=table.intakes,
                notes=table.notes,
            )
        )
    return aligned


def compare_scores(summaries: Sequence[ScoreSummary], names: Sequence[str], *, same_scale: bool = False) -> Comparison:
    """Every later table against the first; the tables come from :func:`on_same_rows`."""
    first = summaries[0]
    return Comparison(
        names=tuple(names),
        numbers=tuple(summary.numbers for summary in summaries),
        differences=tuple(_score_differences(other, first, same_scale) for other in summaries[1:]),
        counts=first.headline.counts,
    )


def _detection_differences(run: DetectionSummary, first: DetectionSummary, same_scale: bool) -> dict[str, Difference]:
    settings, patients = first.settings, patients_of(first.data.images)
    fps = tuple(first.froc.recall_at)
    n, seed = max(settings.bootstrap, 1), settings.seed
    froc = paired_froc(run.matches, first.matches, patients, fps, n, seed, same_scale=same_scale)
    keys = [key for key in first.numbers if key.startswith('froc/recall@')] + ['froc/fauc']
    rows = _rows(keys, froc, first.froc.reason)
    ap_keys = [key for key in first.numbers if key.startswith('ap/')]
    rows |= _rows(ap_keys, _paired_ap(run, first, same_scale), first.froc.reason)
    return rows | _rows(['exam/auc'], _paired_exam_auc(run, first, same_scale), first.numbers['exam/auc'].reason)


def _paired_ap(run: DetectionSummary, first: DetectionSummary, same_scale: bool) -> PairedDifference:
    """Weighed, not matched again: over both models' images side by side, those of the one or of the other."""
    both = [
        [side_by_side(*pair, same_scale) for pair in zip(*rows, strict=True)]
        for rows in zip(class_matches(run.data), class_matches(first.data), strict=True)
    ]
    read_weights, num_images = average_precision_reader(both), len(first.data.images)

    def read(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return read_weights(np.bincount(rows, minlength=2 * num_images))

    settings = first.settings
    return paired_difference(read, patients_of(first.data.images), max(settings.bootstrap, 1), seed=settings.seed)


def _paired_exam_auc(run: DetectionSummary, first: DetectionSummary, same_scale: bool) -> PairedDifference:
    labels = np.tile(np.array(list(first.exam_labels.values()), dtype=np.int64), 2)
    scores = _joined([np.array(list(summary.exam_scores.values())) for summary in (run, first)], same_scale)
    patient = {image.exam_id: image.patient_id for image in first.data.images}
    return paired_difference(
        lambda rows: [auc(labels[rows], scores[rows])],
        [patient[exam] for exam in first.exam_labels],
        max(first.settings.bootstrap, 1),
        seed=first.settings.seed,
    )


def _score_differences(run: ScoreSummary, first: ScoreSummary, same_scale: bool) -> dict[str, Difference]:
    """All numbers of one class; of several classes, those of each that :data:`COMPARED` has, and their means."""
    measures = {
        key: measure
        for key, measure in measures_of(first).items()
        if len(first.table.classes) == 1 or measure.of_all or measure.statistic in COMPARED
    }
    sums = max(summary.table.scores.max(initial=0) for summary in (run, first)) > 1
    read = {key: one for key, one in measures.items() if not (sums and one.statistic in OF_PROBABILITIES)}
    models = [(tuple(read.values()), summary.table) for summary in (run, first)]
    settings = first.settings
    paired = weighted_paired_difference(
        score_reader(*models, same_scale=same_scale).of_weights,
        patients_in(first.table),
        max(settings.bootstrap, 1),
        seed=settings.seed,
    )
    found = _rows(list(read), paired, None)
    undefined = {key: _undefined(key) for key in measures if key not in found}
    reasons = {key: first.numbers[key].reason or run.numbers[key].reason for key in measures}
    return {
        key: replace(row, reason=reasons[key] or (row.reason if math.isnan(row.low) else None))
        for key, row in (found | undefined).items()
    }


def _undefined(key: str) -> Difference:
    return Difference(key, math.nan, math.nan, math.nan, math.nan, math.nan)


def _joined(scores: Sequence[npt.NDArray[np.float64]], as_they_are: bool) -> npt.NDArray[np.float64]:
    """Scores of two models end to end; as ranks, unless one scale is theirs, so that exchanged ones compare."""
    return np.concatenate(scores if as_they_are else [rank_scores(of) for of in scores])


def _rows(keys: Sequence[str], paired: PairedDifference, reason: str | None) -> dict[str, Difference]:
    """One difference per key; the entries of the paired result are in the order of the keys."""
    difference = paired.difference
    values, low, high, p_bootstrap, p_permutation = (
        np.atleast_1d(column).tolist()
        for column in (difference.estimate, difference.low, difference.high, paired.p_bootstrap, paired.p_permutation)
    )
    reason = reason or difference.reason
    return {
        key: Difference(key, values[i], low[i], high[i], p_bootstrap[i], p_permutation[i], reason)
        for i, key in enumerate(keys)
    }


def _require_same(first: Sequence[str], other: Sequence[str], first_name: str, name: str) -> None:
    missing, extra = sorted(set(first) - set(other)), sorted(set(other) - set(first))
    if missing or extra:
        said = [f'without {len(missing)} of {first_name}: {first_of(missing)}'] if missing else []
        said += [f'with {len(extra)} that {first_name} has not: {first_of(extra)}'] if extra else []
        raise MammoError(
            name,
            field='images, rows or classes',
            found='; '.join(said),
            expected=f'those of {first_name}, all {len(first)}',
            remedy='run both on the same set; numbers of different sets cannot be paired',
        )


def _who(image: ImagePrediction) -> str:
    return f'image {image.image_id}' + (f' ({image.file_name})' if image.file_name else '')


def _same_truth(image: ImagePrediction, other: ImagePrediction) -> bool:
    if image.gt_boxes.shape != other.gt_boxes.shape:
        return False
    one, two = (boxes[np.lexsort(boxes.T)] for boxes in (image.gt_boxes, other.gt_boxes))
    return bool(np.allclose(one, two, rtol=0, atol=_SAME_BOX_PX))
