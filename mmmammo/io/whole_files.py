"""Files that appear whole or not at all, whoever else writes them and whenever the process is stopped."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

UNFINISHED = '.unfinished'
"""How the name of a file ends while it is made; it begins with a dot."""
_NAME_LENGTH = 40  # characters that are kept of the target's name, so that a long one still has room


@contextmanager
def written_whole(
    path: str | Path,
    mode: Literal['w', 'wb'] = 'w',
    *,
    newline: str | None = None,
    like: Path | None = None,
    scratch: Path | None = None,
) -> Iterator[IO[Any]]:
    """A file to write to, which takes the place of the target when the block ends well, and is gone if it does not.

    It has a name of its own, so that processes, also of other machines, may write the same target at once: the last one
    to finish stays. Only a process that is killed leaves its file behind, see :func:`remove_unfinished`.

    Args:
        path: The target, in an existing folder.
        mode: ``'w'`` for text in UTF-8, ``'wb'`` for bytes.
        newline: As of :func:`open`; ``''`` for the ``csv`` module.
        like: A file whose times it gets.
        scratch: Folder on the same disk in which it is made; by default that of the target.

    Yields:
        The open file.

    Raises:
        OSError: If a folder is missing or may not be written to, the disk is full, or the target is a folder.
    """
    path = Path(path)
    unfinished = (scratch or path.parent) / f'.{path.name[:_NAME_LENGTH]}.{uuid.uuid4().hex}{UNFINISHED}'
    # Not one of `tempfile`, which nobody else may read.
    file = unfinished.open(mode, encoding='utf-8' if mode == 'w' else None, newline=newline)
    try:
        with file:
            yield file
        if like is not None:
            status = like.stat()
            os.utime(unfinished, ns=(status.st_atime_ns, status.st_mtime_ns))
        unfinished.replace(path)  # after it is closed: some disks say only then that they are full
    finally:
        unfinished.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes left in a folder, for those who know that nobody else writes there now."""
    for path in sorted(folder.glob(f'.*{UNFINISHED}')):
        path.unlink(missing_ok=True)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, which needs no room, or copy it to a disk where that cannot be.

    Raises:
        OSError: As of :func:`written_whole`.
    """
    unfinished = target.parent / f'.{target.name[:_NAME_LENGTH]}.{uuid.uuid4().hex}{UNFINISHED}'
    try:
        try:
            os.link(source.resolve(), unfinished)
        except OSError:
            shutil.copyfile(source, unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
