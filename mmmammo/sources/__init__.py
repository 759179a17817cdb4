"""One file per public dataset: real download -> exam records, no pixels touched."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from mmmammo.sources.protocol import CountCheck, Source, SourceOption
from mmmammo.structures import MammoError

SOURCES = ('cbis_ddsm', 'cmmd', 'cohort', 'ddsm', 'embed', 'folder', 'inbreast', 'mias', 'phantom', 'rsna', 'vindr')


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


__all__ = ['SOURCES', 'CountCheck', 'Source', 'SourceOption', 'get_source']
