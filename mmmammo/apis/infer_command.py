"""The command tools/infer.py."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mmengine.registry import init_default_scope
from rich.console import Console

from mmmammo import __version__, cli
from mmmammo.apis import ExamInferencer, ExamResult, ExamScores, ResultWriter, ScoreInferencer, ScoreWriter, load_config
from mmmammo.apis.arguments import add_config_options, make_parser, shard
from mmmammo.apis.exam_inputs import is_index, list_inputs
from mmmammo.apis.exam_lines import tell_exam
from mmmammo.apis.exam_stream import ExamStream
from mmmammo.apis.exam_writer import ExamWriter
from mmmammo.apis.file_names import part_of
from mmmammo.apis.frozen import Frozen
from mmmammo.apis.run_results import gives_boxes
from mmmammo.memory import keep_freed_memory
from mmmammo.prepare import PrepareOptions, by_exam, recorded_options
from mmmammo.prepare.folder import require_outside
from mmmammo.prepare.journal import sha256_of
from mmmammo.provenance import without_place
from mmmammo.sources.headers import headers_on
from mmmammo.structures import ImageRecord, MammoError

if TYPE_CHECKING:
    from mmmammo.apis.dicom_results import DicomWriter

SCORE_THR = 0.05
Exams = dict[str, list[ImageRecord]]
Result = TypeVar('Result', ExamResult, ExamScores)


def infer(doc: str) -> int:
    """Run the command that ``sys.argv`` names.

    Args:
        doc: Its help.

    Returns:
        Its exit code.

    Raises:
        MammoError: If a path or an option is wrong, or no file could be used, by this run or those it goes on from.
    """
    args = _parse_args(doc)
    logging.getLogger('mmengine').setLevel(logging.WARNING)
    keep_freed_memory()
    console = Console()
    _require_unprepared(args)
    require_outside(args.out, args.exams, 'EXAMS')  # maps and panels would be taken for mammograms
    with cli.progress_bar(console) as progress, headers_on(progress):
        exams = part_of(by_exam(list_inputs(args.exams)), *args.shard)  # first: a wrong path costs no old results
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    finds_lesions = gives_boxes(cfg)
    info = {
        'config': without_place(args.config),
        'checkpoint': Path(args.checkpoint).name,
        'mmmammo_version': __version__,
    }
    if not (_detect if finds_lesions else _score)(args, exams, info, console):
        if not exams:
            console.print('No exam is in this part.')
            return 0
        raise MammoError(
            args.exams,
            field='usable images',
            found='none',
            expected='at least one',
            remedy='see the reasons above; tools/infer.py takes for-presentation mammograms',
        )
    kind: type[ExamWriter] = ResultWriter if finds_lesions else ScoreWriter
    files = ', '.join(str(args.out / name) for name in (kind.document, *kind.tables))
    console.print(f'Written: {files}', highlight=False, soft_wrap=True, markup=False)
    return 0


def _parse_args(doc: str) -> argparse.Namespace:
    parser = make_parser(doc)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='weights trained with it')
    parser.add_argument(
        'exams',
        type=Path,
        help='a folder of exams, one exam, one image, or annotations/SPLIT.json of a prepared set, taken as it is',
    )
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        help='where results go; without --resume earlier ones are replaced',
    )
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
        type=_workers,
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
    parser.add_argument(
        '--no-panels', action='store_true', help='no picture of each exam, which for an archive takes days and disks'
    )
    parser.add_argument(
        '--shard',
        type=shard,
        default=(1, 1),
        metavar='I/N',
        help='take the I-th of N parts of the exams, each on a GPU or machine and to an --out of its own; '
        'tools/join_results.py puts the parts together',
    )
    add_config_options(parser)
    parser.add_argument('--device', help='cuda:0, cpu, … (default: the best there is)')
    _add_options_of_kinds(parser)
    args = parser.parse_args()
    if args.no_panels and args.dicom:
        parser.error('--dicom writes the panels too: leave out --no-panels')
    return args


def _add_options_of_kinds(parser: argparse.ArgumentParser) -> None:
    """What only detectors, or only classifiers, take."""
    of_detectors = parser.add_argument_group('detectors')
    of_detectors.add_argument('--score-thr', type=_number, help=f'leave out weaker detections (default {SCORE_THR})')
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


def _workers(text: str) -> int:
    if int(text) < 0:
        raise argparse.ArgumentTypeError(f'found {text}; expected 0 or more')
    return int(text)


def _number(text: str) -> float:
    if not 0 <= float(text) <= 1:
        raise argparse.ArgumentTypeError(f'found {text}; expected a number from 0 to 1')
    return float(text)


def _detect(args: argparse.Namespace, exams: Exams, info: dict[str, Any], console: Console) -> int:
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
    info |= {name: getattr(args, name) for name in ('bf16', 'regions', 'dicom')} | {'score_thr': inferencer.score_thr}
    if args.malignancy:
        config, checkpoint = args.malignancy
        info['malignancy'] = {'config': without_place(config), 'checkpoint': Path(checkpoint).name}
    if args.cross_view:
        info['cross_view'] = args.cross_view.name
    second = () if args.malignancy is None else (load_config(args.malignancy[0]).pretty_text,)
    info |= frozen.as_info() | _made_with(args, inferencer, *second)
    records = [record for group in exams.values() for record in group]
    for_pacs = _dicom_writer(args, inferencer, records)

    def tell(exam: ExamResult, panel: Path | None) -> Iterable[Path]:
        tell_exam(exam, panel, console)
        return () if for_pacs is None else tell_dicom(for_pacs, exam, panel, console)

    with ResultWriter(
        args.out, inferencer.classes, info, args.regions, exams, args.resume, not args.no_panels
    ) as writer:
        for exam in _results(args, inferencer, exams, writer.kept, console):
            writer.add(exam, partial(tell, exam))
    _tell_shift(frozen, writer, console, floor=inferencer.score_thr)
    return writer.num_images


def _tell_shift(frozen: Frozen, writer: ExamWriter[Any], console: Console, floor: float = 0.0) -> None:
    """Warn where exams do not score as those did on which the threshold was chosen."""
    shift = None if frozen.point is None else frozen.point.shift(writer.exam_scores, floor)
    if shift is not None and shift.warning:
        console.print(f'warning: {shift.warning}', style='yellow', markup=False, soft_wrap=True)


def _results(
    args: argparse.Namespace, inferencer: ExamStream[Result], exams: Exams, kept: set[str], console: Console
) -> Iterator[Result]:
    """The result of each exam that is not there yet, under a bar that counts files."""
    to_do = [record for exam_id, group in exams.items() if exam_id not in kept for record in group]
    total = sum(map(len, exams.values()))
    if kept:
        gone = len(kept - exams.keys())
        further = f', and {gone} that EXAMS does not have' if gone else ''
        console.print(f'Kept of an earlier run: {len(kept) - gone} of {len(exams)} exams{further}.', highlight=False)
    with cli.progress_bar(console) as progress:
        task = progress.add_task('files', total=total, completed=total - len(to_do))
        for exam in inferencer.stream(to_do, args.workers):
            yield exam
            progress.advance(task, len(exams[exam.exam_id]))


def _dicom_writer(
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


def tell_dicom(writer: DicomWriter, exam: ExamResult, panel: Path | None, console: Console) -> list[Path]:
    """Write an exam for the PACS and return the files, or say why that cannot be."""
    try:
        paths = writer.add(exam, panel)
    except MammoError as err:
        console.print(f'  no DICOM: {err}', style='red', highlight=False, soft_wrap=True, markup=False)
        return []
    for path in paths:
        console.print(f'  DICOM: {path}', highlight=False, soft_wrap=True, markup=False)
    return paths


def _score(args: argparse.Namespace, exams: Exams, info: dict[str, Any], console: Console) -> int:
    """Scores of every exam; returns how many images could be used."""
    _refuse_options_of_detectors(args)
    frozen = _frozen(args, of_detections=False)
    options = _options(args)
    inferencer = ScoreInferencer(
        args.config, args.checkpoint, args.device, options, frozen, cfg_options=args.cfg_options, flip=args.tta
    )

    def tell(exam: ExamScores, panel: Path | None) -> Iterable[Path]:
        tell_exam(exam, panel, console)
        return ()

    info |= frozen.as_info() | _made_with(args, inferencer) | ({'tta': 'flip'} if args.tta else {})
    with ScoreWriter(args.out, info, exams, args.resume, not args.no_panels) as writer:
        for exam in _results(args, inferencer, exams, writer.kept, console):
            if inferencer.rule is not None:
                writer.learn(rule=str(inferencer.rule))
            writer.add(exam, partial(tell, exam))
    if writer.num_images:
        console.print(f'Scores: {writer.facts["rule"]}.', highlight=False, soft_wrap=True, markup=False)
    if writer.num_images and frozen.point is not None:
        chosen = f'{frozen.point.threshold:.4f}, {frozen.point.rule} on {frozen.point.chosen_on.name}'
        called = f'{writer.num_called} of {writer.num_images} images'
        console.print(f'Called: {called}, at {chosen}.', highlight=False, markup=False)
        _tell_shift(frozen, writer, console)
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


def _made_with(args: argparse.Namespace, inferencer: ExamStream[Any], *more: str) -> dict[str, Any]:
    """How files are prepared, and a digest of that, of the models and of all files that are named."""
    given = (args.malignancy and args.malignancy[1], args.cross_view, args.calibration, args.operating_point)
    files = [Path(path) for path in given if path is not None]
    said = [inferencer.digest, inferencer.options.digest(), sha256_of(*files), *more]
    digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:24]
    return {'preparation': vars(inferencer.options), 'digest': digest}


def _options(args: argparse.Namespace) -> PrepareOptions | None:
    """How files are to be prepared, or were, if they are those of a prepared set."""
    if is_index(args.exams):
        return recorded_options(args.exams.resolve().parents[1])
    return None if args.prepared_as is None else recorded_options(args.prepared_as)


def _require_unprepared(args: argparse.Namespace) -> None:
    """Refuse to prepare what is prepared."""
    if args.prepared_as is not None and is_index(args.exams):
        raise MammoError(
            args.exams,
            field='--prepared-as',
            found='images of a prepared set',
            expected='files that are still to be prepared',
            remedy='leave the option out, or name the folder of the files',
        )


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
