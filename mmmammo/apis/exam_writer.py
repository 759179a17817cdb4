"""Results of exams as files that grow exam by exam, so that a run that was stopped can go on."""

from __future__ import annotations

import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, ClassVar, Generic, Protocol, Self, TypeVar

from mmmammo.apis.exam_journal import MAY_MOVE, STATE, Line, add_line, journal_of, read_lines, stamp_of_exam
from mmmammo.apis.file_names import FileNames
from mmmammo.io.whole_files import link_or_copy, remove_unfinished, written_whole
from mmmammo.prepare import QualityRow
from mmmammo.prepare.exams import PassingFault
from mmmammo.prepare.journal import only_one
from mmmammo.structures import ImageRecord, MammoError

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
        files: All that it has for itself, the picture too, relative to the folder.
    """

    entry: dict[str, Any]
    rows: Rows = field(default_factory=dict)
    heads: dict[str, list[str]] = field(default_factory=dict)
    panel: Path | None = None
    files: list[str] = field(default_factory=list)


class ExamWriter(ABC, Generic[Exam]):
    """Base of what writes exams as they come: tables and panels at once, the document of all on leaving.

    Results are on the disk, not in memory. A stopped run keeps what it has, and with ``resume`` the next one goes on:
    exams stay, and are named in :attr:`kept`, unless their files are not as they were or may be usable now
    (:class:`mmmammo.prepare.exams.PassingFault`), or what was written of them is gone. So do exams that the next run
    does not have, unless their files are now of other exams.

    Args:
        out: Folder; made if need be. What another run made of these exams is replaced, or kept by ``resume``.
        info: What made the results (config, checkpoint, version); the head of the document. Where it has a ``digest``
            of models, names of config and checkpoint may change between runs.
        exams: All exams of this run. Without, nothing is kept.
        resume: Keep exams of an earlier run.
        panels: Draw them.

    Raises:
        MammoError: If results there that are to be kept were made with other ``info``, are of other exams and
            nobody said what becomes of them, or are of no such run at all; or another run is at work there.
    """

    document: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]
    heads: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Table -> columns, of tables that have the same for every model."""

    def __init__(
        self,
        out: Path,
        info: Mapping[str, Any],
        exams: Mapping[str, Sequence[ImageRecord]] | None = None,
        resume: bool = False,
        panels: bool = True,
    ) -> None:
        self.panels = panels
        self.out, self.info = out, json.loads(json.dumps(info))
        self.kept: set[str] = set()
        self.num_images = 0
        self.exam_scores: list[float] = []
        self._facts: dict[str, Any] = {}
        self._stamps = {exam_id: stamp_of_exam(records) for exam_id, records in (exams or {}).items()}
        self._paths = {record.relative_path for records in (exams or {}).values() for record in records}
        self._names, self._begun = FileNames(), set[str]()
        self._path = journal_of(out)
        with ExitStack() as stack:
            stack.enter_context(only_one(out / STATE, 'another run that writes its results here'))
            if resume:
                self._require_same_info()
            self._require_own_place(resume)
            for folder in (out, out / STATE):
                remove_unfinished(folder)  # of a run that was killed
            self._begin(resume)
            self._journal = stack.enter_context(self._path.open('a', encoding='utf-8'))
            self._open = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._open, written_whole(self.out / self.document) as file:
            file.write(f'{{"info": {json.dumps(self.info | self._facts)}, "exams": [')
            for i, line in enumerate(line for line in read_lines(self._path) if 'exam' in line):
                file.write(f'{", " if i else ""}{json.dumps(line["exam"])}')
            file.write(']}\n')

    def close(self) -> None:
        """Leave what there is to a run that goes on, without the document of all."""
        self._open.close()

    @property
    def facts(self) -> Mapping[str, Any]:
        """What :meth:`learn` was told, by this run or those it goes on from."""
        return self._facts

    def learn(self, **facts: Any) -> None:
        """Add to the head of the document what is known only once a model has run."""
        if facts.items() <= self._facts.items():
            return
        self._facts |= facts
        add_line(self._journal, {'facts': facts})

    def add(self, exam: Exam, then: Callable[[Path | None], Iterable[Path]] | None = None) -> Path | None:
        """Write one exam.

        Args:
            exam: What a model said of it.
            then: Called with the panel before the exam counts as done; returns files it has made in the folder.

        Returns:
            Its panel, ``None`` if it had no usable image.

        Raises:
            ValueError: If the exam is one that was kept.
        """
        if exam.exam_id in self.kept:
            raise ValueError(f'{exam.exam_id} was kept of an earlier run')
        name = self._names.of(exam.exam_id)
        written = self.written(exam, name)
        further = [] if then is None else [path.relative_to(self.out).as_posix() for path in then(written.panel)]
        again = any(isinstance(row, PassingFault) for row in exam.rejected)
        stamp = '' if again else self._stamps.get(exam.exam_id, '')
        line = {'name': name, 'stamp': stamp, 'files': written.files + further}
        line |= {'exam': written.entry, 'rows': written.rows, 'heads': written.heads}
        self._take(line, self._journal)
        return written.panel

    def take_over(self, folder: Path) -> tuple[int, int]:
        """Write what another run has written to its own folder, as it is; its files get a second name or are copied.

        Args:
            folder: The other run's; of the same ``info``, without exams that are here.

        Returns:
            How many exams, and how many more are left out because files of theirs are gone.
        """
        taken = lacking = 0
        for line in read_lines(journal_of(folder)):
            self.learn(**line.get('facts', {}))
            if 'exam' not in line:
                continue
            if not all(_is_there(folder, name) for name in line['files']):
                lacking += 1
                continue
            for name in line['files']:
                target = self._own(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                link_or_copy(folder / name, target)
            self._names.keep(line['name'])
            self._take(line, self._journal)
            taken += 1
        return taken, lacking

    @staticmethod
    @abstractmethod
    def greatest_score(entry: Mapping[str, Any]) -> float:
        """Of what the document says of an exam with images: the score that a threshold would be chosen on."""

    @abstractmethod
    def written(self, exam: Exam, name: str) -> Written:
        """Write what an exam has for itself, such as its panel, and say what stands in document and tables.

        Args:
            exam: What a model said of it.
            name: What its files may be called.
        """

    def _begin(self, resume: bool) -> None:
        """Journal and tables with what is kept; all else that a run has made here goes."""
        head = {'info': self.info, 'made': [self.document, *self.tables]}
        if not self._path.exists():
            with written_whole(self._path) as file:
                add_line(file, head)
        for name in {name for line in read_lines(self._path) for name in line.get('made', ())}:
            _remove(self.out, name)
        for name, columns in self.heads.items():
            self._append(name, [columns])
        with written_whole(self._path) as file:
            add_line(file, head)
            for line in read_lines(self._path):
                self._carry_over(line, file, resume)
            if self._facts:
                add_line(file, {'facts': self._facts})

    def _carry_over(self, line: Line, journal: IO[str], resume: bool) -> None:
        """Keep a line of an earlier run, or remove what it tells of."""
        self._facts |= line.get('facts', {}) if resume else {}
        if 'exam' not in line:
            return
        exam_id = line['exam']['exam_id']
        if resume and self._stays(line):
            self.kept.add(exam_id)
            self._names.keep(line['name'])
            self._take(line, journal)
            return
        for name in line['files']:
            _remove(self.out, name)

    def _stays(self, line: Line) -> bool:
        """Whether what an earlier run wrote of an exam is what this one would write."""
        exam = line['exam']
        if not self._stamps or not all((self.out / name).is_file() for name in line['files']):
            return False
        if exam['exam_id'] in self._stamps:
            return bool(self._stamps[exam['exam_id']] == line['stamp'])
        files = {entry['file'] for entry in (*exam['images'], *exam['rejected'])}
        return not files & self._paths  # an exam's name may depend on what else lies beside it

    def _take(self, line: Line, journal: IO[str]) -> None:
        """Keep what was written of an exam, first in the journal, from which tables can be made again."""
        if not line['rows'].keys() <= set(self.tables):
            raise self._foreign(', '.join(sorted(line['rows'].keys() - set(self.tables))))
        add_line(journal, line)
        self.num_images += len(line['exam']['images'])
        if line['exam']['images']:
            self.exam_scores.append(self.greatest_score(line['exam']))
        for name, rows in line['rows'].items():
            is_begun = name in self._begun or name in self.heads
            self._append(name, rows if is_begun else [line['heads'][name], *rows])
            self._begun.add(name)

    def _own(self, name: str) -> Path:
        """Where a file of that name belongs, which is in this folder."""
        path = self.out / name
        if '..' in Path(name).parts or not path.resolve().is_relative_to(self.out.resolve()):
            raise self._foreign(name)
        return path

    def _foreign(self, name: str) -> MammoError:
        return MammoError(
            self.out,
            field='journal',
            found=f'{name!r} among what a run has made',
            expected=f'{", ".join(self.tables)}, and files in the folder of the results',
            remedy='somebody has changed the journal: make these results again, in a new folder',
        )

    def _append(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        with (self.out / table).open('a', newline='', encoding='utf-8') as file:
            csv.writer(file).writerows(rows)

    def _require_own_place(self, resume: bool) -> None:
        """Refuse to replace what no run like this has made, or exams that this one does not have."""
        made, told = set[str](), set[str]()
        for line in read_lines(self._path):
            made.update(line.get('made', ()))
            told.update([line['exam']['exam_id']] if 'exam' in line else ())
        foreign = [name for name in (self.document, *self.tables) if name not in made and (self.out / name).exists()]
        if foreign:
            raise MammoError(
                self.out,
                field='--out',
                found=f'{", ".join(foreign)} of something else',
                expected='a new folder, or results of such a run',
                remedy='choose another --out',
            )
        others = told - self._stamps.keys()
        if others and self._stamps and not resume:
            raise MammoError(
                self.out,
                field='--out',
                found=f'results of {len(others)} other exams',
                expected='a new folder, or results of these exams',
                remedy='choose another --out, or keep them with --resume',
            )

    def _require_same_info(self) -> None:
        """Refuse to mix results of two models."""
        then = next((line['info'] for line in read_lines(self._path) if 'info' in line), self.info)
        keys = then.keys() | self.info.keys()
        keys -= MAY_MOVE if 'digest' in keys else frozenset()
        other = sorted(key for key in keys if then.get(key) != self.info.get(key))
        if other:
            raise MammoError(
                self.out,
                field=other[0],
                found=f'results made with {then.get(other[0])}',
                expected=str(self.info.get(other[0])),
                remedy='give the options of that run, or another --out; without --resume it starts anew',
            )


def _is_there(folder: Path, name: str) -> bool:
    """Whether a file is in the folder, and nowhere else."""
    path = (folder / name).resolve()
    return path.is_relative_to(folder.resolve()) and path.is_file()


def _remove(folder: Path, name: str) -> None:
    """Remove a file, nowhere but in the folder."""
    path = folder / name
    if path.resolve().is_relative_to(folder.resolve()):
        path.unlink(missing_ok=True)
