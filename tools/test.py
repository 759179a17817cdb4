#!/usr/bin/env python
"""Test a checkpoint: FROC and AP, or AUC and the like, and a report to look at.

Examples:
    python tools/test.py configs/agrcnn_phantom.py work_dirs/agrcnn_phantom/epoch_3.pth
    python tools/test.py configs/agrcnn_phantom.py work_dirs/agrcnn_phantom/epoch_3.pth --report report
    python tools/test.py configs/agrcnn_phantom.py untrained        (random weights: what chance finds)
    python tools/test.py configs/agrcnn_phantom.py CKPT --cross-view cross_view.json
        (detections scored anew by the other views of their exam, as fitted by tools/fit_cross_view.py)

WORK_DIR gets metrics.json and, beside it, predictions.json of a detector and scores.csv of a classifier: what
tools/compare.py puts side by side. See docs/evaluation.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.runner import Runner
from torch import nn

from mmmammo import __version__, cli
from mmmammo.apis.arguments import add_config_options, make_parser
from mmmammo.apis.cross_view import use_cross_view
from mmmammo.apis.inputs import make_inputs
from mmmammo.apis.run_results import Kept, keep_results, shows_exam_ids, tested_set, write_results
from mmmammo.apis.runs import for_testing, load_config, require_data, set_launcher, skip_masks
from mmmammo.apis.saliency_views import window_pictures
from mmmammo.engine.checkpoint import load_checkpoint, require_checkpoint_of, use_safe_loading
from mmmammo.engine.fast_layers import use_fast_layers
from mmmammo.evaluation.metrics import HeatmapDump, LesionMatchingMetric
from mmmammo.evaluation.metrics.detection_metric import DetectionMetric
from mmmammo.memory import keep_freed_memory
from mmmammo.models import AttentionClassifier, FlipAverage
from mmmammo.provenance import git_commit, without_place
from mmmammo.visualization.saliency_panel import WindowPicture

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='weights trained with it, or "untrained"')
    parser.add_argument(
        '--report',
        type=Path,
        metavar='DIR',
        help='write an HTML page with curves and exams here; the page names no patient, other files beside it do',
    )
    parser.add_argument(
        '--work-dir', help='where logs, metrics.json and scores.csv go (default: work_dirs/<config name>)'
    )
    parser.add_argument('--tta', action='store_true', help='mean over each image and its mirror image; for classifiers')
    parser.add_argument(
        '--cross-view',
        type=Path,
        metavar='JSON',
        help='score detections by the other views; see tools/fit_cross_view.py',
    )
    parser.add_argument(
        '--bootstrap', type=int, metavar='N', help='replicates of the intervals, 0 for none (of the config, or 1000)'
    )
    add_config_options(parser)
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm', 'mpi'), default='none')
    args = parser.parse_args()
    if args.bootstrap is not None and args.bootstrap < 0:
        parser.error(f'--bootstrap: found {args.bootstrap}; expected 0 or more')
    return args


def describe_run(args: argparse.Namespace, cfg: Config) -> dict[str, object]:
    """What made the numbers."""
    dataset = tested_set(cfg)
    prepared = Path(dataset.data_root, 'prepare.json')
    return {
        'config': without_place(args.config),
        'checkpoint': Path(args.checkpoint).name,
        'data': without_place(str(Path(dataset.data_root, dataset.ann_file))),
        'source': json.loads(prepared.read_text())['source'] if prepared.is_file() else 'unknown',
        'seed': cfg.get('randomness', {}).get('seed'),
        'code': f'mmmammo {__version__}, commit {git_commit(ROOT) or "unknown"}',
        **({'tta': 'flip'} if args.tta else {}),
        **({'cross_view': args.cross_view.name} if args.cross_view else {}),
    }


def windows_of(model: nn.Module, runner: Runner, kept: Kept, run: dict[str, object]) -> list[WindowPicture]:
    """For the page: where a model that judges a window of each image looked."""
    if kept.report is None or not isinstance(model, AttentionClassifier):
        return []
    dataset = runner.test_loop.dataloader.dataset
    return window_pictures(model, dataset, kept.scores, show_exam_ids=shows_exam_ids(run))


def main() -> int:
    args = parse_args()
    cfg = for_testing(load_config(args.config, options=args.cfg_options, work_dir=args.work_dir))
    set_launcher(cfg, args.launcher)
    make_inputs(cfg, ROOT)
    require_data(cfg, ('test',))
    use_safe_loading()
    keep_freed_memory()
    trained = args.checkpoint != 'untrained'
    if trained:
        load_checkpoint(args.checkpoint)  # a wrong path is told before anything is built
    cfg.load_from, cfg.resume = args.checkpoint if trained else None, False
    kept = keep_results(cfg, args.report, args.bootstrap)
    if args.cross_view:
        use_cross_view(cfg, args.cross_view)
    runner = Runner.from_cfg(cfg)
    model = getattr(runner.model, 'module', runner.model)
    if trained:
        require_checkpoint_of(model, args.checkpoint)
        runner.load_or_resume()
    else:
        model.init_weights()
    boxes_only = DetectionMetric | HeatmapDump | LesionMatchingMetric
    if all(isinstance(metric, boxes_only) for metric in runner.test_loop.evaluator.metrics):
        skip_masks(model)  # these metrics read no masks
    use_fast_layers(model)
    if args.tta:
        runner.model = FlipAverage(runner.model)
    logged = runner.test()
    if is_main_process():
        run = describe_run(args, cfg)
        windows = windows_of(model, runner, kept, run)
        for path in write_results(kept, cfg, runner.test_loop.evaluator.metrics, logged, run, windows):
            runner.logger.info(f'written: {path}')
    return 0


if __name__ == '__main__':
    cli.run(main)
