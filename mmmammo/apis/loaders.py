"""The data sets of a config's loaders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def datasets_of(loader: Mapping[str, Any]) -> Iterator[Any]:
    """The innermost data sets of a loader's config: those that read index files."""

    def walk(part: Any) -> Iterator[Any]:
        if 'ann_file' in part:
            yield part
        for inner in (part.get('dataset'), *part.get('datasets', ())):
            if inner is not None:
                yield from walk(inner)

    return walk(loader['dataset'])
