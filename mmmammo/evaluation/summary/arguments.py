"""Command-line arguments that the commands of evaluation share, and what they mean."""

from __future__ import annotations

import argparse

from mmmammo.evaluation.functional import AGGREGATION_RULES, DUPLICATE_RULES, FALSE_POSITIVE_IMAGES, HIT_RULES
from mmmammo.evaluation.summary.detection_settings import DetectionSettings
from mmmammo.evaluation.summary.score_levels import LEVELS, Aggregation
from mmmammo.evaluation.summary.scores import ScoreSettings
from mmmammo.io.score_rows import Columns

_ID_COLUMNS = ('image', 'exam', 'patient', 'laterality', 'split')


def add_detection_rules(parser: argparse.ArgumentParser) -> None:
    """When a detection finds a lesion, and where the recall is read."""
    default = DetectionSettings()
    rules = parser.add_argument_group('detections')
    rules.add_argument('--matching', choices=HIT_RULES, default=default.matching)
    rules.add_argument('--iou-thr', type=float, default=default.iou_thr, help='a hit has a greater IoU (default 0.2)')
    rules.add_argument('--distance-mm', type=float, help='for --matching distance')
    rules.add_argument('--duplicates', choices=DUPLICATE_RULES, default=default.duplicates)
    rules.add_argument('--false-positive-images', choices=FALSE_POSITIVE_IMAGES, default='all')
    rules.add_argument('--fps-per-image', type=float, nargs='+', default=default.fps_per_image, metavar='FPI')
    rules.add_argument('--operating-fps', type=float, default=1.0, metavar='FPI', help='of headline and gallery (1)')


def detection_settings(args: argparse.Namespace) -> DetectionSettings:
    """What :func:`add_detection_rules` was given."""
    return DetectionSettings(
        matching=args.matching,
        iou_thr=args.iou_thr,
        distance_mm=args.distance_mm,
        duplicates=args.duplicates,
        false_positive_images=args.false_positive_images,
        fps_per_image=tuple(args.fps_per_image),
        operating_fps=args.operating_fps,
        bootstrap=args.bootstrap,
        seed=args.seed,
    )


def add_score_columns(parser: argparse.ArgumentParser) -> None:
    """What the columns of a table are called, which rows count, and how they are put together."""
    names = Columns()
    columns = parser.add_argument_group('tables of scores')
    columns.add_argument('--label', nargs='+', default=names.labels, metavar='COLUMN', help='0 or 1, one per class')
    columns.add_argument('--score', nargs='+', default=names.scores, metavar='COLUMN', help='in [0, 1], one per class')
    columns.add_argument('--class-column', metavar='COLUMN', help='long tables: where the class of a line is named')
    for name in _ID_COLUMNS:
        columns.add_argument(f'--{name}-column', default=getattr(names, name), metavar='COLUMN')
    columns.add_argument('--split', help='only rows of this split')
    columns.add_argument('--level', choices=LEVELS, default='row', help='put images together to breasts or exams')
    columns.add_argument('--breast-rule', choices=AGGREGATION_RULES, default='mean')
    columns.add_argument('--exam-rule', choices=AGGREGATION_RULES, default='max')


def score_columns(args: argparse.Namespace) -> Columns:
    """The columns that :func:`add_score_columns` was given."""
    return Columns(
        **{name: getattr(args, f'{name}_column') for name in _ID_COLUMNS},
        labels=tuple(args.label),
        scores=tuple(args.score),
        class_column=args.class_column,
    )


def score_settings(args: argparse.Namespace, threshold: float = 0.5, subgroups: tuple[str, ...] = ()) -> ScoreSettings:
    """The rules that :func:`add_score_columns` was given."""
    return ScoreSettings(
        aggregation=Aggregation(args.level, args.breast_rule, args.exam_rule),
        threshold=threshold,
        subgroups=subgroups,
        bootstrap=args.bootstrap,
        seed=args.seed,
    )
