"""Which outputs of a classifier are scores, and how those of images become scores of exams: as its config judges it."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.config import Config
from torch import nn

from mmmammo.apis.run_results import asked_output, metrics_of, tested_set
from mmmammo.evaluation.functional import ScoreMeasure
from mmmammo.evaluation.metrics import ScoreMetric
from mmmammo.evaluation.metrics.classification_metric import TableColumns
from mmmammo.evaluation.summary.exam_rules import BREAST_RULE, EXAM_RULE, SCALE, ExamRule
from mmmammo.registry import METRICS


def columns_of_scores(cfg: Config, num_outputs: int) -> TableColumns:
    """The entries of ``pred_score`` that are told of.

    That which the config's metrics ask for; else the second of a softmax over two; else all.

    Args:
        cfg: Of the classifier.
        num_outputs: Entries of ``pred_score``.
    """
    asked = asked_output(cfg)
    if asked is not None:
        index, key = asked
        return TableColumns((index % num_outputs,), num_outputs, key)
    dataset = tested_set(cfg)
    sigmoids = dataset.get('task') == 'multilabel' or dataset.get('breasts') is not None
    return TableColumns((1,) if num_outputs == 2 and not sigmoids else tuple(range(num_outputs)), num_outputs)


def names_of_scores(columns: TableColumns, classes: Sequence[str]) -> tuple[str, ...]:
    """What the scores are called: by the label they are judged by, else by class, else by number.

    Args:
        columns: Which outputs they are.
        classes: Of the model's outputs; not used unless there is one for each.
    """
    if columns.label_key is not None:
        return (columns.label_key,)
    names = classes if len(classes) == columns.num_outputs else [f'output {i}' for i in range(columns.num_outputs)]
    return tuple(names[i] for i in columns.outputs)


def unit_of_scores(model: nn.Module) -> str:
    """What a model gives one score: ``'exam'`` if its head says so, else ``'image'``."""
    return 'exam' if getattr(getattr(model, 'head', None), 'scored_unit', '') == 'exam' else 'image'


def rule_of_model(model: nn.Module, cfg: Config, columns: TableColumns) -> ExamRule:
    """How the config's metrics put the scores of images together; where they do not, as paper 4 does.

    A maximum needs no log-odds: it then stays a probability.

    Args:
        model: A head that gives the exam one score says so.
        cfg: Of the model.
        columns: Of its scores.
    """
    if unit_of_scores(model) == 'exam':
        return ExamRule('max', 'max', 'probabilities', 'exam')
    measures = _measures(cfg, columns)
    for level in ('exam', 'breast'):
        for one in measures:
            if one.level == level:
                ranks_only = one.breast_rule == one.exam_rule == 'max'
                scale = SCALE if one.as_log_odds and not ranks_only else 'probabilities'
                return ExamRule(one.breast_rule, one.exam_rule, scale)
    return ExamRule(BREAST_RULE, EXAM_RULE, SCALE)


def _measures(cfg: Config, columns: TableColumns) -> list[ScoreMeasure]:
    built = [
        METRICS.build(dict(one)) for one, kind in zip(*metrics_of(cfg), strict=True) if issubclass(kind, ScoreMetric)
    ]
    return [measure for metric in built for measure in metric.measures(columns).values()]
