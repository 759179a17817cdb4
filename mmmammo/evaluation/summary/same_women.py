"""Whether runs that share ids of exams scored the same exams: two prepared sets may call different women alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from mmmammo.evaluation.summary.known_images import LABELS, KnownImage
from mmmammo.structures import MammoError

FIELDS = ('patient_id', *LABELS, 'lesions')
"""What is compared, in the order of the complaint. Not the size: one download may be prepared twice."""
OF_EXAM = ('patient_id', 'exam_outcome', 'age')
"""Those that all images of an exam share."""
_ANOTHER_SET = (
    'two prepared sets may call different women alike: test every model on one set '
    '(tools/test.py … --cfg-options test_dataloader.dataset.data_root=DIR), and give the annotations of that one'
)
_Rows = list[tuple[str, str, tuple[str, ...]]]
"""Side and view, empty where unknown, and the words of :data:`FIELDS`."""


@dataclass(frozen=True)
class SaidOfImages:
    """Who says what.

    Args:
        name: Of the run, or of the annotations.
        images: With its rows, or those of its table.
    """

    name: str
    images: Sequence[KnownImage]


@dataclass(frozen=True)
class _Conflict:
    exam: str
    field: str
    place: str
    found: str
    expected: str


def require_same_women(sources: Sequence[SaidOfImages]) -> None:
    """Refuse sources that contradict each other about an exam that they share.

    Of each exam the images of the same side and view are compared, or where a source does not know them, the breasts,
    or else the exams. Of several images of one place, one that agrees is enough. What a source does not say is not
    compared. An image id that two sources know has to be of one exam.

    Args:
        sources: Runs, and the annotations of the prepared set.

    Raises:
        MammoError: Naming an exam, the field and what both say.
    """
    rows = [_by_exam(source.images) for source in sources]
    for one, other in combinations(range(len(sources)), 2):
        first, second = sources[one], sources[other]
        shared = rows[one].keys() & rows[other].keys()
        conflicts = [
            *_other_images(first.images, second.images, shared),
            *_other_labels(rows[one], rows[other], shared),
        ]
        if conflicts:
            raise _refusal(conflicts, first.name, second.name, len(shared))


def _refusal(conflicts: Sequence[_Conflict], first: str, second: str, n_shared: int) -> MammoError:
    odd = conflicts[0]
    n_odd = len({conflict.exam for conflict in conflicts})
    return MammoError(
        f'{second}, exam {odd.exam}',
        field=odd.field,
        found=f'{odd.found}{odd.place}; {n_odd} of {n_shared} shared exams differ in something',
        expected=f'{odd.expected}, as in {first}',
        remedy=_ANOTHER_SET,
    )


def _by_exam(images: Sequence[KnownImage]) -> dict[str, _Rows]:
    """Exam -> its rows, sorted so that equal exams are told at once."""
    rows: dict[str, _Rows] = defaultdict(list)
    for image in images:
        side = image.laterality if image.laterality in ('L', 'R') else ''
        view = image.view if side and image.view != 'UNKNOWN' else ''
        labels = tuple(_word(image.labels[name]) if name in image.labels else '' for name in LABELS)
        rows[image.exam_id].append((side, view, (image.patient_id, *labels, image.lesions)))
    return {exam: sorted(found) for exam, found in rows.items()}


def _word(value: Any) -> str:
    """A label as text that is the same from JSON and from a table: 1 for ``True`` and for ``'1.0'``."""
    text = {'true': '1', 'false': '0'}.get(str(value).strip().lower(), str(value).strip())
    try:
        return f'{float(text):.12g}'
    except ValueError:
        return text


def _other_images(first: Sequence[KnownImage], second: Sequence[KnownImage], exams: set[str]) -> Iterator[_Conflict]:
    """Ids of images that are in one exam here and in another there."""
    one, other = (_homes(images, exams) for images in (first, second))
    for image_id in sorted(one.keys() & other.keys()):
        if one[image_id].isdisjoint(other[image_id]):
            found, expected = (' and '.join(sorted(homes[image_id])) for homes in (other, one))
            yield _Conflict(min(other[image_id]), f'exam of image {image_id}', '', found, expected)


def _homes(images: Sequence[KnownImage], exams: set[str]) -> dict[str, set[str]]:
    """Image id -> its exam; several where splits number their images alike."""
    homes: dict[str, set[str]] = defaultdict(set)
    for image in images:
        if image.image_id and image.exam_id in exams:
            homes[image.image_id].add(image.exam_id)
    return homes


def _other_labels(one: Mapping[str, _Rows], other: Mapping[str, _Rows], exams: set[str]) -> Iterator[_Conflict]:
    """The first field of each exam that two sources contradict each other in."""
    for exam in sorted(exams):
        if one[exam] != other[exam]:
            conflict = next(_of_exam(exam, one[exam], other[exam]), None)
            if conflict is not None:
                yield conflict


def _of_exam(exam: str, one: _Rows, other: _Rows) -> Iterator[_Conflict]:
    depth = min(_depth(one), _depth(other))
    for number, name in enumerate(FIELDS):
        first, second = (_words_at(rows, number, 0 if name in OF_EXAM else depth) for rows in (one, other))
        for place in sorted(first.keys() & second.keys()):
            if first[place].isdisjoint(second[place]):
                where = f' ({" ".join(place)})' if place else ''
                found, expected = (' and '.join(sorted(words[place])) for words in (second, first))
                yield _Conflict(exam, name, where, found, expected)


def _depth(rows: _Rows) -> int:
    """How well the places of all rows are known: 2 by side and view, 1 by side, 0 not."""
    return min(2 if view else 1 if side else 0 for side, view, _ in rows)


def _words_at(rows: _Rows, number: int, depth: int) -> dict[tuple[str, ...], set[str]]:
    """Place -> what its rows say of a field, where they do."""
    said: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for side, view, words in rows:
        if words[number]:
            said[(side, view)[:depth]].add(words[number])
    return said
