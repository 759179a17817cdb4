"""What lies below the folder of a download, and what is said about files that are missing, surplus or not followed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mmmammo.structures import MammoError

_NO_IMAGES = {'.csv', '.json', '.txt', '.md', '.xml', '.html', '.pdf', '.xls', '.xlsx', '.log', '.zip', '.sr', '.py'}
_NO_IMAGES |= {'.tcia'}  # the list of a retriever
_CONTROL = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]')  # the last turn the text around
_NO_IMAGE_NAMES = {'DICOMDIR', 'Thumbs.db', 'LICENSE', 'README'}


def list_files(raw: Path) -> tuple[Path, ...]:
    """Every file below a folder, sorted; hidden files and folders are left out, links to folders not entered.

    Raises:
        MammoError: If there is no such folder, or one in it cannot be read: its files would be missing unnoticed.
    """
    raw = Path(raw)
    if not raw.is_dir():
        expected, remedy = 'the folder of the download', 'check the path'
        raise MammoError(raw, field='folder', found='no such folder', expected=expected, remedy=remedy)
    return tuple(
        sorted(Path(folder, name) for folder, _, files in walk(raw) for name in files if not name.startswith('.'))
    )


def walk(raw: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """As ``os.walk``: folders that are links are named, not entered; hidden ones not even named.

    Raises:
        MammoError: If a folder cannot be read: its files would be missing unnoticed.
    """
    for folder, names, files in os.walk(raw, onerror=refuse_folder):
        names[:] = [name for name in names if not name.startswith('.')]
        yield folder, names, files


def linked_folders(raw: Path) -> tuple[Path, ...]:
    """Links to folders below a folder, sorted: what lies in them is not listed, and must not vanish unnoticed."""
    inner = (Path(folder, name) for folder, names, _ in walk(raw) for name in names)
    return tuple(sorted(path for path in inner if path.is_symlink()))


def list_linked(files: tuple[Path, ...], folder: Path) -> tuple[Path, ...]:
    """The files, and those of the image folder of a download if it is a link, such as to an archive on another disk."""
    return tuple(sorted({*files, *list_files(folder)})) if folder.is_symlink() and folder.is_dir() else files


def refuse_folder(err: OSError) -> None:
    """For ``os.walk``, which leaves out without a word what it may not look into.

    Raises:
        MammoError: Always.
    """
    found = (err.strerror or str(err)).lower()
    expected, remedy = 'a folder that can be read', 'ask for the right to read it, or move it out of the download'
    if isinstance(err, (FileNotFoundError, NotADirectoryError)):
        remedy = 'check the path'
    raise MammoError(err.filename, field='folder', found=found, expected=expected, remedy=remedy) from err


def may_be_image(name: str) -> bool:
    """Whether a file is not, by its name, something else than an image."""
    return not (name.startswith('.') or name in _NO_IMAGE_NAMES or Path(name).suffix.lower() in _NO_IMAGES)


def only_file(raw: Path, files: tuple[Path, ...], name: str) -> Path | None:
    """The file of this name, in any case of letters; ``None`` if there is none.

    Raises:
        MammoError: If there are several, or it must not be opened, see :func:`link_refusal`.
    """
    named = [path for path in files if path.name.lower() == name.lower()]
    if len(named) > 1:
        found = ' and '.join(written_name(path, raw) for path in named)
        raise MammoError(raw, field=name, found=found, expected='one such file', remedy='leave one of them there')
    return own_file(named[0], raw) if named else None


def own_file(path: Path, raw: Path) -> Path:
    """A table or list of a download, there or not, which is read as a whole.

    Raises:
        MammoError: If it must not be opened, see :func:`link_refusal`.
    """
    if refused := link_refusal(path, raw.resolve()):
        raise refused
    return path


def written_name(path: Path, raw: Path) -> str:
    """The path relative to the folder as any file can hold it, and any terminal show: all else becomes escapes."""
    name = os.fsencode(path.relative_to(raw).as_posix()).decode('utf-8', 'backslashreplace')
    return _CONTROL.sub(lambda found: found[0].encode('unicode_escape').decode(), name)


def link_refusal(path: Path, root: Path) -> MammoError | None:
    """What is wrong with a link, a named pipe or a device; ``None`` for files, and for a link to one of the folder.

    Args:
        path: What may be a link.
        root: The folder, resolved.
    """
    if not path.is_symlink():
        return _no_file(path)
    target = os.path.realpath(path)
    if not Path(target).is_relative_to(root):
        found, remedy = 'a link that leads out of the folder', 'put what it leads to there itself'
    elif os.path.isdir(target):
        found, remedy = 'a link to another folder of these', 'none is needed: its files are used where they lie'
    elif not os.path.isfile(target):
        found, remedy = 'a link that leads nowhere', 'put the file there itself, or remove the link'
    else:
        return None
    return MammoError(path, field='link', found=found, expected='a file, or a link to one in the folder', remedy=remedy)


def place_refusal(path: Path, root: Path) -> MammoError | None:
    """As :func:`link_refusal`, for a path that was not listed but made: folders on its way may lead out too.

    Args:
        path: Below the folder, there or not.
        root: The folder, resolved.
    """
    refused = link_refusal(path, root)
    if refused or Path(os.path.realpath(path)).is_relative_to(root):
        return refused
    found, remedy = 'a place out of the folder, behind a link', 'put the files themselves there'
    return MammoError(path, field='folder', found=found, expected='a file in the folder', remedy=remedy)


def _no_file(path: Path) -> MammoError | None:
    """Refuse what would be read without end."""
    if path.is_file() or path.is_dir() or not path.exists():
        return None
    return MammoError(
        path, field='file', found='a named pipe, a socket or a device', expected='a file', remedy='leave it out'
    )


def missing_file(name: str, table: Path, position: int) -> MammoError:
    """The complaint about a file that a row of a table names and the disk lacks."""
    return MammoError(
        name,
        field='file',
        found='no such file',
        expected=f'the image of {table.name} row {position}',
        remedy='put the file there too, if you want it',
    )


def missing_row(name: str, table: Path, key: str) -> MammoError:
    """The complaint about an image that no row of a table names."""
    return MammoError(
        name,
        field='table',
        found=f'no row for {key}',
        expected=f'a row of {table.name} for every image',
        remedy='leave the image out, or download the table again',
    )
