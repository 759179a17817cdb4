"""The phantom's raw set: what ``python -m mmmammo.phantom`` writes.

::

    <raw>/phantom.json                       config, seed, counts; says that the set is synthetic
    <raw>/<exam>/<laterality>_<view>.dcm
    <raw>/<exam>/truth.json                  findings, decoys, landmarks, labels, split
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmmammo.phantom.config import CATEGORIES
from mmmammo.phantom.dataset import FORMAT, exam_folder, read_json
from mmmammo.phantom.truth import finding_from_json
from mmmammo.sources.listing import own_file, place_refusal
from mmmammo.sources.protocol import CountCheck, SourceOption
from mmmammo.structures import BreastLandmarks, ImageRecord, Laterality, MammoError, Policy, Problem, View

__all__ = ['CATEGORIES', 'OPTIONS', 'POLICIES', 'count_checks', 'count_skipped', 'list_records']

OPTIONS: tuple[SourceOption, ...] = ()
POLICIES: Mapping[Problem, Policy] = {}

_AGAIN = 'delete the file and run the phantom again; it resumes'


def list_records(raw: Path, **options: str) -> Iterator[ImageRecord]:
    """Every image of a phantom set, exam by exam; decoys are no findings.

    Args:
        raw: Folder with ``phantom.json``.
        **options: None.

    Raises:
        MammoError: If the folder is no phantom set, or one that is not finished, or a description leads out of it.
    """
    raw = Path(raw)
    info = _read_info(raw)
    paths = [exam_folder(raw, index) / 'truth.json' for index in range(info['num_exams'])]
    complete = sum(path.is_file() for path in paths)
    if complete < len(paths):
        remedy = 'give the same phantom command again; it resumes'
        raise _error(raw, 'exams', f'{complete} complete', f'{len(paths)}, as phantom.json says', remedy)
    root = raw.resolve()
    for path in paths:
        if refused := place_refusal(path, root):
            raise refused
        truth = read_json(path)
        for view in truth['views']:
            yield _record(raw, path.parent, truth, view)


def count_skipped(raw: Path) -> int:
    """None: the phantom writes into a folder of its own."""
    return 0


def count_checks(raw: Path, **options: str) -> tuple[CountCheck, ...]:
    """None: ``phantom.json`` is checked in ``list_records``."""
    return ()


def _record(raw: Path, folder: Path, truth: Mapping[str, Any], view: Mapping[str, Any]) -> ImageRecord:
    path = folder / view['file']
    if path.parent != folder or path.name == '..' or '\0' in path.name:
        raise _error(folder / 'truth.json', 'file', repr(view['file']), 'the name of a file beside it', _AGAIN)
    return ImageRecord(
        path=path,
        relative_path=path.relative_to(raw).as_posix(),
        exam_id=truth['exam_id'],
        patient_id=truth['patient_id'],
        laterality=Laterality(view['laterality']),
        view=View(view['view']),
        findings=tuple(finding_from_json(x) for x in view['findings']),
        labels=view['labels'],
        landmarks=BreastLandmarks.from_json(view['landmarks']),
        split=truth['split'],
        refused=place_refusal(path, raw.resolve()),
    )


def _read_info(raw: Path) -> Mapping[str, Any]:
    path = raw / 'phantom.json'
    make = f'make one: python -m mmmammo.phantom --out {raw} --exams 200'
    if not path.is_file():
        raise _error(raw, 'phantom.json', 'no such file', 'a folder that the phantom wrote', make)
    info = read_json(own_file(path, raw))
    if info.get('format') != FORMAT:
        raise _error(path, 'format', info.get('format'), FORMAT, make)
    return info


def _error(where: Path, field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy=remedy)
