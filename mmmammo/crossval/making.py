"""Make the folds that are missing: needs first, then what is prepared, then training and test."""

from __future__ import annotations

import fcntl
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from mmmammo.crossval.fold_config import CONFIG, fold_config, fold_steps, placeholders, uncut_config
from mmmammo.crossval.project import Project
from mmmammo.crossval.report import gather_average
from mmmammo.experiments import Outcome, Row, Run, execute
from mmmammo.experiments.executor import Report
from mmmammo.io.whole_files import written_whole
from mmmammo.structures import MammoError

_PATIENCE = 5.0
"""Seconds between two looks at a fold that another process makes."""

Watcher = Callable[[Sequence[Run]], Report]
"""Gets the runs that will be made, returns who is told how they go on."""


@dataclass(frozen=True)
class FoldRun(Run):
    """A fold, or its checkpoint tested once more.

    Args:
        processes: Of the training, each with a GPU of its own; or, without any, with a share of the cores.
        trained_in: Folder of the training, if it is another one: then this is a test only.
        tta: Test with flips.
    """

    processes: int = 1
    trained_in: Path | None = None
    tta: bool = False

    @property
    def name(self) -> str:
        """For people."""
        return self.row.name

    @property
    def checkpoint(self) -> Path | None:
        """That of the training."""
        if self.trained_in is None:
            return super().checkpoint
        return replace(self, folder=self.trained_in, trained_in=None).checkpoint

    def test_command(self) -> list[str]:
        """As of any run, with flips where asked for."""
        return [*super().test_command(), *(['--tta'] if self.tta else [])]

    def _command(self, tool: str, *arguments: str) -> list[str]:
        plain = super()._command(tool, *arguments)
        if self.processes == 1:
            return plain
        torchrun = ['-m', 'torch.distributed.run', '--standalone', f'--nproc_per_node={self.processes}']
        return [plain[0], *torchrun, *plain[1:], '--launcher', 'pytorch']


@dataclass(frozen=True)
class Workshop:
    """What folds are made with.

    Args:
        root: Folder with ``tools/``.
        jobs: Folds at a time.
        gpus: That the machine has.
        processes: Of one fold.
        commit: Written into the records.
        watcher: See :data:`Watcher`.
    """

    root: Path
    jobs: int = 1
    gpus: int = 0
    processes: int = 1
    commit: str | None = None
    watcher: Watcher = field(default=lambda runs: lambda *_: None)

    def make(self, project: Project, folds: Sequence[int]) -> Outcome:
        """Make folds, after the same folds of what the project needs.

        Returns:
            What became of the folds of this project. Folds that another process is at are not waited for.

        Raises:
            MammoError: If a fold of a need fails, a preparing command does, or the folder holds other folds.
        """
        project.claim()
        missing = [fold for fold in folds if not self.run_of(project, fold).is_complete]
        for need in project.needs.values():
            self._make_need(need, missing)
        if project.settings.average is not None:
            return self._average(project, missing)
        for fold in missing:
            self._lay_out(project, fold)
        return self.execute([self.run_of(project, fold) for fold in folds])

    def execute(self, runs: Sequence[Run]) -> Outcome:
        """Train and test what is not complete."""
        gpus = self.gpus if self.processes == 1 else 0  # torchrun hands them out
        report = self.watcher(runs)
        return execute(runs, self.root, jobs=self.jobs, gpus=gpus, commit=self.commit, report=report)

    def run_of(self, project: Project, fold: int) -> FoldRun:
        """A fold as a run."""
        folder = project.fold_folder(fold)
        row = Row(f'{project.name}, fold {fold}', str(folder / CONFIG), (project.settings.train_seed,))
        epochs = project.cfg.get('train_cfg', {}).get('max_epochs') or 1
        return FoldRun(row, project.settings.train_seed, project.digest, epochs, folder, processes=self.processes)

    def retest(self, project: Project, fold: int, config: Path, folder: Path, *, tta: bool) -> FoldRun:
        """The checkpoint of a fold, tested with another config or with flips, in a folder of its own."""
        trained = self.run_of(project, fold)
        row = Row(f'{project.name}, test of fold {fold}', str(config), trained.row.seeds)
        run = replace(trained, row=row, folder=folder, trained_in=trained.folder, tta=tta)
        if not run.record:
            folder.mkdir(parents=True, exist_ok=True)
            run.remember(trained=True)
        return run

    def on_test_split(self, project: Project, fold: int, folder: Path, *, tta: bool) -> FoldRun:
        """The checkpoint of a fold, tested on the config's own test split, with what else the fold has of its own."""
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(folder / CONFIG) as file:
            file.write(uncut_config(project, self._places(project, fold)).pretty_text)
        return self.retest(project, fold, folder / CONFIG, folder, tta=tta)

    def _make_need(self, need: Project, folds: Sequence[int]) -> None:
        outcome = self.make(need, folds)
        while outcome.elsewhere:
            time.sleep(_PATIENCE)
            outcome = self.make(need, folds)
        for run, words in outcome.failed[:1]:
            raise MammoError(
                run.folder,
                field=run.name,
                found=words,
                expected='a fold that others need',
                remedy='see its log.txt; the same command goes on where it was',
            )

    def _lay_out(self, project: Project, fold: int) -> None:
        """Write the config of a fold, and compute what it is prepared with."""
        folder = project.fold_folder(fold)
        folder.mkdir(parents=True, exist_ok=True)
        places = self._places(project, fold)
        with _turn(folder / '.preparing'):
            with written_whole(folder / CONFIG) as file:
                file.write(fold_config(project, fold, places).pretty_text)
            for step in fold_steps(project, places):
                if not Path(step['makes']).exists():
                    self._prepare(step['command'], Path(step['makes']))

    def _places(self, project: Project, fold: int) -> dict[str, str]:
        return placeholders(project, fold, {name: self.run_of(need, fold) for name, need in project.needs.items()})

    def _prepare(self, command: str, product: Path) -> None:
        script, *arguments = shlex.split(command)
        done = subprocess.run([sys.executable, script, *arguments], cwd=self.root, check=False)
        if done.returncode or not product.exists():
            raise MammoError(
                product,
                field='crossval.prepare, inputs',
                found=f'`python {command}` ended with code {done.returncode}',
                expected=f'{product}',
                remedy='see its message above; the same command goes on where it was',
            )

    def _average(self, project: Project, folds: Sequence[int]) -> Outcome:
        outcome = Outcome()
        for fold in folds:
            run = self.run_of(project, fold)
            run.folder.mkdir(parents=True, exist_ok=True)
            parts = {name: need.fold_folder(fold) for name, need in project.needs.items()}
            said = {'config': project.config, 'fold': fold, 'mean_of': list(parts)}
            gather_average(list(parts.values()), run.folder, said, str(project.settings.average))
            run.remember(digest=project.digest, commit=self.commit, tested=True)
            outcome.done.append(run)
        return outcome


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Wait until no other process holds the lock."""
    with path.open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
