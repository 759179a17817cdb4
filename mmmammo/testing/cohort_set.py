"""A tiny prepared set of a screening programme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mmmammo.io.exam_index import read_index, write_index
from mmmammo.structures import PreparedImage
from mmmammo.testing.prepared_set import make_prepared_set

CYCLE = ('screening', 'none', 'interval', 'none')
SPLITS = ('train', 'val', 'test')


def make_cohort_set(
    root: Path, num_exams: Sequence[int] = (4, 4, 4), size: tuple[int, int] = (128, 104), seed: int = 0
) -> Path:
    """The set of :func:`~mmmammo.testing.prepared_set.make_prepared_set`, every second exam with a lesion on the left.

    Exams go through ``CYCLE`` of outcomes; the left breast of those with cancer has the outcome. Readers score 3 and 2
    where there is a screening cancer, else 1.

    Args:
        root: Folder to write to.
        num_exams: Of train, val and test.
        size: (h, w) of every image.
        seed: Of the images.

    Returns:
        ``root``.
    """
    make_prepared_set(root, dict(zip(SPLITS, num_exams, strict=True)), size, seed)
    for split in SPLITS:
        path = root / 'annotations' / f'{split}.json'
        prepared = read_index(path)
        write_index(path, replace(prepared, images=tuple(_labelled(image) for image in prepared.images)))
    return root


def _labelled(image: PreparedImage) -> PreparedImage:
    of_exam = CYCLE[int(image.exam_id.rpartition('_')[2]) % len(CYCLE)]
    outcome = of_exam if image.laterality.value == 'L' else 'none'
    seen = outcome == 'screening'
    readers = {'reader1': 3 if seen else 1, 'reader2': 2 if seen else 1}
    labels = {'outcome': outcome, 'exam_outcome': of_exam, 'cancer': int(outcome != 'none'), **readers}
    return replace(image, labels=labels)
