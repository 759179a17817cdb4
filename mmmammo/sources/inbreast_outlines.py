"""The outlines of INbreast: one OsiriX property list per annotated image, ``AllXML/<File Name>.xml``.

Points are ``"(x, y)"`` in pixels, x to the right and y down, and are taken as they are. What is known to be wrong
with them, and what becomes of it:

* Names with slips of the pen are read as meant. Regions whose name says no kind of finding (empty, ``Unnamed``,
  ``Point 1``) are left out, as are regions without a point; any other unknown name refuses the file.
* One or two points mark a single calcification without outlining it: they become a box that reaches
  :data:`MARKER_MARGIN_PX` (half a millimetre) beyond them, with ``attributes['point']``. So does an outline of no area.
* Points a little outside the image are moved to its border.
* x and y of a whole file are exchanged where only that puts its points into the image. (Files 22580341, 22580706 and
  22670094 are reported to need it.) An exchange that leaves all points inside cannot be told.
"""

from __future__ import annotations

import plistlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

import numpy as np
import numpy.typing as npt

from mmmammo.io.elements import shortened
from mmmammo.structures import Finding, MammoError

CATEGORIES: tuple[str, ...] = ('mass', 'calcification', 'distortion', 'asymmetry', 'spiculated_region')
MARKER_MARGIN_PX = 7.0

_NAMES = {
    'mass': 'mass',
    'calcification': 'calcification',
    'calcifications': 'calcification',
    'cluster': 'calcification',
    'distortion': 'distortion',
    'asymmetry': 'asymmetry',
    'assymetry': 'asymmetry',
    'asimmetry': 'asymmetry',
    'spiculated region': 'spiculated_region',
    'espiculated region': 'spiculated_region',
}
_NO_KIND = re.compile(r'(unnamed|point \d+)?')
_NUMBER = r'\s*([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\s*'
_POINT = re.compile(rf'\({_NUMBER},{_NUMBER}\)')
_SLACK = 0.02  # of the image: how far outside a point may lie by carelessness
_ROUNDING_PX = 1.0
_LARGEST_FILE = 2**26
_NO_PLIST = (ExpatError, ValueError, LookupError, AttributeError, TypeError)  # what plistlib meets broken files with
Points = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Region:
    """One region as it is drawn: its name, and (n, 2) points."""

    name: str
    points: Points


def read_findings(path: Path, shape: tuple[int, int] | None) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """The findings of one image, and what was put right about them.

    Args:
        path: The property list.
        shape: (h, w) of the image; ``None`` if it is not known, which leaves all points where they are.

    Raises:
        MammoError: If the file is no property list of regions, contradicts itself, or names an unknown finding.
    """
    regions = read_regions(path)
    notes = [*_left_out(regions)]
    regions = [region for region in regions if len(region.points) and not _NO_KIND.fullmatch(_clean(region.name))]
    if shape is not None:
        regions, moved = _into_image(regions, shape)
        notes += moved
    return tuple(_finding(path, region, shape) for region in regions), tuple(notes)


def read_regions(path: Path) -> list[Region]:
    """Every region of the file, those without points too.

    Raises:
        MammoError: If the file is no property list of the regions of one image, or its counts are wrong.
    """
    images = _value(path, _load(path), 'Images', list, 'the document')
    if len(images) != 1:
        raise _error(path, 'Images', f'{len(images)} images', 'one')
    regions = _value(path, images[0], 'ROIs', list, 'the image')
    count = _value(path, images[0], 'NumberOfROIs', int, 'the image')
    if count != len(regions):
        raise _error(path, 'NumberOfROIs', f'{count}, with {len(regions)} ROIs', 'the number of ROIs')
    return [_region(path, f'ROI {number}', region) for number, region in enumerate(regions)]


def _load(path: Path) -> Any:
    """The document; entity declarations, of which a small file can make a huge one, are refused by plistlib."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise _error(path, 'size', f'more than {_LARGEST_FILE >> 20} MiB', 'the outlines of one image')
        return plistlib.loads(path.read_bytes(), fmt=plistlib.FMT_XML)
    except MammoError:
        raise
    except OSError as err:
        raise _error(path, 'file', (err.strerror or str(err)).lower(), 'a readable file') from err
    except _NO_PLIST as err:
        raise _error(path, 'content', f'no property list ({shortened(err)})', 'an XML property list') from err


def _region(path: Path, where: str, region: Any) -> Region:
    count = _value(path, region, 'NumberOfPoints', int, where)
    texts = _value(path, region, 'Point_px', list, where) if count or 'Point_px' in region else []
    if count != len(texts):
        raise _error(path, f'{where}, NumberOfPoints', f'{count}, with {len(texts)} points', 'the number of points')
    matches = [_POINT.fullmatch(text.strip()) if isinstance(text, str) else None for text in texts]
    for text, match in zip(texts, matches, strict=True):
        if match is None:
            raise _error(path, f'{where}, Point_px', shortened(repr(text)), '"(x, y)"')
    points = np.array([match.groups() for match in matches if match], dtype=np.float64).reshape(-1, 2)
    return Region(_value(path, region, 'Name', str, where), points)


def _value(path: Path, holder: Any, key: str, kind: type, where: str) -> Any:
    value = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(value, kind):
        found = 'no such key' if value is None else f'a value of type {type(value).__name__}'
        raise _error(path, f'{where}, {key}', found, {list: 'a list', int: 'a whole number', str: 'a text'}[kind])
    return value


def _left_out(regions: Sequence[Region]) -> Iterator[str]:
    """What is told about regions that become no finding."""
    empty = sum(not len(region.points) for region in regions)
    if empty:
        yield f'{empty} outline{"s" * (empty > 1)} without a point left out'
    names = [region.name for region in regions if len(region.points) and _NO_KIND.fullmatch(_clean(region.name))]
    if names:
        told = ', '.join(repr(name) for name in sorted(set(names)))
        yield f'{len(names)} outline{"s" * (len(names) > 1)} left out, named {told}, which is no kind of finding'


def _into_image(regions: list[Region], shape: tuple[int, int]) -> tuple[list[Region], list[str]]:
    """Exchange x and y if that is what is wrong, and move points that are a little outside to the border."""
    size = np.array(shape[::-1], dtype=np.float64)
    slack = _SLACK * float(size.max())
    notes = []
    if _overhang(regions, size) > slack >= _overhang([Region(r.name, r.points[:, ::-1]) for r in regions], size):
        regions = [Region(region.name, region.points[:, ::-1]) for region in regions]
        notes.append('x and y of the outlines exchanged, only so they lie in the image')
    overhang = _overhang(regions, size)
    if overhang > slack:
        return regions, notes  # not of this image, as will be found when it is prepared
    if overhang > _ROUNDING_PX:
        notes.append(f'outlines up to {overhang:.0f} px outside the image moved to its border')
    return [Region(region.name, region.points.clip(0, size)) for region in regions], notes


def _overhang(regions: Sequence[Region], size: npt.NDArray[np.float64]) -> float:
    """How far the points lie outside an image of (w, h), at most."""
    return max((float(np.max([-r.points, r.points - size])) for r in regions), default=0.0)


def _finding(path: Path, region: Region, shape: tuple[int, int] | None) -> Finding:
    category = _NAMES.get(_clean(region.name))
    if category is None:
        expected = f'one of {", ".join(_NAMES)}'
        raise _error(path, 'Name', shortened(repr(region.name)), expected, 'correct the name')
    low, high = region.points.min(axis=0), region.points.max(axis=0)
    is_point = len(region.points) < 3 or not (high > low).all()
    if is_point:
        low, high = low - MARKER_MARGIN_PX, high + MARKER_MARGIN_PX
        if shape is not None:
            low, high = low.clip(0, shape[::-1]), high.clip(0, shape[::-1])
    attributes: dict[str, Any] = {'name': region.name.strip()}
    return Finding(
        bbox=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        category=category,
        polygons=() if is_point else (region.points,),
        attributes={**attributes, 'point': True} if is_point else attributes,
    )


def _clean(name: str) -> str:
    return ' '.join(name.split()).lower()


def _error(
    path: Path, field: str, found: object, expected: str, remedy: str = 'copy or download the file again'
) -> MammoError:
    return MammoError(path, field=f'{path.name}, {field}', found=found, expected=expected, remedy=remedy)
