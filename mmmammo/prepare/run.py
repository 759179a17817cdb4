"""All records of a source to a prepared set: in parallel, resumable, and never stopped by one bad file."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2

from mmmammo.io import write_png16
from mmmammo.io.coco_entries import finding_to_json, image_to_json
from mmmammo.prepare.image import prepare_image
from mmmammo.prepare.journal import Entry, Journal, sha256_of
from mmmammo.prepare.options import PrepareOptions
from mmmammo.prepare.quality import QUARANTINED, QualityRow
from mmmammo.prepare.summary import Summary, write_set
from mmmammo.structures import ImageRecord, MammoError

_IN_FLIGHT_PER_WORKER = 4


@dataclass(frozen=True, eq=False)
class Task:
    """One record and where its image goes."""

    record: ImageRecord
    file_name: str
    digest: str


def prepare_dataset(
    records: Iterable[ImageRecord],
    out: Path,
    options: PrepareOptions,
    *,
    categories: Sequence[str],
    source: str,
    workers: int = 1,
    fractions: Sequence[float] = (0.7, 0.1, 0.2),
    seed: int = 0,
    command: str = '',
    executor: Executor | None = None,
    on_start: Callable[[int], None] | None = None,
    on_image: Callable[[QualityRow], None] | None = None,
) -> Summary:
    """Write a prepared set, see docs/conventions.md.

    A file that cannot be used becomes a quarantined row of ``quality.csv``, and the rest goes on. What a former run has
    finished with the same options and the same source file is not done again.

    Args:
        records: From a source's ``list_records``.
        out: The set; made if need be.
        options: How to prepare.
        categories: The source's class list.
        source: Its name.
        workers: Processes; 1 works in this one.
        fractions: Of train, val and test, for patients whose source names no split.
        seed: Of that draw.
        command: What the user typed, for ``prepare.json``.
        executor: Any ``concurrent.futures`` executor to use instead of local processes, e.g. a Dask client's
            ``get_executor()``.
        on_start: Called with the number of records.
        on_image: Called with the quality row of each record as it is done, in any order.

    Raises:
        MammoError: If there is no record, or none could be used.
    """
    tasks = _tasks(records, options, out)
    if on_start is not None:
        on_start(len(tasks))
    with Journal(out / '.prepare' / 'journal.jsonl') as journal, _executor(executor, workers) as pool:
        for entry, is_new in _outcomes(tasks, journal, out, options, pool, workers):
            if is_new:
                journal.add(entry)
            if on_image is not None:
                on_image(entry.quality)
        entries = [journal.entries[task.record.relative_path] for task in tasks]
    return write_set(out, entries, options, categories, source, fractions=fractions, seed=seed, command=command)


def _tasks(records: Iterable[ImageRecord], options: PrepareOptions, out: Path) -> list[Task]:
    """Name every output file, so that no two records share one and none leaves the folder."""
    taken: set[str] = set()
    tasks = []
    for record in records:
        folder = slug(record.exam_id)
        name = f'{folder}/{slug(Path(record.relative_path).stem)}.png'
        if name in taken:
            suffix = hashlib.sha256(record.relative_path.encode()).hexdigest()[:8]
            name = f'{folder}/{slug(Path(record.relative_path).stem)}-{suffix}.png'
        taken.add(name)
        tasks.append(Task(record, name, _digest(record, name, options)))
    if not tasks:
        raise MammoError(
            out,
            field='records',
            found='no image in the source',
            expected='at least one',
            remedy='check --raw: it must name the folder as it was downloaded (see data/README.md)',
        )
    return tasks


def slug(text: str) -> str:
    """A file name out of any text: letters, digits, ``.``, ``_`` and ``-``, never starting with a dot."""
    clean = ''.join(c if c.isascii() and (c.isalnum() or c in '._-') else '_' for c in text).lstrip('.')
    return clean or '_'


def _digest(record: ImageRecord, name: str, options: PrepareOptions) -> str:
    """Changes when anything but the pixels of the source does."""
    said = [
        options.digest(),
        name,
        [record.exam_id, record.patient_id, record.laterality, record.view, record.split],
        [{**finding_to_json(finding), 'category': finding.category} for finding in record.findings],
        None if record.landmarks is None else record.landmarks.to_json(),
        dict(record.labels),
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:24]


@contextmanager
def _executor(executor: Executor | None, workers: int) -> Iterator[Executor | None]:
    """The given one, a local one, or none for one worker."""
    if executor is not None or workers <= 1:
        yield executor
        return
    # Spawned, because a fork of a process with threads (a progress bar has one) may hang.
    context = multiprocessing.get_context('spawn')
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=cv2.setNumThreads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _outcomes(
    tasks: Sequence[Task],
    journal: Journal,
    out: Path,
    options: PrepareOptions,
    pool: Executor | None,
    workers: int,
) -> Iterator[tuple[Entry, bool]]:
    """Entries as they are done, each with whether it was work; a bounded number of tasks is under way."""
    work = partial(run_task, out=out, options=options)
    pairs = ((task, journal.entries.get(task.record.relative_path)) for task in tasks)
    if pool is None:
        yield from (work(task, done) for task, done in pairs)
        return
    pending: set[Future[tuple[Entry, bool]]] = set()
    for task, done in pairs:
        pending.add(pool.submit(work, task, done))
        if len(pending) >= _IN_FLIGHT_PER_WORKER * max(workers, 1):
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in finished)
    while pending:
        finished, pending = wait(pending, return_when=FIRST_COMPLETED)
        yield from (future.result() for future in finished)


def run_task(task: Task, done: Entry | None, *, out: Path, options: PrepareOptions) -> tuple[Entry, bool]:
    """Prepare one record and write its image, or say why not.

    Args:
        task: What to do.
        done: The outcome of a former run.
        out: The prepared set.
        options: How.

    Returns:
        The outcome, and whether anything was done for it.
    """
    record, target = task.record, out / 'images' / task.file_name
    sha256 = sha256_of(record.path)
    same = done is not None and (done.task, done.sha256) == (task.digest, sha256)
    if done is not None and same and (done.image is None or target.is_file()):
        return done, False
    try:
        prepared = prepare_image(record, options, task.file_name)
    except MammoError as err:
        row = QualityRow(
            record.relative_path,
            QUARANTINED,
            err.reason,
            exam_id=record.exam_id,
            laterality=record.laterality.value,
            view=record.view.value,
        )
        return Entry(record.relative_path, task.digest, sha256, row), True
    target.parent.mkdir(parents=True, exist_ok=True)
    write_png16(target, prepared.pixels)
    image = replace(prepared.image, source={'path': record.relative_path, 'sha256': sha256})
    findings = tuple({**finding_to_json(f), 'category': f.category} for f in image.findings)
    entry = Entry(
        record.relative_path, task.digest, sha256, prepared.quality, image_to_json(image), findings, record.split
    )
    return entry, True
