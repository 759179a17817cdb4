"""Inputs that a config can make by itself: the phantom, and what is computed from a training set."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shlex
import subprocess
import sys
from pathlib import Path

from mmengine.config import Config

from mmmammo.apis.loaders import datasets_of
from mmmammo.io.whole_files import written_whole
from mmmammo.prepare.recorded import FACTS
from mmmammo.structures import MammoError

_MADE = '.made.json'
"""In a set: for each file that was made here, what it was made from, as digests."""


def make_inputs(cfg: Config, root: Path) -> None:
    """Run the commands of ``cfg.inputs`` whose product is missing, in order.

    Each entry is ``dict(makes=<path>, command='tools/… arguments')``. A set of real data is the user's download: what
    is computed from a set is not made before that is there. What was made here from files that have changed since, as
    when the set is prepared again, is made again; what others have made is left to them. A product outside of the
    folders that the dataloaders read (because ``--cfg-options`` pointed them elsewhere) is not made. Processes of one
    machine take turns, so that the first makes and the others find it made.

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
        if target.exists() and not _is_outdated(target, step.command):
            continue  # also where nothing can be written, as in a shared set
        if target.parent not in read or not (target.name == FACTS or (target.parent / FACTS).is_file()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with (target.parent / '.making').open('w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            outdated = _is_outdated(target, step.command)
            if outdated or not target.exists():
                _run(step.command, target, root, 'was made from files that have changed' if outdated else 'is missing')
                _note(target, step.command)


def _is_outdated(target: Path, command: str) -> bool:
    """Whether a file was made here from others than those that are there now."""
    made_from = _notes(target.parent).get(target.name)
    return target.exists() and made_from is not None and made_from != _digests(target, command)


def _digests(target: Path, command: str) -> dict[str, str]:
    """What a command reads of the set that its product lies in: SHA-256 by path within that."""
    files = [Path(word) for word in shlex.split(command) if Path(word).is_file() and Path(word) != target]
    inside = [path for path in files if path.is_relative_to(target.parent)]
    return {path.relative_to(target.parent).as_posix(): _sha256(path) for path in inside}


def _sha256(path: Path) -> str:
    with path.open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def _notes(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / _MADE
    return dict(json.loads(path.read_text(encoding='utf-8'))) if path.is_file() else {}


def _note(target: Path, command: str) -> None:
    if not _digests(target, command):
        return
    with written_whole(target.parent / _MADE) as file:
        json.dump(_notes(target.parent) | {target.name: _digests(target, command)}, file)


def _run(command: str, target: Path, root: Path, why: str) -> None:
    script, *arguments = shlex.split(command)
    print(f'{target} {why}; making it: python {command}', flush=True)
    done = subprocess.run([sys.executable, str(root / script), *arguments], check=False)
    if done.returncode or not target.exists():
        raise MammoError(
            target,
            field='inputs',
            found=f'`python {command}` ended with code {done.returncode}',
            expected=f'{target}',
            remedy='see its message above; the same command goes on where it was',
        )
