"""``NAME=PATH`` on a command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmmammo.structures import MammoError


def named_runs(words: Sequence[str]) -> dict[str, Path]:
    """Name -> path of each word; without ``NAME=`` that of the folder.

    Args:
        words: ``PATH`` or ``NAME=PATH``.

    Raises:
        MammoError: If a path does not exist, or two have one name.
    """
    runs: dict[str, Path] = {}
    for word in words:
        name, given, text = word.partition('=') if '=' in word and not Path(word).exists() else ('', '', word)
        path = Path(text)
        if not path.exists():
            raise _error(word, 'path', f'no such file or folder: {path}', 'a run, as PATH or NAME=PATH')
        folder = path if path.is_dir() else path.parent
        label = name if given else folder.resolve().name
        if label in runs:
            raise _error(word, 'name', f'{label!r}, of {runs[label]} too', 'a name of its own, as NAME=PATH')
        runs[label] = path
    return runs


def _error(where: str, field: str, found: str, expected: str) -> MammoError:
    return MammoError(where, field=field, found=found, expected=expected, remedy='correct the argument')
