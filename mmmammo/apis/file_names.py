"""Names that files may have."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TypeVar

from mmmammo.prepare.run import free_name, slug

T = TypeVar('T')


class FileNames:
    """Gives each text a name of its own that a file may have."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, text: str) -> str:
        """A name; texts that would share one (``a/1`` and ``a_1``) are told apart by a digest."""
        name = free_name(slug(text), text, self._taken)
        self.keep(name)
        return name

    def keep(self, name: str) -> None:
        """Give this name to no text."""
        self._taken.add(name.lower())


def part_of(texts: Mapping[str, T], index: int, count: int) -> dict[str, T]:
    """One of ``count`` parts, from 1: for a text always the same, whatever stands beside it.

    Texts that would share a file name are in one part, so that :class:`FileNames` of each part give no name twice.
    """
    return {text: value for text, value in texts.items() if _number_of(slug(text).lower()) % count == index - 1}


def _number_of(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest()[:12], 16)
