#!/usr/bin/env python
"""One table of exams for every kind of model: classifiers by their scores, detectors by their most suspicious boxes.

Examples:
    python tools/analysis/exam_table.py agrcnn=DIR1 holistic=DIR2 --annotations data/phantom_cohort/annotations/*.json
    python tools/analysis/exam_table.py DIR1 DIR2 --annotations data/cohort/annotations/*.json --common --out table
    python tools/analysis/exam_table.py Holistic=DIR1 Pretrained=TRAIN,VAL,TEST     (tests of one model on three splits)

DIR is the work dir of tools/test.py or tools/crossval.py: its scores.csv is read, or else its predictions.json; a file
will do. DIR,DIR,DIR are parts of one run, without an exam in two of them. All runs have to be on one prepared set:
where they, or the annotations, contradict each other about an exam, they are refused.

An image of a detector scores as its best box, 0 without one. The images of a breast are added (of classifiers their
log-odds); a model with one score per breast or exam keeps it. The worse breast counts. Which rule each run was scored
by is printed. The first run is the one the others are compared with, exam by exam. With --annotations, exams of which
the label is not known are left out, with a count.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from mmmammo import cli
from mmmammo.apis.arguments import make_parser
from mmmammo.apis.named_runs import named_runs
from mmmammo.evaluation.summary import write_document
from mmmammo.evaluation.summary.exam_labels import CANCER, labelled
from mmmammo.evaluation.summary.exam_rows import ExamRow, exam_table
from mmmammo.evaluation.summary.exam_rules import EXAM_RULE
from mmmammo.evaluation.summary.exam_runs import ExamRun, common_exams, read_run, same_exams
from mmmammo.structures import MammoError
from mmmammo.visualization.exam_tables import exam_rows_table


def document(
    rows: Sequence[ExamRow], n_exams: int, n_positive: int, notes: Sequence[str], settings: dict[str, Any]
) -> dict[str, Any]:
    """For JSON."""
    return {
        'format': 'mmmammo-exam-table-1',
        'settings': settings,
        'n_exams': n_exams,
        'n_positive': n_positive,
        'notes': list(notes),
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
    known = {'name': row.name, 'rule': str(row.rule)}
    return known | {key: None if math.isnan(value) else float(value) for key, value in numbers.items()}


def parse_args() -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('runs', nargs='+', metavar='[NAME=]PATH[,PATH…]', help='the first is the reference')
    parser.add_argument('--annotations', nargs='+', type=Path, default=[], metavar='JSON', help='of the prepared set')
    parser.add_argument('--label', help=f'of the images, with --annotations: what is positive ({CANCER})')
    parser.add_argument('--breast-rule', choices=('sum', 'mean', 'max'), help="for all runs, instead of each one's own")
    parser.add_argument('--exam-rule', choices=('max', 'mean', 'sum'), default=EXAM_RULE, help='over breasts (max)')
    parser.add_argument('--common', action='store_true', help='compare on the exams that all runs scored')
    parser.add_argument('--bootstrap', type=int, default=2000, help='replicates and permutations; 0 for none (2000)')
    parser.add_argument('--seed', type=int, default=0, help='of both (0)')
    parser.add_argument('--out', type=Path, help='folder of exam_table.json')
    return parser.parse_args()


def read_runs(args: argparse.Namespace) -> tuple[list[ExamRun], list[str]]:
    """The runs on the same exams, with their labels; and what has to be said of exams that are left out."""
    if args.label and not args.annotations:
        found, remedy = f'{args.label!r} without --annotations', 'give the indices of the prepared set (--annotations)'
        raise MammoError('command line', field='--label', found=found, expected='a set that has it', remedy=remedy)
    runs = [read_run(parts, name, args.breast_rule, args.exam_rule) for name, parts in named_runs(args.runs).items()]
    if args.common:
        runs = common_exams(runs)
    same_exams(runs)
    return labelled(runs, args.annotations, args.label or CANCER) if args.annotations else (runs, [])


def main() -> int:
    args = parse_args()
    runs, notes = read_runs(args)
    rows = exam_table(runs, args.bootstrap, args.seed)
    n_exams, n_positive = len(runs[0].exams), int(runs[0].labels.sum())
    console = Console()
    Console(width=max(console.width, 120)).print(exam_rows_table(rows, n_exams, n_positive))
    for line in [*notes, *(f'{row.name}: {row.rule}' for row in rows)]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if args.out:
        label = args.label or CANCER if args.annotations else "of the runs' own truth"
        settings = {'label': label, 'breast_rule': args.breast_rule, 'exam_rule': args.exam_rule}
        print(write_document(args.out / 'exam_table.json', document(rows, n_exams, n_positive, notes, settings)))
    return 0


if __name__ == '__main__':
    cli.run(main)
