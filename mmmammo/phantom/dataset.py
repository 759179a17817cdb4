"""Write a raw set: DICOM files and the truth, resumable and in parallel."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from mmmammo.io.whole_files import remove_unfinished, written_whole
from mmmammo.phantom.config import PhantomConfig
from mmmammo.phantom.dicom_writer import write_dicom
from mmmammo.phantom.exam import make_exam
from mmmammo.phantom.truth import draw_split, exam_to_json
from mmmammo.structures import MammoError

FORMAT = 'mmmammo-phantom-1'
STATEMENT = 'Synthetic: computed by the mmmammo phantom. No person was imaged; no result on it is a clinical claim.'


def write_dataset(
    raw: Path,
    num_exams: int,
    config: PhantomConfig,
    seed: int = 0,
    workers: int = 1,
    on_exam: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Write ``num_exams`` exams to ``<raw>/<exam>/<laterality>_<view>.dcm`` and describe them in JSON.

    An exam whose ``truth.json`` is there is complete and is left alone, so an interrupted run goes on where it was,
    and a larger ``num_exams`` extends the set.

    Args:
        raw: Folder, made if need be.
        num_exams: How many.
        config: What they look like.
        seed: Of the set.
        workers: Processes; 1 works in this one.
        on_exam: Called with the exam's name when it is complete, also for those that were.

    Returns:
        The contents of ``<raw>/phantom.json``.

    Raises:
        MammoError: See :func:`check_dataset`.
    """
    raw = Path(raw)
    fingerprint = check_dataset(raw, num_exams, config, seed, workers)
    info = {
        'format': FORMAT,
        'statement': STATEMENT,
        'complete': False,
        'seed': seed,
        'num_exams': num_exams,
        'fingerprint': fingerprint,
        'config': config.to_json(),
        'counts': {},
    }
    remove_unfinished(raw)
    write_json(raw / 'phantom.json', info, indent=1)
    job = partial(_write_exam, raw, config, seed, fingerprint)
    for exam_id in _run(job, num_exams, workers):
        if on_exam is not None:
            on_exam(exam_id)
    info.update(complete=True, counts=count(raw, num_exams))
    write_json(raw / 'phantom.json', info, indent=1)
    return info


def check_dataset(raw: Path, num_exams: int, config: PhantomConfig, seed: int = 0, workers: int = 1) -> str:
    """See that :func:`write_dataset` could begin; nothing is written.

    Returns:
        The fingerprint of the set.

    Raises:
        MammoError: If the folder holds a set of another config or seed or something else, or a number is out of range.
    """
    for name, value, least in (('num_exams', num_exams, 1), ('workers', workers, 1), ('seed', seed, 0)):
        if value < least:
            raise MammoError(raw, field=name, found=value, expected=f'at least {least}', remedy=f'change {name}')
    if raw.exists() and not raw.is_dir():
        raise MammoError(raw, field='folder', found='a file', expected='a folder or nothing', remedy='choose another')
    fingerprint = _fingerprint(config, seed)
    _check_same_set(raw, fingerprint)
    return fingerprint


def exam_folder(raw: Path, index: int) -> Path:
    """Where an exam lies."""
    return raw / f'phantom-{index:05d}'


def write_json(path: Path, data: object, indent: int | None = None) -> None:
    """Write JSON so that the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        file.write(json.dumps(data, indent=indent) + '\n')


def read_json(path: Path) -> dict[str, Any]:
    """Read one of the set's JSON files.

    Raises:
        MammoError: If it is no JSON.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
    except (ValueError, RecursionError) as err:  # of too deep lists, or numbers of thousands of digits
        remedy = 'delete the file and run the phantom again; it resumes'
        raise MammoError(path, field='JSON', found=err, expected='a whole file', remedy=remedy) from err
    return data


def count(raw: Path, num_exams: int) -> dict[str, Any]:
    """Exams, images, annotated findings per category, decoys and exams with cancer of a complete set."""
    totals: dict[str, Any] = {'exams': 0, 'images': 0, 'cancer_exams': 0, 'decoys': 0, 'findings': {}, 'splits': {}}
    for index in range(num_exams):
        truth = read_json(exam_folder(raw, index) / 'truth.json')
        totals['exams'] += 1
        totals['images'] += len(truth['views'])
        totals['splits'][truth['split']] = totals['splits'].get(truth['split'], 0) + 1
        real = [x for x in truth['lesions'] if x['decoy'] is None]
        totals['cancer_exams'] += any(x['pathology'] == 'malignant' for x in real)
        for view in truth['views']:
            totals['decoys'] += len(view['decoys'])
            for finding in view['findings']:
                category = finding['category']
                totals['findings'][category] = totals['findings'].get(category, 0) + 1
    return totals


def _run(job: Callable[[int], str], num_exams: int, workers: int) -> Iterator[str]:
    if workers == 1:
        yield from map(job, range(num_exams))
        return
    # Spawned, because a fork of a process with threads (a progress bar has one) may hang.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(workers, mp_context=context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        futures = [pool.submit(job, index) for index in range(num_exams)]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _write_exam(raw: Path, config: PhantomConfig, seed: int, fingerprint: str, index: int) -> str:
    folder = exam_folder(raw, index)
    if not _is_complete(folder, fingerprint):
        folder.mkdir(parents=True, exist_ok=True)
        remove_unfinished(folder)  # of a run that was killed
        exam = make_exam(config, seed, index)
        for view in exam.views:
            write_dicom(folder / f'{view.name}.dcm', exam, view)
        truth = exam_to_json(exam, draw_split(config.split, seed, index))
        write_json(folder / 'truth.json', {'fingerprint': fingerprint, **truth})
    return folder.name


def _is_complete(folder: Path, fingerprint: str) -> bool:
    path = folder / 'truth.json'
    if not path.is_file():
        return False
    truth = read_json(path)
    files = [folder / view['file'] for view in truth['views']]
    return truth['fingerprint'] == fingerprint and all(file.is_file() for file in files)


def _fingerprint(config: PhantomConfig, seed: int) -> str:
    text = json.dumps([FORMAT, seed, config.to_json()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _check_same_set(raw: Path, fingerprint: str) -> None:
    path = raw / 'phantom.json'
    if not path.is_file():
        _check_empty(raw)
        return
    found = read_json(path).get('fingerprint')
    if found != fingerprint:
        raise MammoError(
            path,
            field='fingerprint',
            found=found,
            expected=f'{fingerprint}, of the config and seed given',
            remedy='choose another folder, delete this one, or use its config and seed',
        )


def _check_empty(raw: Path) -> None:
    """Keep synthetic exams from being mixed into real ones."""
    names = sorted(path.name for path in raw.iterdir()) if raw.exists() else []
    if there := [name for name in names if not name.startswith(('.', 'phantom-', 'phantom.'))]:
        raise MammoError(
            raw,
            field='folder',
            found=f'{len(there)} other entries, such as {there[0]}',
            expected='an empty folder, or a phantom set with its phantom.json',
            remedy='choose another folder',
        )
