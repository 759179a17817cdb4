"""One fault for one image, the next for the next one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from mmmammo.structures import MammoError

T = TypeVar('T')


@dataclass(frozen=True, eq=False)
class Fault(Generic[T]):
    """Something that is wrong with downloads.

    Args:
        name: As in :class:`mmmammo.phantom.dressing.planted.Planted`, and so are ``status`` and ``says``.
        plant: Makes it of what is right.
    """

    name: str
    status: str
    says: str
    plant: Callable[[T], T]


def plant(rights: Sequence[T], faults: Sequence[Fault[T]]) -> list[T]:
    """Give the first of them one fault each; the others stay right.

    Raises:
        MammoError: If there are more faults.
    """
    if len(rights) < len(faults):
        raise MammoError(
            'dress',
            field='exams',
            found=f'no more than {len(rights)} places',
            expected=f'at least {len(faults)}, one for every fault',
            remedy='give more exams',
        )
    return [faults[i].plant(right) if i < len(faults) else right for i, right in enumerate(rights)]
