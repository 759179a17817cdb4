#!/usr/bin/env python
"""Draw the training losses of one or more runs over their epochs, with the stages of staged trainings (paper 3).

Example:
    python tools/analysis/plot_losses.py work_dirs/maskrcnn_phantom work_dirs/agrcnn_phantom --out work_dirs/plots

Reads the scalars.json files and the config that mmengine leaves in a work dir. Of a training that was interrupted all
parts are read; what it did twice is shown as it went the second time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config

from mmmammo import cli
from mmmammo.apis.arguments import make_parser
from mmmammo.structures import MammoError
from mmmammo.visualization.analysis_plots import LossCurve, draw_losses
from mmmammo.visualization.figures import Plot, save_plots


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a scalars.json; the last one may have been cut off by a kill."""
    lines = path.read_text(encoding='utf-8').splitlines()
    for i, line in enumerate(lines):
        try:
            yield json.loads(line)
        except ValueError as err:
            if i < len(lines) - 1:
                raise MammoError(
                    path, field=f'line {i + 1}', found=line[:60], expected='JSON', remedy='leave the file out'
                ) from err


def read_curve(work_dir: Path, key: str) -> LossCurve:
    """One number of a run, over epochs.

    Raises:
        MammoError: If the work dir holds no such number.
    """
    by_step: dict[int, tuple[int, float]] = {}
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        logged = [record for record in records(path) if key in record and 'epoch' in record]
        if logged:  # a resumed part replaces what came after its checkpoint
            by_step = {step: value for step, value in by_step.items() if step < logged[0]['step']}
            by_step |= {record['step']: (record['epoch'], record[key]) for record in logged}
    if not by_step:
        raise MammoError(
            work_dir,
            field='scalars.json',
            found=f'none with {key!r}',
            expected='a work dir of tools/train.py',
            remedy='train first, or give another --key',
        )
    steps, values = np.array(sorted(by_step)), [by_step[step] for step in sorted(by_step)]
    # the last step logged in epoch e is at most e whole epochs; the last epoch of all may have been cut off
    per_epoch = max(step / epoch for step, (epoch, _) in zip(steps, values, strict=True))
    return LossCurve(steps / per_epoch, np.array([value for _, value in values]), stages_of(work_dir))


def stages_of(work_dir: Path) -> tuple[tuple[float, str], ...]:
    """Where the stages of a staged training begin; none for others."""
    for path in sorted(work_dir.glob('*.py')):
        for hook in Config.fromfile(path).get('custom_hooks', []):
            if hook.type == 'mmmammo.StagedTrainingHook':
                ends = np.cumsum([0, *(stage.epochs for stage in hook.stages)])
                return tuple((float(end), stage.name) for end, stage in zip(ends, hook.stages, strict=False))
    return ()


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument('work_dirs', nargs='+', type=Path, help='of tools/train.py')
    parser.add_argument('--key', default='loss', help='e.g. loss_bbox (loss)')
    parser.add_argument('--out', type=Path, required=True, help='folder of the picture')
    args = parser.parse_args()
    figure = draw_losses({path.name: read_curve(path, args.key) for path in args.work_dirs})
    for path in save_plots([Plot('losses', figure, 'Losses', 'Losses')], args.out):
        print(path)
    return 0


if __name__ == '__main__':
    cli.run(main)
