"""The command line of set-up."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from bootstrap.errors import SetupError
from bootstrap.host import detect_backend
from bootstrap.locks import locked
from bootstrap.mmcv_wheel import cache_folder, forget_wheel
from bootstrap.project import Project, Stamp
from bootstrap.runner import spoken
from bootstrap.steps import Setup

ROOT = Path(__file__).resolve().parents[2]
EPILOG = """
Examples:
    python3 tools/setup_env.py                   the same as `make setup`; instant if there is nothing to do
    python3 tools/setup_env.py --fresh           make .venv anew, if it got broken
    MMMAMMO_OPS=cpu python3 tools/setup_env.py   CPU operators on a machine with a GPU

Environment variables: MMMAMMO_CACHE (compiled wheels; default ~/.cache/mmmammo), MMMAMMO_OPS=cpu, MAX_JOBS, CXX,
CUDA_HOME. Logs are in .setup/. Ctrl-C is safe at any time: the next run goes on from there.
"""


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='tools/setup_env.py',
        description='Make .venv ready: pinned packages, mmcv with compiled operators, mmmammo itself, each checked.',
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--fresh', action='store_true', help='make .venv anew')
    parser.add_argument('--rebuild-mmcv', action='store_true', help='compile mmcv again')
    return parser.parse_args()


def ensure(project: Project, *, fresh: bool, rebuild_mmcv: bool) -> None:
    """Set up unless that has been done.

    Args:
        project: The clone.
        fresh: Throw .venv away first.
        rebuild_mmcv: Throw the compiled mmcv away first.

    Raises:
        SetupError: From the step that cannot be done.
    """
    backend = detect_backend(project.pinned_cuda, os.environ)
    wanted = Stamp.of(project, backend.tag)
    redo = fresh or rebuild_mmcv
    if not redo and is_ready(project, wanted):
        return
    with locked(project.work / 'lock'):
        if not redo and is_ready(project, wanted):
            return
        started = time.monotonic()
        print('Setting up .venv (two cores: 9 minutes the first time, 2 minutes in a later clone)', flush=True)
        setup = Setup(project, backend, cache_folder(os.environ))
        clear(project, setup, fresh=fresh, rebuild_mmcv=rebuild_mmcv)
        setup.install()
        wanted.write(project)
        shutil.rmtree(project.work / 'tmp', ignore_errors=True)
        print(f'Ready in {spoken(time.monotonic() - started)}', flush=True)


def is_ready(project: Project, wanted: Stamp) -> bool:
    """Whether an earlier run did all that is wanted."""
    stamp = Stamp.read(project)
    return stamp is not None and stamp.satisfies(wanted)


def clear(project: Project, setup: Setup, *, fresh: bool, rebuild_mmcv: bool) -> None:
    """Remove what the user wants anew, the stamp, and the logs and temporary files of the last run."""
    Stamp.remove(project)
    if fresh:
        shutil.rmtree(project.venv, ignore_errors=True)
    if rebuild_mmcv:
        forget_wheel(setup.cache, setup.key)
    shutil.rmtree(project.work / 'tmp', ignore_errors=True)
    for log in sorted(project.work.glob('*.log')):
        log.unlink()


def interrupt(signum: int, frame: object) -> NoReturn:
    """Treat a request to end, or a closed terminal, as Ctrl-C."""
    raise KeyboardInterrupt


def main() -> int:
    """Set up, and end in one message if that fails."""
    args = parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        ensure(Project(ROOT), fresh=args.fresh, rebuild_mmcv=args.rebuild_mmcv)
    except SetupError as err:
        print(f'\n{err}', file=sys.stderr)
        return 1
    except OSError as err:
        print(f'\n{SetupError(f"{err.filename}: {err.strerror}", "mend its permissions or its disk")}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nsetup interrupted\n  remedy: run make again; it goes on from here', file=sys.stderr)
        return 130
    return 0
