"""Run a command quietly: its output goes to a log, the terminal shows what goes on and for how long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bootstrap.errors import diagnose

HEARTBEAT_S = 30.0


def spoken(seconds: float) -> str:
    """A duration for people: ``'2.4 s'``, ``'8 min 24 s'``."""
    if seconds < 60:
        return f'{seconds:.1f} s'
    return f'{int(seconds) // 60} min {int(seconds) % 60} s'


class Meter:
    """Shows a step while it runs: one line rewritten on a terminal, a line every half minute elsewhere.

    Args:
        title: What is being done.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self._last_beat = self.started
        self._rewrites = sys.stdout.isatty()
        print(title, end='' if self._rewrites else '\n', flush=True)

    @property
    def elapsed(self) -> str:
        """Time since the step began."""
        return spoken(time.monotonic() - self.started)

    def beat(self, progress: str) -> None:
        """Say that the step is still at work."""
        if self._rewrites:
            print(f'\r\033[K{self.title} {progress} {self.elapsed}', end='', flush=True)
        elif time.monotonic() - self._last_beat >= HEARTBEAT_S:
            self._last_beat = time.monotonic()
            print(f'      … {progress} {self.elapsed}'.replace('  …', ' …'), flush=True)

    def done(self, result: str = '') -> None:
        """Say that it is finished and how long it took."""
        start = f'\r\033[K{self.title}: ' if self._rewrites else '      '
        print(f'{start}{result or "done"} ({self.elapsed})', flush=True)


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
    version: str,
    env: Mapping[str, str],
    progress: Callable[[str], str] = lambda text: '',
) -> None:
    """Run one command of a step.

    Args:
        command: Program and arguments.
        log: Its output is added here.
        meter: Shows that it is running.
        version: Python version, for remedies.
        env: The whole environment of the command.
        progress: Makes a short note from the log so far.

    Raises:
        SetupError: If it fails; with the cause if the log tells.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('ab') as stream:
        start = stream.tell()
        stream.write(f'$ {" ".join(map(str, command))}\n'.encode())
        stream.flush()
        process = subprocess.Popen(
            [str(part) for part in command], stdout=stream, stderr=subprocess.STDOUT, env=env, start_new_session=True
        )
        with terminating(process):
            while process.poll() is None:
                meter.beat(progress(log.read_text(errors='replace')[start:]))
                time.sleep(0.2)
    if process.returncode:
        raise diagnose(meter.title.strip(), log, version)
