"""Several prepared sets to one."""

from __future__ import annotations

import csv
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from mmmammo import __version__
from mmmammo.io.exam_index import PreparedSet, read_index, write_index
from mmmammo.io.whole_files import written_whole
from mmmammo.prepare.options import PrepareOptions
from mmmammo.prepare.quality import QualityRow
from mmmammo.prepare.recorded import FACTS, recorded_options
from mmmammo.prepare.splits import SPLITS
from mmmammo.structures import MammoError, PreparedImage

MERGED = 'merged'
_SAME_WOMEN = {'cbis_ddsm', 'ddsm'}
"""Sources of which one is made from the other."""
Splits = dict[str, PreparedSet]


@dataclass(frozen=True)
class Merged:
    """What a merged set holds.

    Args:
        images: By split and set, ``'train/cbis'``; so ``exams`` and ``findings``.
        classes: Class list.
        unmarked: Class -> sets whose class list lacks it: what they show of it counts as background.
    """

    images: dict[str, int]
    exams: dict[str, int]
    findings: dict[str, int]
    classes: tuple[str, ...]
    unmarked: dict[str, tuple[str, ...]]


def merge_sets(
    sets: Mapping[str, Path],
    out: Path,
    *,
    any_options: bool = False,
    info: Mapping[str, Any] | None = None,
    on_start: Callable[[int], None] | None = None,
    on_image: Callable[[], None] | None = None,
) -> Merged:
    """Write a prepared set of all images of others, which stay as they are.

    Every image keeps its split. Files, exams and patients get the name of their set in front, so that no two are taken
    for one. Images are hard links where the disk allows, otherwise copies; a run that was stopped is done again.

    Args:
        sets: Name -> prepared set, at least two.
        out: The new set; a folder that is no other prepared set.
        any_options: Take sets that were prepared in different ways.
        info: More keys for ``prepare.json``, such as the command.
        on_start: Called with the number of images.
        on_image: Called after each image.

    Raises:
        MammoError: If a set cannot be read, the sets were prepared in different ways or share women or images, or
            ``out`` is another set.
    """
    facts = {name: _facts(path) for name, path in sets.items()}
    _check_sets(sets, out, facts)
    options = None if any_options and not _same_options(sets) else _common_options(sets)
    splits = {name: {s: read_index(path / 'annotations' / f'{s}.json') for s in SPLITS} for name, path in sets.items()}
    _require_no_repeats(splits)
    if on_start is not None:
        on_start(sum(len(part.images) for of_set in splits.values() for part in of_set.values()))
    for name, of_set in splits.items():
        for image in (image for part in of_set.values() for image in part.images):
            _take_file(sets[name], out, name, image.file_name)
            if on_image is not None:
                on_image()
    merged = _merged(splits)
    for split, part in _joined(splits, merged.classes):
        write_index(out / 'annotations' / f'{split}.json', part)
    _write_quality(sets, out / 'quality.csv')
    _write_facts(out / FACTS, facts, options, merged, info or {})
    return merged


def _facts(path: Path) -> dict[str, Any]:
    """Its ``prepare.json``."""
    found: object = 'no such file'
    if (path / FACTS).is_file():
        try:
            found = json.loads((path / FACTS).read_text(encoding='utf-8'))
        except ValueError as err:
            found = f'a file that cannot be read as one ({err})'
    if isinstance(found, dict):
        return found
    raise MammoError(
        path / FACTS,
        field='prepared set',
        found=found,
        expected='what tools/prepare_dataset.py writes',
        remedy='name a folder that it has finished',
    )


def _check_sets(sets: Mapping[str, Path], out: Path, facts: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse what would be no set, or destroy one."""
    if len(sets) < 2:
        raise _error('sets', f'{len(sets)}', 'two or more, of different names', 'name them, or give names as NAME=DIR')
    others = {path.resolve() for path in sets.values()}
    if out.resolve() in others or ((out / FACTS).is_file() and _facts(out).get('source') != MERGED):
        raise _error('--out', out, 'a folder that is no other prepared set', 'choose another, or delete that one')
    sources = [str(facts[name].get('source')) for name in sets]
    shared = _SAME_WOMEN & set(sources)
    if len(shared) > 1:
        remedy = 'take one of them: a woman of both could be in train and in test'
        raise _error('source', ' and '.join(sorted(shared)), 'sets of different women', remedy)


def _same_options(sets: Mapping[str, Path]) -> bool:
    return len({recorded_options(path).digest() for path in sets.values()}) == 1


def _common_options(sets: Mapping[str, Path]) -> PrepareOptions:
    """How all of them were prepared."""
    options = {name: recorded_options(path) for name, path in sets.items()}
    first, *others = options.values()
    for option in fields(PrepareOptions):
        if any(getattr(first, option.name) != getattr(other, option.name) for other in others):
            found = ', '.join(f'{getattr(one, option.name)} in {name}' for name, one in options.items())
            remedy = 'prepare them alike, or merge them as they are with --any-options'
            raise _error(option.name, found, 'sets that were prepared in one way', remedy)
    return first


def _require_no_repeats(splits: Mapping[str, Splits]) -> None:
    """Refuse a file that is in two sets: what is learnt from it in one could be tested in the other."""
    seen: dict[str, str] = {}
    for name, of_set in splits.items():
        digests = {image.source.get('sha256') for part in of_set.values() for image in part.images} - {None, ''}
        for digest in digests & seen.keys():
            remedy = 'leave one of them out'
            raise _error('images', f'one file in {seen[digest]} and {name}', 'sets without a file in common', remedy)
        seen |= dict.fromkeys(digests, name)


def _take_file(source: Path, out: Path, name: str, file_name: str) -> None:
    """An image under its new name: one file of two names, or a copy on a disk that has no links."""
    target = out / 'images' / name / file_name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)  # of a run that was stopped
    try:
        os.link(source / 'images' / file_name, target)
    except OSError:
        shutil.copyfile(source / 'images' / file_name, target)


def _joined(splits: Mapping[str, Splits], classes: Sequence[str]) -> Iterator[tuple[str, PreparedSet]]:
    """The splits of the new set; image ids go through all of them."""
    number = 0
    for split in SPLITS:
        images = []
        for name, of_set in splits.items():
            for image in of_set[split].images:
                number += 1
                images.append(_renamed(image, name, number))
        info = {'split': split, 'source': MERGED, 'mmmammo_version': __version__}
        yield split, PreparedSet(tuple(images), tuple(classes), info)


def _renamed(image: PreparedImage, name: str, number: int) -> PreparedImage:
    return replace(
        image,
        image_id=number,
        file_name=f'{name}/{image.file_name}',
        exam_id=f'{name}/{image.exam_id}',
        patient_id=f'{name}/{image.patient_id}',
        labels={**image.labels, 'set': name},
    )


def _merged(splits: Mapping[str, Splits]) -> Merged:
    lists = {name: of_set['train'].categories for name, of_set in splits.items()}
    classes = tuple(dict.fromkeys(label for labels in lists.values() for label in labels))
    lacking = {label: tuple(name for name, labels in lists.items() if label not in labels) for label in classes}
    images, exams, findings = Counter[str](), Counter[str](), Counter[str]()
    for split in SPLITS:
        for name, of_set in splits.items():
            part, key = of_set[split].images, f'{split}/{name}'
            images[key] = len(part)
            exams[key] = len({image.exam_id for image in part})
            findings[key] = sum(len(image.findings) for image in part)
    unmarked = {label: names for label, names in lacking.items() if names}
    return Merged(dict(images), dict(exams), dict(findings), classes, unmarked)


def _write_quality(sets: Mapping[str, Path], path: Path) -> None:
    """The rows of all sets, with the name of the set before files and exams."""
    names = [field.name for field in fields(QualityRow)]
    with written_whole(path, newline='') as file:
        writer = csv.DictWriter(file, names, restval='', extrasaction='ignore')
        writer.writeheader()
        for name, folder in sets.items():
            if (folder / 'quality.csv').is_file():
                with (folder / 'quality.csv').open(newline='', encoding='utf-8') as rows:
                    for row in csv.DictReader(rows):
                        prefixed = {key: f'{name}/{row[key]}' for key in ('path', 'exam_id') if row.get(key)}
                        writer.writerow(row | prefixed)


def _write_facts(
    path: Path,
    facts: Mapping[str, Mapping[str, Any]],
    options: PrepareOptions | None,
    merged: Merged,
    info: Mapping[str, Any],
) -> None:
    document = {
        'source': MERGED,
        **info,
        'options': None if options is None else vars(options),
        'mmmammo_version': __version__,
        'written': time.strftime('%Y-%m-%dT%H:%M:%S%z'),
        'classes': list(merged.classes),
        'counts': asdict(merged),
        'sets': dict(facts),
    }
    with written_whole(path) as file:
        file.write(json.dumps(document, indent=1) + '\n')


def _error(field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError('merge', field=field, found=found, expected=expected, remedy=remedy)
