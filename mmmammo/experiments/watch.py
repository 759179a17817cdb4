"""What a person sees while runs are being made."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from mmmammo.experiments.estimate import in_words, seconds_left
from mmmammo.experiments.runs import Run


def bars(console: Console) -> Progress:
    """Bars with a description, a percentage and the time elapsed."""
    columns = (TextColumn('{task.description}'), BarColumn(), TextColumn('{task.percentage:>3.0f} %'))
    return Progress(*columns, TimeElapsedColumn(), console=console)


class Watch:
    """Bars of what is running, and the time that is left; a line per event where the output is no terminal.

    Args:
        runs: All, complete or not.
        jobs: Runs at a time.
        progress: See :func:`bars`.
    """

    def __init__(self, runs: Sequence[Run], jobs: int, progress: Progress) -> None:
        self.jobs, self.progress = jobs, progress
        self.lock = threading.Lock()
        self.waiting = [run for run in runs if not run.is_complete]
        self.known: dict[str, list[float]] = defaultdict(list)
        for run in runs:
            if run.is_complete:
                self.known[run.row.name].append(sum(run.record.get('seconds', {}).values()))
        self.active: dict[str, tuple[Run, TaskID, float, float]] = {}
        self.whole = progress.add_task(self._title(), total=len(runs), completed=len(runs) - len(self.waiting))

    def __call__(self, run: Run, what: str, share: float) -> None:
        """A run has gone on."""
        with self.lock:
            if run in self.waiting:
                self.waiting.remove(run)
            _, task, begun, first = self.active.get(run.name) or (run, None, time.monotonic(), share)
            if task is None:
                task = self.progress.add_task('', total=1.0)
                self.progress.console.print(f'{run.name}: {what}', highlight=False)
            self.active[run.name] = (run, task, begun, share - first)
            self.progress.update(task, description=f'{run.name}: {what}', completed=share)
            if not what.endswith('ing'):
                self._end(run, what)
            self.progress.update(self.whole, description=self._title())

    def _end(self, run: Run, what: str) -> None:
        seconds = sum(run.record.get('seconds', {}).values())
        self.progress.remove_task(self.active.pop(run.name)[1])
        self.progress.advance(self.whole)
        if what == 'complete':
            self.known[run.row.name].append(seconds)
        left = in_words(self._seconds_left())
        self.progress.console.print(f'{run.name}: {what} ({seconds / 60:.0f} min); left: {left}', highlight=False)

    def _title(self) -> str:
        return f'left: {in_words(self._seconds_left())}'

    def _seconds_left(self) -> float | None:
        now = time.monotonic()
        active = [(run.row.name, share, now - begun) for run, _, begun, share in self.active.values()]
        return seconds_left(self.known, [run.row.name for run in self.waiting], active, self.jobs)
