"""A plan of two rows, and tools that only pretend to train."""

PLAN = """
name: toy
reference: plain
metrics: {froc/recall@1.00: R@1, ap/0.50: AP50, other: else}
seeds: [0, 1]
rows:
  - {name: plain, config: configs/plain.py, paper: {froc/recall@1.00: 79.8}}
  - {name: graph, config: configs/graph.py, seeds: [0], cfg_options: {model.k: 1}}
tables:
  - {title: All, rows: {plain: Plain, graph: Graph}}
  - {title: One, rows: {graph: Graph}, metrics: [other], note: A note.}
"""

TRAIN = """
import argparse, pathlib, sys, time
parser = argparse.ArgumentParser()
for name in ('config', '--work-dir', '--seed', '--cfg-options'):
    parser.add_argument(name)
parser.add_argument('--resume', action='store_true')
args = parser.parse_args()
work = pathlib.Path(args.work_dir)
if 'broken' in args.config:
    sys.exit('no luck')
first = 2 if args.resume else 1
for epoch in range(first, 3):
    print(f'Epoch(train) [{epoch}][1/1] loss: 1', flush=True)
    (work / f'epoch_{epoch}.pth').write_text(f'seed {args.seed}')
    (work / 'last_checkpoint').write_text(str(work / f'epoch_{epoch}.pth'))
    if 'slow' in args.config and not args.resume:
        (work / 'started').touch()
        time.sleep(60)
"""

TEST = """
import json, pathlib, sys
work = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])
checkpoint = pathlib.Path(sys.argv[2])
assert checkpoint.is_file(), checkpoint
seed = int(checkpoint.read_text().split()[1])
metrics = {'froc/recall@1.00': 0.5 + 0.1 * seed, 'ap/0.50': 0.25, 'other': None}
(work / 'metrics.json').write_text(json.dumps({'metrics': metrics}))
"""

CROSSVAL = """
import argparse, pathlib
parser = argparse.ArgumentParser()
for name in ('config', '--work-dir', '--seed', '--folds', '--jobs', '--cfg-options'):
    parser.add_argument(name)
args = parser.parse_args()
for fold in range(int(args.folds)):
    print(f'x, fold {fold}: complete (1 min)', flush=True)
if 'elsewhere' not in args.config:
    (pathlib.Path(args.work_dir) / 'metrics.json').write_text('{"metrics": {"froc/recall@1.00": 0.5}}')
"""

AVERAGE = """
import argparse, pathlib
parser = argparse.ArgumentParser()
parser.add_argument('runs', nargs='+')
for name in ('--out', '--scale'):
    parser.add_argument(name)
args = parser.parse_args()
assert all((pathlib.Path(run) / 'metrics.json').is_file() for run in args.runs)
(pathlib.Path(args.out) / 'metrics.json').write_text('{"metrics": {"froc/recall@1.00": 0.7}}')
"""
