"""From complete folds to ``scores.csv`` or ``predictions.json``, and ``metrics.json``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmmammo.apis.run_results import size_classes, write_scores_of
from mmmammo.crossval.detections import logged_of_all, merge_detections, metrics_of_boxes, summarise_folds
from mmmammo.crossval.numbers import BOUNDS, as_reading, out_of_fold_measures, out_of_fold_numbers, spread_over_folds
from mmmammo.crossval.project import METRICS, PREDICTIONS, SCORES, Project
from mmmammo.crossval.tables import average_tables, merge_folds
from mmmammo.evaluation.functional import Reading, ScoreMeasure, read_measure
from mmmammo.evaluation.summary import detection_document
from mmmammo.io.predictions import read_predictions
from mmmammo.io.score_tables import ScoreTable, read_score_table
from mmmammo.io.whole_files import written_whole

NOT_OF_BOXES = 'cannot be read off the boxes of all folds: see the mean of the folds'

Run = Mapping[str, Any]
"""What made the numbers, for the head of ``metrics.json``."""


def gather(folders: Mapping[int, Path], out: Path, run: Run) -> dict[str, Any]:
    """Write the out-of-fold scores of all folds, and their numbers.

    Args:
        folders: Fold -> where its ``scores.csv`` and ``metrics.json`` are.
        out: Folder to write to.
        run: See :data:`Run`.

    Returns:
        The document of ``metrics.json``: that of a test of all folds' rows together, and ``folds``, the metrics of
        each; ``mean`` and standard deviation over them; ``reasons`` of what is undefined.

    Raises:
        MammoError: If a fold's scores are missing or faulty, or an image or patient is in two folds.
    """
    merge_folds({fold: folder / SCORES for fold, folder in folders.items()}, out / SCORES)
    table = read_score_table(out / SCORES, strict=True)
    numbers = out_of_fold_numbers(table)
    return _write(out, list(folders.values()), run, numbers, out_of_fold_measures(table))


def gather_detections(project: Project, folders: Mapping[int, Path], out: Path, run: Run) -> dict[str, Any]:
    """Write the out-of-fold detections of all folds, and their numbers.

    Args:
        project: Of a detector.
        folders: Fold -> where its ``predictions.json`` and ``metrics.json`` are.
        out: Folder to write to.
        run: See :data:`Run`.

    Returns:
        The document of ``metrics.json``: that of a test of all images together, and the folds as in :func:`gather`.

    Raises:
        MammoError: If a fold's detections are missing or faulty, or an image or patient is in two folds.
    """
    cfg = project.with_options()
    images = merge_detections({fold: folder / PREDICTIONS for fold, folder in folders.items()}, out / PREDICTIONS)
    summary = summarise_folds(out / PREDICTIONS, cfg, project.pool_files())
    document = detection_document(summary, run)
    document['settings'] = {**document['settings'], 'size_classes': size_classes(metrics_of_boxes(cfg))}
    counts = [_counts_of_boxes(folder / PREDICTIONS) for folder in folders.values()]
    documents = [_document(folder) for folder in folders.values()]
    logged = logged_of_all(cfg, images, summary.data.categories)
    of_folds_only = {key for one in documents for key in one['metrics']} - {*document['metrics'], *logged}
    values = {key: as_reading(value) for key, value in logged.items()}
    values |= {key: Reading.undefined(NOT_OF_BOXES) for key in sorted(of_folds_only) if not key.endswith(BOUNDS)}
    document['metrics'] |= without_nan(values)
    return _write_document(out / METRICS, document | _of_folds(counts, documents, values))


def gather_average(parts: Sequence[Path], out: Path, run: Run, scale: str = 'probability') -> dict[str, Any]:
    """Average what several models say of the same rows, and write the scores and their numbers.

    Args:
        parts: A folder per model, with ``scores.csv`` and ``metrics.json``.
        out: Folder to write to.
        run: See :data:`Run`.
        scale: Of the mean, see :data:`~mmmammo.crossval.tables.SCALES`.

    Returns:
        The document of ``metrics.json``; its ``folds`` are the single models.

    Raises:
        MammoError: If a file is missing or faulty, or the models scored different rows.
    """
    average_tables([folder / SCORES for folder in parts], out / SCORES, scale)
    return _write(out, parts, run, {}, {})


def _write(
    out: Path, parts: Sequence[Path], run: Run, numbers: Mapping[str, Reading], measures: Mapping[str, ScoreMeasure]
) -> dict[str, Any]:
    """The document, with what the parts logged read off the whole table."""
    documents = [_document(folder) for folder in parts]
    table = read_score_table(out / SCORES, strict=True)
    logged = {key: ScoreMeasure.of(said) for key, said in documents[0].get('measures', {}).items()}
    values = {key: as_reading(read_measure(table, measure)) for key, measure in logged.items()} | numbers
    (path,) = write_scores_of(out, run, without_nan(values), logged | dict(measures))
    document: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
    counts = [_counts(read_score_table(folder / SCORES, strict=True)) for folder in parts]
    return _write_document(path, document | _of_folds(counts, documents, values))


def _of_folds(
    counts: Sequence[Mapping[str, int]], documents: Sequence[Mapping[str, Any]], values: Mapping[str, Reading]
) -> dict[str, Any]:
    """What a document says beside the numbers of all: those of each fold, their spread, and what is undefined."""
    folds = [
        {'fold': fold, **count, 'metrics': said['metrics']}
        for fold, (count, said) in enumerate(zip(counts, documents, strict=True))
    ]
    return {
        'folds': folds,
        'mean': spread_over_folds([said['metrics'] for said in documents]),
        'reasons': {key: value.reason for key, value in values.items() if value.reason},
    }


def _document(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / METRICS).read_text(encoding='utf-8')))


def _write_document(path: Path, document: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(document, indent=1, allow_nan=False) + '\n'
    with written_whole(path) as file:
        file.write(text)
    return dict(json.loads(text))


def without_nan(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """For JSON, which has no nan."""
    return {key: None if math.isnan(value) else float(value) for key, value in numbers.items()}


def _counts(table: ScoreTable) -> dict[str, int]:
    return {'n': len(table.ids), 'n_positive': int((table.labels > 0).any(axis=1).sum())}


def _counts_of_boxes(path: Path) -> dict[str, int]:
    images, _ = read_predictions(path)
    lesions = [len(image.gt_boxes) for image in images]
    return {'n': len(images), 'n_positive': sum(map(bool, lesions)), 'n_lesions': sum(lesions)}
