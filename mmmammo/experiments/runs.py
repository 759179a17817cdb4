"""One training of one row, and what is known of it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmmammo.experiments.plan import MEANS, Row
from mmmammo.io.whole_files import written_whole
from mmmammo.structures import MammoError

METRICS = 'metrics.json'
PREDICTIONS = 'predictions.json'
SCORES = 'scores.csv'
LOCALISATION = 'localisation.npz'
ANCHORS = 'anchors.npz'
RECORD = 'record.json'


STEPS = {
    'train': 'training',
    'test': 'testing',
    'crossval': 'cross-validating',
    'average_scores': 'averaging',
}
"""Name of a command, ``tools/<name>.py`` -> what it does, in words."""


@dataclass(frozen=True)
class Run:
    """A row with a seed.

    Args:
        row: What is trained.
        seed: Of the training.
        digest: Of the whole config, options included. A config that changed has runs of its own, so that no table mixes
            two of them.
        epochs: How long it trains, or each of its folds does; 0 for a mean.
        folder: Where everything of it is.
        parts: Of a mean, the runs whose scores are averaged.
    """

    row: Row
    seed: int
    digest: str
    epochs: int
    folder: Path
    parts: tuple[Run, ...] = ()

    @property
    def name(self) -> str:
        """For people."""
        return f'{self.row.name}, seed {self.seed}'

    @property
    def record(self) -> dict[str, Any]:
        """What is known: the commits, the seconds each step took, and whether it is ``tested``; empty at first."""
        path = self.folder / RECORD
        return json.loads(path.read_text(encoding='utf-8')) if path.is_file() else {}

    @property
    def commits(self) -> tuple[str, ...]:
        """At which it was worked on, in order."""
        return tuple(self.record.get('commits', ()))

    @property
    def is_complete(self) -> bool:
        """Whether its numbers are there."""
        return bool(self.record.get('tested')) and (self.folder / METRICS).is_file()

    @property
    def checkpoint(self) -> Path | None:
        """The latest one, of a training finished or not."""
        note = self.folder / 'last_checkpoint'
        if not note.is_file():
            return None
        path = self.folder / Path(note.read_text(encoding='utf-8').strip()).name
        return path if path.is_file() else None

    def remember(self, **facts: Any) -> None:
        """Add to the record, at once or not at all."""
        record = self.record | facts
        with written_whole(self.folder / RECORD) as file:
            file.write(json.dumps(record, indent=1) + '\n')

    @property
    def is_ready(self) -> bool:
        """Whether nothing has to be made before it."""
        return all(part.is_complete for part in self.parts)

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the commands that make it, those of :data:`STEPS`."""
        if self.parts:
            return ('average_scores',)
        return ('crossval',) if self.row.folds else ('train', 'test')

    def command(self, step: str) -> list[str]:
        """Of one of its steps.

        Raises:
            MammoError: If it is a test without a checkpoint.
        """
        commands = {
            'train': self.train_command,
            'test': self.test_command,
            'crossval': self.crossval_command,
            'average_scores': self.average_command,
        }
        return commands[step]()

    def crossval_command(self) -> list[str]:
        """Goes on from the folds that are complete, and in the one that is not."""
        folds = ['--folds', str(self.row.folds), '--seed', str(self.seed), '--jobs', '1']
        return [*self._command('crossval'), *folds, *self._options()]

    def average_command(self) -> list[str]:
        """Of the parts' scores."""
        (how,) = self.row.combine
        folders = [str(part.folder) for part in self.parts]
        scale = ['--scale', MEANS[how]]
        return [sys.executable, 'tools/average_scores.py', *folders, '--out', str(self.folder), *scale]

    def train_command(self) -> list[str]:
        """Goes on from a checkpoint if there is one."""
        resume = ['--resume'] if self.checkpoint else []
        return [*self._command('train'), '--seed', str(self.seed), *resume, *self._options()]

    def test_command(self) -> list[str]:
        """Writes the metrics and the predictions.

        Raises:
            MammoError: If there is no checkpoint.
        """
        if self.checkpoint is None:
            raise MammoError(
                self.folder,
                field='last_checkpoint',
                found='nothing',
                expected='a checkpoint of the training that just ended',
                remedy='see log.txt beside it; remove the folder to train anew',
            )
        return [*self._command('test', str(self.checkpoint)), *self._options()]

    def _command(self, tool: str, *arguments: str) -> list[str]:
        work_dir = ['--work-dir', str(self.folder)]
        return [sys.executable, f'tools/{tool}.py', self.row.config, *arguments, *work_dir]

    def _options(self) -> list[str]:
        options = [f'{key}={value}' for key, value in self.row.cfg_options.items()]
        return ['--cfg-options', *options] if options else []
