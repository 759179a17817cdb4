"""The ``.OVERLAY`` file of a DDSM view: its abnormalities and their outlines, as chain codes.

::

    TOTAL_ABNORMALITIES 1
    ABNORMALITY 1
    LESION_TYPE MASS SHAPE IRREGULAR MARGINS SPICULATED
    ASSESSMENT 5
    SUBTLETY 5
    PATHOLOGY MALIGNANT
    TOTAL_OUTLINES 2
    BOUNDARY
    1752 1536 4 4 5 6 ... #         column and row of the first pixel, then steps: 0 up, 2 right, 4 down, 6 left
            CORE
    1760 1540 2 2 4 ... #
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.io.elements import shortened
from mmmammo.sources.ddsm_ics import ics_error, read_lines
from mmmammo.structures import Finding, Polygon

CATEGORIES: tuple[str, ...] = ('mass', 'calcification', 'other')
PATHOLOGIES = {'MALIGNANT': 'malignant', 'BENIGN': 'benign', 'BENIGN_WITHOUT_CALLBACK': 'benign', 'UNPROVEN': None}

_TYPES = {'MASS': 'mass', 'CALCIFICATION': 'calcification', 'OTHER': 'other'}
_DETAILS = {'SHAPE': 'shape', 'MARGINS': 'margins', 'TYPE': 'calc_type', 'DISTRIBUTION': 'distribution'}
_NUMBER = re.compile(r'[0-9]{1,6}')
_STEPS = np.array([(0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1)])


@dataclass(eq=False)
class Abnormality:
    """One abnormality of a view; it may be of several types.

    Args:
        number: From 1, in this view; nobody promises that the other view counts alike.
        types: Details by category.
        assessment: BI-RADS.
        subtlety: 1 to 5.
        pathology: As written.
        outlines: (n, 2) indices of pixels, column and row, the boundary first and then the cores.
    """

    number: int
    types: dict[str, dict[str, str]] = field(default_factory=dict)
    assessment: str | None = None
    subtlety: int | None = None
    pathology: str = ''
    outlines: list[npt.NDArray[np.int64]] = field(default_factory=list)

    def findings(self, scale: tuple[float, float]) -> tuple[Finding, ...]:
        """One per type, all with the box of the boundary.

        Args:
            scale: Of x and y, for a copy of the scan of another size.
        """
        boundary = self.outlines[0]
        low, high = boundary.min(axis=0) * scale, (boundary.max(axis=0) + 1) * scale
        polygon = _open(boundary + 0.5) * scale
        said: dict[str, Any] = {'abnormality': self.number, 'pathology_source': self.pathology}
        said |= {'subtlety': self.subtlety} if self.subtlety else {}
        said |= {'num_cores': len(self.outlines) - 1} if len(self.outlines) > 1 else {}
        return tuple(
            Finding(
                bbox=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
                category=category,
                pathology=PATHOLOGIES[self.pathology],
                birads=self.assessment,
                polygons=(polygon,) if len(polygon) > 2 else (),
                attributes={**said, **details},
            )
            for category, details in self.types.items()
        )


def read_overlay(path: Path) -> tuple[Abnormality, ...]:
    """All abnormalities of a view.

    Raises:
        MammoError: If a line is not as published, or the counts are not those of what follows.
    """
    lines = deque((number, line.strip()) for number, line in enumerate(read_lines(path), 1) if line.strip())
    total = _count(path, lines, 'TOTAL_ABNORMALITIES')
    found = [_abnormality(path, lines, number) for number in range(1, total + 1)]
    if lines:
        number, line = lines[0]
        raise ics_error(path, f'line {number}', shortened(line), f'nothing after abnormality {total}')
    return tuple(found)


def _abnormality(path: Path, lines: deque[tuple[int, str]], number: int) -> Abnormality:
    if _count(path, lines, 'ABNORMALITY') != number:
        raise ics_error(path, 'ABNORMALITY', 'another number', str(number))
    found = Abnormality(number)
    while not _next(path, lines, f'the end of abnormality {number}').startswith('TOTAL_OUTLINES'):
        _attribute(path, *lines.popleft(), found)
    if not found.types or found.pathology not in PATHOLOGIES:
        missing = 'LESION_TYPE' if not found.types else 'PATHOLOGY'
        raise ics_error(path, f'{missing} of abnormality {number}', 'none', 'one before TOTAL_OUTLINES')
    for k in range(_count(path, lines, 'TOTAL_OUTLINES')):
        kind = _next(path, lines, f'outline {k + 1} of abnormality {number}')
        if kind != ('CORE' if k else 'BOUNDARY'):
            raise ics_error(path, f'line {lines[0][0]}', shortened(kind), 'CORE' if k else 'BOUNDARY')
        lines.popleft()
        _next(path, lines, f'outline {k + 1} of abnormality {number}')
        found.outlines.append(_chain(path, *lines.popleft()))
    if not found.outlines:
        raise ics_error(path, f'TOTAL_OUTLINES of abnormality {number}', '0', 'a boundary')
    return found


def _attribute(path: Path, number: int, line: str, found: Abnormality) -> None:
    """One line between ABNORMALITY and TOTAL_OUTLINES."""
    key, _, value = line.partition(' ')
    value = value.strip()
    if key == 'LESION_TYPE':
        kind, *words = value.split()
        category = _known(path, number, key, kind, _TYPES)
        details = {_known(path, number, key, name, _DETAILS): said for name, said in _pairs(path, number, words)}
        known = found.types.setdefault(category, {})
        known.update({name: '-'.join(filter(None, (known.get(name), said))) for name, said in details.items()})
    elif key == 'PATHOLOGY':
        _known(path, number, key, value, PATHOLOGIES)
        found.pathology = value
    elif key == 'ASSESSMENT':
        found.assessment = _known(path, number, key, value, {digit: digit for digit in '012345'})
    elif key == 'SUBTLETY':
        found.subtlety = _known(path, number, key, value, {digit: int(digit) for digit in '012345'})
    else:
        raise ics_error(path, f'line {number}', shortened(line), 'LESION_TYPE, ASSESSMENT, SUBTLETY or PATHOLOGY')


def _pairs(path: Path, number: int, words: list[str]) -> list[tuple[str, str]]:
    if len(words) % 2:
        raise ics_error(path, f'line {number}, LESION_TYPE', shortened(' '.join(words)), 'names and values in turns')
    return list(zip(words[::2], words[1::2], strict=True))


def _known(path: Path, number: int, key: str, value: str, meanings: dict[str, Any]) -> Any:
    if value not in meanings:
        raise ics_error(path, f'line {number}, {key}', shortened(value), f'one of {", ".join(meanings)}')
    return meanings[value]


def _next(path: Path, lines: deque[tuple[int, str]], what: str) -> str:
    if not lines:
        raise ics_error(path, 'last line', 'the end of the file', what)
    return lines[0][1]


def _count(path: Path, lines: deque[tuple[int, str]], key: str) -> int:
    """The number of a line ``KEY n``, which is taken."""
    line = _next(path, lines, f'{key} n')
    name, _, value = line.partition(' ')
    if name != key or not _NUMBER.fullmatch(value.strip()):
        raise ics_error(path, f'line {lines[0][0]}', shortened(line), f'{key} n')
    lines.popleft()
    return int(value)


def _chain(path: Path, number: int, line: str) -> npt.NDArray[np.int64]:
    """(n, 2) column and row of every pixel of a chain."""
    *words, end = line.split()
    if end != '#' or len(words) < 2 or not all(map(_NUMBER.fullmatch, words)):
        raise ics_error(path, f'line {number}', shortened(line), 'column, row and steps from 0 to 7, then #')
    start, codes = np.array(words[:2], dtype=np.int64), np.array(words[2:], dtype=np.int64)
    if codes.size and codes.max() > 7:
        raise ics_error(path, f'line {number}', f'a step {codes.max()}', 'steps from 0 to 7')
    return np.concatenate([start[None], start + np.cumsum(_STEPS[codes], axis=0)])


def _open(outline: npt.NDArray[np.float64]) -> Polygon:
    """Without the first point a second time at the end."""
    return outline[:-1] if len(outline) > 1 and (outline[0] == outline[-1]).all() else outline
