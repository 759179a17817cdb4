"""A user's files to prepared exams: here, or ahead of the model in processes of their own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

import cv2

from mmmammo.io import as_read
from mmmammo.io.elements import shortened
from mmmammo.prepare.image import Prepared, prepare_image
from mmmammo.prepare.options import PrepareOptions
from mmmammo.prepare.pool import DEAD_PROCESS, BoundedPool
from mmmammo.prepare.quality import QUARANTINED, QualityRow
from mmmammo.structures import ImageRecord, MammoError

Outcome = Prepared | QualityRow
"""A prepared image, or the row that says why a file cannot be used."""
NO_MEMORY = 'the memory is too small for this exam. Remedy: a device with more, such as --device cpu, or smaller images'
NOT_OF_THE_FILE = (NO_MEMORY, DEAD_PROCESS)
"""Reasons that another machine, or another day, may not have."""
_DEFECTS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, cv2.error)
"""What our own mistakes raise at one file; a full disk is the run's, not the file's."""


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
    worker, and is tried once more at the end, alone; its exam is then the last.

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
    """The image as a prepared set would hold it, or why its file cannot be used."""
    try:
        view = prepare_image(record, options)
    except MammoError as err:
        return rejected_row(record.relative_path, record.exam_id, err.reason)
    return replace(view, pixels=as_read(view.pixels, options.bits))


def rejected_row(path: str, exam_id: str, reason: str) -> QualityRow:
    """What is told of a file that is not used."""
    return QualityRow(path, QUARANTINED, reason=reason, exam_id=exam_id)


def _outcome(record: ImageRecord, prepare: Callable[[], Outcome]) -> Outcome:
    """What became of a file, also where that took its process down or is a mistake of ours."""
    try:
        return prepare()
    except BrokenExecutor:
        why = DEAD_PROCESS
    except MemoryError:
        why = NO_MEMORY
    except _DEFECTS as err:
        logging.getLogger(__name__).exception(f'defect of mmmammo at {record.relative_path}')
        why = f'defect of mmmammo: {shortened(repr(err))}. Remedy: report it with what is printed above'
    return rejected_row(record.relative_path, record.exam_id, why)


def _exam(exam_id: str, outcomes: Sequence[Outcome]) -> PreparedExam:
    views = tuple(one for one in outcomes if isinstance(one, Prepared))
    return PreparedExam(exam_id, views, tuple(one for one in outcomes if isinstance(one, QualityRow)))


def _path(outcome: Outcome) -> str:
    return outcome.quality.path if isinstance(outcome, Prepared) else outcome.path
