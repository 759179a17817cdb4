#!/usr/bin/env python
"""Detect lesions in a folder of exams, DICOM or PNG.

Example:
    python tools/infer.py configs/agrcnn_phantom.py work_dirs/agrcnn_phantom/epoch_3.pth my_exams --out results

Writes results/detections.json and .csv (boxes in pixels of your files) and results/panels/<exam>.png, in which the
detections of one lesion in CC and MLO share letter and colour; with --regions also results/regions/<exam>/<file>.png.
Files that cannot be used are named with their reason; the rest is processed. Research software, not a medical device.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from mmmammo import __version__, cli
from mmmammo.apis import ExamInferencer, ExamResult, ResultWriter
from mmmammo.apis.arguments import make_parser
from mmmammo.memory import keep_freed_memory
from mmmammo.sources import get_source
from mmmammo.structures import MammoError


def parse_args() -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='weights trained with it')
    parser.add_argument('exams', type=Path, help='a folder of exams, or one exam')
    parser.add_argument('--out', type=Path, required=True, help='where results go')
    parser.add_argument('--score-thr', type=_score, default=0.05, help='leave out weaker detections (default 0.05)')
    parser.add_argument(
        '--regions',
        action='store_true',
        help='colour high-risk regions in the panels, and write them as 16-bit PNG in the pixels of your files',
    )
    parser.add_argument(
        '--malignancy',
        nargs=2,
        metavar=('CONFIG', 'CHECKPOINT'),
        help='second stage: says how likely each detection is malignant (configs/agrcnn/malignancy_…)',
    )
    parser.add_argument(
        '--cross-view',
        type=Path,
        metavar='JSON',
        help='score detections by the other views of their exam, as fitted by tools/fit_cross_view.py',
    )
    parser.add_argument('--bf16', action='store_true', help='compute backbone and neck in bfloat16')
    parser.add_argument('--device', help='cuda:0, cpu, … (default: the best there is)')
    return parser.parse_args()


def _score(text: str) -> float:
    if not 0 <= float(text) <= 1:
        raise argparse.ArgumentTypeError(f'found {text}; expected a number from 0 to 1')
    return float(text)


def show(exam: ExamResult, panel: Path | None, console: Console) -> None:
    """One line per file."""
    missing = f', missing {", ".join(exam.missing_views)}' if exam.missing_views else ''
    console.print(
        f'[bold]{escape(exam.exam_id)}[/bold]: {len(exam.images)} views{missing}', highlight=False, soft_wrap=True
    )
    for result in exam.images:
        image, quality = result.prepared.image, result.prepared.quality
        found = f'{len(result.scores)} detections, best {result.score:.3f}' if len(result.scores) else 'no detection'
        landmarks = f'landmarks {quality.landmark_confidence:.2f}' if image.landmarks else 'no landmarks'
        warnings = f'  ({quality.warnings})' if quality.warnings else ''
        line = f'  {image.laterality} {image.view:<4} {found:<27} {landmarks}  {quality.path}{warnings}'
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    for row in exam.rejected:
        console.print(
            f'  not used: {row.path}: {row.reason}', style='red', highlight=False, soft_wrap=True, markup=False
        )
    if panel is not None:
        console.print(f'  panel: {panel}', highlight=False, soft_wrap=True, markup=False)


def main() -> int:
    args = parse_args()
    logging.getLogger('mmengine').setLevel(logging.WARNING)
    keep_freed_memory()
    console = Console()
    records = list(get_source('folder').list_records(args.exams))  # first, so that a wrong path costs no old results
    inferencer = ExamInferencer(
        args.config,
        args.checkpoint,
        args.device,
        args.score_thr,
        args.malignancy,
        bfloat16=args.bf16,
        cross_view=args.cross_view,
    )
    info = {'config': args.config, 'checkpoint': Path(args.checkpoint).name, 'mmmammo_version': __version__}
    if args.malignancy:
        info['malignancy'] = {'config': args.malignancy[0], 'checkpoint': Path(args.malignancy[1]).name}
    if args.cross_view:
        info['cross_view'] = args.cross_view.name
    usable = 0
    with ResultWriter(args.out, inferencer.classes, info, args.regions) as writer:
        for exam in inferencer.stream(records):
            show(exam, writer.add(exam), console)
            usable += len(exam.images)
    if not usable:
        raise MammoError(
            args.exams,
            field='usable images',
            found='none',
            expected='at least one',
            remedy='see the reasons above; tools/infer.py takes for-presentation mammograms',
        )
    files = f'{args.out / "detections.json"}, {args.out / "detections.csv"}'
    console.print(f'Detections: {files}', highlight=False, soft_wrap=True, markup=False)
    return 0


if __name__ == '__main__':
    cli.run(main)
