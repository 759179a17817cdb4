#!/usr/bin/env python
"""Train a model from a config.

Examples:
    python tools/train.py configs/agrcnn_phantom.py
    python tools/train.py configs/agrcnn_phantom.py --resume
    bash tools/dist_train.sh configs/agrcnn_cbis.py 4 --amp
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.optim import AmpOptimWrapper
from mmengine.registry import OPTIM_WRAPPERS

from mmmammo import cli
from mmmammo.apis.arguments import add_config_options, make_parser
from mmmammo.apis.inputs import make_inputs
from mmmammo.apis.runs import build_runner, load_config, require_data, set_launcher
from mmmammo.engine.checkpoint import use_safe_loading
from mmmammo.engine.fast_layers import fuse_operators
from mmmammo.engine.hooks import AverageStatisticsHook, TrainingTruthHook
from mmmammo.memory import keep_freed_memory
from mmmammo.models.layers import use_float_levels
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='where logs and checkpoints go (default: work_dirs/<config name>)')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint, or without a value from the latest one in the work dir',
    )
    parser.add_argument('--seed', type=int, help='random seed (default: the one of the config)')
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate with the batch size')
    add_config_options(parser)
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm', 'mpi'), default='none')
    return parser.parse_args()


def complete(cfg: Config, args: argparse.Namespace) -> Config:
    """Write what the command line says into the config."""
    set_launcher(cfg, args.launcher)
    if args.seed is not None:
        cfg.setdefault('randomness', {})['seed'] = args.seed
    if args.amp:
        require_gpu('--amp')
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    elif is_mixed(cfg):
        remedy = 'train in single precision: --cfg-options optim_wrapper.type=OptimWrapper'
        if cfg.optim_wrapper.get('dtype') == 'bfloat16':
            remedy = 'say optim_wrapper.type=mmmammo.BFloat16OptimWrapper instead, without dtype'
        require_gpu('optim_wrapper of the config', remedy)
    if args.auto_scale_lr:
        cfg.auto_scale_lr.enable = True
    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    return cfg


def is_mixed(cfg: Config) -> bool:
    """Whether the config itself asks for the mixed precision that needs a GPU."""
    kind = OPTIM_WRAPPERS.get(cfg.get('optim_wrapper', {}).get('type', 'OptimWrapper'))
    return isinstance(kind, type) and issubclass(kind, AmpOptimWrapper)


def require_gpu(where: str, remedy: str = 'leave it out') -> None:
    if not torch.cuda.is_available():
        raise MammoError(where, field='device', found='no GPU', expected='a GPU that torch sees', remedy=remedy)


def require_beginning(cfg: Config) -> None:
    """Refuse to train what looks where another model tells it to, without that model: it would look anywhere."""
    begun = cfg.get('resume') or cfg.get('load_from')
    if 'holistic' in cfg.model and cfg.model.holistic is None and not begun:
        first = cfg.get('crossval', {}).get('needs', {}).get('holistic', 'its Holistic config')
        raise MammoError(
            cfg.filename,
            field='model.holistic',
            found='None',
            expected='a trained Holistic model, which says where to look',
            remedy=f'train {first}, then give --cfg-options model.holistic=ITS_CHECKPOINT; tools/crossval.py does both',
        )


def main() -> int:
    args = parse_args()
    cfg = complete(load_config(args.config, options=args.cfg_options, work_dir=args.work_dir), args)
    require_beginning(cfg)
    make_inputs(cfg, ROOT)
    require_data(cfg, ('train', 'val'))
    use_safe_loading()
    keep_freed_memory()
    runner = build_runner(cfg)
    use_float_levels(fuse_operators(runner.model))
    for hook in (TrainingTruthHook(), AverageStatisticsHook()):  # for every config, also one that a user has written
        runner.register_hook(hook)
    runner.train()
    return 0


if __name__ == '__main__':
    cli.run(main, interrupted='run the same command with --resume to go on')
