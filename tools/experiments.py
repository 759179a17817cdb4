#!/usr/bin/env python
"""Train and test every model of a table, and write the table into its page.

Examples:
    python tools/experiments.py configs/agrcnn/experiments.yaml
    python tools/experiments.py configs/agrcnn/experiments.yaml --only maskrcnn agrcnn --seeds 0
    python tools/experiments.py configs/agrcnn/experiments.yaml --shard 2/4       (the second of four machines)
    python tools/experiments.py configs/agrcnn/experiments.yaml --collect         (only count what is there)
    python tools/experiments.py configs/agrcnn/experiments.yaml --render          (only write the page from its JSON)
    python tools/experiments.py configs/agrcnn/experiments.yaml --skip-counted  (runs lost, numbers kept)

Stop it whenever you like, and give the same command to go on: what is complete is kept, an interrupted training goes on
from its latest checkpoint. Several at a time, here or on machines that share OUT, never make the same run twice; after
machines that share nothing, copy their OUT folders into one and --collect. A config that changes gets new runs.
Trainings that the JSON counts stay in it and on the page when their runs are lost, until their config changes, and
others are added to them.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from mmmammo import cli
from mmmammo.apis.arguments import make_parser
from mmmammo.apis.arguments import shard as share_of
from mmmammo.evaluation.summary import write_document
from mmmammo.experiments import Outcome, Plan, Run, collect, execute, put_between_marks, read_plan, render
from mmmammo.experiments.counted import counted_rows, wanted_runs
from mmmammo.experiments.schedule import plan_runs, shard
from mmmammo.experiments.watch import Watch, bars
from mmmammo.provenance import git_commit
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument('plan', type=Path, help='which models, a YAML file')
    parser.add_argument('--only', nargs='+', default=[], metavar='ROW', help='names of rows (default: all)')
    parser.add_argument('--seeds', nargs='+', type=int, metavar='SEED', help='leave out other seeds')
    parser.add_argument('--out', type=Path, help='folder of all runs (default: work_dirs/experiments/<its name>)')
    parser.add_argument('--shard', type=share_of, default=(1, 1), metavar='I/N', help='make the I-th of N parts')
    parser.add_argument(
        '--jobs', type=_whole, help='runs at a time (default: one per GPU; without a GPU one per core, of one thread)'
    )
    parser.add_argument('--replicates', type=_whole, default=2000, help='draws of patients for intervals (2000)')
    parser.add_argument(
        '--skip-counted',
        action='store_true',
        help='leave out runs that the JSON counts already, unless others are compared with them',
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument('--collect', action='store_true', help='run nothing; read what is complete and write the page')
    mode.add_argument('--render', action='store_true', help='run and read nothing; write the page from its JSON')
    return parser.parse_args()


def _whole(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'found {text}; expected a whole number from 1 on')
    return int(text)


def make(args: argparse.Namespace, runs: list[Run], console: Console) -> Outcome:
    """The runs that are missing."""
    gpus = torch.cuda.device_count()
    jobs = args.jobs or gpus or os.cpu_count() or 1
    with bars(console) as progress:
        return execute(runs, ROOT, jobs=jobs, gpus=gpus, commit=git_commit(ROOT), report=Watch(runs, jobs, progress))


def read_results(plan: Plan) -> dict[str, Any] | None:
    """What the JSON says; ``None`` where there is none yet."""
    path = plan.results_path
    return json.loads(path.read_text(encoding='utf-8')) if path.is_file() else None


def write_page(plan: Plan) -> None:
    """The page from its JSON."""
    results = read_results(plan)
    page = plan.page_path.read_text(encoding='utf-8')
    plan.page_path.write_text(put_between_marks(page, plan.name, render(plan, results)), encoding='utf-8')


def tell(outcome: Outcome, console: Console) -> int:
    """What went wrong or waits, and the exit code."""
    for run, words in outcome.failed:
        console.print(f'\n{run.name} failed: {words}', highlight=False, markup=False)
    if outcome.elsewhere:
        names = '; '.join(run.name for run in outcome.elsewhere)
        console.print(f'Being made by another process, not counted yet: {names}', highlight=False)
    if outcome.waiting:
        names = '; '.join(run.name for run in outcome.waiting)
        console.print(f'Means that wait for the runs they are of: {names}', highlight=False)
    return 1 if outcome.failed else 0


def main() -> int:
    args = parse_args()
    console = Console()
    plan = read_plan(args.plan)
    put_between_marks(plan.page_path.read_text(encoding='utf-8'), plan.name, '')  # refused now, not after a day
    if args.render:
        write_page(plan)
        return 0
    out = args.out or ROOT / 'work_dirs' / 'experiments' / plan.name
    runs = plan_runs(plan, ROOT, out, args.only, args.seeds)
    if args.skip_counted:
        runs = wanted_runs(plan, runs, counted_rows(plan, plan_runs(plan, ROOT, out), read_results(plan)))
    wanted, means = shard([run for run in runs if not run.parts], *args.shard), [run for run in runs if run.parts]
    if not wanted and not means and not args.skip_counted:
        raise MammoError(args.plan, field='runs', found='none', expected='some', remedy='change --seeds or --shard')
    outcome = Outcome() if args.collect else make(args, wanted, console)
    outcome.add(execute(means, ROOT, commit=git_commit(ROOT)))  # seconds each, so that --collect makes them too
    command = shlex.join(['python', 'tools/experiments.py', os.path.relpath(plan.path, ROOT)])
    results = collect(plan, plan_runs(plan, ROOT, out), command, args.replicates, read_results(plan))
    write_document(plan.results_path, results)
    write_page(plan)
    made = sum(len(row['seeds']) for row in results['rows'])
    console.print(f'{made} complete runs of {len(results["rows"])} rows: {plan.results_path}, {plan.page_path}')
    return tell(outcome, console)


if __name__ == '__main__':
    cli.run(main, interrupted='run the same command to go on')
