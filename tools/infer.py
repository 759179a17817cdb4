#!/usr/bin/env python
"""Run a trained model on a folder of exams, DICOM or PNG: lesions of a detector, scores of a classifier.

Examples:
    python tools/infer.py configs/agrcnn_phantom.py work_dirs/agrcnn_phantom/epoch_3.pth my_exams --out results
    python tools/infer.py configs/holistic_phantom.py work_dirs/holistic_phantom/epoch_60.pth my_exams --out results
    python tools/infer.py CONFIG CKPT archive --out results --workers 8 --resume   (go on, or add new exams)

A detector writes results/detections.json and .csv (boxes in pixels of your files), files.csv (what became of each file)
and results/panels/<exam>.png, in which the detections of one lesion in CC and MLO share letter and colour; with
--regions also results/regions/<exam>/<file>.png, with --dicom results/dicom/<exam>_report.dcm and <exam>_panel.dcm. A
classifier writes results/scores.json, scores.csv (images), exams.csv (breasts and exams) and panels. Files that cannot
be used are named with their reason; the rest is processed. Research software, not a medical device.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mmengine.registry import init_default_scope
from rich.console import Console

from mmmammo import __version__, cli
from mmmammo.apis import ExamInferencer, ExamResult, ExamScores, ResultWriter, ScoreInferencer, ScoreWriter, load_config
from mmmammo.apis.arguments import add_config_options, make_parser
from mmmammo.apis.exam_lines import tell_exam
from mmmammo.apis.exam_stream import ExamStream
from mmmammo.apis.exam_writer import stamp_of_exam
from mmmammo.apis.frozen import Frozen
from mmmammo.apis.run_results import gives_boxes
from mmmammo.memory import keep_freed_memory
from mmmammo.prepare import PrepareOptions, by_exam, recorded_options
from mmmammo.prepare.journal import sha256_of
from mmmammo.sources import get_source
from mmmammo.structures import ImageRecord, MammoError

if TYPE_CHECKING:
    from mmmammo.apis.dicom_results import DicomWriter

SCORE_THR = 0.05
Exams = dict[str, list[ImageRecord]]
Result = TypeVar('Result', ExamResult, ExamScores)


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
    parser.add_argument(
        '--workers',
        type=int,
        default=0,
        help='processes that prepare the next exams while the model is busy; a file on which a decoder crashes then '
        'costs no more than itself (default 0: none, exams in order of their names)',
    )
    parser.add_argument(
        '--resume',
        action='store_true',
        help='keep what an earlier run to the same --out made of exams whose files are as they were: after Ctrl-C, or '
        'every night',
    )
    add_config_options(parser)
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
    of_classifiers.add_argument(
        '--tta', action='store_true', help='mean over each image and its mirror image, as tools/test.py --tta'
    )
    return parser.parse_args()


def _score(text: str) -> float:
    if not 0 <= float(text) <= 1:
        raise argparse.ArgumentTypeError(f'found {text}; expected a number from 0 to 1')
    return float(text)


def detect(args: argparse.Namespace, exams: Exams, info: dict[str, Any], console: Console) -> int:
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
        cfg_options=args.cfg_options,
    )
    info |= {'score_thr': inferencer.score_thr, 'bfloat16': args.bf16, 'regions': args.regions}
    if args.malignancy:
        info['malignancy'] = {'config': args.malignancy[0], **_named_file(args.malignancy[1])}
    if args.cross_view:
        info['cross_view'] = _named_file(args.cross_view)
    info |= frozen.as_info() | _preparation(inferencer)
    records = [record for group in exams.values() for record in group]
    for_pacs = dicom_writer(args, inferencer, records)

    def tell(exam: ExamResult, panel: Path | None) -> None:
        tell_exam(exam, panel, console)
        if for_pacs is not None:
            tell_dicom(for_pacs, exam, panel, console)

    with ResultWriter(args.out, inferencer.classes, info, args.regions, _stamps(exams), args.resume) as writer:
        for exam in results(args, inferencer, exams, writer.kept, console):
            writer.add(exam, partial(tell, exam))
    return writer.num_images


def results(
    args: argparse.Namespace, inferencer: ExamStream[Result], exams: Exams, kept: set[str], console: Console
) -> Iterator[Result]:
    """The result of each exam that is not there yet, under a bar that counts files."""
    to_do = [record for exam_id, group in exams.items() if exam_id not in kept for record in group]
    total = sum(map(len, exams.values()))
    if kept:
        console.print(f'Kept of an earlier run: {len(kept)} of {len(exams)} exams.', highlight=False)
    with cli.progress_bar(console) as progress:
        task = progress.add_task('files', total=total, completed=total - len(to_do))
        for exam in inferencer.stream(to_do, args.workers):
            yield exam
            progress.advance(task, len(exams[exam.exam_id]))


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


def score(args: argparse.Namespace, exams: Exams, info: dict[str, Any], console: Console) -> int:
    """Scores of every exam; returns how many images could be used."""
    _refuse_options_of_detectors(args)
    frozen = _frozen(args, of_detections=False)
    options = _options(args)
    inferencer = ScoreInferencer(
        args.config, args.checkpoint, args.device, options, frozen, cfg_options=args.cfg_options, flip=args.tta
    )
    info |= frozen.as_info() | _preparation(inferencer) | ({'tta': 'flip'} if args.tta else {})
    with ScoreWriter(args.out, info, _stamps(exams), args.resume) as writer:
        for exam in results(args, inferencer, exams, writer.kept, console):
            if inferencer.rule is not None:
                writer.learn(rule=str(inferencer.rule))
            writer.add(exam, partial(tell_exam, exam, console=console))
    if writer.num_images:
        console.print(f'Scores: {writer.facts["rule"]}.', highlight=False, soft_wrap=True, markup=False)
    if writer.num_images and frozen.point is not None:
        chosen = f'{frozen.point.threshold:.4f}, {frozen.point.rule} on {frozen.point.chosen_on.name}'
        called = f'{writer.num_called} of {writer.num_images} images'
        console.print(f'Called: {called}, at {chosen}.', highlight=False, markup=False)
    return writer.num_images


def _frozen(args: argparse.Namespace, *, of_detections: bool) -> Frozen:
    return Frozen.load(args.calibration, args.operating_point, of_detections=of_detections)


def _threshold(args: argparse.Namespace, frozen: Frozen) -> float:
    """Below which detections are left out."""
    given = {
        '--calibration': args.calibration is not None,
        '--tta': args.tta,
        '--score-thr beside --operating-point': args.score_thr is not None and frozen.point is not None,
    }
    _refuse(args, given, 'none of these for a model that gives boxes')
    if frozen.point is not None:
        return frozen.point.threshold
    return SCORE_THR if args.score_thr is None else float(args.score_thr)


def _stamps(exams: Exams) -> dict[str, str]:
    return {exam_id: stamp_of_exam(records) for exam_id, records in exams.items()}


def _named_file(path: str | Path) -> dict[str, str]:
    """A file's name and digest; its folder may name people."""
    return {'file': Path(path).name, 'sha256': sha256_of(Path(path))}


def _preparation(inferencer: ExamStream[Any]) -> dict[str, Any]:
    return {'preparation': vars(inferencer.options), 'model': inferencer.digest}


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
    exams = by_exam(get_source('folder').list_records(args.exams))  # first, so that a wrong path costs no old results
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    finds_lesions = gives_boxes(cfg)
    info = {'config': args.config, 'checkpoint': Path(args.checkpoint).name, 'mmmammo_version': __version__}
    usable = (detect if finds_lesions else score)(args, exams, info, console)
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
    cli.run(main, interrupted='give the same command again with --resume to go on')
