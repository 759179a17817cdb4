"""From outcomes to the files of a prepared set."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mmmammo import __version__
from mmmammo.io.coco_entries import finding_from_json, image_from_json
from mmmammo.io.exam_index import PreparedSet, write_index
from mmmammo.prepare.journal import Entry
from mmmammo.prepare.options import PrepareOptions
from mmmammo.prepare.quality import QUARANTINED, write_quality
from mmmammo.prepare.splits import SPLITS, complete_splits
from mmmammo.structures import MammoError, PreparedImage


@dataclass(frozen=True)
class Summary:
    """Counts of a prepared set.

    Args:
        statuses: Files by status.
        images: Images by split.
        exams: Exams by split.
        patients: Patients by split.
        findings: Findings by split and category, ``'train/mass'``.
        views: Images by side and view, ``'L CC'``.
    """

    statuses: dict[str, int]
    images: dict[str, int]
    exams: dict[str, int]
    patients: dict[str, int]
    findings: dict[str, int]
    views: dict[str, int]


def write_set(
    out: Path,
    entries: Sequence[Entry],
    options: PrepareOptions,
    categories: Sequence[str],
    source: str,
    *,
    fractions: Sequence[float],
    seed: int,
    command: str,
) -> Summary:
    """Write ``quality.csv``, the annotation files and ``prepare.json``.

    Raises:
        MammoError: If no image is left.
    """
    write_quality(out / 'quality.csv', (entry.quality for entry in entries))
    usable = [(number, entry) for number, entry in enumerate(entries, start=1) if entry.image is not None]
    if not usable:
        raise MammoError(
            out / 'quality.csv',
            field='usable images',
            found=f'none of {len(entries)}',
            expected='at least one',
            remedy=f'see the reasons in quality.csv; the first is: {entries[0].quality.reason}',
        )
    classes = _classes(options, categories)
    images = {number: _image(number, entry) for number, entry in usable}
    splits = _splits(usable, fractions, seed)
    for split in SPLITS:
        chosen = tuple(image for image in images.values() if splits[image.patient_id] == split)
        info = {'split': split, 'source': source, 'mmmammo_version': __version__}
        write_index(out / 'annotations' / f'{split}.json', PreparedSet(chosen, classes, info))
    summary = _summary(entries, list(images.values()), splits)
    record = {
        'command': command,
        'source': source,
        'mmmammo_version': __version__,
        'written': time.strftime('%Y-%m-%dT%H:%M:%S%z'),
        'options': asdict(options),
        'split_fractions': list(fractions),
        'seed': seed,
        'classes': list(classes),
        'counts': asdict(summary),
    }
    (out / 'prepare.json').write_text(json.dumps(record, indent=1) + '\n', encoding='utf-8')
    return summary


def _classes(options: PrepareOptions, categories: Sequence[str]) -> tuple[str, ...]:
    if options.single_class:
        return (options.single_class,)
    return tuple(name for name in categories if not options.only or name in options.only)


def _image(number: int, entry: Entry) -> PreparedImage:
    findings = [finding_from_json(finding, finding['category']) for finding in entry.findings]
    return image_from_json({**(entry.image or {}), 'id': number}, findings)


def _splits(usable: Sequence[tuple[int, Entry]], fractions: Sequence[float], seed: int) -> dict[str, str]:
    """Split by patient.

    Raises:
        MammoError: If a source puts one patient into two splits.
    """
    given: dict[str, str | None] = {}
    positive: dict[str, bool] = {}
    for _, entry in usable:
        patient = (entry.image or {})['patient_id']
        if given.setdefault(patient, entry.split) != entry.split:
            raise MammoError(
                entry.key,
                field='split',
                found=f'a patient in {given[patient]} and in {entry.split}',
                expected='all images of a patient in one split',
                remedy='correct the split column of the annotations; splits are by patient',
            )
        positive[patient] = positive.get(patient, False) or bool(entry.findings)
    return complete_splits(given, positive, fractions, seed)


def _summary(entries: Sequence[Entry], images: Sequence[PreparedImage], splits: dict[str, str]) -> Summary:
    statuses = Counter({'accepted': 0, 'mended': 0, QUARANTINED: 0})
    statuses.update(entry.quality.status for entry in entries)
    of = {split: [image for image in images if splits[image.patient_id] == split] for split in SPLITS}
    return Summary(
        statuses=dict(statuses),
        images={split: len(chosen) for split, chosen in of.items()},
        exams={split: len({image.exam_id for image in chosen}) for split, chosen in of.items()},
        patients={split: len({image.patient_id for image in chosen}) for split, chosen in of.items()},
        findings=dict(Counter(f'{s}/{f.category}' for s, chosen in of.items() for i in chosen for f in i.findings)),
        views=dict(sorted(Counter(f'{image.laterality} {image.view}' for image in images).items())),
    )
