"""Which code made a result."""

from __future__ import annotations

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
