"""From complete folds to ``scores.csv`` and ``metrics.json``."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmmammo.crossval.numbers import out_of_fold_numbers, spread_over_folds
from mmmammo.crossval.project import METRICS, SCORES, write_whole
from mmmammo.crossval.tables import average_tables, folds_of, merge_folds
from mmmammo.evaluation.metrics.classification_metric import ClassificationMetric, ImageScore
from mmmammo.evaluation.metrics.multi_label_metric import ClassScores, MultiLabelMetric
from mmmammo.io.score_tables import ScoreTable, read_score_table
from mmmammo.registry import METRICS as METRIC_REGISTRY

Run = Mapping[str, Any]
"""What made the numbers, for the head of ``metrics.json``."""


def gather(cfg: Config, folders: Mapping[int, Path], out: Path, run: Run) -> dict[str, Any]:
    """Write the out-of-fold scores of all folds, and their numbers.

    Args:
        cfg: Whose test metrics are computed of all rows.
        folders: Fold -> where its ``scores.csv`` and ``metrics.json`` are.
        out: Folder to write to.
        run: See :data:`Run`.

    Returns:
        The document of ``metrics.json``: ``metrics`` of all folds' rows together; ``folds``, those of each; ``mean``
        and standard deviation over them; ``reasons`` of what is undefined.

    Raises:
        MammoError: If a fold's scores are missing or faulty, or an image or patient is in two folds.
    """
    merge_folds({fold: folder / SCORES for fold, folder in folders.items()}, out / SCORES)
    table = read_score_table(out / SCORES, strict=True)
    numbers = out_of_fold_numbers(table, folds_of(table, out / SCORES))
    folds = [_fold_entry(fold, folder) for fold, folder in sorted(folders.items())]
    document = {
        'run': dict(run),
        'metrics': without_nan(metrics_of_table(cfg, table) | numbers),
        'folds': folds,
        'mean': spread_over_folds([fold['metrics'] for fold in folds]),
        'reasons': {key: value.reason for key, value in numbers.items() if value.reason},
    }
    write_json(out / METRICS, document)
    return document


def write_average(cfg: Config, scores: Path, metrics: Path) -> None:
    """The numbers of one table of scores."""
    table = read_score_table(scores, strict=True)
    write_json(metrics, {'metrics': without_nan(metrics_of_table(cfg, table))})


def write_ensemble(cfg: Config, members: Sequence[Path], out: Path, run: Run) -> dict[str, Any]:
    """Average the scores that the models of all folds give a further set, and write them with their numbers.

    Args:
        cfg: Whose test metrics are computed.
        members: A folder per model, with ``scores.csv`` and ``metrics.json``.
        out: Folder to write to.
        run: See :data:`Run`.

    Raises:
        MammoError: If the models scored different rows.
    """
    average_tables([folder / SCORES for folder in members], out / SCORES)
    singles = [_fold_entry(number, folder) for number, folder in enumerate(members)]
    document = {
        'run': dict(run),
        'metrics': without_nan(metrics_of_table(cfg, read_score_table(out / SCORES, strict=True))),
        'folds': singles,
        'mean': spread_over_folds([fold['metrics'] for fold in singles]),
    }
    write_json(out / METRICS, document)
    return document


def metrics_of_table(cfg: Config, table: ScoreTable) -> dict[str, float]:
    """What the config's test metrics say of scores read from a file.

    Metrics that need more than scores and labels (boxes, heatmaps) are left out.

    Args:
        cfg: With a ``test_evaluator``.
        table: The rows.
    """
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, list | tuple) else [cfg.test_evaluator]
    numbers: dict[str, float] = {}
    for config in evaluators:
        metric = METRIC_REGISTRY.build(copy.deepcopy(config))
        rows = _records(metric, table)
        if rows:
            numbers |= {f'{metric.prefix}/{key}': float(value) for key, value in metric.score(rows).items()}
    return numbers


def without_nan(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """For JSON, which has no nan."""
    return {key: None if math.isnan(value) else float(value) for key, value in numbers.items()}


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document that appears whole or not at all."""
    write_whole(path, json.dumps(document, indent=1, allow_nan=False) + '\n')


def _records(metric: Any, table: ScoreTable) -> list[Any]:
    """The rows as a metric would have recorded them; none for a metric of another kind."""
    record = getattr(type(metric), 'record', None)
    if record is ClassificationMetric.record:
        column = metric.score_index if -len(table.classes) <= metric.score_index < len(table.classes) else -1
        views = table.attributes.get('view', ('',) * len(table.ids))
        return [
            ImageScore(
                image_id=table.ids[row],
                score=float(table.scores[row, column]),
                label=bool(table.labels[row, column]),
                exam_id=table.exam_ids[row],
                patient_id=table.patient_ids[row],
                laterality=table.lateralities[row],
                view=views[row],
            )
            for row in range(len(table.ids))
        ]
    if record is MultiLabelMetric.record and len(table.classes) > 1:
        metric.dataset_meta = {'classes': table.classes}
        return [ClassScores(*row) for row in zip(table.ids, table.scores, table.labels > 0, strict=True)]
    return []


def _fold_entry(fold: int, folder: Path) -> dict[str, Any]:
    table = read_score_table(folder / SCORES, strict=True)
    metrics = json.loads((folder / METRICS).read_text(encoding='utf-8'))['metrics']
    positive = int((table.labels > 0).any(axis=1).sum())
    return {'fold': fold, 'n': len(table.ids), 'n_positive': positive, 'metrics': metrics}
