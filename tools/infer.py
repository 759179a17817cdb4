#!/usr/bin/env python
"""Run a trained model on a folder of exams, DICOM or PNG: lesions of a detector, scores of a classifier.

Examples:
    python tools/infer.py configs/agrcnn_phantom.py work_dirs/agrcnn_phantom/epoch_3.pth my_exams --out results
    python tools/infer.py configs/holistic_phantom.py work_dirs/holistic_phantom/epoch_60.pth my_exams --out results

A detector writes results/detections.json and .csv (boxes in pixels of your files), files.csv (what became of each file)
and results/panels/<exam>.png, in which the detections of one lesion in CC and MLO share letter and colour; with
--regions also results/regions/<exam>/<file>.png, with --dicom results/dicom/<exam>_report.dcm and <exam>_panel.dcm. A
classifier writes results/scores.json, scores.csv (images), exams.csv (breasts and exams) and panels. Files that cannot
be used are named with their reason; the rest is processed. Research software, not a medical device.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmengine.registry import init_default_scope
from rich.console import Console
from rich.markup import escape

from mmmammo import __version__, cli
from mmmammo.apis import ExamInferencer, ExamResult, ExamScores, ResultWriter, ScoreInferencer, ScoreWriter, load_config
from mmmammo.apis.arguments import make_parser
from mmmammo.apis.frozen import Frozen
from mmmammo.apis.run_results import gives_boxes
from mmmammo.memory import keep_freed_memory
from mmmammo.prepare import Prepared, PrepareOptions, recorded_options
from mmmammo.sources import get_source
from mmmammo.structures import ImageRecord, MammoError

if TYPE_CHECKING:
    from mmmammo.apis.dicom_results import DicomWriter

SCORE_THR = 0.05


def parse_args() -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='weights trained with it')
    parser.add_argument('exams', type=Path, help='a folder of exams, or one exam')
    parser.add_argument('--out', type=Path, required=True, help='where results go')
    parser.add_argument(
        '--prepared-as',
        type=Path,
        metavar='SET',
        help='prepare files as this prepared set was, or its prepare.json says (default: of a detector, cut to the '
        "breast at their own size, or with --malignancy as its config's set; of a classifier, as its own config's set)",
    )
    parser.add_argument(
        '--operating-point',
        type=Path,
        metavar='JSON',
        help='a threshold that tools/evaluate.py chose and froze: of a detector, weaker detections are left out; of a '
        'classifier, images that reach it are called',
    )
    parser.add_argument('--device', help='cuda:0, cpu, … (default: the best there is)')
    of_detectors = parser.add_argument_group('detectors')
    of_detectors.add_argument('--score-thr', type=_score, help=f'leave out weaker detections (default {SCORE_THR})')
    of_detectors.add_argument(
        '--regions',
        action='store_true',
        help='colour high-risk regions in the panels, and write them as 16-bit PNG in the pixels of your files',
    )
    of_detectors.add_argument(
        '--malignancy',
        nargs=2,
        metavar=('CONFIG', 'CHECKPOINT'),
        help='second stage: says how likely each detection is malignant (configs/agrcnn/malignancy_…); the '
        'prepare.json of its set has to be there, or named with --prepared-as',
    )
    of_detectors.add_argument(
        '--cross-view',
        type=Path,
        metavar='JSON',
        help='score detections by the other views of their exam, as fitted by tools/fit_cross_view.py',
    )
    of_detectors.add_argument(
        '--dicom',
        action='store_true',
        help='write a structured report and the panel of each exam as DICOM too, of patient and study of your files',
    )
    of_detectors.add_argument('--bf16', action='store_true', help='compute backbone and neck in bfloat16')
    of_classifiers = parser.add_argument_group('classifiers')
    of_classifiers.add_argument(
        '--calibration',
        type=Path,
        metavar='JSON',
        help='a calibration that tools/evaluate.py fitted; thresholds are then on the calibrated scale',
    )
    return parser.parse_args()


def _score(text: str) -> float:
    if not 0 <= float(text) <= 1:
        raise argparse.ArgumentTypeError(f'found {text}; expected a number from 0 to 1')
    return float(text)


def show(exam: ExamResult | ExamScores, lines: Iterable[str], panel: Path | None, console: Console) -> None:
    """An exam, a line per file."""
    missing = f', missing {", ".join(exam.missing_views)}' if exam.missing_views else ''
    console.print(
        f'[bold]{escape(exam.exam_id)}[/bold]: {len(exam.images)} views{missing}', highlight=False, soft_wrap=True
    )
    for line in lines:
        console.print(f'  {line}', highlight=False, soft_wrap=True, markup=False)
    for row in exam.rejected:
        console.print(
            f'  not used: {row.path}: {row.reason}', style='red', highlight=False, soft_wrap=True, markup=False
        )
    if panel is not None:
        console.print(f'  panel: {panel}', highlight=False, soft_wrap=True, markup=False)


def lines_of_detections(exam: ExamResult) -> Iterable[str]:
    """What was found in each file."""
    for result in exam.images:
        found = f'{len(result.scores)} detections, best {result.score:.3f}' if len(result.scores) else 'no detection'
        quality = result.prepared.quality
        landmarks = 'no landmarks'
        if result.prepared.image.landmarks:
            landmarks = f'landmarks {quality.landmark_confidence:.2f}'
        yield f'{_place(result.prepared)} {found:<27} {landmarks}  {_file(result.prepared)}'


def lines_of_scores(exam: ExamScores) -> Iterable[str]:
    """Scores of images, breasts and the exam."""
    for image in exam.images:
        apart = '  called' if image.called else ''
        apart += '' if image.counts else '  (counts in no breast or exam)'
        yield f'{_place(image.prepared)} {_named(exam.classes, image.scores)}  {_file(image.prepared)}{apart}'
    for side, scores in exam.breasts.items():
        yield f'{side} breast {_named(exam.classes, scores)}'
    if exam.exam is not None:
        yield f'exam {_named(exam.classes, exam.exam)}'


def _place(prepared: Prepared) -> str:
    return f'{prepared.image.laterality} {prepared.image.view:<4}'


def _file(prepared: Prepared) -> str:
    return prepared.quality.path + (f'  ({prepared.quality.warnings})' if prepared.quality.warnings else '')


def _named(classes: Sequence[str], scores: Sequence[float]) -> str:
    return ', '.join(f'{name} {score:.3f}' for name, score in zip(classes, scores, strict=True))


def detect(args: argparse.Namespace, records: list[ImageRecord], info: dict[str, Any], console: Console) -> int:
    """Lesions of every exam; returns how many images could be used."""
    frozen = _frozen(args, of_detections=True)
    inferencer = ExamInferencer(
        args.config,
        args.checkpoint,
        args.device,
        _threshold(args, frozen),
        args.malignancy,
        bfloat16=args.bf16,
        cross_view=args.cross_view,
        options=_options(args),
    )
    if args.malignancy:
        info['malignancy'] = {'config': args.malignancy[0], 'checkpoint': Path(args.malignancy[1]).name}
    if args.cross_view:
        info['cross_view'] = args.cross_view.name
    info |= frozen.as_info()
    for_pacs = dicom_writer(args, inferencer, records)
    usable = 0
    with ResultWriter(args.out, inferencer.classes, info, args.regions) as writer:
        for exam in inferencer.stream(records):
            panel = writer.add(exam)
            show(exam, lines_of_detections(exam), panel, console)
            if for_pacs is not None:
                tell_dicom(for_pacs, exam, panel, console)
            usable += len(exam.images)
    return usable


def dicom_writer(
    args: argparse.Namespace, inferencer: ExamInferencer, records: list[ImageRecord]
) -> DicomWriter | None:
    """Of ``--dicom``; highdicom is not loaded without."""
    if not args.dicom:
        return None
    from mmmammo.apis.dicom_results import DicomWriter

    files = {record.relative_path: record.path for record in records}
    model = f'{Path(args.config).stem} {Path(args.checkpoint).name}'
    decides = [f'detections of certainty {100 * inferencer.score_thr:.3f} % or more']
    if args.cross_view:
        decides.append(f'scored by the other views: {args.cross_view.name}')
    return DicomWriter(args.out / 'dicom', inferencer.classes, files, model, __version__, decides)


def tell_dicom(writer: DicomWriter, exam: ExamResult, panel: Path | None, console: Console) -> None:
    """Write an exam for the PACS, or say why that cannot be."""
    try:
        for path in writer.add(exam, panel):
            console.print(f'  DICOM: {path}', highlight=False, soft_wrap=True, markup=False)
    except MammoError as err:
        console.print(f'  no DICOM: {err}', style='red', highlight=False, soft_wrap=True, markup=False)


def score(args: argparse.Namespace, records: list[ImageRecord], info: dict[str, Any], console: Console) -> int:
    """Scores of every exam; returns how many images could be used."""
    _refuse_options_of_detectors(args)
    frozen = _frozen(args, of_detections=False)
    inferencer = ScoreInferencer(args.config, args.checkpoint, args.device, _options(args), frozen)
    info |= frozen.as_info()
    usable = called = 0
    with ScoreWriter(args.out, info) as writer:
        for exam in inferencer.stream(records):
            show(exam, lines_of_scores(exam), writer.add(exam), console)
            usable += len(exam.images)
            called += sum(image.called or False for image in exam.images)
            if inferencer.rule is not None:
                info['rule'] = str(inferencer.rule)
    if usable:
        console.print(f'Scores: {info["rule"]}.', highlight=False, soft_wrap=True, markup=False)
    if usable and frozen.point is not None:
        chosen = f'{frozen.point.threshold:.4f}, {frozen.point.rule} on {frozen.point.chosen_on.name}'
        console.print(f'Called: {called} of {usable} images, at {chosen}.', highlight=False, markup=False)
    return usable


def _frozen(args: argparse.Namespace, *, of_detections: bool) -> Frozen:
    return Frozen.load(args.calibration, args.operating_point, of_detections=of_detections)


def _threshold(args: argparse.Namespace, frozen: Frozen) -> float:
    """Below which detections are left out."""
    given = {
        '--calibration': args.calibration is not None,
        '--score-thr beside --operating-point': args.score_thr is not None and frozen.point is not None,
    }
    _refuse(args, given, 'none of these for a model that gives boxes')
    if frozen.point is not None:
        return frozen.point.threshold
    return SCORE_THR if args.score_thr is None else float(args.score_thr)


def _options(args: argparse.Namespace) -> PrepareOptions | None:
    return None if args.prepared_as is None else recorded_options(args.prepared_as)


def _refuse_options_of_detectors(args: argparse.Namespace) -> None:
    given = {
        '--score-thr': args.score_thr is not None,
        '--regions': args.regions,
        '--malignancy': args.malignancy,
        '--cross-view': args.cross_view,
        '--bf16': args.bf16,
        '--dicom': args.dicom,
    }
    _refuse(args, given, 'none of these: the model gives scores, no boxes')


def _refuse(args: argparse.Namespace, given: dict[str, bool], expected: str) -> None:
    if any(given.values()):
        found = ', '.join(name for name, is_given in given.items() if is_given)
        raise MammoError(args.config, field='options', found=found, expected=expected, remedy='leave them out')


def main() -> int:
    args = parse_args()
    logging.getLogger('mmengine').setLevel(logging.WARNING)
    keep_freed_memory()
    console = Console()
    records = list(get_source('folder').list_records(args.exams))  # first, so that a wrong path costs no old results
    cfg = load_config(args.config)
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    finds_lesions = gives_boxes(cfg)
    info = {'config': args.config, 'checkpoint': Path(args.checkpoint).name, 'mmmammo_version': __version__}
    usable = (detect if finds_lesions else score)(args, records, info, console)
    if not usable:
        raise MammoError(
            args.exams,
            field='usable images',
            found='none',
            expected='at least one',
            remedy='see the reasons above; tools/infer.py takes for-presentation mammograms',
        )
    names = (
        ('detections.json', 'detections.csv', 'files.csv')
        if finds_lesions
        else ('scores.json', 'scores.csv', 'exams.csv')
    )
    files = ', '.join(str(args.out / name) for name in names)
    console.print(f'Written: {files}', highlight=False, soft_wrap=True, markup=False)
    return 0


if __name__ == '__main__':
    cli.run(main)
