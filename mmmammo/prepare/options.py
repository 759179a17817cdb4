"""What the user may choose about a prepared set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from mmmammo.prepare.splits import check_fractions
from mmmammo.structures import MammoError

SIDE_POLICIES = ('mend', 'accept', 'quarantine')
LANDMARK_SOURCES = ('detected', 'truth')
_RECIPE = 1  # raise it when the same options give other pixels or landmarks, so that resumed sets are made again


@dataclass(frozen=True)
class PrepareOptions:
    """How one image is prepared; equal options and sources give equal files.

    Args:
        height: Scale every image so that its *source* would be this high, in pixels; the crop keeps the scale, so all
            views of a set with one detector size share their millimetres per pixel. Never enlarges. ``None`` keeps
            the source's resolution.
        crop: Whether to cut to the breast.
        landmarks: ``'detected'``: found in the image, as a user's will be. ``'truth'``: the source's own where it has
            any.
        side_policy: When the pixels show the chest wall on another edge than the side says: ``'mend'`` mirrors by the
            pixels and keeps the named side, ``'accept'`` mirrors by the named side, ``'quarantine'`` leaves the
            image out.

    Raises:
        MammoError: If a value is not one of those named.
    """

    height: int | None = None
    crop: bool = True
    landmarks: str = 'detected'
    side_policy: str = 'mend'

    def __post_init__(self) -> None:
        if self.height is not None and self.height < 64:
            raise _error('height', self.height, 'at least 64 pixels')
        if self.landmarks not in LANDMARK_SOURCES:
            raise _error('landmarks', self.landmarks, f'one of {", ".join(LANDMARK_SOURCES)}')
        if self.side_policy not in SIDE_POLICIES:
            raise _error('side_policy', self.side_policy, f'one of {", ".join(SIDE_POLICIES)}')

    def digest(self) -> str:
        """Changes when any option does, or what this version makes of them."""
        return hashlib.sha256(json.dumps([_RECIPE, asdict(self)], sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class SetOptions:
    """What becomes of the prepared images as a set; changing it prepares no image again.

    Args:
        single_class: Merge all findings into one class of this name; the finer category is kept in
            ``attributes['category']``.
        only: Keep findings of these categories; empty keeps all.
        fractions: Of train, val and test, for patients whose source names no split; they need not sum to one.
        seed: Of that draw, at least 0.

    Raises:
        MammoError: If the fractions or the seed are none.
    """

    single_class: str | None = None
    only: tuple[str, ...] = ()
    fractions: tuple[float, float, float] = (0.7, 0.1, 0.2)
    seed: int = 0

    def __post_init__(self) -> None:
        check_fractions(self.fractions)
        if self.seed < 0:
            raise _error('seed', self.seed, 'at least 0')

    def classes(self, categories: Sequence[str]) -> tuple[str, ...]:
        """The class list made of a source's categories.

        Raises:
            MammoError: If ``only`` names a category the source does not have.
        """
        unknown = [name for name in self.only if name not in categories]
        if unknown:
            raise _error('only', ', '.join(unknown), f'out of {", ".join(categories)}')
        if self.single_class:
            return (self.single_class,)
        return tuple(name for name in categories if not self.only or name in self.only)


def _error(field: str, found: object, expected: str) -> MammoError:
    return MammoError('options of the set', field=field, found=found, expected=expected, remedy=f'change {field}')
