"""Two makes at once take turns."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootstrap.runner import INDENT, Meter


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file; while another process has it, wait and say so. A process that dies lets go of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w') as stream:
        if not _try_lock(stream):
            meter = Meter(f'{INDENT}another make is at the same work; waiting for its end')
            while not _try_lock(stream):
                meter.beat()
                time.sleep(0.5)
            meter.done('it has ended')
        yield


def _try_lock(stream: object) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
