#!/usr/bin/env python
"""Cross-validate a config: train and test it on every fold, and gather the out-of-fold scores or detections.

Examples:
    python tools/crossval.py configs/wsol/cam_resnet18_phantom.py --folds 4
    python tools/crossval.py configs/agrcnn_cbis.py --folds 5    (a detector: FROC and AP of all images together)
    python tools/crossval.py CONFIG --folds 4 --only 2 3         (the other folds are made by other machines)
    python tools/crossval.py CONFIG --folds 10 --gpus 2          (each fold on two GPUs)
    python tools/crossval.py CONFIG --folds 4 --tta              (then test all folds again with flips)
    python tools/crossval.py CONFIG --folds 4 --pool train val --ensemble
                                      (then average the folds' models on the test split, which no fold has seen)

DIR/scores.csv has the score of every image by the model that was not trained on its patient, of a detector
DIR/predictions.json the detections; DIR/metrics.json what the metrics of the config say of all of them together, of
each fold, and as mean over the folds. tools/evaluate.py and tools/compare.py read these files, and
tools/export_submission.py scores.csv. What a config computes from its training set, such as AG-RCNN's prior, is
computed in every fold anew. See docs/crossval.md.

--cfg-options of data sets (a data_root, a target) also reach the configs that this one begins from (crossval.needs).

Stop it whenever you like, and give the same command to go on: complete folds are kept, an interrupted one goes on from
its latest epoch and ends with the same scores. Several at a time never make the same fold twice.
"""

from __future__ import annotations

import argparse
import copy
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import Progress

from mmmammo import __version__, cli
from mmmammo.apis.arguments import add_config_options, make_parser
from mmmammo.apis.inputs import make_inputs
from mmmammo.apis.loaders import datasets_of
from mmmammo.apis.runs import require_data
from mmmammo.crossval import (
    METRICS,
    PREDICTIONS,
    SCORES,
    Project,
    Workshop,
    count_folds,
    gather,
    gather_average,
    gather_detections,
    open_project,
)
from mmmammo.crossval.fold_inputs import renewed_inputs, with_renewed
from mmmammo.crossval.settings import SPLITS
from mmmammo.crossval.terminal import counts_table, numbers_table
from mmmammo.experiments import Outcome, Run
from mmmammo.experiments.watch import Watch, bars
from mmmammo.provenance import git_commit
from mmmammo.registry import DATASETS
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='config file of a classifier or detector')
    parser.add_argument('--folds', type=int, metavar='N', help='how many (default: what the config says)')
    parser.add_argument('--work-dir', type=Path, metavar='DIR', help='where all goes (default: a folder of STORE)')
    parser.add_argument('--only', nargs='+', type=int, metavar='K', help='make these folds only, counted from 0')
    parser.add_argument('--seed', type=int, help='of the trainings (default: the one of the config)')
    parser.add_argument('--fold-seed', type=int, help='of the cut (default: what the config says, or 121)')
    parser.add_argument('--pool', nargs='+', choices=SPLITS, help='splits to cut into folds (default: all three)')
    parser.add_argument('--ensemble', action='store_true', help="average the folds' models on the test split")
    parser.add_argument('--tta', action='store_true', help='test again with each image and its mirror image')
    parser.add_argument('--gpus', type=int, default=1, metavar='G', help='processes of one fold, each on a GPU (1)')
    parser.add_argument(
        '--jobs', type=int, help='folds at a time (default: as many as fit on the GPUs; without a GPU one per core)'
    )
    parser.add_argument(
        '--store', type=Path, default=ROOT / 'work_dirs' / 'crossval', help='where cross-validations find each other'
    )
    add_config_options(parser)
    return parser.parse_args()


def make_workshop(args: argparse.Namespace, progress: Progress) -> Workshop:
    """With as many folds at a time as fit."""
    gpus = torch.cuda.device_count()
    jobs = args.jobs or max((gpus or os.cpu_count() or 1) // args.gpus, 1)

    def watch(runs: Sequence[Run]) -> Watch:
        return Watch(runs, jobs, progress)

    return Workshop(ROOT, jobs, gpus, args.gpus, git_commit(ROOT), watch)


def wanted_folds(args: argparse.Namespace, project: Project) -> list[int]:
    """Those of ``--only``, or all."""
    wrong = [fold for fold in args.only or () if fold not in project.folds]
    if wrong:
        raise _error('--only', wrong[0], f'folds from 0 to {len(project.folds) - 1}')
    return sorted(set(args.only or project.folds))


def check_options(args: argparse.Namespace, project: Project) -> None:
    """The ensemble needs images that no fold was trained on, and both it and flips models to test."""
    if args.ensemble and 'test' in project.settings.cut.splits:
        found = f'--pool {" ".join(project.settings.cut.splits)}'
        raise _error('--ensemble', found, 'a test split that no fold was trained on', 'add --pool train val')
    if args.ensemble or args.tta:
        option = '--ensemble' if args.ensemble else '--tta'
        if project.settings.average is not None:
            raise _error(option, 'a mean of scores', 'a config that is trained', 'leave it out')
        if not project.gives_scores:
            raise _error(option, 'a detector', 'a classifier: boxes are not averaged', 'leave it out')
    for option in ('gpus', 'jobs'):
        if getattr(args, option) is not None and getattr(args, option) < 1:
            raise _error(f'--{option}', getattr(args, option), 'a whole number from 1 on')


def require_one_place(project: Project) -> None:
    """Folds run in the repository: a set that is named from elsewhere would be another one there."""
    roots = [str(one.data_root) for split in SPLITS for one in datasets_of(project.cfg[f'{split}_dataloader'])]
    if Path.cwd() != ROOT and not all(Path(root).is_absolute() for root in roots):
        raise MammoError(
            project.config,
            field='data_root',
            found=f'{roots[0]}, from {Path.cwd().name}/',
            expected='the repository root, where the folds are made',
            remedy='run the command there, or give a full path: --cfg-options data_root=/…',
        )


def check_test_split(project: Project) -> None:
    """Read the index of the split that an ensemble scores: what is wrong is told before days of training."""
    require_data(project.cfg, ('test',))
    init_default_scope(project.cfg.get('default_scope', 'mmdet'))
    DATASETS.build(copy.deepcopy(project.cfg.test_dataloader.dataset))


def describe(args: argparse.Namespace, project: Project) -> dict[str, Any]:
    """What made the numbers."""
    cut = project.settings.cut
    return {
        'config': args.config,
        'cfg_options': args.cfg_options or {},
        'folds': cut.n,
        'fold_seed': cut.seed,
        'pool': list(cut.splits),
        'seed': project.settings.train_seed,
        'code': f'mmmammo {__version__}, commit {git_commit(ROOT) or "unknown"}',
    }


def retest(args: argparse.Namespace, project: Project, workshop: Workshop, console: Console) -> None:
    """The same folds with flips, into a folder of their own."""
    folders = {fold: project.folder / 'tta' / f'fold{fold}' for fold in project.folds}
    configs = {fold: project.fold_folder(fold) / 'config.py' for fold in project.folds}
    runs = [workshop.retest(project, fold, configs[fold], folders[fold], tta=True) for fold in project.folds]
    require_done(workshop.execute(runs))
    run = describe(args, project) | {'tta': 'flip'}
    tell_numbers(gather(folders, project.folder / 'tta', run), project.folder / 'tta', SCORES, console)


def ensemble(args: argparse.Namespace, project: Project, workshop: Workshop, console: Console) -> None:
    """The mean of the folds' models on the test split."""
    out = project.folder / ('ensemble-tta' if args.tta else 'ensemble')
    runs = [workshop.on_test_split(project, fold, out / f'fold{fold}', tta=args.tta) for fold in project.folds]
    require_done(workshop.execute(runs))
    run = describe(args, project) | ({'tta': 'flip'} if args.tta else {})
    tell_numbers(gather_average([member.folder for member in runs], out, run), out, SCORES, console)


def require_done(outcome: Outcome) -> None:
    """Stop where a run failed, or another process is at it."""
    for run, words in outcome.failed:
        raise _error(run.name, words, 'a test that ends', 'see log.txt in its folder')
    for run in outcome.elsewhere:
        raise _error(run.name, 'another process is making it', 'nobody at it', 'wait, and run the same command again')


def tell_numbers(document: dict[str, Any], folder: Path, rows: str, console: Console) -> None:
    """The table of the numbers, and where they and the rows behind them are."""
    console.print(numbers_table(document))
    console.print(f'{folder / rows}\n{folder / METRICS}', highlight=False, soft_wrap=True)


def tell_outcome(outcome: Outcome, project: Project, workshop: Workshop, console: Console) -> int | None:
    """What is missing, and the exit code; ``None`` if all folds are there."""
    for run, words in outcome.failed:
        console.print(f'\n{run.name} failed: {words}', highlight=False, markup=False)
    missing = [fold for fold in project.folds if not workshop.run_of(project, fold).is_complete]
    if not missing:
        return None
    names = ', '.join(map(str, missing))
    console.print(f'Not gathered yet: {project.folder} lacks folds {names}', highlight=False, soft_wrap=True)
    return 1 if outcome.failed else 0


def main() -> int:
    args = parse_args()
    console = Console()
    project = open_project(
        args.config,
        ROOT,
        args.store.absolute(),
        folder=args.work_dir and args.work_dir.absolute(),
        cfg_options=args.cfg_options,
        folds=args.folds,
        fold_seed=args.fold_seed,
        pool=args.pool,
        train_seed=args.seed,
    )
    folds = wanted_folds(args, project)
    check_options(args, project)
    require_one_place(project)
    for one in project.with_needs():
        make_inputs(with_renewed(one.cfg, dict.fromkeys(renewed_inputs(one.cfg), '')), ROOT)
        require_data(one.cfg, one.settings.cut.splits)
    if args.ensemble:
        check_test_split(project)
    console.print(counts_table(count_folds(project)))
    with bars(console) as progress:
        return make_all(args, project, folds, make_workshop(args, progress), console)


def make_all(args: argparse.Namespace, project: Project, folds: list[int], workshop: Workshop, console: Console) -> int:
    """Folds, then their scores together, then what else is asked for; the exit code."""
    code = tell_outcome(workshop.make(project, folds), project, workshop, console)
    if code is not None:
        return code
    folders = {fold: project.fold_folder(fold) for fold in project.folds}
    run = describe(args, project)
    if project.gives_scores:
        tell_numbers(gather(folders, project.folder, run), project.folder, SCORES, console)
    else:
        tell_numbers(gather_detections(project, folders, project.folder, run), project.folder, PREDICTIONS, console)
    if args.tta:
        retest(args, project, workshop, console)
    if args.ensemble:
        ensemble(args, project, workshop, console)
    return 0


def _error(where: str, found: object, expected: str, remedy: str = 'correct it') -> MammoError:
    return MammoError(where, field='option', found=found, expected=expected, remedy=remedy)


if __name__ == '__main__':
    cli.run(main, interrupted='run the same command to go on')
