"""The exam score of any model: of a classifier from its ``scores.csv``, of a detector from its ``predictions.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    AUCComparison,
    AUCInterval,
    PairedDifference,
    auc,
    bootstrap_ci,
    delong_interval,
    delong_test,
    exam_scores,
    log_odds,
    paired_difference,
    rank_scores,
)
from mmmammo.evaluation.functional.inputs import BoolArray, IntArray
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.io.detection_files import read_detection_set
from mmmammo.io.exam_index import read_index
from mmmammo.io.intake import first_of
from mmmammo.io.score_tables import ScoreTable, read_score_table
from mmmammo.structures import MammoError

SCORES, PREDICTIONS = 'scores.csv', 'predictions.json'
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ExamRun:
    """One model's score of every exam.

    Args:
        name: Of the model.
        exams: (n,) sorted.
        patients: (n,).
        scores: (n,) on a scale of its own.
        labels: (n,) whether an image of the exam is positive.
        folds: (n,) that held the exam out; ``None`` without cross-validation.
        table: Of a classifier; of a detector, the highest score of each image.
    """

    name: str
    exams: tuple[str, ...]
    patients: tuple[str, ...]
    scores: FloatArray
    labels: BoolArray
    folds: tuple[str, ...] | None
    table: ScoreTable


@dataclass(frozen=True, eq=False)
class ExamRow:
    """A line of the table of exams.

    Args:
        name: Of the model.
        delong: AUC with DeLong's interval: exams count as independent.
        low: Lower bound of the bootstrap, which draws patients.
        high: Upper bound.
        against_first: DeLong's paired comparison with the first model, this minus the first; ``None`` of the first.
        paired: The same by bootstrap and permutation of patients.
    """

    name: str
    delong: AUCInterval
    low: Reading
    high: Reading
    against_first: AUCComparison | None = None
    paired: PairedDifference | None = None


def read_run(path: Path, name: str, breast_rule: str = 'sum', exam_rule: str = 'max') -> ExamRun:
    """A folder with ``scores.csv`` or ``predictions.json``, or one of these files.

    Raises:
        MammoError: If there is neither, or it is faulty.
    """
    if path.is_dir():
        found = [path / file for file in (SCORES, PREDICTIONS) if (path / file).is_file()]
        if not found:
            remedy = 'give the folder of a test (tools/test.py) or of a cross-validation (tools/crossval.py)'
            raise _error(path, 'run', f'neither {SCORES} nor {PREDICTIONS}', 'one of them', remedy)
        path = found[0]
    if path.suffix == '.json':
        return read_detection_run(path, name, breast_rule, exam_rule)
    return read_score_run(path, name, breast_rule, exam_rule)


def read_score_run(path: Path, name: str, breast_rule: str = 'sum', exam_rule: str = 'max') -> ExamRun:
    """Of a classifier: the rules work on log-odds (paper 4), of images, of breasts, or of exams as they are.

    Args:
        path: ``scores.csv``.
        name: Of the model.
        breast_rule: One of ``AGGREGATION_RULES``, over the images of a breast.
        exam_rule: The same, over the breasts of an exam.

    Raises:
        MammoError: If the table is faulty, has several classes, or rows without exam or side.
    """
    table = read_score_table(path, strict=True)
    if len(table.classes) != 1:
        raise _error(path, 'classes', table.classes, 'one', 'keep the score of cancer only (ScoreDump: score_index)')
    return _run(name, path, table, log_odds(table.scores[:, 0]), breast_rule, exam_rule)


def read_detection_run(path: Path, name: str, breast_rule: str = 'sum', exam_rule: str = 'max') -> ExamRun:
    """Of a detector: an image is its most suspicious box, 0 without one, and the rules work on these probabilities.

    Log-odds of images without a box would be minus infinity.

    Args:
        path: ``predictions.json``.
        name: Of the model.
        breast_rule: As :func:`read_score_run`.
        exam_rule: Likewise.

    Raises:
        MammoError: If the file is faulty, or an image has no exam or side.
    """
    data = read_detection_set(path)
    scores = np.array([image.scores.max(initial=0.0) for image in data.images])
    table = ScoreTable(
        ids=tuple(str(image.image_id) for image in data.images),
        exam_ids=tuple(image.exam_id for image in data.images),
        patient_ids=tuple(image.patient_id or image.exam_id for image in data.images),
        lateralities=tuple(image.laterality for image in data.images),
        labels=np.array([[len(image.gt_boxes) > 0] for image in data.images], dtype=np.int64),
        scores=scores[:, None],
        classes=('any',),
        attributes={'view': tuple(image.view for image in data.images)},
        split=data.split,
        level='image',
        intakes=data.intakes,
    )
    return _run(name, path, table, scores, breast_rule, exam_rule)


def exam_labels(annotations: Sequence[Path], key: str) -> dict[str, bool]:
    """Exam -> whether one of its images has a label.

    Args:
        annotations: Indices of the prepared set.
        key: Of the image labels, with the values 0 and 1.

    Raises:
        MammoError: If an index is faulty or an image's label is another value.
    """
    labels: dict[str, bool] = {}
    for path in annotations:
        for image in read_index(path).images:
            value = image.labels.get(key, 0)
            if value not in (0, 1):
                raise _error(f'{path}, image {image.image_id}', key, repr(value), '0 or 1', 'name another label')
            labels[image.exam_id] = labels.get(image.exam_id, False) or bool(value)
    return labels


def with_labels(runs: Sequence[ExamRun], labels: Mapping[str, bool]) -> list[ExamRun]:
    """The runs with other labels of exams.

    Raises:
        MammoError: If an exam has none.
    """
    for run in runs:
        missing = [exam for exam in run.exams if exam not in labels]
        if missing:
            found, remedy = f'no label for {first_of(missing)}', 'give the indices of all splits that were scored'
            raise _error(run.name, 'exams', found, 'one for every exam', remedy)
    return [replace(run, labels=np.array([labels[exam] for exam in run.exams], dtype=bool)) for run in runs]


def common_exams(runs: Sequence[ExamRun]) -> list[ExamRun]:
    """The runs on the exams that all of them scored.

    Raises:
        MammoError: If there are none.
    """
    shared = set(runs[0].exams).intersection(*(run.exams for run in runs))
    if not shared:
        raise _error('runs', 'exams', 'none that all of them scored', 'some', 'give runs on the same set')
    return [restricted(run, shared) for run in runs]


def restricted(run: ExamRun, exams: set[str]) -> ExamRun:
    """A run on these exams only; its table stays whole.

    Args:
        run: Of any model.
        exams: Others are left out.
    """
    rows = [i for i, exam in enumerate(run.exams) if exam in exams]
    return replace(
        run,
        exams=tuple(run.exams[i] for i in rows),
        patients=tuple(run.patients[i] for i in rows),
        scores=run.scores[rows],
        labels=run.labels[rows],
        folds=None if run.folds is None else tuple(run.folds[i] for i in rows),
    )


def same_exams(runs: Sequence[ExamRun]) -> None:
    """Refuse runs that scored different exams.

    Raises:
        MammoError: Naming some that only one of them has.
    """
    first = runs[0]
    for run in runs[1:]:
        odd = sorted(set(run.exams) ^ set(first.exams))
        if odd:
            found = f'{len(odd)} exams that only it or {first.name} has: {first_of(odd)}'
            raise _error(run.name, 'exams', found, f'the {len(first.exams)} of {first.name}', 'test on the same split')


def exam_table(runs: Sequence[ExamRun], bootstrap: int = 2000, seed: int = 0) -> list[ExamRow]:
    """Every run's AUC of exams, and its difference from the first one.

    Args:
        runs: On the same exams.
        bootstrap: Replicates, and as many permutations; 0 for DeLong only.
        seed: Of both.

    Raises:
        MammoError: If exams or labels differ.
    """
    same_exams(runs)
    first = runs[0]
    for run in runs[1:]:
        if (run.labels != first.labels).any():
            odd = [exam for exam, a, b in zip(run.exams, run.labels, first.labels, strict=True) if a != b]
            remedy = 'give labels for all (--annotations and --label): a box is not a cancer'
            raise _error(run.name, 'labels', f'others for {first_of(odd)}', f'those of {first.name}', remedy)
    return [_row(run, None if run is first else first, bootstrap, seed) for run in runs]


def _row(run: ExamRun, first: ExamRun | None, bootstrap: int, seed: int) -> ExamRow:
    low, high = _interval(run, bootstrap, seed)
    row = ExamRow(run.name, delong_interval(run.labels, run.scores), low, high)
    if first is None:
        return row
    compared = delong_test(run.labels, run.scores, first.scores)
    return replace(row, against_first=compared, paired=_paired(run, first, bootstrap, seed) if bootstrap else None)


def _interval(run: ExamRun, bootstrap: int, seed: int) -> tuple[Reading, Reading]:
    area = auc(run.labels, run.scores)
    if area.reason or not bootstrap:
        nothing = Reading.undefined(area.reason or 'no bootstrap')
        return nothing, nothing

    def read(rows: IntArray) -> float:
        return auc(run.labels[rows], run.scores[rows])

    drawn = bootstrap_ci(read, run.patients, bootstrap, seed=seed)
    if drawn.reason:
        return Reading.undefined(drawn.reason), Reading.undefined(drawn.reason)
    return Reading(float(drawn.low)), Reading(float(drawn.high))


def _paired(run: ExamRun, first: ExamRun, bootstrap: int, seed: int) -> PairedDifference:
    labels = np.tile(run.labels, 2)
    ranks = np.append(rank_scores(run.scores), rank_scores(first.scores))  # exchanging models needs one scale
    return paired_difference(lambda i: auc(labels[i], ranks[i]), run.patients, bootstrap, seed=seed)


def _run(name: str, path: Path, table: ScoreTable, scores: FloatArray, breast_rule: str, exam_rule: str) -> ExamRun:
    if not all(table.exam_ids):
        raise _error(path, 'exam_id', 'rows without one', 'an exam for every row', 'test on a set that knows exams')
    positive = table.labels[:, 0]
    if table.level == 'exam':
        order = np.argsort(np.array(table.exam_ids))
        ids, values, labels = tuple(np.array(table.exam_ids)[order].tolist()), scores[order], positive[order] > 0
    else:
        found = exam_scores(scores, table.exam_ids, table.lateralities, breast_rule, exam_rule, labels=positive)
        ids, values, labels = found.exam_ids, found.scores, np.asarray(found.labels)
    patient = dict(zip(table.exam_ids, table.patient_ids, strict=True))
    fold = dict(zip(table.exam_ids, table.attributes['fold'], strict=True)) if 'fold' in table.attributes else None
    folds = None if fold is None else tuple(fold[exam] for exam in ids)
    return ExamRun(name, ids, tuple(patient[exam] for exam in ids), values, labels, folds, table)


def _error(where: object, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(str(where), field=field, found=found, expected=expected, remedy=remedy)
