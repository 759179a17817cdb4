"""Several prepared sets to one."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from mmmammo import __version__
from mmmammo.io.exam_index import PreparedSet, read_index, write_index
from mmmammo.io.whole_files import link_or_copy, written_whole
from mmmammo.prepare.folder import IMAGES, INDEX, STATE, require_own_folder, take_down
from mmmammo.prepare.journal import only_one
from mmmammo.prepare.options import PrepareOptions
from mmmammo.prepare.quality import QualityRow
from mmmammo.prepare.recorded import FACTS, MERGED, facts_of
from mmmammo.prepare.splits import SPLITS
from mmmammo.sources.listing import place_refusal
from mmmammo.structures import MammoError, PreparedImage

_ABSENT = 'not recorded'
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
    different_women: bool = False,
    info: Mapping[str, Any] | None = None,
    on_start: Callable[[int], None] | None = None,
    on_image: Callable[[], None] | None = None,
) -> Merged:
    """Write a prepared set of all images of others, which stay as they are.

    Every image keeps its split. Files, exams and patients get the name of their set in front, so that no two are taken
    for one. Images are hard links where the disk allows, otherwise copies. A run that was stopped leaves no set, and is
    done again.

    Args:
        sets: Name -> prepared set, at least two.
        out: The new set; a folder that is no other prepared set, and holds no images or annotations of others.
        any_options: Take sets whose images were prepared in different ways.
        different_women: Equal patient ids in sets of one source are of different women.
        info: More keys for ``prepare.json``, such as the command.
        on_start: Called with the number of images.
        on_image: Called after each image.

    Raises:
        MammoError: If a set cannot be read, is being prepared, or the sets were prepared in different ways or share
            women or images; if an image of theirs is a link out of their folder of images; if ``out`` is another set
            or would reach out of its folder.
    """
    facts = {name: _facts(path) for name, path in sets.items()}
    _check_sets(sets, out, facts)
    options = _common_options(facts, any_options)
    with ExitStack() as stack:
        for path in (out, *(path for path in sets.values() if (path / STATE).is_dir())):
            stack.enter_context(only_one(path / STATE, 'another run that prepares or merges this set'))
        splits = {name: {s: read_index(path / INDEX / f'{s}.json') for s in SPLITS} for name, path in sets.items()}
        if not different_women:
            _require_different_women(splits, facts)
        _require_no_repeats(splits)
        _require_own_images(sets, splits)
        take_down(out)
        _take_files(sets, splits, out, on_start, on_image)
        merged = _merged(splits)
        _write_quality(sets, out / 'quality.csv')
        for split, part in _joined(splits, merged.classes):
            write_index(out / INDEX / f'{split}.json', part)
        _write_facts(out / FACTS, facts, options, merged, info or {})
    return merged


def _facts(path: Path) -> dict[str, Any]:
    """Its ``prepare.json``."""
    found = facts_of(path / FACTS)
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
    is_another = (out / FACTS).is_file() and _facts(out).get('source') != MERGED
    if out.resolve() in others or is_another or (out / STATE / 'journal.jsonl').exists():
        raise _error('--out', out, 'a folder that is no other prepared set', 'choose another, or delete that one')
    require_own_folder(out)
    shared = _SAME_WOMEN & set().union(*(_sources(of_set) for of_set in facts.values()))
    if len(shared) > 1:
        remedy = 'take one of them: a woman of both could be in train and in test'
        raise _error('source', ' and '.join(sorted(shared)), 'sets of different women', remedy)


def _sources(facts: Mapping[str, Any]) -> set[str]:
    """Where a set is from, or those that it was merged of."""
    if facts.get('source') != MERGED:
        return {str(facts.get('source'))}
    return set().union(*(_sources(of_set) for of_set in facts['sets'].values()))


def _common_options(facts: Mapping[str, Mapping[str, Any]], any_options: bool) -> dict[str, Any] | None:
    """How the images of all sets were prepared; ``None`` if that differs and may.

    Policies are which files are taken, not how: sources have their own.
    """
    recorded = {name: of_set.get('options') for name, of_set in facts.items()}
    defaults = vars(PrepareOptions())  # of what there was no option for yet
    said = {name: defaults | options if options else {} for name, options in recorded.items()}
    first, *others = said.values()
    for option in sorted(defaults.keys() - {'policies'}):
        values = [one.get(option, _ABSENT) for one in said.values()]
        if _ABSENT not in values and all(value == values[0] for value in values):
            continue
        if any_options:
            return None
        found = ', '.join(f'{value} in {name}' for name, value in zip(said, values, strict=True))
        remedy = 'prepare them alike, or merge them as they are with --any-options'
        raise _error(option, found, 'sets that were prepared in one way', remedy)
    differ = {name for name in first if any(one.get(name) != first[name] for one in others)}
    return {name: value for name, value in first.items() if name not in differ}


def _require_different_women(splits: Mapping[str, Splits], facts: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a woman who is in two sets: she could be in train of one and in test of the other."""
    women = {name: {i.patient_id for part in of_set.values() for i in part.images} for name, of_set in splits.items()}
    remedy = (
        'prepare them as one set, which splits by woman; if they are different women with equal ids: --different-women'
    )
    for one, other in combinations(splits, 2):
        if not _sources(facts[one]) & _sources(facts[other]):
            continue
        shared = women[one] & women[other]
        is_nested = MERGED in (facts[one].get('source'), facts[other].get('source'))  # ids have names before them
        if shared or is_nested:
            found = f'{len(shared)} of them' if shared else 'women of one source'
            raise _error('patient_id', f'{found} in {one} and in {other}', 'sets of different women', remedy)


def _require_no_repeats(splits: Mapping[str, Splits]) -> None:
    """Refuse a file that is in two sets: what is learnt from it in one could be tested in the other."""
    seen: dict[str, str] = {}
    for name, of_set in splits.items():
        digests = {image.source.get('sha256') for part in of_set.values() for image in part.images} - {None, ''}
        for digest in digests & seen.keys():
            remedy = 'leave one of them out'
            raise _error('images', f'one file in {seen[digest]} and {name}', 'sets without a file in common', remedy)
        seen |= dict.fromkeys(digests, name)


def _require_own_images(sets: Mapping[str, Path], splits: Mapping[str, Splits]) -> None:
    """Refuse an image that lies elsewhere: the merged set would hold any file that a link of a set leads to."""
    for name, of_set in splits.items():
        folder = sets[name] / IMAGES
        own = folder.resolve()  # the whole folder may be a link
        for image in (image for part in of_set.values() for image in part.images):
            if refused := place_refusal(folder / image.file_name, own):
                raise refused


def _take_files(
    sets: Mapping[str, Path],
    splits: Mapping[str, Splits],
    out: Path,
    on_start: Callable[[int], None] | None,
    on_image: Callable[[], None] | None,
) -> None:
    """All images under their new names, and nothing else that a former run has left."""
    names = {name: [i.file_name for part in of_set.values() for i in part.images] for name, of_set in splits.items()}
    if on_start is not None:
        on_start(sum(map(len, names.values())))
    taken = set()
    for name, files in names.items():
        for file_name in files:
            taken.add(_take_file(sets[name] / IMAGES / file_name, out / IMAGES / name / file_name, out))
            if on_image is not None:
                on_image()
    for path in (out / IMAGES).rglob('*'):
        if path not in taken and not path.is_dir():
            path.unlink()


def _take_file(source: Path, target: Path, out: Path) -> Path:
    """An image under its new name: one file of two names, or a copy on a disk that has no links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(out.resolve()):
        raise _error('--out', f'{target.parent}, a link', 'a folder of its own', 'remove the link, or choose another')
    if target.exists() and target.samefile(source):
        return target
    link_or_copy(source, target)
    return target


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
    options: Mapping[str, Any] | None,
    merged: Merged,
    info: Mapping[str, Any],
) -> None:
    document = {
        'source': MERGED,
        **info,
        'options': options,
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
