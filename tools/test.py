#!/usr/bin/env python
"""Test a checkpoint: FROC, AP, and a report to look at.

Examples:
    python tools/test.py configs/agrcnn_phantom.py work_dirs/agrcnn_phantom/epoch_12.pth
    python tools/test.py configs/agrcnn_phantom.py work_dirs/agrcnn_phantom/epoch_12.pth --report report
    python tools/test.py configs/agrcnn_phantom.py untrained        (random weights: what chance finds)
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from mmmammo import __version__, cli
from mmmammo.apis.arguments import add_config_options, make_parser
from mmmammo.apis.inputs import make_inputs
from mmmammo.apis.runs import for_testing, load_config, require_data, set_launcher, skip_masks
from mmmammo.engine.checkpoint import load_checkpoint, require_checkpoint_of, use_safe_loading
from mmmammo.engine.fast_layers import use_fast_layers
from mmmammo.evaluation.metrics import ClassificationMetric, FROCMetric, HeatmapDump, LesionMatchingMetric
from mmmammo.evaluation.metrics.detection_metric import DetectionMetric
from mmmammo.evaluation.summary import DetectionSettings, detection_document, summarise_detections, write_document
from mmmammo.io.detection_files import read_detection_set, with_labels_of
from mmmammo.provenance import git_commit
from mmmammo.registry import METRICS
from mmmammo.structures import MammoError
from mmmammo.visualization import GallerySettings, write_detection_report

ROOT = Path(__file__).resolve().parents[1]
HEATMAPS = 'heatmaps'
"""Folder in that of the report."""


def parse_args() -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='weights trained with it, or "untrained"')
    parser.add_argument('--report', type=Path, metavar='DIR', help='write an HTML page with curves and exams here')
    parser.add_argument('--work-dir', help='where logs and metrics.json go (default: work_dirs/<config name>)')
    add_config_options(parser)
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm', 'mpi'), default='none')
    return parser.parse_args()


def images_root(cfg: Config) -> Path:
    """The folder that holds the prepared images."""
    dataset = cfg.test_dataloader.dataset
    return Path(dataset.data_root, dataset.get('data_prefix', {}).get('img', 'images'))


def keep_predictions(cfg: Config, path: Path, heatmaps: Path | None) -> None:
    """Add the metrics that write what was predicted, and with ``heatmaps`` those of localisers."""
    evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
    root = str(images_root(cfg))
    dumps = [{'type': 'mmmammo.PredictionDump', 'path': str(path), 'images_root': root}]
    if heatmaps is not None:
        dumps.append({'type': 'mmmammo.HeatmapDump', 'path': str(heatmaps), 'images_root': root})
    cfg.test_evaluator = [*evaluators, *dumps]


def describe_run(args: argparse.Namespace, cfg: Config) -> dict[str, object]:
    """What made the numbers."""
    dataset = cfg.test_dataloader.dataset
    prepared = Path(dataset.data_root, 'prepare.json')
    return {
        'config': args.config,
        'checkpoint': Path(args.checkpoint).name,
        'data': str(Path(dataset.data_root, dataset.ann_file)),
        'source': json.loads(prepared.read_text())['source'] if prepared.is_file() else 'unknown',
        'seed': cfg.get('randomness', {}).get('seed'),
        'code': f'mmmammo {__version__}, commit {git_commit(ROOT) or "unknown"}',
    }


def judges_patches(cfg: Config) -> bool:
    """Whether all metrics of a config are about scores: its model predicts no boxes to keep or report."""
    evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
    return all(issubclass(METRICS.get(evaluator.type) or object, ClassificationMetric) for evaluator in evaluators)


def refuse_report(args: argparse.Namespace) -> None:
    """There is no page for a classifier of patches."""
    if args.report:
        raise MammoError(
            '--report',
            field=args.config,
            found='a classifier of patches',
            expected='a detector or localiser',
            remedy='leave it out: metrics.json in the work dir has the numbers',
        )


def write_metrics(args: argparse.Namespace, cfg: Config, metrics: dict[str, float]) -> list[Path]:
    """The numbers of a classifier of patches."""
    numbers = {key: None if math.isnan(value) else float(value) for key, value in metrics.items()}  # JSON has no nan
    return [write_document(Path(cfg.work_dir) / 'metrics.json', {'run': describe_run(args, cfg), 'metrics': numbers})]


def settings_of(metrics: Sequence[Any]) -> DetectionSettings:
    """The protocol of the config's FROC, so that page and log agree."""
    default = DetectionSettings()
    for metric in metrics:
        if isinstance(metric, FROCMetric):
            return DetectionSettings(
                matching=metric.rule.matching,
                iou_thr=metric.rule.iou_thr,
                distance_mm=metric.rule.distance_mm,
                duplicates=metric.duplicates,
                false_positive_images=metric.false_positive_images,
                fps_per_image=metric.fps_per_image,
                bootstrap=metric.bootstrap or default.bootstrap,
                seed=metric.seed,
            )
    return default


def write_results(
    args: argparse.Namespace, cfg: Config, metrics: dict[str, float], settings: DetectionSettings, predictions: Path
) -> list[Path]:
    """metrics.json, and the page where one is asked for; returns what was written."""
    run = describe_run(args, cfg)
    annotations = Path(cfg.test_dataloader.dataset.data_root, cfg.test_dataloader.dataset.ann_file)
    summary = summarise_detections(with_labels_of(read_detection_set(predictions), annotations), settings)
    numbers = {key: None if math.isnan(value) else float(value) for key, value in metrics.items()}  # JSON has no nan
    if not args.report:
        document = detection_document(summary, run)
        document['metrics'] |= numbers
        return [write_document(Path(cfg.work_dir) / 'metrics.json', document)]
    heatmaps = args.report / HEATMAPS if metrics['heatmaps/n_images'] else None
    gallery = GallerySettings(images_root(cfg), heatmaps, regions=True, show_exam_ids=run['source'] == 'phantom')
    title = Path(args.config).stem
    written = write_detection_report(summary, args.report, run=run, title=title, gallery=gallery, logged=numbers)
    return [written.document, written.page]


def main() -> int:
    args = parse_args()
    cfg = for_testing(load_config(args.config, options=args.cfg_options, work_dir=args.work_dir))
    set_launcher(cfg, args.launcher)
    make_inputs(cfg, ROOT)
    require_data(cfg, ('test',))
    use_safe_loading()
    trained = args.checkpoint != 'untrained'
    if trained:
        load_checkpoint(args.checkpoint)  # a wrong path is told before anything is built
    cfg.load_from, cfg.resume = args.checkpoint if trained else None, False
    predictions = Path(args.report or cfg.work_dir) / 'predictions.json'
    patches = judges_patches(cfg)
    if patches:
        refuse_report(args)
    else:
        keep_predictions(cfg, predictions, args.report and args.report / HEATMAPS)
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
    metrics = runner.test()
    if is_main_process():
        settings = settings_of(runner.test_loop.evaluator.metrics)
        written = (
            write_metrics(args, cfg, metrics) if patches else write_results(args, cfg, metrics, settings, predictions)
        )
        for path in written:
            runner.logger.info(f'written: {path}')
    return 0


if __name__ == '__main__':
    cli.run(main)
