"""What our commands share: their help, and how they end when something is wrong: one message, no traceback."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import unicodedata
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from mmmammo.structures import MammoError

_LONGEST_STEP = 600.0  # seconds that one step may take and still tell what is left
_ELSEWHERE = 'give another path, or remove what is in the way'
_NO_RIGHTS = 'give another path, or ask for the right to write there'
_NO_ROOM = 'make room, or give a path on another disk'
_REMEDIES = {
    errno.EEXIST: _ELSEWHERE,
    errno.ENOTDIR: _ELSEWHERE,
    errno.EISDIR: _ELSEWHERE,
    errno.ENOENT: 'check the path',
    errno.ENAMETOOLONG: 'give a shorter path',
    errno.EACCES: _NO_RIGHTS,
    errno.EPERM: _NO_RIGHTS,
    errno.EROFS: _NO_RIGHTS,
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: _NO_ROOM,
}


def make_parser(doc: str) -> argparse.ArgumentParser:
    """A parser whose help is a command's docstring: first line, then the rest with its examples."""
    first, _, rest = doc.partition('\n')
    formatter = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(description=first, epilog=rest.strip('\n'), formatter_class=formatter)


def progress_bar(console: Console) -> Progress:
    """A bar with what is done of how much, the time that took, and what is left of it."""
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    left = (TextColumn('left'), TimeRemainingColumn())
    return Progress(*columns, *left, console=console, speed_estimate_period=_LONGEST_STEP)


def run(main: Callable[[], int | None], *, interrupted: str = 'run the same command again') -> None:
    """Run a command's ``main`` and leave the process with its exit code.

    Bad input (:class:`~mmmammo.structures.MammoError`) and a disk or folder that refuses end with their message and
    code 2, Ctrl-C with 130. Anything else is a defect of ours and keeps its traceback.

    Args:
        main: Returns the exit code, or ``None`` for 0.
        interrupted: What the user may do after Ctrl-C.
    """
    try:
        sys.exit(main() or 0)
    except MammoError as err:
        print(f'error: {_harmless(str(err))}', file=sys.stderr)
        sys.exit(2)
    except OSError as err:
        if err.errno not in _REMEDIES:
            raise
        print(f'error: {_harmless(str(refused(err)))}', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f'\ninterrupted; {interrupted}', file=sys.stderr)
        sys.exit(130)


def _harmless(text: str) -> str:
    """With control characters, which file names and headers may hold, written out: a terminal would obey them."""
    return ''.join(char if char == '\n' or unicodedata.category(char) != 'Cc' else ascii(char)[1:-1] for char in text)


def refused(err: OSError) -> MammoError:
    """What the system says of a path, as one of our messages.

    Args:
        err: With one of the codes that the user can do something about.
    """
    return MammoError(
        err.filename or 'disk',
        field='file or folder',
        found=os.strerror(err.errno or 0),
        expected='a path that can be read and written, with room on its disk',
        remedy=_REMEDIES.get(err.errno or 0, _ELSEWHERE),
    )
