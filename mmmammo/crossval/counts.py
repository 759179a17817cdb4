"""How the cut came out, told before anything is trained."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmammo.crossval.project import Project
from mmmammo.datasets.label_rule import HAS_FINDING
from mmmammo.io.exam_index import read_index
from mmmammo.structures import MammoError, PreparedImage


@dataclass(frozen=True)
class FoldCounts:
    """What is in the folds.

    Args:
        label: That they are stratified by.
        values: Of the label, as text; absent is ``'-'``.
        patients: (n,) per fold.
        exams: (n,) per fold.
        images: Per fold, images by value.
        warnings: What a user has to know.
    """

    label: str
    values: tuple[str, ...]
    patients: tuple[int, ...]
    exams: tuple[int, ...]
    images: tuple[Mapping[str, int], ...]
    warnings: tuple[str, ...]


def count_folds(project: Project) -> FoldCounts:
    """Cut the images of a project and count.

    Raises:
        MammoError: If the cut cannot be made, or a training set would have nothing to learn from: one value of the
            label only, or for a detector no finding.
    """
    part = project.settings.cut.part(project.cfg, 0, 'rest')
    images = [image for path in project.pool_files() for image in read_index(path).images]
    folds = part.folds(images)
    patients: dict[int, set[str]] = defaultdict(set)
    exams: dict[int, set[str]] = defaultdict(set)
    counts = [Counter[str]() for _ in project.folds]
    for image in images:
        fold = folds[image.patient_id]
        patients[fold].add(image.patient_id)
        exams[fold].add(image.exam_id)
        counts[fold][_text(image, part.stratify)] += 1
    values = tuple(sorted({value for count in counts for value in count}))
    if project.gives_scores:
        _require_contrast(project.pool_files()[0], part.stratify, values, counts)
    else:
        _require_findings(project.pool_files()[0], images, folds, len(project.folds))
    return FoldCounts(
        label=part.stratify,
        values=values,
        patients=tuple(len(patients[fold]) for fold in project.folds),
        exams=tuple(len(exams[fold]) for fold in project.folds),
        images=tuple(counts),
        warnings=tuple(_warnings(part.stratify, values, counts)),
    )


def _require_contrast(path: Path, label: str, values: Sequence[str], counts: Sequence[Counter[str]]) -> None:
    total = sum(counts, Counter[str]())
    for fold, count in enumerate(counts):
        left = [value for value in values if value != '-' and total[value] > count[value]]
        if len(left) < 2:
            found = f'only {label}={left[0]}' if left else f'no {label}'
            raise MammoError(
                path,
                field=f'fold {fold}',
                found=f'{found} in all other folds, of {dict(sorted(total.items()))} images in all',
                expected='two values to train on',
                remedy='ask for fewer folds, pool more files, or stratify by another label',
            )


def _require_findings(path: Path, images: Sequence[PreparedImage], folds: Mapping[str, int], n: int) -> None:
    homes = {folds[image.patient_id] for image in images if image.findings}
    if len(homes) > 1:
        return
    raise MammoError(
        path,
        field='findings',
        found=f'none but in fold {next(iter(homes))} of {n}' if homes else 'none',
        expected='boxes in two folds at least: the others have nothing to train on',
        remedy='ask for fewer folds, pool more files, or prepare the set with its boxes',
    )


def _warnings(label: str, values: Sequence[str], counts: Sequence[Counter[str]]) -> list[str]:
    return [
        f'fold {fold} has no image with {label}={value}: numbers that need one are undefined there, '
        'the pooled ones are not'
        for fold, count in enumerate(counts)
        for value in values
        if value != '-' and not count[value]
    ]


def _text(image: PreparedImage, label: str) -> str:
    value = int(bool(image.findings)) if label == HAS_FINDING else image.labels.get(label)
    return '-' if value is None else str(value)
