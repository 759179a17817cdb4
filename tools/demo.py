#!/usr/bin/env python
"""The main job on synthetic exams: prepare, train, test, report, infer.

Example:
    make demo        (the same as: python tools/demo.py)

Every step is a command that you could type; it is printed before it runs. A second run trains again but makes the
exams only once.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mmmammo import cli
from mmmammo.io.exam_index import read_index
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = {
    'Mask R-CNN': 'configs/agrcnn/maskrcnn_phantom_smoke.py',
    'AG-RCNN': 'configs/agrcnn/agrcnn_phantom_smoke.py',
}
DATA = Path('data/phantom_smoke')
OUT = Path('demo_out')


def run(command: str, log: Path, console: Console) -> None:
    """Run one of our commands; its full output goes to a log, what tells of progress to the terminal."""
    console.print(f'\n$ python {command}', style='bold', highlight=False, soft_wrap=True)
    started = time.perf_counter()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('w', encoding='utf-8') as file:
        process = subprocess.Popen(
            [sys.executable, *shlex.split(command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        for line in process.stdout or ():
            file.write(line)
            if worth_showing(line):
                console.print(f'  {line.rstrip()}'[: console.width], highlight=False, markup=False)
        code = process.wait()
    if code:
        tail = ''.join(log.read_text(encoding='utf-8').splitlines(keepends=True)[-5:])
        raise MammoError(
            f'python {command}',
            field='exit code',
            found=f'{code}\n{tail}',
            expected='0',
            remedy=f'see {log}; `python -m mmmammo.doctor` checks the installation',
        )
    console.print(f'  took {time.perf_counter() - started:.0f} s; all it said: {log}', style='dim', highlight=False)


def worth_showing(line: str) -> bool:
    """Progress, stages and errors; not the config and hooks that a run logs first."""
    return any(mark in line for mark in ('Epoch(', 'Stage ', 'making', 'preparing', 'error:', 'panel:', ' detection'))


def exam_with_most_findings(index: Path) -> str:
    """Its name; the first among equals."""
    findings = Counter[str]()
    for image in read_index(index).images:
        findings[image.exam_id] += len(image.findings)
    return findings.most_common(1)[0][0]


def show(results: dict[str, dict[str, float]], console: Console) -> None:
    """The FROC table of both models, side by side."""
    lesions, images = (int(next(iter(results.values()))[f'froc/n_{what}']) for what in ('lesions', 'images'))
    table = Table(title=f'Recall, {lesions} phantom lesions in {images} images')
    table.add_column('false positives per image')
    for name in results:
        table.add_column(name, justify='right')
    keys = [key for key in next(iter(results.values())) if key.startswith('froc/recall@')]
    for key in [key for key in keys if not key.endswith(('_low', '_high'))]:
        values = [metrics[key] for metrics in results.values()]
        table.add_row(key.split('@')[1], *('not defined' if value is None else f'{value:.3f}' for value in values))
    console.print()
    console.print(table)
    console.print('A synthetic set and minutes of training: this shows that it works, not how well it detects.')


def main() -> int:
    argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog=__doc__.split('\n', 2)[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    console = Console()
    started = time.perf_counter()
    results = {}
    for name, config in CONFIGS.items():
        stem = Path(config).stem
        work_dir = OUT / stem
        report = OUT / f'{stem}_report'
        run(f'tools/train.py {config} --work-dir {work_dir}', OUT / 'logs' / f'train_{stem}.log', console)
        checkpoint = (ROOT / work_dir / 'last_checkpoint').read_text().strip()
        checkpoint = Path(checkpoint).relative_to(ROOT) if Path(checkpoint).is_absolute() else checkpoint
        run(
            f'tools/test.py {config} {checkpoint} --work-dir {work_dir} --report {report}',
            OUT / 'logs' / f'test_{stem}.log',
            console,
        )
        results[name] = json.loads((ROOT / report / 'metrics.json').read_text())['metrics']
    exam = DATA / 'raw' / exam_with_most_findings(ROOT / DATA / 'annotations' / 'test.json')
    run(f'tools/infer.py {config} {checkpoint} {exam} --out {OUT / "infer"}', OUT / 'logs' / 'infer.log', console)
    show(results, console)
    for name, config in CONFIGS.items():
        console.print(f'Report of {name}: {OUT / (Path(config).stem + "_report") / "report.html"}', highlight=False)
    console.print(f'Panel of one exam: {OUT / "infer" / "panels"}', highlight=False)
    console.print(f'The demo took {time.perf_counter() - started:.0f} s.', highlight=False)
    return 0


if __name__ == '__main__':
    cli.run(main)
