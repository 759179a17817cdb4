#!/usr/bin/env python
"""Table 1 of paper 4: AUC of models and readers for screening cancers, and with interval cancers among the cases.

Examples:
    python tools/analysis/cohort_table.py Holistic=DIR1 Attention=DIR2 Ensemble=DIR3
    python tools/analysis/cohort_table.py Holistic=DIR1 --annotations data/cohort/annotations/*.json --out table1
    python tools/analysis/cohort_table.py Holistic=DIR1 Pretrained=TRAIN,VAL,TEST   (tests of one model on three splits)

DIR is a cross-validation (tools/crossval.py) or test (tools/test.py) with scores.csv, or such a file; DIR,DIR,DIR are
parts of one run, without an exam in two of them. Runs that contradict each other about an exam, because they are on
different prepared sets, are refused. Outcomes and the readers' scores are columns of the tables, or labels of the
prepared set (--annotations). A breast is the sum of its images' log-odds, or the one score that a model of breasts or
exams gives it; which rule each run was scored by is printed. Writes cohort_table.json, cohort_table.md and, exam by
exam, cohort.csv; they hold ids of exams and women: treat them as data.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from mmmammo import cli
from mmmammo.apis.arguments import make_parser
from mmmammo.apis.named_runs import named_runs
from mmmammo.evaluation.functional import N_CONTROLS
from mmmammo.evaluation.summary import write_document
from mmmammo.evaluation.summary.cohort import (
    CohortExams,
    CohortRow,
    cohort_document,
    cohort_table,
    read_cohort_exams,
)
from mmmammo.evaluation.summary.exam_rules import EXAM_RULE
from mmmammo.visualization.exam_tables import cohort_markdown, cohort_tables

METRICS = 'metrics.json'
"""Beside scores.csv."""


def write_results(out: Path, exams: CohortExams, rows: Sequence[CohortRow], settings: dict[str, object]) -> list[Path]:
    """The table as JSON and Markdown, and the exams."""
    out.mkdir(parents=True, exist_ok=True)
    paths = [write_document(out / 'cohort_table.json', cohort_document(exams, rows, settings))]
    text = f'Drawn controls\n\n{cohort_markdown(rows, on_all=False)}\nAll exams\n\n{cohort_markdown(rows, on_all=True)}'
    paths.append(out / 'cohort_table.md')
    paths[-1].write_text(text, encoding='utf-8')
    paths.append(out / 'cohort.csv')
    with paths[-1].open('w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(['exam_id', 'patient_id', 'outcome', 'fold', *exams.scores])
        folds = exams.folds or [''] * len(exams.ids)
        writer.writerows(zip(exams.ids, exams.patients, exams.outcomes, folds, *exams.scores.values(), strict=True))
    return paths


def window_lines(runs: Mapping[str, Sequence[Path]]) -> list[str]:
    """Of models that look at windows on a set with lesions: how often one holds the lesion, beside chance."""
    lines = []
    for name, path in ((name, path) for name, parts in runs.items() for path in parts):
        beside = (path if path.is_dir() else path.parent) / METRICS
        document = json.loads(beside.read_text(encoding='utf-8')) if beside.is_file() else {}
        means = {key: entry['value'] for key, entry in document.get('mean', {}).items()}
        numbers = means | document.get('metrics', {})
        hit, chance, middle = (numbers.get(f'roi/{key}') for key in ('hit', 'chance', 'middle'))
        if None not in (hit, chance, middle):
            said = f'{hit:.1%} of positive images{_spread(document)}; by chance {chance:.1%}, '
            said += f'round the middle of the breast {middle:.1%}'
            of_part = f' ({path.name})' if len(runs[name]) > 1 else ''
            lines.append(f'{name}{of_part}: the window holds the lesion in {said}')
    return lines


def _spread(document: Mapping[str, Any]) -> str:
    """Of the share over the folds, which are of different patients."""
    folds = [fold['metrics'] for fold in document.get('folds', []) if fold['metrics'].get('roi/hit') is not None]
    hits, images = ([fold[f'roi/{key}'] for fold in folds] for key in ('hit', 'n_images'))
    return f' ({sum(images):.0f}; folds: {min(hits):.1%} to {max(hits):.1%})' if folds else ''


def parse_args() -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('runs', nargs='+', metavar='[NAME=]PATH[,PATH…]', help='models, in the order of the table')
    parser.add_argument('--annotations', nargs='+', type=Path, default=[], metavar='JSON', help='of the prepared set')
    parser.add_argument('--exams', choices=('four', 'any'), default='four', help='only exams of four images, or any')
    parser.add_argument('--breast-rule', choices=('sum', 'mean', 'max'), help="for all runs, instead of each one's own")
    parser.add_argument('--exam-rule', choices=('max', 'mean', 'sum'), default=EXAM_RULE, help='over breasts (max)')
    parser.add_argument('--controls', type=int, default=N_CONTROLS, help=f'that are drawn ({N_CONTROLS})')
    parser.add_argument('--seed', type=int, default=0, help='of draw and bootstrap (0)')
    parser.add_argument('--bootstrap', type=int, default=2000, help='replicates; 0 for none (2000)')
    parser.add_argument('--out', type=Path, help='folder of the files')
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    rules = {'exams': args.exams, 'breast_rule': args.breast_rule, 'exam_rule': args.exam_rule}
    runs = named_runs(args.runs)
    exams = read_cohort_exams(runs, args.annotations, **rules)
    rows = cohort_table(exams, args.controls, args.seed, args.bootstrap)
    console = Console()
    console = Console(width=max(console.width, 150))
    for table in cohort_tables(exams, rows):
        console.print(table)
    for line in [*exams.notes, *(f'{name}: {rule}' for name, rule in exams.rules.items()), *window_lines(runs)]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if args.out:
        settings = rules | {'controls': args.controls, 'seed': args.seed, 'bootstrap': args.bootstrap}
        for path in write_results(args.out, exams, rows, settings):
            print(path)
    return 0


if __name__ == '__main__':
    cli.run(main)
