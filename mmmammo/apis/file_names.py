"""Names that files may have."""

from __future__ import annotations

import hashlib

from mmmammo.prepare.run import slug


class FileNames:
    """Gives each text a name of its own that a file may have."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, text: str) -> str:
        """A name; texts that would share one (``a/1`` and ``a_1``) are told apart by a digest."""
        name = slug(text)
        if name.lower() in self._taken:
            name = f'{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}'
        self.keep(name)
        return name

    def keep(self, name: str) -> None:
        """Give this name to no text."""
        self._taken.add(name.lower())
