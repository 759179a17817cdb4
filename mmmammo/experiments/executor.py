"""Make the runs that are missing: several at a time, each in a process of its own, resumable at any moment.

A run is taken by locking a file in its folder. The lock passes to the process that trains: should this one be killed, a
training that survives it keeps its run from being taken twice, and what it leaves is gone on with.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from mmmammo.experiments.runs import METRICS, STEPS, Run

_ITERATION = re.compile(r'Epoch\(train\)\s+\[(\d+)\]\[\s*(\d+)/(\d+)\]')
_FOLD = re.compile(r', fold (\d+): complete')
_TAIL = 15
LOG = 'log.txt'

Report = Callable[[Run, str, float], None]
"""(run, what it does, how much of its training is done)."""


@dataclass
class Outcome:
    """What became of the runs.

    Args:
        done: Complete now, and were not before.
        elsewhere: Another process is at them.
        failed: With their last words.
        waiting: Means of runs that are not complete.
    """

    done: list[Run] = field(default_factory=list)
    elsewhere: list[Run] = field(default_factory=list)
    failed: list[tuple[Run, str]] = field(default_factory=list)
    waiting: list[Run] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Take in what became of further runs."""
        self.done += other.done
        self.elsewhere += other.elsewhere
        self.failed += other.failed
        self.waiting += other.waiting


def execute(
    runs: Sequence[Run],
    root: Path,
    *,
    jobs: int = 1,
    gpus: int = 0,
    commit: str | None = None,
    report: Report = lambda *_: None,
) -> Outcome:
    """Train and test, cross-validate, or average what is not complete and waits for nothing.

    Args:
        runs: In the order of their turn.
        root: Folder with ``tools/``.
        jobs: How many at a time. The cores are shared out among them.
        gpus: How many there are; job ``i`` sees GPU ``i % gpus`` alone.
        commit: Added to the records.
        report: Called as runs go on, from several threads.

    Returns:
        What became of them. After Ctrl-C the trainings are stopped and the exception goes on.
    """
    missing = [run for run in runs if not run.is_complete]
    ready = [run for run in missing if run.is_ready]
    outcome = _Executor(root, jobs, gpus, commit, report).execute(ready)
    outcome.waiting += [run for run in missing if run not in ready]
    return outcome


class _Executor:
    def __init__(self, root: Path, jobs: int, gpus: int, commit: str | None, report: Report) -> None:
        self.root, self.jobs, self.gpus, self.commit, self.report = root, jobs, gpus, commit, report
        self.outcome = Outcome()
        self.slots = list(range(jobs))
        self.processes: set[subprocess.Popen[str]] = set()
        self.stopped = threading.Event()

    def execute(self, runs: Sequence[Run]) -> Outcome:
        with ThreadPoolExecutor(self.jobs) as pool:
            futures = [pool.submit(self._make, run) for run in runs]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                self._stop()
                raise
        return self.outcome

    def _stop(self) -> None:
        """Ask the processes to end; threads that wait for them, and those that come after, then end too."""
        self.stopped.set()
        for process in list(self.processes):
            process.terminate()

    def _make(self, run: Run) -> None:
        if self.stopped.is_set():
            return
        run.folder.mkdir(parents=True, exist_ok=True)
        slot = self.slots.pop()
        try:
            with taken(run.folder / '.lock') as lock:
                if lock is None:
                    self.outcome.elsewhere.append(run)
                    self.report(run, 'is being made elsewhere', 0.0)
                elif not run.is_complete:  # another process may have made it meanwhile
                    self._run_steps(run, lock, slot)
        except _Failed as err:
            if not self.stopped.is_set():
                self.outcome.failed.append((run, str(err)))
                self.report(run, 'failed', 0.0)
        finally:
            self.slots.append(slot)

    def _run_steps(self, run: Run, lock: TextIO, slot: int) -> None:
        facts = {'config': run.row.config, 'cfg_options': dict(run.row.cfg_options), 'seed': run.seed}
        commits = dict.fromkeys([*run.commits, self.commit or 'unknown'])  # it may have been begun at another
        run.remember(**facts, digest=run.digest, commits=list(commits))
        for step in run.steps:
            if step != 'train' or not run.record.get('trained'):
                self._step(run, step, lock, slot)
            if step == 'train':
                run.remember(trained=True)
        if not (run.folder / METRICS).is_file():
            raise _Failed(f'tools/{run.steps[-1]}.py left no {METRICS}; what it said: {run.folder / LOG}')
        run.remember(tested=True)
        self.outcome.done.append(run)
        self.report(run, 'complete', 1.0)

    def _step(self, run: Run, name: str, lock: TextIO, slot: int) -> None:
        """One of our commands; its output goes to the run's log. The seconds of interrupted and killed ones add up."""
        self.report(run, STEPS[name], float(name == 'test'))
        command, log, started = run.command(name), run.folder / LOG, time.monotonic()
        seconds = run.record.get('seconds', {})

        def keep() -> None:
            run.remember(seconds=seconds | {name: seconds.get(name, 0.0) + time.monotonic() - started})

        def follow(line: str) -> None:
            share = _progress(run, line)
            if share is not None:
                keep()
                self.report(run, STEPS[name], share)

        with log.open('a', encoding='utf-8') as file:
            file.write(f'$ {" ".join(command)}\n')
            file.flush()
            code = self._watch(command, file, lock, slot, follow)
        keep()
        if code:
            said = log.read_text(encoding='utf-8', errors='replace').splitlines()[-_TAIL:]
            raise _Failed('\n'.join([f'tools/{name}.py ended with code {code}; all it said: {log}', *said]))

    def _watch(
        self, command: Sequence[str], log: TextIO, lock: TextIO, slot: int, follow: Callable[[str], None]
    ) -> int:
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env=self._environment(slot),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors='replace',
            pass_fds=(lock.fileno(),),
        )
        self.processes.add(process)
        try:
            for line in process.stdout or ():
                log.write(line)
                log.flush()
                follow(line)
            return process.wait()
        finally:
            self.processes.discard(process)

    def _environment(self, slot: int) -> dict[str, str]:
        """One thread per share of the cores: two trainings of one thread each are faster than one of two."""
        threads = max(1, (os.cpu_count() or 1) // self.jobs)
        environment = {'OMP_NUM_THREADS': str(threads), **os.environ, 'NO_ALBUMENTATIONS_UPDATE': '1'}
        return environment | ({'CUDA_VISIBLE_DEVICES': str(slot % self.gpus)} if self.gpus > 1 else {})


def _progress(run: Run, line: str) -> float | None:
    """How much of a training or of a cross-validation is done, from what it says."""
    found = _ITERATION.search(line)
    if found:
        epoch, iteration, of = map(int, found.groups())
        return (epoch - 1 + iteration / of) / run.epochs
    fold = _FOLD.search(line)
    return min((int(fold.group(1)) + 1) / run.row.folds, 1.0) if fold and run.row.folds else None


class _Failed(Exception):
    """A command of ours that ended with an error."""


@contextmanager
def taken(path: Path) -> Iterator[TextIO | None]:
    """Hold a lock file, or get ``None`` if another process does."""
    with path.open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield lock
