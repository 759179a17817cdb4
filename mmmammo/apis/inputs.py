"""Inputs that a config can make by itself: the phantom, and what is computed from a training set."""

from __future__ import annotations

import fcntl
import shlex
import subprocess
import sys
from pathlib import Path

from mmengine.config import Config

from mmmammo.apis.loaders import datasets_of
from mmmammo.prepare.recorded import FACTS
from mmmammo.structures import MammoError


def make_inputs(cfg: Config, root: Path) -> None:
    """Run the commands of ``cfg.inputs`` whose product is missing, in order.

    Each entry is ``dict(makes=<path>, command='tools/… arguments')``. A set of real data is the user's download: what
    is computed from a set is not made before that is there. A product outside of the folders that the dataloaders read
    (because ``--cfg-options`` pointed them elsewhere) is not made. Processes of one machine take turns, so that the
    first makes and the others find it made.

    Args:
        cfg: A config.
        root: Folder that the commands' scripts are relative to.

    Raises:
        MammoError: If a command fails or does not make what it should.
    """
    loaders = [cfg[f'{split}_dataloader'] for split in ('train', 'val', 'test')]
    read = {Path(dataset.data_root) for loader in loaders for dataset in datasets_of(loader)}
    for step in cfg.get('inputs', []):
        target = Path(step.makes)
        if target.exists():
            continue  # also where nothing can be written, as in a shared set
        if target.parent not in read or not (target.name == FACTS or (target.parent / FACTS).is_file()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with (target.parent / '.making').open('w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.exists():
                _run(step.command, target, root)


def _run(command: str, target: Path, root: Path) -> None:
    script, *arguments = shlex.split(command)
    print(f'{target} is missing; making it: python {command}', flush=True)
    done = subprocess.run([sys.executable, str(root / script), *arguments], check=False)
    if done.returncode or not target.exists():
        raise MammoError(
            target,
            field='inputs',
            found=f'`python {command}` ended with code {done.returncode}',
            expected=f'{target}',
            remedy='see its message above; the same command goes on where it was',
        )
