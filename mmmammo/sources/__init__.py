"""One file per public dataset: real download -> exam records, no pixels touched."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from mmmammo.structures import ImageRecord, MammoError

SOURCES = ('folder', 'phantom')


class Source(Protocol):
    """What a source module offers."""

    CATEGORIES: tuple[str, ...]

    def list_records(self, raw: Path) -> Iterator[ImageRecord]:
        """One record per image below the folder ``raw``, in a fixed order."""

    def count_skipped(self, raw: Path) -> int:
        """Files below ``raw`` that have no record because their names say that they are no images."""


def get_source(name: str) -> Source:
    """The module of a source.

    Raises:
        MammoError: If there is no such source.
    """
    if name not in SOURCES:
        raise MammoError(
            'SOURCE', field='name', found=name, expected=f'one of {", ".join(SOURCES)}', remedy='correct the command'
        )
    return cast(Source, import_module(f'mmmammo.sources.{name}'))


__all__ = ['SOURCES', 'Source', 'get_source']
