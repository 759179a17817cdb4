"""What looking at four views together costs: AG-RCNN against Mask R-CNN and against the published triad scheme.

Inference of one exam of four views is compared with plain Mask R-CNN on the same four images and with the triad scheme
(each view examined with its two partners encoded again, heads on the examined one only), a training step with that of
Mask R-CNN. All models hold the same weights; runs alternate, medians are compared.

Against triads there are two rows. The first is the scheme alone, the same code on both sides: it cannot reach 3, for
both pay for the heads once per view. The second is what a user of ``ExamInferencer`` gets, whose model has its batch
norms folded and its layout channels-last (``speed_up``; the same outputs but for rounding, checked here).

    python benchmarks/exam_inference.py                  # R50 at full size, some five minutes on two idle cores
    python benchmarks/exam_inference.py --model small --size 320 256 --train-size 320 256
"""

from __future__ import annotations

import argparse
import copy
import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from mmdet.structures import SampleList
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor

from mmmammo.engine.inference import speed_up
from mmmammo.memory import keep_freed_memory
from mmmammo.models import AGRCNN
from mmmammo.models.layers import ExamContext
from mmmammo.testing.detector_timing import MODEL_FILES, alternate, build_pair, describe, one_exam, predictor, trainer


class Comparison(NamedTuple):
    """One row: how ours and the reference compare, and what is aimed at."""

    what: str
    reference: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    goal: float | None
    faster: bool = False


def main() -> None:
    args = parse_args()
    keep_freed_memory()  # as the tools do
    torch.manual_seed(0)
    plain, multi = build_pair(args.model, args.device, args.max_detections)
    exam, train_exam = one_exam(args.size), one_exam(args.train_size)
    fast = speed_up(copy.deepcopy(multi))
    check_equal(predictor(fast, exam)(), predictor(multi, exam)())
    rows = [
        Comparison(label('inference', args.size), 'Mask R-CNN', predictor(multi, exam), predictor(plain, exam), 1.15),
        Comparison(
            label('inference', args.size), 'triads, same code', predictor(multi, exam), triads(multi, exam), None, True
        ),
        Comparison(
            label('inference', args.size), 'triad scheme', predictor(fast, exam), triads(multi, exam), 2.5, True
        ),
        Comparison(
            label('training', args.train_size),
            'Mask R-CNN',
            trainer(multi, train_exam),
            trainer(plain, train_exam),
            1.25,
        ),
    ]
    times = [
        alternate((row.ours, row.theirs), args.repeats) for row in track(rows, description='measuring', transient=True)
    ]
    table = Table(title=f'one exam of four views, {args.model}, {describe(args.device)}')
    for column in ('AG-RCNN', 'against', 'ours, s', 'reference, s', 'ratio', 'goal', 'met'):
        table.add_column(column, justify='left' if column in ('AG-RCNN', 'against') else 'right', no_wrap=True)
    for row, (ours, theirs) in zip(rows, times, strict=True):
        table.add_row(*describe_row(row, ours, theirs))
    Console(width=max(Console().width, 132)).print(table)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--model', choices=sorted(MODEL_FILES), default='r50')
    for name, default, what in (('--size', (1024, 832), 'inference'), ('--train-size', (512, 416), 'training')):
        help_text = f'pixels of each view in {what} ({default[0]} {default[1]})'
        parser.add_argument(name, type=int, nargs=2, default=default, metavar=('H', 'W'), help=help_text)
    parser.add_argument('--repeats', type=int, default=3, help='timed runs of each side, after one to warm up')
    parser.add_argument('--device', default='cpu', help="'cpu' or 'cuda'")
    parser.add_argument(
        '--max-detections',
        type=int,
        default=5,
        help='detections per image that get a mask; random weights would fill up to 100, a trained model finds few',
    )
    return parser.parse_args()


def label(what: str, size: Sequence[int]) -> str:
    return f'{what} at {size[0]} x {size[1]}'


def check_equal(ours: SampleList, theirs: SampleList) -> None:
    """Hold that a faster model finds the same."""
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.pred_instances.bboxes, other.pred_instances.bboxes, rtol=1e-3, atol=1e-2)
        torch.testing.assert_close(mine.pred_instances.scores, other.pred_instances.scores, rtol=1e-3, atol=1e-4)


def triads(model: AGRCNN, batch: dict[str, list]) -> Callable[[], list[SampleList]]:
    """The published scheme: for each view, encode it and both partners, then detect in it alone."""

    @torch.no_grad()
    def run() -> list[SampleList]:
        model.eval()
        results = []
        for examined in range(len(batch['inputs'])):
            order = [examined, examined ^ 1, examined ^ 2]  # L-CC, L-MLO, R-CC, R-MLO: other view, other side
            triad = copy.deepcopy({key: [values[i] for i in order] for key, values in batch.items()})
            data = model.data_preprocessor(triad)
            results.append(detect_first(model, data['inputs'], data['data_samples']))
        return results

    return run


def detect_first(model: AGRCNN, inputs: Tensor, samples: SampleList) -> SampleList:
    """Encode a triad together, run the heads on its first image."""
    graph = model.neck[1]
    context = ExamContext.from_data_samples(samples, graph.num_nodes, tuple(inputs.shape[-2:]), inputs.device)
    with graph.given(context):
        features = tuple(level[:1] for level in model.extract_feat(inputs))
    proposals = model.rpn_head.predict(features, samples[:1], rescale=False)
    return model.add_pred_to_datasample(samples[:1], model.roi_head.predict(features, proposals, samples[:1]))


def describe_row(row: Comparison, ours: Sequence[float], theirs: Sequence[float]) -> list[str]:
    mine, other = statistics.median(ours), statistics.median(theirs)
    ratio = other / mine if row.faster else mine / other
    seconds = [f'{statistics.median(t):.3f} ({min(t):.3f}-{max(t):.3f})' for t in (ours, theirs)]
    word = 'x faster' if row.faster else 'x its time'
    return [row.what, row.reference, *seconds, f'{ratio:.2f}{word}', *verdict(row, ratio)]


def verdict(row: Comparison, ratio: float) -> tuple[str, str]:
    """The goal of a row and whether it is met; empty for a row that only explains another."""
    if row.goal is None:
        return '', ''
    met = ratio >= row.goal if row.faster else ratio <= row.goal
    return f'{">=" if row.faster else "<="} {row.goal:g}', 'yes' if met else 'NO'


if __name__ == '__main__':
    main()
