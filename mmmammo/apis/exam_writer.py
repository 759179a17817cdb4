"""Results of exams as files that grow exam by exam, so that a run that was stopped can go on."""

from __future__ import annotations

import csv
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, ClassVar, Generic, Protocol, Self, TypeVar

from mmmammo.apis.file_names import FileNames
from mmmammo.io.whole_files import written_whole
from mmmammo.prepare import QualityRow
from mmmammo.prepare.exams import NOT_OF_THE_FILE
from mmmammo.prepare.journal import stamp_of
from mmmammo.structures import ImageRecord, MammoError

JOURNAL = '.exams.jsonl'
"""What a run to the same folder needs to go on: a line for the run, a line per exam."""
Rows = dict[str, list[list[Any]]]


class JudgedExam(Protocol):
    """What a model said about an exam, whatever it says."""

    @property
    def exam_id(self) -> str:
        """As the folder names it."""

    @property
    def images(self) -> Sequence[Any]:
        """Those that could be used."""

    @property
    def rejected(self) -> Sequence[QualityRow]:
        """The files that could not."""


Exam = TypeVar('Exam', bound=JudgedExam)


@dataclass
class Written:
    """What is written of an exam.

    Args:
        entry: Its plain values, for the document.
        rows: Table -> rows.
        heads: Table -> columns, of tables whose columns an exam tells.
        panel: Its picture; ``None`` if it has no usable image.
    """

    entry: dict[str, Any]
    rows: Rows = field(default_factory=dict)
    heads: dict[str, list[str]] = field(default_factory=dict)
    panel: Path | None = None


class ExamWriter(ABC, Generic[Exam]):
    """Base of what writes exams as they come: tables and panels at once, the document of all on leaving.

    Memory does not grow with the exams. A stopped run keeps what it has, and with ``resume`` the next one goes on:
    exams whose files are as they were stay and are named in :attr:`kept`. Those for which memory was short, or whose
    file took its process down, are not kept.

    Args:
        out: Folder; made if need be. Results of another run there are removed, or kept by ``resume``.
        info: What made the results (config, checkpoint, version); the head of the document.
        stamps: Exam -> what its files are like, see :func:`stamp_of_exam`. Without, no exam is kept.
        resume: Keep exams of an earlier run.

    Raises:
        MammoError: If results there that are to be kept were made with other ``info``.
    """

    document: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]
    heads: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Table -> columns, of tables that have the same for every model."""

    def __init__(
        self, out: Path, info: Mapping[str, Any], stamps: Mapping[str, str] | None = None, resume: bool = False
    ) -> None:
        self.out, self.info = out, dict(info)
        self.kept: set[str] = set()
        self.num_images = 0
        self._facts: dict[str, Any] = {}
        self._stamps = dict(stamps or {})
        self._names, self._begun = FileNames(), set[str]()
        self._path = out / JOURNAL
        out.mkdir(parents=True, exist_ok=True)
        if resume:
            self._require_same_info()
        for name in (self.document, *self.tables):
            (out / name).unlink(missing_ok=True)  # of another run, or made anew from the journal
        for name, head in self.heads.items():
            self._append(name, [head])
        with written_whole(self._path) as file:
            _add_line(file, {'info': self.info})
            for line in self._kept_lines() if resume else ():
                self.kept.add(line['exam']['exam_id'])
                self._names.of(line['exam']['exam_id'])
                self._take(line, file)
            if self._facts:
                _add_line(file, {'facts': self._facts})
        self._journal = self._path.open('a', encoding='utf-8')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()
        with written_whole(self.out / self.document) as file:
            file.write(f'{{"info": {json.dumps(self.info | self._facts)}, "exams": [')
            for i, line in enumerate(_lines_of_exams(self._path)):
                file.write(f'{", " if i else ""}{json.dumps(line["exam"])}')
            file.write(']}\n')

    @property
    def facts(self) -> Mapping[str, Any]:
        """What :meth:`learn` was told, by this run or those it goes on from."""
        return self._facts

    def learn(self, **facts: Any) -> None:
        """Add to the head of the document what is known only once a model has run."""
        if facts.items() <= self._facts.items():
            return
        self._facts |= facts
        _add_line(self._journal, {'facts': facts})

    def add(self, exam: Exam, then: Callable[[Path | None], None] | None = None) -> Path | None:
        """Write one exam.

        Args:
            exam: What a model said of it.
            then: Called with the panel before the exam counts as done.

        Returns:
            Its panel, ``None`` if it had no usable image.
        """
        written = self.written(exam, self._names.of(exam.exam_id))
        if then is not None:
            then(written.panel)
        again = any(row.reason in NOT_OF_THE_FILE for row in exam.rejected)
        stamp = '' if again else self._stamps.get(exam.exam_id, '')
        line = {'stamp': stamp, 'exam': written.entry, 'rows': written.rows, 'heads': written.heads}
        self._take(line, self._journal)
        return written.panel

    @abstractmethod
    def written(self, exam: Exam, name: str) -> Written:
        """Write what an exam has for itself, such as its panel, and say what stands in document and tables.

        Args:
            exam: What a model said of it.
            name: What its files may be called.
        """

    def _take(self, line: dict[str, Any], journal: IO[str]) -> None:
        """Keep what was written of an exam, first in the journal, from which tables can be made again."""
        _add_line(journal, line)
        self.num_images += len(line['exam']['images'])
        for name, rows in line['rows'].items():
            is_begun = name in self._begun or name in self.heads
            self._append(name, rows if is_begun else [line['heads'][name], *rows])
            self._begun.add(name)

    def _append(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        with (self.out / table).open('a', newline='', encoding='utf-8') as file:
            csv.writer(file).writerows(rows)

    def _kept_lines(self) -> Iterator[dict[str, Any]]:
        for line in _lines(self._path):
            if 'facts' in line:
                self._facts |= line['facts']
            stamp = self._stamps.get(line['exam']['exam_id']) if 'exam' in line else None
            if stamp and stamp == line['stamp']:
                yield line

    def _require_same_info(self) -> None:
        """Refuse to mix results of two models."""
        then = next((line['info'] for line in _lines(self._path) if 'info' in line), self.info)
        now = json.loads(json.dumps(self.info))
        other = sorted(key for key in then.keys() | now.keys() if then.get(key) != now.get(key))
        if then != now:
            raise MammoError(
                self.out,
                field=other[0],
                found=f'results made with {then.get(other[0])}',
                expected=str(now.get(other[0])),
                remedy='give the options of that run, or another --out; without --resume it starts anew',
            )


def stamp_of_exam(records: Iterable[ImageRecord]) -> str:
    """Changes when an exam gets or loses a file, or one is written again."""
    said = sorted([record.relative_path, stamp_of(*record.files)] for record in records)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:24]


def _add_line(file: IO[str], line: dict[str, Any]) -> None:
    """At once on the disk, for whoever stops the run."""
    file.write(json.dumps(line) + '\n')
    file.flush()


def _lines_of_exams(path: Path) -> Iterator[dict[str, Any]]:
    return (line for line in _lines(path) if 'exam' in line)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Whole lines; one that a kill cut short, the last, is of an exam that is done again."""
    if not path.is_file():
        return
    with path.open(encoding='utf-8') as file:
        for line in file:
            if line.endswith('\n'):
                yield json.loads(line)
