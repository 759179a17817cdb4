"""Run a command quietly: its output goes to a log, the terminal shows what goes on and for how long."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bootstrap.errors import diagnose

HEARTBEAT_S = 30.0
LATEST_BYTES = 200_000
INDENT = ' ' * 6


def spoken(seconds: float) -> str:
    """A duration for people: ``'2.4 s'``, ``'8 min 24 s'``."""
    if seconds < 60:
        return f'{seconds:.1f} s'
    return f'{int(seconds) // 60} min {int(seconds) % 60} s'


class Meter:
    """Shows a step while it runs: one line rewritten on a terminal, a line every half minute elsewhere.

    Args:
        title: What is being done.
        hint: How long that is going to take, or the like.
    """

    def __init__(self, title: str, hint: str = '') -> None:
        self.title = title
        self.started = time.monotonic()
        self._last_beat = self.started
        self._rewrites = sys.stdout.isatty()
        self._hint = f' ({hint})' if hint else ''
        print(title + self._hint, end='' if self._rewrites else '\n', flush=True)

    @property
    def elapsed(self) -> str:
        """Time since the step began."""
        return spoken(time.monotonic() - self.started)

    def beat(self, progress: str = '') -> None:
        """Say that the step is still at work."""
        note = f'{progress}, {self.elapsed}' if progress else self.elapsed
        if self._rewrites:
            line = f'{self.title}: {note}{self._hint}'[: shutil.get_terminal_size().columns - 1]
            print(f'\r\033[K{line}', end='', flush=True)
        elif time.monotonic() - self._last_beat >= HEARTBEAT_S:
            self._last_beat = time.monotonic()
            print(f'{INDENT}… {note}', flush=True)

    def done(self, result: str = 'done') -> None:
        """Say that it is finished and how long it took."""
        start = f'\r\033[K{self.title}: ' if self._rewrites else INDENT
        print(f'{start}{result} ({self.elapsed})', flush=True)


@contextmanager
def terminating(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End the process and everything it started if this block is left early, e.g. by Ctrl-C."""
    try:
        yield
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        raise


def run(
    command: Sequence[str | Path],
    log: Path,
    meter: Meter,
    *,
    env: Mapping[str, str],
    progress: Callable[[str], str] = lambda output: '',
) -> None:
    """Run one command of a step.

    Args:
        command: Program and arguments.
        log: Its output is added here.
        meter: Shows that it is running.
        env: The whole environment of the command.
        progress: Makes a short note from the latest output.

    Raises:
        SetupError: If it fails; with the cause if the output tells.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('ab') as stream:
        stream.write(f'$ {" ".join(map(str, command))}\n'.encode())
        stream.flush()
        start = stream.tell()
        process = subprocess.Popen(
            [str(part) for part in command], stdout=stream, stderr=subprocess.STDOUT, env=env, start_new_session=True
        )
        with terminating(process):
            while not _ended(process):
                meter.beat(progress(_latest(log, start)))
    if process.returncode:
        raise diagnose(meter.title, _latest(log, start), log)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Wait a second at most."""
    try:
        process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return False
    return True


def _latest(log: Path, start: int) -> str:
    """The end of what has been written to the log since ``start``."""
    with log.open('rb') as stream:
        stream.seek(max(start, log.stat().st_size - LATEST_BYTES))
        return stream.read().decode(errors='replace')
