"""Many items through an executor: a bounded number at a time, and none can take the others down with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from itertools import chain
from typing import Any, TypeVar

import cv2

from mmmammo.memory import keep_freed_memory
from mmmammo.structures import MammoError

T = TypeVar('T')
_IN_FLIGHT_PER_WORKER = 4
DEAD_PROCESS = (
    'process: found dead while it prepared this file; expected a result. '
    'Remedy: see whether the machine ran out of memory; else report the file, a decoder crashes on it'
)


class BoundedPool:
    """Runs items and hands them back as they are done.

    A worker that dies (out of memory, a decoder that crashes) breaks a process pool with everything in flight. Then the
    pool is made anew, and what was in flight is tried again, one by one, so that only the guilty item fails; then the
    rest goes on.

    Args:
        workers: Processes.
        executor: Any ``concurrent.futures`` executor to use instead of local processes, e.g. the ``get_executor()`` of
            a Dask client. It is neither renewed nor shut down.

    Raises:
        MammoError: If there are no workers.
    """

    def __init__(self, workers: int, executor: Executor | None = None) -> None:
        check_workers(workers)
        self.workers = workers
        self._given = executor
        self._own: Executor | None = None

    def __enter__(self) -> BoundedPool:
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    def run(self, work: Callable[[T], Any], items: Iterable[T]) -> Iterator[tuple[T, Future[Any]]]:
        """Yield each item with its finished future, in any order."""
        rest = iter(items)
        for first in rest:
            suspects: list[T] = []
            items = chain([first], _until(rest, suspects))
            for item, future in self._run(work, items, _IN_FLIGHT_PER_WORKER * self.workers):
                if isinstance(future.exception(), BrokenExecutor):
                    suspects.append(item)
                else:
                    yield item, future
            yield from self._run(work, suspects, 1)

    def _run(self, work: Callable[[T], Any], items: Iterable[T], limit: int) -> Iterator[tuple[T, Future[Any]]]:
        pending: dict[Future[Any], T] = {}
        for item in items:
            pending[self._submit(work, item)] = item
            if len(pending) >= limit:
                yield from _finished(pending)
        while pending:
            yield from _finished(pending)

    def _submit(self, work: Callable[[T], Any], item: T) -> Future[Any]:
        if self._given is not None:
            return self._given.submit(work, item)
        try:
            return self._processes().submit(work, item)
        except BrokenExecutor:
            self._drop()
            return self._processes().submit(work, item)

    def _processes(self) -> Executor:
        if self._own is None:
            self._own = local_processes(self.workers)
        return self._own

    def _drop(self) -> None:
        if self._own is not None:
            self._own.shutdown(wait=True, cancel_futures=True)
        self._own = None


def check_workers(workers: int) -> None:
    """Refuse a number of processes that can do nothing.

    Raises:
        MammoError: If there are no workers.
    """
    if workers < 1:
        raise MammoError('pool', field='workers', found=workers, expected='at least 1', remedy='change --workers')


def local_processes(workers: int) -> Executor:
    """Spawned, because a fork of a process with threads (a progress bar has one) may hang."""
    context = multiprocessing.get_context('spawn')
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)


def limit_threads() -> None:
    """One thread per worker: the parallelism is that of the workers."""
    cv2.setNumThreads(1)


def set_up_worker() -> None:
    """In a process that does nothing but prepare images: one thread, and memory kept for the next image."""
    limit_threads()
    keep_freed_memory()


def _until(items: Iterator[T], stop: list[T]) -> Iterator[T]:
    """Items for as long as a list is empty; the others stay where they are."""
    while not stop:
        try:
            yield next(items)
        except StopIteration:
            return


def _finished(pending: dict[Future[Any], T]) -> Iterator[tuple[T, Future[Any]]]:
    """Wait for at least one and take what is done out of ``pending``."""
    for future in wait(pending, return_when=FIRST_COMPLETED).done:
        yield pending.pop(future), future


def _start_worker() -> None:
    """Set up for images; Ctrl-C is the parent's to handle, and a killed parent leaves no worker behind."""
    set_up_worker()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
