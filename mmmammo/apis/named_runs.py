"""``NAME=PATH`` on a command line, and ``NAME=PATH,PATH`` for a run in parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmmammo.structures import MammoError


def named_runs(words: Sequence[str]) -> dict[str, tuple[Path, ...]]:
    """Name -> the paths of each word; without ``NAME=`` that of the folder.

    Args:
        words: ``PATH``, ``NAME=PATH``, or ``NAME=PATH,PATH`` for the parts of one run. A path that exists is taken as
            it is, with its commas and equals signs.

    Raises:
        MammoError: If a path does not exist, two have one name, or parts have none.
    """
    runs: dict[str, tuple[Path, ...]] = {}
    for word in words:
        name, given, text = word.partition('=') if '=' in word and not Path(word).exists() else ('', '', word)
        paths = _paths(word, text)
        if len(paths) > 1 and not name:
            raise _error(word, 'name', f'none for {len(paths)} parts', 'NAME=PATH,PATH')
        label = name if given else _folder(paths[0]).resolve().name
        if label in runs:
            taken = ','.join(map(str, runs[label]))
            raise _error(word, 'name', f'{label!r}, of {taken} too', 'a name of its own, as NAME=PATH')
        runs[label] = paths
    return runs


def _paths(word: str, text: str) -> tuple[Path, ...]:
    parts = [text] if Path(text).exists() else text.split(',')
    for part in parts:
        if not part.strip() or not Path(part.strip()).exists():
            found = f'no such file or folder: {part}' if part.strip() else 'nothing between or beside commas'
            raise _error(word, 'path', found, 'a run, as PATH, NAME=PATH or NAME=PATH,PATH')
    return tuple(Path(part if len(parts) == 1 else part.strip()) for part in parts)


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _error(where: str, field: str, found: str, expected: str) -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy='correct the argument')
