"""What the user may choose about a prepared set."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from mmmammo.structures import MammoError

SIDE_POLICIES = ('mend', 'accept', 'quarantine')
LANDMARK_SOURCES = ('detected', 'truth')


@dataclass(frozen=True)
class PrepareOptions:
    """How images are prepared; equal options and sources give equal files.

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
        single_class: Merge all findings into one class of this name; the finer category is kept in
            ``attributes['category']``.
        only: Keep findings of these categories; empty keeps all.

    Raises:
        MammoError: If a value is not one of those named.
    """

    height: int | None = None
    crop: bool = True
    landmarks: str = 'detected'
    side_policy: str = 'mend'
    single_class: str | None = None
    only: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        rules = (
            ('height', self.height, self.height is None or self.height >= 64, 'at least 64 pixels'),
            ('landmarks', self.landmarks, self.landmarks in LANDMARK_SOURCES, f'one of {LANDMARK_SOURCES}'),
            ('side_policy', self.side_policy, self.side_policy in SIDE_POLICIES, f'one of {SIDE_POLICIES}'),
        )
        for field, found, holds, expected in rules:
            if not holds:
                raise MammoError(
                    'PrepareOptions', field=field, found=found, expected=expected, remedy=f'change {field}'
                )

    def digest(self) -> str:
        """Changes when any option does."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]
