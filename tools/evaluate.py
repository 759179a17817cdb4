#!/usr/bin/env python
"""From files of detections or scores to numbers with intervals, plots, and a page to look at.

Examples:
    python tools/evaluate.py detections --pred work_dirs/run/predictions.json --images data/phantom/images --out eval
    python tools/evaluate.py detections --gt annotations/test.json --pred detections.json --out eval
    python tools/evaluate.py scores --table scores.csv --label cancer --score prob --level exam --out eval
    python tools/evaluate.py scores --table test.csv --choose-threshold-on val.csv --calibrate-on val.csv --out eval

Detections are COCO's list of results or our predictions.json; scores any CSV with a head. Intervals resample patients.
OUT gets metrics.json, report.html and plots/. Nothing is dropped in silence: rows that cannot be used are listed with
their place and value, counted, and left out; --strict stops at the first. See docs/evaluation.md.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from mmmammo import __version__, cli
from mmmammo.evaluation.functional import FROC_THRESHOLD_RULES, THRESHOLD_RULES, OperatingPoint, load_calibration
from mmmammo.evaluation.summary import (
    CALIBRATION_METHODS,
    FrozenReport,
    aggregated,
    calibrated,
    choose_for_detections,
    choose_for_scores,
    fit_calibration,
    report_calibration,
    report_detections,
    report_scores,
    summarise_detections,
    summarise_scores,
    with_subgroups,
)
from mmmammo.evaluation.summary.arguments import (
    add_detection_rules,
    add_score_columns,
    detection_settings,
    score_columns,
    score_settings,
)
from mmmammo.io.detection_files import DetectionSet, read_detection_set, with_labels_of
from mmmammo.io.intake import Intake
from mmmammo.io.score_tables import ScoreTable, read_score_table
from mmmammo.provenance import git_commit, without_place
from mmmammo.visualization import GallerySettings, Written, write_detection_report, write_score_report
from mmmammo.visualization.terminal_tables import detection_tables, frozen_table, intake_lines, score_tables

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = cli.make_parser(__doc__)
    kinds = parser.add_subparsers(dest='kind', required=True, metavar='detections | scores')
    add_detection_arguments(kinds.add_parser('detections', help='boxes with scores beside annotated lesions'))
    add_score_arguments(kinds.add_parser('scores', help='scores beside labels, in a CSV'))
    args = parser.parse_args()
    refuse_idle_options(parser, args)
    return args


def refuse_idle_options(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """What would do nothing is a mistake."""
    given = {name for name, value in vars(args).items() if value}
    if {'choose_threshold_on', 'operating_point'} <= given or {'calibrate_on', 'calibration'} <= given:
        parser.error('a point or a calibration is either fitted (--…-on) or loaded: give one of the two')
    if args.target is not None and 'choose_threshold_on' not in given:
        parser.error('--target: nothing is chosen; give --choose-threshold-on')
    if 'choose_gt' in given and 'choose_threshold_on' not in given:
        parser.error('--choose-gt: nothing is chosen; give --choose-threshold-on')
    if 'choose_split' in given and not given & {'choose_threshold_on', 'calibrate_on'}:
        parser.error('--choose-split: nothing is chosen; give --choose-threshold-on or --calibrate-on')
    if args.bootstrap < 0:
        parser.error(f'--bootstrap: found {args.bootstrap}; expected 0 or more')


def add_detection_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--pred', type=Path, required=True, help="COCO's list of results, or a predictions.json")
    parser.add_argument('--gt', type=Path, help='COCO ground truth (default: that inside predictions.json)')
    parser.add_argument('--labels-from', type=Path, help='annotations with density, age, pathology … for subgroups')
    add_detection_rules(parser)
    parser.add_argument('--images', type=Path, help='folder of the images, for the gallery')
    parser.add_argument('--heatmaps', type=Path, help='folder of grey PNGs named as the images')
    parser.add_argument('--show-exam-ids', action='store_true', help='name exams in the gallery as the set does')
    parser.add_argument('--choose-gt', type=Path, help='ground truth of --choose-threshold-on')
    add_common_arguments(parser, FROC_THRESHOLD_RULES)


def add_score_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--table', type=Path, required=True, help='CSV with a head')
    add_score_columns(parser)
    parser.add_argument(
        '--choose-split', help='split of --choose-threshold-on and --calibrate-on, which may be the same table'
    )
    parser.add_argument('--calibrate-on', type=Path, metavar='FILE', help='put probabilities right by these rows')
    parser.add_argument('--calibration-method', choices=tuple(CALIBRATION_METHODS), default='temperature')
    parser.add_argument('--calibration', type=Path, metavar='JSON', help='a calibration fitted before')
    parser.add_argument('--threshold', type=float, default=0.5, help='of the table of classes (default 0.5)')
    parser.add_argument('--subgroup', nargs='+', default=(), metavar='COLUMN', help='columns to divide by')
    add_common_arguments(parser, THRESHOLD_RULES)


def add_common_arguments(parser: argparse.ArgumentParser, rules: tuple[str, ...]) -> None:
    parser.add_argument('--out', type=Path, required=True, help='where results go')
    parser.add_argument('--title', help='of the page')
    parser.add_argument('--strict', action='store_true', help='stop at the first row that cannot be used')
    parser.add_argument('--bootstrap', type=int, default=1000, help='replicates; 0 for no intervals (default 1000)')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--choose-threshold-on', type=Path, metavar='FILE', help='freeze a threshold chosen there')
    parser.add_argument('--threshold-rule', choices=rules, default='max_f1')
    parser.add_argument('--target', type=float, help='what the rule must reach')
    parser.add_argument('--operating-point', type=Path, metavar='JSON', help='a threshold frozen before')
    parser.add_argument('--allow-same-split', action='store_true', help='report where the threshold was chosen')


def evaluate_detections(args: argparse.Namespace, console: Console) -> Written:
    settings = detection_settings(args)
    summary = summarise_detections(read_detections(args), settings)
    frozen = None
    if args.choose_threshold_on:
        chosen_on = summarise_detections(
            read_detection_set(args.choose_threshold_on, args.choose_gt, strict=args.strict),
            replace(settings, bootstrap=0),
        )
        point = choose_for_detections(chosen_on, args.threshold_rule, args.target)
        frozen = report_detections(point, summary, chosen_on=chosen_on, allow_same=args.allow_same_split)
        read = with_files(summary.data.intakes, chosen_on.data.intakes)
        summary = replace(summary, data=replace(summary.data, intakes=read))
    elif args.operating_point:
        frozen = report_detections(OperatingPoint.load(args.operating_point), summary, allow_same=args.allow_same_split)
    show(console, summary.data.intakes, summary.data.notes, detection_tables(summary), frozen)
    gallery = GallerySettings(args.images, args.heatmaps, show_exam_ids=args.show_exam_ids)
    title = args.title or 'Lesion detection in mammograms'
    return write_detection_report(summary, args.out, run=run_of(args), title=title, gallery=gallery, frozen=frozen)


def read_detections(args: argparse.Namespace) -> DetectionSet:
    data = read_detection_set(args.pred, args.gt, strict=args.strict)
    return with_labels_of(data, args.labels_from) if args.labels_from else data


def evaluate_scores(args: argparse.Namespace, console: Console) -> Written:
    settings = score_settings(args, args.threshold, tuple(args.subgroup))
    table = read_table(args, args.table, args.split)
    fitted_on = read_table(args, args.calibrate_on, args.choose_split) if args.calibrate_on else None
    calibration = None
    if fitted_on or args.calibration:
        scaling = (
            fit_calibration(fitted_on, args.calibration_method) if fitted_on else load_calibration(args.calibration)
        )
        table, calibration = report_calibration(
            scaling, table, settings, fitted_on=fitted_on, allow_same=args.allow_same_split
        )
        table = replace(table, intakes=with_files(table.intakes, fitted_on.intakes if fitted_on else ()))
    summary = summarise_scores(table, settings)
    frozen = None
    if args.choose_threshold_on:
        chosen_on = read_table(args, args.choose_threshold_on, args.choose_split)
        chosen_on = calibrated(chosen_on, calibration.scaling) if calibration else chosen_on
        of_chosen = summarise_scores(chosen_on, replace(settings, bootstrap=0, subgroups=()))
        point = choose_for_scores(of_chosen, args.threshold_rule, args.target, calibrated=calibration is not None)
        frozen = report_scores(point, summary, chosen_on=of_chosen, allow_same=args.allow_same_split)
        read = with_files(summary.table.intakes, chosen_on.intakes)
        summary = replace(summary, table=replace(summary.table, intakes=read))
    elif args.operating_point:
        frozen = report_scores(OperatingPoint.load(args.operating_point), summary, allow_same=args.allow_same_split)
    show(console, summary.table.intakes, summary.table.notes, score_tables(summary, calibration), frozen)
    title = args.title or 'Classification of mammograms'
    return write_score_report(summary, args.out, run=run_of(args), title=title, frozen=frozen, calibration=calibration)


def read_table(args: argparse.Namespace, path: Path, split: str | None) -> ScoreTable:
    """At the level that is reported, with ages in bands."""
    table, _ = with_subgroups(read_score_table(path, score_columns(args), split=split, strict=args.strict))
    return aggregated(table, score_settings(args).aggregation, args.subgroup)


def with_files(read: tuple[Intake, ...], more: tuple[Intake, ...]) -> tuple[Intake, ...]:
    """All files that numbers come from, each once."""
    known = [intake.as_dict() for intake in read]
    return (*read, *(intake for intake in more if intake.as_dict() not in known))


def show(
    console: Console,
    intakes: tuple[Intake, ...],
    notes: tuple[str, ...],
    tables: list[object],
    frozen: FrozenReport | None,
) -> None:
    """What was read, what it gave, what to know about it."""
    for line in [*intake_lines(intakes), *(f'note: {note}' for note in notes)]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for table in [*tables, *([frozen_table(frozen)] if frozen else [])]:
        console.print()
        console.print(table)
    if frozen and frozen.shift and frozen.shift.warning:
        console.print(f'warning: {frozen.shift.warning}', style='yellow', markup=False, soft_wrap=True)


def run_of(args: argparse.Namespace) -> dict[str, object]:
    """What made the numbers."""
    return {
        'command': shlex.join(['tools/evaluate.py', *map(without_place, sys.argv[1:])]),
        'code': f'mmmammo {__version__}, commit {git_commit(ROOT) or "unknown"}',
    }


def main() -> int:
    args = parse_args()
    console = Console()
    evaluate = evaluate_detections if args.kind == 'detections' else evaluate_scores
    written = evaluate(args, console)
    console.print(f'\nNumbers: {written.document}\nPage: {written.page}', highlight=False, markup=False, soft_wrap=True)
    return 0


if __name__ == '__main__':
    cli.run(main)
