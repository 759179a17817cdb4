"""From outcomes to the files of a prepared set."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mmmammo import __version__
from mmmammo.io.exam_index import PreparedSet, write_index
from mmmammo.io.whole_files import written_whole
from mmmammo.prepare.journal import Entry
from mmmammo.prepare.options import SetOptions
from mmmammo.prepare.quality import STATUSES, write_quality
from mmmammo.prepare.splits import SPLITS, complete_splits, split_by_patient
from mmmammo.sources import CountCheck
from mmmammo.structures import Finding, ImageRecord, MammoError, PreparedImage, Problem

_MOST_VALUES = 12
_RASTER = {'.png', '.pgm', '.tif', '.tiff', '.jpg', '.jpeg', '.bmp'}

Results = Sequence[tuple[ImageRecord, Entry]]


@dataclass(frozen=True)
class Summary:
    """Counts of a prepared set.

    Args:
        statuses: Files by status.
        skipped: Files without a row of ``quality.csv``: their names say that they are no images.
        warnings: Files with a warning.
        images: Images by split.
        exams: Exams by split.
        patients: Patients by split.
        findings: Findings by split and category, ``'train/mass'``.
        left_out: Findings by category that ``only`` left out.
        views: Images by side and view, ``'L CC'``.
        labels: Images by label and value; of a label with many values, only how many have one: ``{'known': 310}``.
        problems: Files by problem and what was done, ``'laterality=mend'``; a file may have several.
        checks: Counts of the download beside the published ones.
        coarse: Images whose files were decoded at a lower resolution of their own.
        uneven: Exams of raster images that differ in bits: what is white was guessed otherwise in each.
    """

    statuses: dict[str, int]
    skipped: int
    warnings: int
    images: dict[str, int]
    exams: dict[str, int]
    patients: dict[str, int]
    findings: dict[str, int]
    left_out: dict[str, int]
    views: dict[str, int]
    labels: dict[str, dict[str, int]]
    problems: dict[str, int]
    checks: tuple[CountCheck, ...] = ()
    coarse: int = 0
    uneven: int = 0


def write_set(
    out: Path,
    results: Results,
    classes: Sequence[str],
    options: SetOptions,
    facts: Mapping[str, Any],
    skipped: int = 0,
    checks: Sequence[CountCheck] = (),
) -> Summary:
    """Write ``quality.csv``, the annotation files and ``prepare.json``, each whole or not at all.

    Args:
        out: The prepared set.
        results: Every record and its outcome, in the order of the source.
        classes: Class list.
        options: Classes and splits.
        facts: What ``prepare.json`` says beside the counts; ``source`` goes into the annotation files too.
        skipped: Files that the source lists no record of.
        checks: Counts of the download beside the published ones; only told.

    Raises:
        MammoError: If no image is left.
    """
    write_quality(out / 'quality.csv', (entry.quality for _, entry in results))
    images = {
        number: replace(entry.image, image_id=number, findings=_chosen(entry.image.findings, options))
        for number, (_, entry) in enumerate(results, start=1)
        if entry.image is not None
    }
    if not images:
        raise MammoError(
            out / 'quality.csv',
            field='usable images',
            found=f'none of {len(results)}',
            expected='at least one',
            remedy=f'see the reasons in the file; the first is: {results[0][1].quality.reason}',
        )
    splits = _splits(images.values(), results, options)
    for split in SPLITS:
        part = tuple(image for image in images.values() if splits[image.patient_id] == split)
        info = {'split': split, 'source': facts['source'], 'mmmammo_version': __version__}
        write_index(out / 'annotations' / f'{split}.json', PreparedSet(part, tuple(classes), info))
    summary = replace(_summary(results, list(images.values()), splits, options.only, skipped), checks=tuple(checks))
    _write_facts(out / 'prepare.json', classes, facts, summary)
    return summary


def _chosen(findings: Sequence[Finding], options: SetOptions) -> tuple[Finding, ...]:
    """Findings of the wanted categories, merged if asked for: of one box with several categories one is left."""
    kept = tuple(finding for finding in findings if not options.only or finding.category in options.only)
    if not options.single_class:
        return kept
    merged: dict[object, Finding] = {}
    for f in kept:
        attributes = {**f.attributes, 'category': f.category}
        merged.setdefault((f.bbox, f.lesion_id), replace(f, category=options.single_class, attributes=attributes))
    return tuple(merged.values())


def _splits(images: Iterable[PreparedImage], results: Results, options: SetOptions) -> dict[str, str]:
    """Split by patient; those with and those without a finding or cancer are divided alike."""
    positive: dict[str, bool] = {}
    for image in images:
        positive[image.patient_id] = positive.get(image.patient_id, False) or _is_positive(image)
    given = split_by_patient(record for record, entry in results if entry.image is not None)
    return complete_splits(given, positive, options.fractions, options.seed)


def _is_positive(image: PreparedImage) -> bool:
    return bool(image.findings) or image.labels.get('cancer') == 1


def _write_facts(path: Path, classes: Sequence[str], facts: Mapping[str, Any], summary: Summary) -> None:
    document = {
        **facts,
        'mmmammo_version': __version__,
        'written': time.strftime('%Y-%m-%dT%H:%M:%S%z'),
        'classes': list(classes),
        'counts': asdict(summary),
    }
    with written_whole(path) as file:
        file.write(json.dumps(document, indent=1) + '\n')


def _summary(
    results: Results, images: Sequence[PreparedImage], splits: Mapping[str, str], only: Sequence[str], skipped: int
) -> Summary:
    by_split = {split: [image for image in images if splits[image.patient_id] == split] for split in SPLITS}
    in_source = [finding.category for _, entry in results if entry.image for finding in entry.image.findings]
    statuses = Counter(entry.quality.status for _, entry in results)
    return Summary(
        statuses={status: statuses[status] for status in STATUSES},
        skipped=skipped,
        warnings=sum(bool(entry.quality.warnings) for _, entry in results),
        images={split: len(part) for split, part in by_split.items()},
        exams={split: len({image.exam_id for image in part}) for split, part in by_split.items()},
        patients={split: len({image.patient_id for image in part}) for split, part in by_split.items()},
        findings=dict(Counter(f'{s}/{f.category}' for s, part in by_split.items() for i in part for f in i.findings)),
        left_out=dict(Counter(name for name in in_source if only and name not in only)),
        views=dict(sorted(Counter(f'{image.laterality} {image.view}' for image in images).items())),
        labels=_label_counts(images),
        problems=_problem_counts(results),
        coarse=sum('resolution' in image.source for image in images),
        uneven=_uneven(results),
    )


def _uneven(results: Results) -> int:
    """Exams of which raster images have several depths, told by their brightest pixel; DICOM says white itself."""
    bits: dict[str, set[int | None]] = {}
    for record, entry in results:
        if entry.image is not None and record.path.suffix.lower() in _RASTER:
            bits.setdefault(entry.image.exam_id, set()).add(entry.quality.bits)
    return sum(len(of_exam) > 1 for of_exam in bits.values())


def _label_counts(images: Sequence[PreparedImage]) -> dict[str, dict[str, int]]:
    """Images by label and value; ages and the like, of which nearly every image has its own, only by how many."""
    values: dict[str, Counter[str]] = {}
    for image in images:
        for name, value in image.labels.items():
            values.setdefault(name, Counter())[str(value)] += 1
    few = {name: len(counts) <= _MOST_VALUES for name, counts in values.items()}
    return {
        name: dict(sorted(counts.items())) if few[name] else {'known': counts.total()}
        for name, counts in sorted(values.items())
    }


def _problem_counts(results: Results) -> dict[str, int]:
    """Files by ``'problem=action'``, in the order of the problems."""
    found = Counter(name for _, entry in results for name in entry.quality.problems.split('; ') if name)
    order = {problem: number for number, problem in enumerate(Problem)}
    return dict(sorted(found.items(), key=lambda item: (order[Problem(item[0].split('=')[0])], item[0])))
