"""Exams of a screening programme with the scores of models and readers, and paper 4's Table 1 of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    N_CONTROLS,
    CohortAUC,
    cohort_aucs,
    four_image_exams,
    reader_exam_scores,
    screening_outcomes,
)
from mmmammo.evaluation.summary.exam_rules import EXAM_RULE, ExamRule
from mmmammo.evaluation.summary.exam_runs import ExamRun, read_run, restricted, same_exams
from mmmammo.evaluation.summary.known_images import KnownImage, images_of_index, images_of_table
from mmmammo.evaluation.summary.same_women import SaidOfImages, require_same_women
from mmmammo.io.intake import first_of
from mmmammo.structures import MammoError

READERS = {
    '1 radiologist': ('reader1',),
    '1 radiologist (second)': ('reader2',),
    '2 radiologists': ('reader1', 'reader2'),
}
TASKS = {'screening': 'Screening', 'screening_interval': 'Screening + Interval'}
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CohortExams:
    """What is known about each exam.

    Args:
        ids: (n,) sorted.
        patients: (n,).
        outcomes: (n,) in the words of ``SCREENING_OUTCOMES``.
        folds: (n,) that held the exam out; ``None`` without cross-validation.
        scores: Model or reader -> (n,); nan where it gives none.
        rules: Model -> how its exams were scored.
        notes: What a reader of the numbers has to know.
    """

    ids: tuple[str, ...]
    patients: tuple[str, ...]
    outcomes: tuple[str, ...]
    folds: tuple[str, ...] | None
    scores: Mapping[str, FloatArray]
    rules: Mapping[str, ExamRule]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class CohortRow:
    """A line of Table 1.

    Args:
        name: Model or reader.
        drawn: Task -> on all cases and the drawn controls.
        every: Task -> on all exams.
        n_missing: Exams that it gives no score.
    """

    name: str
    drawn: Mapping[str, CohortAUC]
    every: Mapping[str, CohortAUC]
    n_missing: int


def read_cohort_exams(
    runs: Mapping[str, Path | Sequence[Path]],
    annotations: Sequence[Path] = (),
    *,
    exams: str = 'four',
    breast_rule: str | None = None,
    exam_rule: str = EXAM_RULE,
) -> CohortExams:
    """Put the scores of several models and of the readers side by side.

    Args:
        runs: Name -> a run, or its parts; see :func:`~mmmammo.evaluation.summary.exam_runs.read_run`.
        annotations: Indices of the prepared set, for outcomes and readers. By default the columns ``exam_outcome``,
            ``reader1`` and ``reader2`` of the first table.
        exams: ``'four'`` leaves out exams that are not of the four standard images (in the indices, or without any in
            the table of each model), ``'any'`` keeps all.
        breast_rule: One of ``AGGREGATION_RULES``, over a breast's images, for all models; by default each one's own.
        exam_rule: The same, over the breasts.

    Raises:
        MammoError: If a file is faulty, models scored different exams or other women's exams of the same id, an exam
            has no outcome or an unknown one.
    """
    tables = {name: read_run(parts, name, breast_rule, exam_rule) for name, parts in runs.items()}
    prepared = images_of_index(annotations)
    scored = {name: images_of_table(run.table) for name, run in tables.items()}
    known = {'the annotations': prepared} if prepared else {}
    require_same_women([SaidOfImages(name, images) for name, images in (known | scored).items()])
    notes: list[str] = []
    for name, run in tables.items():
        kept, odd = _kept(prepared or scored[name], run, exams)
        tables[name] = restricted(run, kept)
        notes += odd
    same_exams(list(tables.values()))
    first = next(iter(tables.values()))
    images = prepared or scored[first.name]
    outcomes = _outcomes(images, first)
    readers, more = _readers([image for image in images if image.exam_id in set(first.exams)], first.exams)
    return CohortExams(
        ids=first.exams,
        patients=first.patients,
        outcomes=screening_outcomes([outcomes[exam] for exam in first.exams]),
        folds=first.folds,
        scores={name: table.scores for name, table in tables.items()} | readers,
        rules={name: table.rule for name, table in tables.items()},
        notes=(*dict.fromkeys(notes), *more),
    )


def cohort_table(
    exams: CohortExams, n_controls: int = N_CONTROLS, seed: int = 0, bootstrap: int = 2000
) -> list[CohortRow]:
    """Table 1: every model and reader on the same exams, those without a score left out of its own line.

    Args:
        exams: Of :func:`read_cohort_exams`.
        n_controls: Controls that are drawn; all if there are fewer.
        seed: Of draw and bootstrap.
        bootstrap: Replicates; 0 for none.
    """
    rows = []
    for name, scores in exams.scores.items():
        known = np.flatnonzero(~np.isnan(scores))
        columns: dict[str, Any] = {
            'outcomes': [exams.outcomes[i] for i in known],
            'scores': scores[known],
            'patients': [exams.patients[i] for i in known],
            'folds': None if exams.folds is None else [exams.folds[i] for i in known],
            'seed': seed,
            'bootstrap': bootstrap,
        }
        drawn, every = (cohort_aucs(**columns, n_controls=n) for n in (n_controls, None))
        rows.append(CohortRow(name, drawn, every, len(scores) - len(known)))
    return rows


def cohort_document(exams: CohortExams, rows: Sequence[CohortRow], settings: Mapping[str, Any]) -> dict[str, Any]:
    """For JSON: every number with its intervals and reasons.

    Args:
        exams: That were scored.
        rows: Of :func:`cohort_table`.
        settings: What was asked for.
    """
    return {
        'format': 'mmmammo-cohort-table-1',
        'settings': dict(settings),
        'n_exams': len(exams.ids),
        'outcomes': {name: exams.outcomes.count(name) for name in sorted(set(exams.outcomes))},
        'n_folds': len(set(exams.folds or ())),
        'rules': {name: str(rule) for name, rule in exams.rules.items()},
        'notes': list(exams.notes),
        'rows': [
            {
                'name': row.name,
                'n_missing': row.n_missing,
                'drawn': {task: _cell(cell) for task, cell in row.drawn.items()},
                'all': {task: _cell(cell) for task, cell in row.every.items()},
            }
            for row in rows
        ],
    }


def _cell(cell: CohortAUC) -> dict[str, Any]:
    readings = {
        'auc': cell.delong.auc,
        'delong_low': cell.delong.low,
        'delong_high': cell.delong.high,
        'bootstrap_low': cell.low,
        'bootstrap_high': cell.high,
        'fold_mean': cell.fold_mean,
    }
    numbers: dict[str, Any] = {name: None if value.reason else float(value) for name, value in readings.items()}
    reasons = {name: value.reason for name, value in readings.items() if value.reason}
    return numbers | {'n_cases': cell.n_cases, 'n_controls': cell.n_controls, 'reasons': reasons}


def _outcomes(images: Sequence[KnownImage], run: ExamRun) -> dict[str, str]:
    outcomes = {image.exam_id: str(image.labels['exam_outcome']) for image in images if 'exam_outcome' in image.labels}
    missing = [exam for exam in run.exams if exam not in outcomes]
    if missing:
        found = f'none for {len(missing)} of {len(run.exams)} exams ({first_of(missing)})'
        remedy = 'give the indices of the prepared set (--annotations), or a table with a column exam_outcome'
        raise MammoError(run.name, field='exam_outcome', found=found, expected='one for every exam', remedy=remedy)
    return outcomes


def _kept(images: Sequence[KnownImage], run: ExamRun, exams: str) -> tuple[set[str], list[str]]:
    """Exams that count, and what to say of the others."""
    if exams not in ('four', 'any'):
        raise MammoError('exams', field='rule', found=repr(exams), expected="'four' or 'any'", remedy='correct it')
    scored = set(run.exams)
    here = [image for image in images if image.exam_id in scored]
    if exams == 'any' or not here or not all(image.view for image in here):
        return scored, []
    whole = four_image_exams(*zip(*((image.exam_id, image.laterality, image.view) for image in here), strict=True))
    odd = {image.exam_id for image, good in zip(here, whole, strict=True) if not good}
    if odd == scored:
        found = f'none of {len(scored)} is of the four standard images'
        raise MammoError(run.name, field='exams', found=found, expected='some', remedy='keep all others (--exams any)')
    return scored - odd, [f'{len(odd)} of {len(scored)} exams left out: not of the four standard images'] if odd else []


def _readers(images: Sequence[KnownImage], ids: Sequence[str]) -> tuple[dict[str, FloatArray], list[str]]:
    """Line -> (n,) scores; lines of readers whom no image knows are left out."""
    lines: dict[str, FloatArray] = {}
    notes: list[str] = []
    sides = [image.laterality for image in images]
    for name, keys in READERS.items():
        columns = [[float(image.labels.get(key, 'nan')) for image in images] for key in keys]
        if np.isnan(np.sum(columns, axis=0)).all():
            continue
        if not set(sides) <= {'L', 'R'}:
            return {}, ['readers left out: rows without a side; --annotations has their scores']
        found = reader_exam_scores([image.exam_id for image in images], sides, columns)
        lines[name] = np.array([found[exam] for exam in ids])
        if missing := int(np.isnan(lines[name]).sum()):
            notes.append(f'{name}: {missing} of {len(ids)} exams left out, a score of a breast is missing')
    return lines, notes
