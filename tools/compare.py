#!/usr/bin/env python
"""Put runs side by side: paired differences from the first, with intervals and p-values.

Examples:
    python tools/compare.py reports/maskrcnn reports/agrcnn --out compared
    python tools/compare.py a.json b.json --gt annotations/test.json --names "Mask R-CNN" AG-RCNN --out compared
    python tools/compare.py work_dirs/vgg19 work_dirs/resnet50 work_dirs/swin --out compared
    python tools/compare.py a.csv b.csv --label cancer --score prob --level exam --out compared

A run is a folder with predictions.json or scores.csv (tools/test.py and tools/crossval.py leave them), such a file,
COCO's list of results with --gt, or any CSV of scores, of one class or of several. All must be on the same images; if
not, those that differ are named. OUT gets comparison.json, comparison.html and plots/. See docs/evaluation.md.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from mmmammo import __version__, cli
from mmmammo.evaluation.summary import (
    Comparison,
    DetectionSummary,
    ScoreSummary,
    compare_detections,
    compare_scores,
    on_same_images,
    on_same_rows,
    summarise_detections,
    summarise_scores,
)
from mmmammo.evaluation.summary.arguments import (
    add_detection_rules,
    add_score_columns,
    detection_settings,
    score_columns,
    score_settings,
)
from mmmammo.io.detection_files import read_detection_set
from mmmammo.io.intake import Intake, first_of
from mmmammo.io.score_tables import read_score_table
from mmmammo.provenance import git_commit, without_place
from mmmammo.structures import MammoError
from mmmammo.visualization import write_comparison_report
from mmmammo.visualization.terminal_tables import comparison_tables, intake_lines

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ('predictions.json', 'scores.csv')
"""What tools/test.py leaves in a folder, the first one that there is."""


def parse_args() -> argparse.Namespace:
    parser = cli.make_parser(__doc__)
    parser.add_argument('runs', nargs='+', type=Path, metavar='RUN', help='at least two; the first is compared with')
    parser.add_argument('--out', type=Path, required=True, help='where results go')
    parser.add_argument('--names', nargs='+', help='of the runs (default: their folders or files)')
    parser.add_argument('--title', default='Comparison of runs', help='of the page')
    parser.add_argument('--gt', type=Path, help='COCO ground truth of all runs (default: that of their predictions)')
    add_detection_rules(parser)
    add_score_columns(parser)
    parser.add_argument(
        '--same-scale', action='store_true', help='a score means the same in all runs (p-values: exchange as it is)'
    )
    parser.add_argument('--strict', action='store_true', help='stop at the first row that cannot be used')
    parser.add_argument('--bootstrap', type=int, default=2000, help='replicates and permutations (default 2000)')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    if args.bootstrap < 1:
        parser.error(f'--bootstrap: found {args.bootstrap}; expected at least 1: differences need intervals')
    return args


def names_of(runs: Sequence[Path], given: Sequence[str] | None) -> list[str]:
    """One per run, all different."""
    names = list(given or [name_of(run) for run in runs])
    if not given and len(set(names)) < len(names):
        names = [str(run) for run in runs]
    if len(runs) < 2 or len(names) != len(runs) or len(set(names)) < len(names):
        raise MammoError(
            'compare',
            field='runs',
            found=f'{len(runs)} runs, named {first_of(names, 10)}',
            expected='two or more runs, each with a name of its own',
            remedy='name them by --names',
        )
    return names


def name_of(run: Path) -> str:
    """The folder that holds the results, or the file."""
    if run.is_dir() or run.name in RESULTS:
        return file_of(run).resolve().parent.name
    return run.stem


def file_of(run: Path) -> Path:
    """The results of a run: of a folder its detections, or else its scores."""
    if not run.is_dir():
        return run
    return next((run / name for name in RESULTS if (run / name).is_file()), run / RESULTS[0])


def compare(
    args: argparse.Namespace, files: Sequence[Path], names: Sequence[str]
) -> tuple[Comparison, Sequence[DetectionSummary] | Sequence[ScoreSummary], list[Intake]]:
    tables = {file.suffix.lower() in ('.csv', '.tsv', '.txt') for file in files}
    if len(tables) > 1:
        raise MammoError(
            'compare',
            field='runs',
            found=first_of(files, 10),
            expected='all JSON of detections, or all tables of scores',
            remedy='compare one kind at a time',
        )
    if tables == {True}:
        settings = score_settings(args)
        read = [read_score_table(file, score_columns(args), split=args.split, strict=args.strict) for file in files]
        scores = [summarise_scores(table, settings) for table in on_same_rows(read, names)]
        return compare_scores(scores, names, same_scale=args.same_scale), scores, [table.intakes[0] for table in read]
    sets = [read_detection_set(file, args.gt, strict=args.strict) for file in files]
    summaries = [summarise_detections(data, detection_settings(args)) for data in on_same_images(sets, names)]
    comparison = compare_detections(summaries, names, same_scale=args.same_scale)
    return comparison, summaries, [data.intakes[-1] for data in sets]


def main() -> int:
    args = parse_args()
    console = Console()
    files = [file_of(run) for run in args.runs]
    names = names_of(args.runs, args.names)
    comparison, summaries, intakes = compare(args, files, names)
    for line in intake_lines(intakes):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for table in comparison_tables(comparison):
        console.print()
        console.print(table)
    run = {
        'command': shlex.join(['tools/compare.py', *map(without_place, sys.argv[1:])]),
        'code': f'mmmammo {__version__}, commit {git_commit(ROOT) or "unknown"}',
    }
    written = write_comparison_report(comparison, summaries, args.out, run=run, title=args.title)
    console.print(f'\nNumbers: {written.document}\nPage: {written.page}', highlight=False, markup=False, soft_wrap=True)
    return 0


if __name__ == '__main__':
    cli.run(main)
