"""Which code made a result."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def git_commit(folder: str | Path = '.') -> str | None:
    """The short hash of the checkout a run was started in, with ``+`` if it has uncommitted changes."""
    command = ['git', '-C', str(folder), 'describe', '--always', '--dirty=+', '--abbrev=10']
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None


def without_place(word: str) -> str:
    """No address; an absolute path as it is from the working folder, elsewhere its last name; also after ``--raw=``."""
    before, equals, after = word.partition('=/')  # also after NAME=
    flag, value = (f'{before}=', f'/{after}') if equals else ('', word)
    protocol, slashes, _ = value.partition('://')
    if slashes:
        return f'{flag}{protocol}://...'
    if not os.path.isabs(value):
        return word
    path = os.path.relpath(value)
    is_elsewhere = path.startswith(os.pardir) or Path.cwd() in (Path('/'), *Path.home().parents)
    return f'{flag}{f".../{Path(value).name}" if is_elsewhere else path}'
