"""Which exams are positive, as a prepared set says: an exam that it says nothing of is left out, not negative."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmmammo.evaluation.summary.exam_runs import ExamRun, restricted
from mmmammo.evaluation.summary.known_images import KnownImage, images_of_index, images_of_table
from mmmammo.evaluation.summary.same_women import SaidOfImages, require_same_women
from mmmammo.io.intake import first_of
from mmmammo.structures import MammoError

CANCER = 'cancer'
_HAS_CANCER = {'screening': True, 'interval': True, 'none': False}
"""Outcome of an exam, as prepared sets say it."""
ANNOTATIONS = 'the annotations'


def labelled(runs: Sequence[ExamRun], annotations: Sequence[Path], key: str) -> tuple[list[ExamRun], list[str]]:
    """The runs with the labels of a prepared set, on the exams of which it knows one.

    Args:
        runs: On the same exams.
        annotations: Indices of the prepared set.
        key: See :func:`exam_labels`.

    Returns:
        The runs; and what has to be said of exams that are left out.

    Raises:
        MammoError: If an index is faulty or of another set, an exam is not in any, or none has a known label.
    """
    images = images_of_index(annotations)
    prepared = SaidOfImages(ANNOTATIONS, images)
    for run in runs:
        require_same_women([prepared, SaidOfImages(run.name, images_of_table(run.table))])
    labels = exam_labels(images, key)
    for run in runs:
        missing = [exam for exam in run.exams if exam not in labels]
        if missing:
            found, remedy = f'no label for {first_of(missing)}', 'give the indices of all splits that were scored'
            raise _error(run.name, 'exams', found, 'one for every exam', remedy)
    known = {exam: label for exam, label in labels.items() if label is not None}
    kept = [_with_labels(run, known, key) for run in runs]
    unknown = {exam for run in runs for exam in run.exams if exam not in known}
    scored = {exam for run in runs for exam in run.exams}
    note = f'{len(unknown)} of {len(scored)} exams left out: {key!r} is not known of all their images'
    return kept, [note] if unknown else []


def exam_labels(images: Sequence[KnownImage], key: str) -> dict[str, bool | None]:
    """Exam -> whether one of its images has a label; ``None`` if none is known to have it, and not all to lack it.

    Args:
        images: Of a prepared set.
        key: Of the image labels, with the values 0 and 1. Where ``'cancer'`` of an image is unknown, because its exam
            has cancer on a side that nobody named, the outcome of the exam decides.

    Raises:
        MammoError: If no image has the label, or one has another value.
    """
    said: dict[str, set[bool | None]] = defaultdict(set)
    for image in images:
        said[image.exam_id].add(_label(image, key))
    if not any(words - {None} for words in said.values()):
        choices = sorted({name for image in images for name, value in image.labels.items() if value in (0, 1)})
        expected = f'one of {", ".join(choices)}' if choices else 'one that is 0 or 1; there is none'
        raise _error(ANNOTATIONS, 'label', f'no image with {key!r}', expected, 'correct --label')
    return {exam: True if True in words else None if None in words else False for exam, words in said.items()}


def _label(image: KnownImage, key: str) -> bool | None:
    value = image.labels.get(key)
    where = f'image {image.image_id} of exam {image.exam_id}'
    if value is None:
        outcome = image.labels.get('exam_outcome') if key == CANCER else None
        if outcome is not None and outcome not in _HAS_CANCER:
            raise _error(where, 'exam_outcome', repr(outcome), f'one of {", ".join(_HAS_CANCER)}', 'correct the set')
        return None if outcome is None else _HAS_CANCER[outcome]
    if value not in (0, 1):
        raise _error(where, key, repr(value), '0 or 1', 'name another label')
    return bool(value)


def _with_labels(run: ExamRun, known: dict[str, bool], key: str) -> ExamRun:
    kept = restricted(run, set(known))
    if not kept.exams:
        found = f'{key!r} of none of {len(run.exams)} exams'
        raise _error(run.name, 'labels', found, 'known of some', 'name another label, or complete the set')
    return replace(kept, labels=np.array([known[exam] for exam in kept.exams], dtype=bool))


def _error(where: str, field: str, found: str, expected: str, remedy: str) -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy=remedy)
