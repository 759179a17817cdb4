"""Prepared images and their findings as COCO entries."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.structures import Affine, BreastLandmarks, Finding, Laterality, MammoError, PreparedImage, View

REMEDY = 'prepare the set again with tools/prepare_dataset.py; do not edit the file'
_PLAIN_KEYS = ('file_name', 'width', 'height', 'exam_id', 'patient_id', 'pixel_spacing_mm', 'labels', 'source')
_GRID = 2.0**30
_LARGEST = 2**31  # pixels of a side
Parsers = Mapping[str, tuple[Callable[[Any], Any], str]]


def image_to_json(image: PreparedImage) -> dict[str, Any]:
    """The entry of ``images``; findings are entries of their own."""
    return {
        'id': image.image_id,
        **{key: getattr(image, key) for key in _PLAIN_KEYS},
        'laterality': image.laterality.value,
        'view': image.view.value,
        'affine': image.affine.to_list(),
        'landmarks': None if image.landmarks is None else image.landmarks.to_json(),
    }


def image_from_json(
    entry: Mapping[str, Any], findings: Sequence[Finding] = (), where: str | Path = 'prepared set'
) -> PreparedImage:
    """The inverse of :func:`image_to_json`.

    Args:
        entry: Of ``images``.
        findings: Of this image.
        where: The file, for the complaint.

    Raises:
        MammoError: Naming the image and the key that is absent or has no sense.
    """
    values = _parse(entry, _IMAGE_PARSERS, where, 'image')
    return PreparedImage(image_id=values.pop('id'), **values, findings=tuple(findings))


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """The entry of ``annotations``, but for ``id``, ``image_id`` and ``category_id``; a box is its own outline.

    Box coordinates are kept to 2^-30 px, so that COCO's ``x + width`` gives the right edge back without rounding.
    """
    x1, y1, x2, y2 = box = [round(float(value) * _GRID) / _GRID for value in finding.bbox]
    outlines = finding.polygons or (_corners(box),)
    return {
        'bbox': [x1, y1, x2 - x1, y2 - y1],
        'area': float(sum(_area(outline) for outline in outlines)),
        'iscrowd': 0,
        'segmentation': [np.asarray(outline, dtype=float).ravel().tolist() for outline in outlines],
        'lesion_id': finding.lesion_id,
        'pathology': finding.pathology,
        'birads': finding.birads,
        'attributes': dict(finding.attributes),
    }


def finding_from_json(entry: Mapping[str, Any], category: str, where: str | Path = 'prepared set') -> Finding:
    """The inverse of :func:`finding_to_json`.

    Args:
        entry: Of ``annotations``.
        category: Name of its ``category_id``.
        where: The file, for the complaint.

    Raises:
        MammoError: Naming the annotation and the key that is absent or has no sense.
    """
    values = _parse(entry, _FINDING_PARSERS, where, 'annotation')
    outlines = values.pop('segmentation')
    if len(outlines) == 1 and np.array_equal(outlines[0], _corners(values['bbox'])):
        outlines = ()
    return Finding(category=category, polygons=outlines, **values)


def _parse(entry: Mapping[str, Any], parsers: Parsers, where: str | Path, kind: str) -> dict[str, Any]:
    """Read every key; each complaint names the entry by its id."""
    if not isinstance(entry, Mapping):
        raise MammoError(where, field=kind, found=repr(entry), expected='an object', remedy=REMEDY)
    values = {}
    for key, (parser, expected) in parsers.items():
        field = f'{kind} {entry.get("id", "without id")}: {key}'
        if key not in entry:
            raise MammoError(where, field=field, found='no such key', expected=expected, remedy=REMEDY)
        try:
            values[key] = parser(entry[key])
        except KeyError as err:
            raise MammoError(where, field=field, found=f'no key {err}', expected=expected, remedy=REMEDY) from err
        except (ValueError, TypeError, OverflowError) as err:
            found = f'{entry[key]!r:.200}'
            raise MammoError(where, field=field, found=found, expected=expected, remedy=REMEDY) from err
    return values


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(value)
    return value


def _size(value: Any) -> int:
    if not 1 <= _whole(value) < _LARGEST:
        raise ValueError(value)
    return int(value)


def text(value: Any) -> str:
    """A text that can be the name of a file, and be written to one.

    Raises:
        TypeError: If it is no text.
        ValueError: If it holds NUL, or half of a character.
    """
    if not isinstance(value, str):
        raise TypeError(value)
    if '\0' in value:
        raise ValueError(value)
    value.encode()
    return value


def inside(value: Any) -> str:
    """A relative path that stays in its folder.

    Raises:
        TypeError: If it is no text.
        ValueError: If it is no such path.
    """
    path = PurePosixPath(text(value))
    if path.is_absolute() or not path.name or '..' in path.parts:
        raise ValueError(value)
    return str(value)


def _text_or_none(value: Any) -> str | None:
    return None if value is None else text(value)


def _spacing(value: Any) -> float | None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise ValueError(value)
    return None if value is None else float(value)


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def _source(value: Any) -> dict[str, Any]:
    """By path and digest images are told apart, so these are texts where they are known."""
    for key in ('path', 'sha256'):
        _text_or_none(_mapping(value).get(key))
    return _mapping(value)


def _landmarks(value: Any) -> BreastLandmarks | None:
    return None if value is None else BreastLandmarks.from_json(_mapping(value))


def _bbox(value: Any) -> tuple[float, float, float, float]:
    x, y, w, h = map(float, value)
    return x, y, x + w, y + h


def _outlines(value: Any) -> tuple[npt.NDArray[np.float64], ...]:
    return tuple(np.array(outline, dtype=float).reshape(-1, 2) for outline in value)


_IMAGE_PARSERS: Parsers = {
    'id': (_whole, 'a whole number'),
    'file_name': (inside, 'a path below images/'),
    'width': (_size, 'a number of pixels'),
    'height': (_size, 'a number of pixels'),
    'exam_id': (text, 'a text'),
    'patient_id': (text, 'a text'),
    'laterality': (Laterality, f'one of {", ".join(Laterality)}'),
    'view': (View, f'one of {", ".join(View)}'),
    'pixel_spacing_mm': (_spacing, 'a positive number or null'),
    'affine': (Affine.from_list, 'an invertible 3x3 matrix with last row 0, 0, 1'),
    'labels': (_mapping, 'an object'),
    'source': (_source, 'an object, whose path and sha256 are texts'),
    'landmarks': (_landmarks, 'contour (n, 2), nipple (2), pectoral_line (2, 2), their confidence and origin; or null'),
}
_FINDING_PARSERS: Parsers = {
    'bbox': (_bbox, 'x, y, width, height'),
    'segmentation': (_outlines, 'polygons, each x1, y1, x2, y2, …'),
    'lesion_id': (_text_or_none, 'a text or null'),
    'pathology': (_text_or_none, 'a text or null'),
    'birads': (_text_or_none, 'a text or null'),
    'attributes': (_mapping, 'an object'),
}


def _corners(bbox: Sequence[float]) -> npt.NDArray[np.float64]:
    x1, y1, x2, y2 = map(float, bbox)
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])


def _area(outline: Any) -> float:
    """Shoelace formula, in square pixels."""
    x, y = np.asarray(outline, dtype=float).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
