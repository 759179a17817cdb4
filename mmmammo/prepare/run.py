"""All records of a source to a prepared set: in parallel, resumable, and never stopped by one bad file."""

from __future__ import annotations

import hashlib
import re
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any

from mmmammo.io import write_png8, write_png16
from mmmammo.io.elements import shortened
from mmmammo.io.whole_files import remove_unfinished
from mmmammo.prepare.folder import IMAGES, INDEX, STATE, require_no_source, require_own_folder, take_down
from mmmammo.prepare.image import prepare_image
from mmmammo.prepare.journal import Entry, Journal, digest_of, only_one, sha256_of, stamp_of
from mmmammo.prepare.options import PrepareOptions, SetOptions
from mmmammo.prepare.pool import DEAD_PROCESS, BoundedPool
from mmmammo.prepare.quality import QUARANTINED, QualityRow
from mmmammo.prepare.recorded import FACTS, MERGED, facts_of
from mmmammo.prepare.splits import split_by_patient
from mmmammo.prepare.summary import Summary, write_set
from mmmammo.sources import CountCheck
from mmmammo.structures import ImageRecord, Laterality, MammoError, Policy, Problem, View

_LONGEST_NAME = 120  # characters; disks take 255, of which endings, digests and names in progress need some
_COUNTED = re.compile(r'0{3,}\d+|\d{1,3}(-\d{1,4})?')


@dataclass(frozen=True, eq=False)
class Task:
    """One record, where its image goes, and what a former run made of it."""

    record: ImageRecord
    file_name: str
    digest: str
    done: Entry | None = None


def prepare_dataset(
    records: Iterable[ImageRecord],
    out: Path,
    options: PrepareOptions | None = None,
    set_options: SetOptions | None = None,
    *,
    categories: Sequence[str],
    source: str,
    workers: int = 1,
    executor: Executor | None = None,
    skipped: int = 0,
    checks: Sequence[CountCheck] = (),
    info: Mapping[str, Any] | None = None,
    on_start: Callable[[int], None] | None = None,
    on_image: Callable[[QualityRow], None] | None = None,
) -> Summary:
    """Write a prepared set, see docs/conventions.md.

    A file that cannot be used becomes a quarantined row of ``quality.csv``, and the rest goes on. What a former run has
    finished with the same options and the same source file is not done again; quarantined files are tried again.

    Args:
        records: From a source's ``list_records``.
        out: The set; made if need be.
        options: How to prepare an image.
        set_options: Classes and splits.
        categories: The source's class list.
        source: Its name.
        workers: Processes.
        executor: Any ``concurrent.futures`` executor to use instead of local processes, e.g. a Dask client's
            ``get_executor()``; ``workers`` then says how many it has.
        skipped: Files that the source lists no record of, from its ``count_skipped``; only told.
        checks: Counts of the download beside the published ones, from its ``count_checks``; only told.
        info: More keys for ``prepare.json``, such as the command.
        on_start: Called with the number of records.
        on_image: Called with the quality row of each record as it is done, in any order.

    Raises:
        MammoError: If there is no record, none could be used, the records contradict each other about who is whose
            patient, the folder holds a set made of other files or is being prepared by another run, or it cannot be
            written to.
    """
    options, set_options = options or PrepareOptions(), set_options or SetOptions()
    classes, pool = set_options.classes(categories), BoundedPool(workers, executor)
    records = _checked(records, out)
    state = out / STATE
    with only_one(state, 'another run that prepares this set'), Journal(state / 'journal.jsonl') as journal:
        for folder in (state, out, out / INDEX):
            remove_unfinished(folder)  # of a run that was killed
        tasks = _tasks(records, options, out, journal)
        if on_start is not None:
            on_start(len(tasks))
        with pool:
            for entry in _outcomes(tasks, journal, pool, out, options):
                if on_image is not None:
                    on_image(entry.quality)
        results = [(task.record, journal.entries[task.record.relative_path]) for task in tasks]
        facts = {'source': source, **(info or {}), 'options': vars(options) | vars(set_options)}
        summary = write_set(out, results, classes, set_options, facts, skipped, checks)
        for name in sorted(journal.compact(task.record.relative_path for task in tasks)):
            (out / IMAGES / name).unlink(missing_ok=True)  # no index names it any more
        return summary


def _checked(records: Iterable[ImageRecord], out: Path) -> list[ImageRecord]:
    """All of them; refuses now, and before there is a folder, what would be refused after hours."""
    records = list(records)
    if not records:
        raise MammoError(
            out,
            field='records',
            found='no image in the source',
            expected='at least one',
            remedy='check --raw: it must name the folder as it was downloaded (see data/README.md)',
        )
    split_by_patient(records)
    _require_one_record_per_file(records)
    require_own_folder(out)
    require_no_source(out, (path for record in records for path in record.files))
    facts = facts_of(out / FACTS)
    if isinstance(facts, dict) and facts.get('source') == MERGED:
        raise MammoError(
            out,
            field='prepared set',
            found='a set that was merged of others',
            expected='a new folder, or the set of these files',
            remedy='choose another --out, or delete this one',
        )
    return records


def _require_one_record_per_file(records: Sequence[ImageRecord]) -> None:
    """Outcomes are kept by file; of two records of one file one would be lost, at the end of the run."""
    repeated = [path for path, count in Counter(record.relative_path for record in records).items() if count > 1]
    if repeated:
        raise MammoError(
            repeated[0],
            field='records',
            found=f'{len(repeated)} files with more than one',
            expected='one record per file',
            remedy='see what describes these files twice, and leave one there',
        )


def slug(text: str) -> str:
    """A file name out of any text: letters, digits, ``.``, ``_`` and ``-``, never starting with a dot.

    A text too long for a name is cut, and ends with a digest of the whole.
    """
    clean = ''.join(c if c.isascii() and (c.isalnum() or c in '._-') else '_' for c in text).lstrip('.')
    if len(clean) > _LONGEST_NAME:
        digest = hashlib.sha256(text.encode(errors='surrogateescape')).hexdigest()[:8]
        clean = f'{clean[: _LONGEST_NAME - 9]}-{digest}'
    return clean or '_'


def free_name(name: str, text: str, taken: Collection[str]) -> str:
    """The name, or with a digest of the text behind it if that is taken, or with a number behind both.

    Args:
        name: What would do as the name of a file.
        text: What is named.
        taken: Names in lower case.
    """
    digest = hashlib.sha256(text.encode(errors='surrogateescape')).hexdigest()[:8]
    others = (f'{name}-{digest}-{number}' for number in count(2))
    return next(one for one in chain((name, f'{name}-{digest}'), others) if one.lower() not in taken)


def _stem(record: ImageRecord) -> str:
    """The image's name in its source; side and view in place of one that only counts (``000000``, ``1-1``)."""
    stem = Path(record.relative_path).stem
    is_known = record.laterality is not Laterality.UNKNOWN and record.view is not View.UNKNOWN
    return f'{record.laterality}_{record.view}' if is_known and _COUNTED.fullmatch(stem) else slug(stem)


def _tasks(records: Iterable[ImageRecord], options: PrepareOptions, out: Path, journal: Journal) -> list[Task]:
    """Name every output file, so that no two records share one and none leaves the folder."""
    taken: set[str] = set()
    tasks = []
    for record in records:
        stem = free_name(f'{slug(record.exam_id)}/{_stem(record)}', record.relative_path, taken)
        taken.add(stem.lower())
        name = f'{stem}.png'
        tasks.append(
            Task(record, name, digest_of(record, options.digest(), name), journal.entries.get(record.relative_path))
        )
    if journal.entries and not any(task.done for task in tasks):
        raise MammoError(
            out,
            field='prepared set',
            found=f'a set made of {len(journal.entries)} other files, such as {next(iter(journal.entries))}',
            expected='a new folder, or the set of these files',
            remedy='choose another --out, or delete this one',
        )
    return tasks


def _outcomes(
    tasks: Sequence[Task], journal: Journal, pool: BoundedPool, out: Path, options: PrepareOptions
) -> Iterator[Entry]:
    """The entry of every task; new ones are in the journal when they are handed out."""
    to_do = []
    for task in tasks:
        done = None if task.record.refused else _kept(task, stamp_of(*task.record.files), out)
        if done is None:
            to_do.append(task)
        else:
            yield done
    names = {task.file_name for task in to_do}
    if names & journal.image_names:
        take_down(out)  # until it is finished, its index would speak of images that are no longer the same
        journal.forget_images(names)
    for task, future in pool.run(partial(run_task, out=out, options=options), to_do):
        entry = _entry_of(task, future, out)
        journal.add(entry)
        yield entry


def _kept(task: Task, stamp: str, out: Path) -> Entry | None:
    """What a former run made of this very task and file; quarantined files are tried again, with what is mended."""
    done = task.done
    if done is None or done.image is None or (done.task, done.stamp) != (task.digest, stamp):
        return None
    return done if (out / IMAGES / task.file_name).is_file() else None


def run_task(task: Task, *, out: Path, options: PrepareOptions) -> Entry:
    """Prepare one record and write its image, or say why not.

    Args:
        task: What to do. If it was done and only the time of the source file has changed, it is not done again.
        out: The prepared set.
        options: How.

    Returns:
        The outcome.
    """
    record, target = task.record, out / IMAGES / task.file_name
    if record.refused is not None:
        return _quarantined(task, record.refused, problem=Problem.TABLES)
    sha256, stamp = sha256_of(*record.files), stamp_of(*record.files)
    if record.sha256 not in (None, sha256.split(' ')[0]):
        return _quarantined(task, _damaged(record, sha256), stamp, sha256)
    if task.done is not None and task.done.sha256 == sha256:
        same = replace(task.done, stamp=stamp)
        if kept := _kept(replace(task, done=same), stamp, out):
            return kept
    scratch = out / STATE
    for folder in (target.parent, scratch):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        prepared = prepare_image(record, options, task.file_name)
        (write_png8 if options.bits == 8 else write_png16)(target, prepared.pixels, scratch)
    except MammoError as err:
        return _quarantined(task, err, stamp, sha256)
    image = replace(prepared.image, source={**prepared.image.source, 'sha256': sha256.split(' ')[0]})
    return Entry(record.relative_path, task.digest, stamp, sha256, prepared.quality, image)


def _damaged(record: ImageRecord, sha256: str) -> MammoError:
    """The complaint about a file that is not the one its source publishes."""
    return MammoError(
        record.relative_path,
        field='SHA-256',
        found=f'{sha256[:12]}…',
        expected=f'{record.sha256:.12}…, as published',
        remedy='download the file again; it may be cut off',
        problem=Problem.UNREADABLE,
    )


def _entry_of(task: Task, future: Future[Entry], out: Path) -> Entry:
    """The outcome, also of a task that ended in a defect of ours or took its process down."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, OSError):
        raise MammoError(
            out,
            field='output folder',
            found=error,
            expected='a disk with room that can be written to',
            remedy='mend that and give the same command again; it goes on here',
        ) from error
    if isinstance(error, MammoError) or not isinstance(error, Exception):
        raise error  # of the cluster as a whole: what a file has done wrong does not come this way
    if isinstance(error, BrokenExecutor):
        return _quarantined(task, DEAD_PROCESS)
    with (out / STATE / 'defects.txt').open('a', encoding='utf-8') as file:
        file.write(f'{task.record.relative_path}\n{"".join(traceback.format_exception(error))}\n')
    return _quarantined(
        task, f'defect of mmmammo: {shortened(repr(error))}. Remedy: report it with .prepare/defects.txt'
    )


def _quarantined(
    task: Task, why: MammoError | str, stamp: str = '', sha256: str = '', problem: Problem | None = None
) -> Entry:
    """The entry of a file that is left out; an error that names its own problem keeps it."""
    record = task.record
    if isinstance(why, MammoError):
        problem, why = why.problem or problem, why.reason
    row = QualityRow(
        record.relative_path,
        QUARANTINED,
        problems=f'{problem}={Policy.QUARANTINE}' if problem else '',
        reason=why,
        exam_id=record.exam_id,
        laterality=record.laterality.value,
        view=record.view.value,
    )
    return Entry(record.relative_path, task.digest, stamp, sha256, row)
