#!/usr/bin/env python
"""One table of exams for every kind of model: classifiers by their scores, detectors by their most suspicious boxes.

Examples:
    python tools/analysis/exam_table.py agrcnn=DIR1 holistic=DIR2 --annotations data/phantom/annotations/test.json
    python tools/analysis/exam_table.py DIR1 DIR2 --annotations data/cohort/annotations/*.json --common --out table

DIR is the work dir of tools/test.py or tools/crossval.py: its scores.csv is read, or else its predictions.json; a file
will do. An image of a detector scores as its best box, 0 without one. The images of a breast are added (of classifiers
their log-odds), the worse breast counts. The first run is the one the others are compared with, exam by exam.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from mmmammo import cli
from mmmammo.apis.arguments import make_parser
from mmmammo.apis.named_runs import named_runs
from mmmammo.evaluation.summary import write_document
from mmmammo.evaluation.summary.exam_runs import (
    ExamRow,
    common_exams,
    exam_labels,
    exam_table,
    read_run,
    same_exams,
    with_labels,
)
from mmmammo.visualization.exam_tables import exam_rows_table


def document(rows: Sequence[ExamRow], n_exams: int, n_positive: int, settings: dict[str, Any]) -> dict[str, Any]:
    """For JSON."""
    return {
        'format': 'mmmammo-exam-table-1',
        'settings': settings,
        'n_exams': n_exams,
        'n_positive': n_positive,
        'rows': [_entry(row) for row in rows],
    }


def _entry(row: ExamRow) -> dict[str, Any]:
    numbers: dict[str, float] = {
        'auc': row.delong.auc,
        'delong_low': row.delong.low,
        'delong_high': row.delong.high,
        'bootstrap_low': row.low,
        'bootstrap_high': row.high,
    }
    if row.against_first is not None:
        other = row.against_first
        numbers |= {'difference': other.difference, 'difference_low': other.low, 'difference_high': other.high}
        numbers |= {'p_delong': other.p_value}
    if row.paired is not None:
        numbers |= {'p_bootstrap': float(row.paired.p_bootstrap), 'p_permutation': float(row.paired.p_permutation)}
    return {'name': row.name} | {key: None if math.isnan(value) else float(value) for key, value in numbers.items()}


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument('runs', nargs='+', metavar='[NAME=]PATH', help='the first is the reference')
    parser.add_argument('--annotations', nargs='+', type=Path, default=[], metavar='JSON', help='of the prepared set')
    parser.add_argument(
        '--label', default='cancer', help='of the images, with --annotations: what is positive (cancer)'
    )
    parser.add_argument('--breast-rule', choices=('sum', 'mean', 'max'), default='sum')
    parser.add_argument('--exam-rule', choices=('max', 'mean', 'sum'), default='max')
    parser.add_argument('--common', action='store_true', help='compare on the exams that all runs scored')
    parser.add_argument('--bootstrap', type=int, default=2000, help='replicates and permutations; 0 for none (2000)')
    parser.add_argument('--seed', type=int, default=0, help='of both (0)')
    parser.add_argument('--out', type=Path, help='folder of exam_table.json')
    args = parser.parse_args()
    rules = (args.breast_rule, args.exam_rule)
    runs = [read_run(path, name, *rules) for name, path in named_runs(args.runs).items()]
    if args.common:
        runs = common_exams(runs)
    same_exams(runs)
    if args.annotations:
        runs = with_labels(runs, exam_labels(args.annotations, args.label))
    rows = exam_table(runs, args.bootstrap, args.seed)
    n_exams, n_positive = len(runs[0].exams), int(runs[0].labels.sum())
    console = Console()
    Console(width=max(console.width, 120)).print(exam_rows_table(rows, n_exams, n_positive))
    if args.out:
        settings = {'label': args.label if args.annotations else "of the runs' own truth", 'rules': rules}
        print(write_document(args.out / 'exam_table.json', document(rows, n_exams, n_positive, settings)))
    return 0


if __name__ == '__main__':
    cli.run(main)
