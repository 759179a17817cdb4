"""What an inferencer may be called on, as records of images: a folder, files, an index, or the records themselves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from mmmammo.prepare.hand_set import with_manual_landmarks
from mmmammo.prepare.indexed import list_index
from mmmammo.sources.folder import folder_of_files, list_exams, list_exams_of
from mmmammo.structures import ImageRecord, MammoError

ExamInputs: TypeAlias = str | Path | Iterable[str | Path] | Iterable[ImageRecord]
"""A folder of exams, an image, ``annotations/<split>.json`` of a prepared set; several images; or records."""


def list_inputs(inputs: ExamInputs) -> list[ImageRecord]:
    """The images as a model takes them: without truth, with landmarks that were set by hand.

    Files are grouped into exams as if nothing else lay in the folder that holds them all. Images of a prepared set are
    taken as they are; results are in the pixels of the files that they were made of.

    Args:
        inputs: See :data:`ExamInputs`.

    Raises:
        MammoError: If the folder is missing or holds no image, what lies beside them is wrong, or an index cannot be
            read or has no image.
    """
    if isinstance(inputs, str | Path):
        path = Path(inputs)
        if is_index(path):
            return list_index(path)
        return _of_files([path]) if path.is_file() else with_manual_landmarks(list_exams(path), path)
    given = list(inputs)
    records = [one for one in given if isinstance(one, ImageRecord)]
    paths = [Path(one) for one in given if isinstance(one, str | Path)]
    if len(records) == len(given):
        return records
    if len(paths) == len(given):
        return _of_files(paths)
    kinds = ', '.join(sorted({type(one).__name__ for one in given}))
    expected, remedy = 'paths of images only, or records only', 'call once for each kind'
    raise MammoError('inputs', field='kinds', found=kinds, expected=expected, remedy=remedy)


def is_index(path: Path) -> bool:
    """Whether a path means the annotation file of a prepared set."""
    return path.suffix.lower() == '.json' and not path.is_dir()


def _of_files(paths: list[Path]) -> list[ImageRecord]:
    return with_manual_landmarks(list_exams_of(paths), folder_of_files(paths), ignore_others=True)
