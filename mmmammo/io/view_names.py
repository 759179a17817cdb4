"""Side and projection from a file name or a free-text view, by whole words and never by substring."""

from __future__ import annotations

import re

from mmmammo.structures import Laterality, View

_VIEW_WORDS = sorted(set(View) - {View.UNKNOWN, View.AT}, key=len, reverse=True)
# AT is left out: in a name it is the English word, and LAT is short for lateral.
_WORD = re.compile(rf'(?P<side>LEFT|RIGHT|L|R)?((?P<view>{"|".join(_VIEW_WORDS)})\d{{0,2}})?', re.IGNORECASE)
_SEPARATORS = re.compile(r'[\W_]+')
_SAYS_NOTHING = (Laterality.UNKNOWN, View.UNKNOWN)


def parse_view_name(stem: str) -> tuple[Laterality, View]:
    """Read side and projection from words such as ``L``, ``RIGHT``, ``CC``, ``RMLO``, ``LeftCC`` or ``MLO2``.

    The name is split where it has neither letter nor digit. A word is a side, a projection, or a side directly followed
    by a projection; a projection may carry a repeat number. Words that say different things cancel each other:
    ``L_R_CC`` has no known side.

    Args:
        stem: File name without its extension, or the value of ViewPosition.

    Returns:
        Side and projection, each ``UNKNOWN`` where the name does not say it.
    """
    sides: set[Laterality] = set()
    views: set[View] = set()
    for word in filter(None, _SEPARATORS.split(stem)):
        side, view = _parse_word(word)
        sides.add(side)
        views.add(view)
    sides.discard(Laterality.UNKNOWN)
    views.discard(View.UNKNOWN)
    return (
        sides.pop() if len(sides) == 1 else Laterality.UNKNOWN,
        views.pop() if len(views) == 1 else View.UNKNOWN,
    )


def _parse_word(word: str) -> tuple[Laterality, View]:
    match = _WORD.fullmatch(word)
    return (Laterality.parse(match['side']), View.parse(match['view'])) if match else _SAYS_NOTHING
