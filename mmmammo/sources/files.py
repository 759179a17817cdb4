"""The files of a download: where it begins, which of them no table names, which the disk lacks."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from mmmammo.sources.tables import Row
from mmmammo.structures import ImageRecord, MammoError, Problem

_NO_IMAGES = {'.csv', '.json', '.txt', '.md', '.xml', '.html', '.pdf', '.xls', '.xlsx', '.log', '.zip', '.tmp', '.part'}
_DEPTH = 5


def find_root(raw: Path, names: Sequence[str], image_folders: Collection[str]) -> Path:
    """The folder that a download begins in: ``raw``, or one that ``wget -r`` or an unpacker made in it.

    Args:
        raw: What the user gave.
        names: Files that lie in the wanted folder; one of them is enough.
        image_folders: Names of folders that are not looked into.

    Raises:
        MammoError: If there is none, or more than one.
    """
    if not raw.is_dir():
        raise _root_error(raw, names, 'no such folder', 'check the path')
    found = []
    for folder, below, files in os.walk(raw):
        depth = len(Path(folder).relative_to(raw).parts)
        below[:] = sorted(set(below) - set(image_folders)) if depth < _DEPTH else []
        if not set(names).isdisjoint(files):
            found.append(Path(folder))
    if not found:
        raise _root_error(raw, names, 'none of them', 'download the tables too, and name the folder they lie in')
    if len(found) > 1:
        shown = ', '.join(path.relative_to(raw).as_posix() for path in found[:3])
        raise _root_error(raw, names, f'{len(found)} folders with them: {shown}', 'name the one that is meant')
    return found[0]


def missing_file(path: Path, row: Row) -> MammoError | None:
    """The complaint about an image that a table names and the disk lacks; ``None`` if it is there."""
    if path.is_file():
        return None
    return MammoError(
        path,
        field='file',
        found='no such file',
        expected=f'the image of {row.path.name} row {row.position}',
        remedy='download it, if it is wanted',
        problem=Problem.UNREADABLE,
    )


def may_be_image(name: str) -> bool:
    """Whether a file of an image folder is not, by its name, something else."""
    return not name.startswith('.') and Path(name).suffix.lower() not in _NO_IMAGES


def images_below(folder: Path) -> Iterator[Path]:
    """Every file of a folder and the folders in it that may be an image, sorted; no link to a folder is entered."""
    found = [Path(home, name) for home, _, names in os.walk(folder) for name in names if may_be_image(name)]
    yield from sorted(found)


def unlisted_records(raw: Path, files: Iterable[Path], listed: Collection[Path], tables: str) -> Iterator[ImageRecord]:
    """Refused records of files that no table names: without one, nobody knows whose images they are.

    Args:
        raw: What the user gave.
        files: Of the image folders.
        listed: Those that have a record.
        tables: Name of the tables, for the complaint.
    """
    known = set(listed)
    for path in files:
        if path not in known:
            name = path.relative_to(raw).as_posix()
            refused = MammoError(
                path,
                field=tables,
                found='no row with this image',
                expected='one',
                remedy='take the tables of the same version as the images, or leave the file out',
                problem=Problem.TABLES,
            )
            yield ImageRecord(path, name, exam_id=name, patient_id=name, refused=refused)


def count_files(folder: Path) -> int:
    """All files of a folder and the folders in it."""
    return sum(len(names) for _, _, names in os.walk(folder))


def _root_error(raw: Path, names: Sequence[str], found: str, remedy: str) -> MammoError:
    return MammoError(raw, field='folder', found=found, expected=f'a download with {" or ".join(names)}', remedy=remedy)
