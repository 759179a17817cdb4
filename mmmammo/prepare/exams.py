"""A user's files to prepared exams: here, or ahead of the model in processes of their own."""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

import cv2

from mmmammo.io import as_read
from mmmammo.io.elements import shortened
from mmmammo.memory import is_out_of_memory
from mmmammo.prepare.image import Prepared, prepare_image
from mmmammo.prepare.indexed import IndexedRecord
from mmmammo.prepare.options import PrepareOptions
from mmmammo.prepare.pool import DEAD_PROCESS, BoundedPool
from mmmammo.prepare.quality import QUARANTINED, QualityRow
from mmmammo.structures import ImageRecord, MammoError

Outcome = Prepared | QualityRow
"""A prepared image, or the row that says why a file cannot be used."""
NO_MEMORY = (
    'the memory is too small for this exam. '
    'Remedy: --device cpu in place of a GPU, fewer --workers, or a machine with more'
)
_DEFECT = 'defect of mmmammo'
_DEFECTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    cv2.error,
    struct.error,
    zlib.error,
)
"""What our own mistakes raise at one file; a full disk is the run's, not the file's."""


class PassingFault(QualityRow):
    """Of a file that is not used for a reason that may pass: memory was short, a disk did not answer, a defect."""


@dataclass(frozen=True, eq=False)
class PreparedExam:
    """An exam as a prepared set would hold it.

    Args:
        exam_id: As the folder names it.
        views: The images, to the bit as they would be read from a set.
        rejected: The files that cannot be used, each with its reason.
    """

    exam_id: str
    views: tuple[Prepared, ...]
    rejected: tuple[QualityRow, ...] = ()

    @property
    def files(self) -> list[str]:
        """All of them, usable or not."""
        return [view.quality.path for view in self.views] + [row.path for row in self.rejected]


def by_exam(records: Iterable[ImageRecord]) -> dict[str, list[ImageRecord]]:
    """Records by exam, both in order of their names."""
    ordered = sorted(records, key=lambda record: (record.exam_id, record.relative_path))
    return {exam_id: list(group) for exam_id, group in groupby(ordered, key=lambda record: record.exam_id)}


def prepare_exam(exam_id: str, records: Iterable[ImageRecord], options: PrepareOptions) -> PreparedExam:
    """Prepare the files of an exam in this process."""
    return _exam(exam_id, [_outcome(one, partial(prepare_file, one, options)) for one in records])


def prepare_ahead(
    exams: Mapping[str, Sequence[ImageRecord]], options: PrepareOptions, workers: int
) -> Iterator[PreparedExam]:
    """Prepare files in processes of their own, while the caller is busy with the exams handed out so far.

    A bounded number of files is under way, whatever the number of exams. A file on which a decoder crashes costs its
    worker, and what was under way is tried once more, one by one. Workers are spawned: a script that calls this needs
    its ``if __name__ == '__main__'``.

    Args:
        exams: See :func:`by_exam`.
        options: How to prepare.
        workers: Processes.

    Yields:
        Exams as they are complete.

    Raises:
        MammoError: If there are no workers.
    """
    found: dict[str, list[Outcome]] = {exam_id: [] for exam_id in exams}
    records = (record for group in exams.values() for record in group)
    with BoundedPool(workers) as pool:
        for record, future in pool.run(partial(prepare_file, options=options), records):
            outcomes = found[record.exam_id]
            outcomes.append(_outcome(record, future.result))
            if len(outcomes) == len(exams[record.exam_id]):
                yield _exam(record.exam_id, sorted(found.pop(record.exam_id), key=_path))


def prepare_file(record: ImageRecord, options: PrepareOptions) -> Outcome:
    """The image as a prepared set would hold it, or holds it, or why its file cannot be used."""
    try:
        if isinstance(record, IndexedRecord):
            return record.read()
        view = prepare_image(record, options)
        return replace(view, pixels=as_read(view.pixels, options.bits))
    except MammoError as err:
        return rejected_row(record.relative_path, record.exam_id, err.reason, may_pass=_is_of_the_system(err.__cause__))


def rejected_row(path: str, exam_id: str, reason: str, may_pass: bool = False) -> QualityRow:
    """What is told of a file that is not used.

    Args:
        path: Of the file.
        exam_id: Of its exam.
        reason: Why.
        may_pass: Whether the file may be usable tomorrow, as it is.
    """
    return (PassingFault if may_pass else QualityRow)(path, QUARANTINED, reason=reason, exam_id=exam_id)


def _outcome(record: ImageRecord, prepare: Callable[[], Outcome]) -> Outcome:
    """What became of a file, also where that took its process down or is a mistake of ours."""
    try:
        return prepare()
    except BrokenExecutor:
        why = DEAD_PROCESS
    except (MemoryError, *_DEFECTS) as err:
        if is_out_of_memory(err):
            why = NO_MEMORY
        else:
            logging.getLogger(__name__).exception(f'{_DEFECT} at {record.relative_path}')
            why = f'{_DEFECT}: {shortened(repr(err))}. Remedy: report it with what is printed above'
    return rejected_row(record.relative_path, record.exam_id, why, may_pass=True)


def _is_of_the_system(err: BaseException | None) -> bool:
    """Whether the system refused, rather than a reader that did not like what it read."""
    return isinstance(err, MemoryError) or (isinstance(err, OSError) and err.errno is not None)


def _exam(exam_id: str, outcomes: Sequence[Outcome]) -> PreparedExam:
    views = tuple(one for one in outcomes if isinstance(one, Prepared))
    return PreparedExam(exam_id, views, tuple(one for one in outcomes if isinstance(one, QualityRow)))


def _path(outcome: Outcome) -> str:
    return outcome.quality.path if isinstance(outcome, Prepared) else outcome.path
