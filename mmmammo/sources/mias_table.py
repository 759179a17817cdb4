"""``Info.txt`` of mini-MIAS: free text, then a line for every finding or normal image.

========== =========================================================================================
word       meaning
========== =========================================================================================
reference  ``mdb001`` to ``mdb322``
tissue     ``F`` fatty, ``G`` fatty-glandular, ``D`` dense-glandular
class      ``CALC`` ``CIRC`` ``SPIC`` ``MISC`` (ill-defined mass) ``ARCH`` ``ASYM`` ``NORM``
severity   ``B`` or ``M``; none with ``NORM``
X Y radius in pixels from the bottom left; of widespread calcifications there are none
========== =========================================================================================

After that a line may have a note that begins with an asterisk, such as ``*NOTE 3*``. Any line that begins with a
reference has to read like this, else its image is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmmammo.io.elements import shortened
from mmmammo.structures import MammoError

_REFERENCE = re.compile(r'\s*(mdb\d{3})\b(.*)', re.IGNORECASE)
_LINE = re.compile(
    r'(?P<tissue>\S+)\s+(?P<kind>\S+)'
    r'(?:\s+(?P<severity>[A-Za-z]))?'
    r'(?:\s+(?P<x>\d+)\s+(?P<y>\d+)\s+(?P<radius>\d+))?'
    r'(?:\s+(?P<note>\*.*))?'
)
_TISSUES = ('F', 'G', 'D')
_SEVERITIES = {'B': 'benign', 'M': 'malignant'}
_NORMAL = 'NORM'
_KINDS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    'CALC': ('calcification', {}),
    'CIRC': ('mass', {'margin': 'circumscribed'}),
    'SPIC': ('mass', {'margin': 'spiculated'}),
    'MISC': ('mass', {'margin': 'ill-defined'}),
    'ARCH': ('distortion', {}),
    'ASYM': ('asymmetry', {}),
}


@dataclass(frozen=True, eq=False)
class Line:
    """One line.

    Args:
        tissue: As written.
        category: ``None`` of a normal image.
        pathology: ``'malignant'``, ``'benign'``, or ``None`` of a normal image.
        attributes: ``class`` as written, and what it says beside the category.
        circle: (x, y, radius), y from below; ``None`` where the place is not given.
        note: As written, or ''.
    """

    tissue: str
    category: str | None
    pathology: str | None
    attributes: Mapping[str, Any]
    circle: tuple[int, int, int] | None
    note: str


@dataclass(frozen=True, eq=False)
class Entry:
    """All lines of one image.

    Args:
        position: Number of the first, from 1.
        lines: What they say.
        refused: Why they cannot be used.
    """

    position: int
    lines: tuple[Line, ...] = ()
    refused: MammoError | None = None


def read_info(path: Path) -> dict[str, Entry]:
    """Read the table.

    Returns:
        By reference, in small letters, in the order of the file.

    Raises:
        MammoError: If the file cannot be read, or has no such line.
    """
    try:
        text = path.read_bytes().decode('latin-1')
    except OSError as err:
        raise _error(path, 'table', (err.strerror or str(err)).lower(), 'a table that can be read') from err
    found: dict[str, list[tuple[int, str]]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _REFERENCE.fullmatch(line):
            found.setdefault(match[1].lower(), []).append((number, match[2].strip()))
    if not found:
        raise _error(path, 'table', 'no line that begins with mdb001 or the like', 'the Info.txt of mini-MIAS')
    return {reference: _entry(path, numbered) for reference, numbered in found.items()}


def _entry(path: Path, numbered: Sequence[tuple[int, str]]) -> Entry:
    position = numbered[0][0]
    try:
        lines = tuple(_line(path, number, text) for number, text in numbered)
        _check_agreement(path, position, lines)
    except MammoError as err:
        return Entry(position, refused=err)
    return Entry(position, lines)


def _line(path: Path, number: int, text: str) -> Line:
    match = _LINE.fullmatch(text)
    if match is None:
        expected = 'tissue, class, severity, X, Y, radius'
        raise _error(path, f'{path.name} line {number}', shortened(repr(text)), expected)
    tissue, kind, severity, note = match.group('tissue', 'kind', 'severity', 'note')
    _check_word(path, number, 'tissue', tissue, _TISSUES)
    _check_word(path, number, 'class', kind, (*_KINDS, _NORMAL))
    circle = None if match['x'] is None else (int(match['x']), int(match['y']), int(match['radius']))
    if kind == _NORMAL:
        if severity is not None or circle is not None:
            raise _error(path, f'{path.name} line {number}', shortened(repr(text)), f'nothing after {_NORMAL}')
        return Line(tissue, None, None, {}, None, note or '')
    _check_word(path, number, 'severity', severity, tuple(_SEVERITIES))
    if circle is not None and circle[2] == 0:
        raise _error(path, f'{path.name} line {number}, radius', 0, 'a circle')
    category, more = _KINDS[kind]
    return Line(tissue, category, _SEVERITIES[severity], {'class': kind, **more}, circle, note or '')


def _check_word(path: Path, number: int, what: str, word: str | None, allowed: Sequence[str]) -> None:
    if word not in allowed:
        raise _error(path, f'{path.name} line {number}, {what}', word or 'nothing', f'one of {", ".join(allowed)}')


def _check_agreement(path: Path, position: int, lines: Sequence[Line]) -> None:
    """Lines of one image have one tissue, and none is normal beside another that is not."""
    for what, values in (
        ('tissue', {line.tissue for line in lines}),
        ('class', {_NORMAL if line.category is None else 'a finding' for line in lines}),
    ):
        if len(values) > 1:
            raise _error(
                path,
                f'{path.name} line {position} and others of the image, {what}',
                ' and '.join(sorted(values)),
                'one',
            )


def _error(path: Path, field: str, found: object, expected: str) -> MammoError:
    remedy = 'compare with the published Info.txt; correct it, or download it again'
    return MammoError(path, field=field, found=found, expected=expected, remedy=remedy)
