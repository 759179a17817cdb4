"""The exam score of any model: of a classifier from its ``scores.csv``, of a detector from its ``predictions.json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import exam_scores, log_odds
from mmmammo.evaluation.functional.inputs import BoolArray
from mmmammo.evaluation.summary.exam_rules import BREAST_RULE, EXAM_RULE, ExamRule, rule_of_scores
from mmmammo.evaluation.summary.known_images import LESIONS
from mmmammo.evaluation.summary.run_parts import joined
from mmmammo.io.detection_files import read_detection_set
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
        rule: How the scores came about.
    """

    name: str
    exams: tuple[str, ...]
    patients: tuple[str, ...]
    scores: FloatArray
    labels: BoolArray
    folds: tuple[str, ...] | None
    table: ScoreTable
    rule: ExamRule


def read_run(
    parts: Path | Sequence[Path], name: str, breast_rule: str | None = None, exam_rule: str = EXAM_RULE
) -> ExamRun:
    """A folder with ``scores.csv`` or ``predictions.json``, or one of these files, or several as one run.

    Rules work on the log-odds of a classifier's rows (paper 4), which are images, breasts, or exams, and on the
    probabilities of a detector: its image is the most suspicious box, 0 without one, of which the log-odds would be
    minus infinity.

    Args:
        parts: A run, or its parts: tests of one model on several splits.
        name: Of the model.
        breast_rule: One of ``AGGREGATION_RULES``, over the images of a breast. By default the run's own:
            :func:`~mmmammo.evaluation.summary.exam_rules.rule_of_scores`, and the sum of a detector's images.
        exam_rule: The same, over the breasts of an exam.

    Raises:
        MammoError: If a file is missing or faulty, has several classes, or rows without exam or side; or parts share
            exams, or are no parts of one run.
    """
    files = [_file_of(path) for path in ([parts] if isinstance(parts, Path) else parts)]
    kinds = {file.suffix == '.json' for file in files}
    if len(kinds) > 1:
        found = first_of([file.name for file in files])
        raise _error(name, 'parts', found, 'all scores, or all predictions', 'give the tests of one model')
    [of_boxes] = kinds
    tables = [_detection_table(file) if of_boxes else _score_table(file) for file in files]
    table = joined(tables, files, name)
    if of_boxes:
        rule = ExamRule(breast_rule or BREAST_RULE, exam_rule, 'probabilities')
        return _run(name, files[0], table, table.scores[:, 0], rule)
    return _run(name, files[0], table, log_odds(table.scores[:, 0]), rule_of_scores(table, breast_rule, exam_rule))


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


def _file_of(path: Path) -> Path:
    """That of a folder, or itself."""
    if not path.is_dir():
        return path
    found = [path / file for file in (SCORES, PREDICTIONS) if (path / file).is_file()]
    if not found:
        remedy = 'give the folder of a test (tools/test.py) or of a cross-validation (tools/crossval.py)'
        raise _error(path, 'run', f'neither {SCORES} nor {PREDICTIONS}', 'one of them', remedy)
    return found[0]


def _score_table(path: Path) -> ScoreTable:
    table = read_score_table(path, strict=True)
    if len(table.classes) != 1:
        raise _error(path, 'classes', table.classes, 'one', 'keep the score of cancer only (ScoreDump: score_index)')
    return table


def _detection_table(path: Path) -> ScoreTable:
    """The best box of each image, and which images have a true one."""
    data = read_detection_set(path)
    return ScoreTable(
        ids=tuple(str(image.image_id) for image in data.images),
        exam_ids=tuple(image.exam_id for image in data.images),
        patient_ids=tuple(image.patient_id or image.exam_id for image in data.images),
        lateralities=tuple(image.laterality for image in data.images),
        labels=np.array([[len(image.gt_boxes) > 0] for image in data.images], dtype=np.int64),
        scores=np.array([[image.scores.max(initial=0.0)] for image in data.images]),
        classes=('any',),
        attributes={
            'view': tuple(image.view for image in data.images),
            # an image without a true box may have lesions of a class that the model was not asked for
            LESIONS: tuple('some' if len(image.gt_boxes) else '' for image in data.images),
        },
        split=data.split,
        level='image',
        intakes=data.intakes,
    )


def _run(name: str, path: Path, table: ScoreTable, scores: FloatArray, rule: ExamRule) -> ExamRun:
    if not all(table.exam_ids):
        raise _error(path, 'exam_id', 'rows without one', 'an exam for every row', 'test on a set that knows exams')
    positive = table.labels[:, 0]
    if table.level == 'exam':
        order = np.argsort(np.array(table.exam_ids))
        ids, values, labels = tuple(np.array(table.exam_ids)[order].tolist()), scores[order], positive[order] > 0
    else:
        places, rules = (table.exam_ids, table.lateralities), (rule.breast, rule.exam)
        found = exam_scores(scores, *places, *rules, labels=positive, unknown_side='own')
        ids, values, labels = found.exam_ids, found.scores, np.asarray(found.labels)
    patient = dict(zip(table.exam_ids, table.patient_ids, strict=True))
    fold = dict(zip(table.exam_ids, table.attributes['fold'], strict=True)) if 'fold' in table.attributes else None
    folds = None if fold is None else tuple(fold[exam] for exam in ids)
    return ExamRun(name, ids, tuple(patient[exam] for exam in ids), values, labels, folds, table, rule)


def _error(where: object, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(str(where), field=field, found=found, expected=expected, remedy=remedy)
