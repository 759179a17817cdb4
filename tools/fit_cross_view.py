#!/usr/bin/env python
r"""Learn what the other views of an exam are worth, for scoring its detections anew.

Examples:
    python tools/test.py configs/maskrcnn_phantom.py CKPT --work-dir work_dirs/val \
        --cfg-options test_dataloader.dataset.ann_file=annotations/val.json
    python tools/fit_cross_view.py work_dirs/val/predictions.json --out work_dirs/cross_view.json \
        --annotations data/phantom_decoys/annotations/val.json

A lesion is seen in both projections of its breast, and not at the mirrored place of the other one. Six coefficients are
fitted by logistic regression, on a split that the detector was not trained on and that nothing is reported on; the
gain is judged by cross-validation over patients. Then: tools/test.py or tools/infer.py with --cross-view, or
tools/rescore.py for files of detections. See docs/evaluation.md.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mmmammo import __version__, cli
from mmmammo.anatomy import cross_view_evidence
from mmmammo.evaluation.functional import HIT_RULES, CrossViewFit, fit_cross_view
from mmmammo.evaluation.functional.cross_view import COEFFICIENTS
from mmmammo.io.detection_files import DetectionSet
from mmmammo.io.landmarked_detections import read_landmarked_detections
from mmmammo.provenance import git_commit
from mmmammo.structures import MammoError
from mmmammo.visualization.terminal_tables import intake_lines

ROOT = Path(__file__).resolve().parents[1]
AUC_ROWS = ('own score', 'with the other views', 'gain')


def parse_args() -> argparse.Namespace:
    parser = cli.make_parser(__doc__)
    parser.add_argument('predictions', type=Path, help="a predictions.json, or COCO's list of results")
    parser.add_argument('--annotations', type=Path, required=True, help='index of that split of the prepared set')
    parser.add_argument('--out', type=Path, required=True, metavar='JSON', help='the file to write')
    parser.add_argument('--min-score', type=float, default=0.01, help='weaker detections are left out (default 0.01)')
    parser.add_argument('--matching', choices=HIT_RULES, default='iou')
    parser.add_argument('--iou-thr', type=float, default=0.2, help='a hit has a greater IoU (default 0.2)')
    parser.add_argument('--distance-mm', type=float, help='for --matching distance')
    parser.add_argument('--folds', type=int, default=5, help='of the cross-validation (default 5)')
    parser.add_argument('--bootstrap', type=int, default=1000, help='replicates of the intervals (default 1000)')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--allow-test-split', action='store_true', help='fit on the test split, to report elsewhere')
    parser.add_argument('--strict', action='store_true', help='stop at the first row that cannot be used')
    args = parser.parse_args()
    for name, least in (('folds', 2), ('bootstrap', 1)):
        if getattr(args, name) < least:
            parser.error(f'--{name}: found {getattr(args, name)}; expected at least {least}')
    return args


def require_held_out(data: DetectionSet, path: Path, allow_test: bool) -> None:
    """Refuse splits that make the fit wrong, or the numbers after it."""
    refused = {
        'train': 'on images it has learnt from a detector is surer than on others, so its scores look worth more'
    }
    if not allow_test:
        refused['test'] = 'what is fitted on the test split may not be reported on it'
    if data.split in refused:
        raise MammoError(
            path,
            field='split',
            found=f'{data.split!r}: {refused[data.split]}',
            expected="a held-out split, such as 'val'",
            remedy='predict the validation split, or a further set of annotated exams'
            + ('; --allow-test-split if you report on another set' if data.split == 'test' else ''),
        )


def origin(args: argparse.Namespace, fit: CrossViewFit) -> dict[str, object]:
    """How the weights were fitted, for whoever finds the file."""
    return {
        'n_detections': fit.n,
        'n_positive': fit.n_positive,
        'n_patients': fit.n_patients,
        'min_score': args.min_score,
        'matching': args.matching,
        'iou_thr': args.iou_thr,
        'distance_mm': args.distance_mm,
        'folds': fit.folds,
        'auc': {row: {'value': value, 'low': low, 'high': high} for row, value, low, high in auc_rows(fit)},
        'files': {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (args.predictions, args.annotations)
        },
        'code': f'mmmammo {__version__}, commit {git_commit(ROOT) or "unknown"}',
    }


def auc_rows(fit: CrossViewFit) -> list[tuple[str, float, float, float]]:
    """Name, value and interval."""
    interval = fit.auc
    columns = (interval.estimate.tolist(), interval.low.tolist(), interval.high.tolist())
    return list(zip(AUC_ROWS, *columns, strict=True))


def tables(fit: CrossViewFit) -> list[Table]:
    coefficients = Table('coefficient of', 'log-odds')
    for name in COEFFICIENTS:
        coefficients.add_row(name.replace('_', ' '), f'{getattr(fit.weights, name):+.3f}')
    gain = Table(f'AUC, {fit.folds}-fold by patient', 'value', '95 % interval')
    for name, value, low, high in auc_rows(fit):
        gain.add_row(name, f'{value:.3f}', f'{low:.3f} to {high:.3f}')
    return [coefficients, gain]


def main() -> int:
    args = parse_args()
    console = Console()
    data = read_landmarked_detections(args.predictions, args.annotations, strict=args.strict)
    require_held_out(data, args.annotations, args.allow_test_split)
    fit = fit_cross_view(
        data.images,
        cross_view_evidence(data.images),
        data.split,
        min_score=args.min_score,
        folds=args.folds,
        n=args.bootstrap,
        seed=args.seed,
        matching=args.matching,
        iou_thr=args.iou_thr,
        distance_mm=args.distance_mm,
    )
    replace(fit.weights, info=origin(args, fit)).save(args.out)
    for line in intake_lines(data.intakes):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(
        f'{fit.n} detections of {fit.n_patients} patients, {fit.n_positive} of them on lesions; split {data.split!r}'
    )
    console.print(*tables(fit), sep='\n')
    if fit.n_positive < fit.positives_wanted:
        console.print(
            f'warning: {fit.n_positive} detections on lesions are few for {len(COEFFICIENTS) - 1} coefficients; '
            f'{fit.positives_wanted} would do',
            style='yellow',
        )
    if fit.auc.low[2] <= 0:
        console.print('warning: the gain may be chance, its interval reaches 0; fit on more exams', style='yellow')
    console.print(f'written: {args.out}', highlight=False, markup=False, soft_wrap=True)
    return 0


if __name__ == '__main__':
    cli.run(main)
