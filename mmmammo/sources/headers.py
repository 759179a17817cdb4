"""Headers of many files, told as they are read: those of an archive take hours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from rich.progress import Progress, TaskID

from mmmammo.io import MammogramError, read_meta
from mmmammo.structures import MammogramMeta

Told = Callable[[int, int], None]

_MANY = 500  # files; for fewer nobody waits
_listener: ContextVar[Told | None] = ContextVar('listener', default=None)


@contextmanager
def headers_told(listener: Told) -> Iterator[None]:
    """Have :func:`read_headers` say how far it is, wherever a source calls it.

    Args:
        listener: Called with how many headers of how many have been read.
    """
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


@contextmanager
def headers_on(progress: Progress) -> Iterator[None]:
    """A line of a progress bar while a source reads the headers of many files."""
    tasks: list[TaskID] = []

    def tell(done: int, total: int) -> None:
        if total < _MANY:
            return
        if not tasks:
            tasks.append(progress.add_task('reading headers', total=total))
        progress.update(tasks[0], completed=done)

    with headers_told(tell):
        yield


def read_headers(paths: Sequence[Path]) -> Iterator[MammogramMeta | None]:
    """The header of each file in turn; ``None`` where it cannot be read, as is told when the image is prepared."""
    listener = _listener.get()
    for done, path in enumerate(paths, 1):
        try:
            meta = read_meta(path)
        except MammogramError:
            meta = None
        if listener is not None:
            listener(done, len(paths))
        yield meta
