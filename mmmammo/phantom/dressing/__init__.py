"""The phantom dressed as the download of a public dataset, with faults planted in it whose place is known.

One module per source of :mod:`mmmammo.sources`, of the same name, with one function
``dress(out, exams, seed) -> tuple[Planted, ...]`` that writes the tree as its users find it on their disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from mmmammo.phantom.config import PhantomConfig
from mmmammo.phantom.dressing.planted import Planted
from mmmammo.phantom.exam import PhantomExam, make_exam
from mmmammo.structures import MammoError

DRESSES: tuple[str, ...] = ('cbis_ddsm', 'cmmd', 'cohort', 'ddsm', 'embed', 'inbreast', 'mias', 'rsna', 'vindr')


class Dress(Protocol):
    """What a module of this package offers."""

    def dress(self, out: Path, exams: Sequence[PhantomExam], seed: int) -> tuple[Planted, ...]:
        """Write the download to the folder ``out`` and say what is wrong with it."""


def dress(
    source: str, out: Path, num_exams: int = 6, config: PhantomConfig | None = None, seed: int = 0
) -> tuple[Planted, ...]:
    """Write a download of a source, made of phantom exams.

    Args:
        source: Its name.
        out: Folder, made if need be.
        num_exams: At least as many as the source has faults to plant; see its module.
        config: What the exams look like.
        seed: Of the exams and of what is planted.

    Returns:
        Every planted fault.

    Raises:
        MammoError: If the phantom cannot dress as this source.
    """
    if source not in DRESSES:
        raise MammoError(
            'dress', field='source', found=source, expected=f'one of {", ".join(DRESSES)}', remedy='correct the name'
        )
    config = config or PhantomConfig(height=256)
    exams = [make_exam(config, seed, index) for index in range(num_exams)]
    return cast(Dress, import_module(f'mmmammo.phantom.dressing.{source}')).dress(Path(out), exams, seed)


__all__ = ['DRESSES', 'Planted', 'dress']
