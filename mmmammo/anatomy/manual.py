"""Landmarks set by hand, which go before any that were found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.io.intake import load_json
from mmmammo.structures import BreastLandmarks, MammoError

_REMEDY = 'correct the file; docs/landmarks.md shows its form'
PARTS = ('contour', 'nipple', 'pectoral_line')

PartialLandmarks = Mapping[str, npt.NDArray[np.float64]]
"""Any of contour (n, 2), nipple (2,) and pectoral_line (2, 2), in source pixels."""


def load_manual_landmarks(path: Path | str) -> dict[str, PartialLandmarks]:
    """Read ``{"exam 7/L_MLO.dcm": {"pectoral_line": [[612, 0], [0, 1310]]}, …}``.

    Keys are paths relative to the raw folder, ``/``-separated; coordinates are source pixels, origin top-left.

    Raises:
        MammoError: If the file cannot be read, or an entry holds anything but the three parts in their shapes.
    """
    data = load_json(path, 'a JSON object', _REMEDY)
    if not isinstance(data, dict):
        raise _bad(path, 'top level', type(data).__name__, 'an object: relative path -> parts')
    return {name: _parts(path, name, data[name]) for name in sorted(data)}


def apply_manual(landmarks: BreastLandmarks, override: PartialLandmarks) -> BreastLandmarks:
    """Put the parts set by hand in place of those found; they are certain, and ``found_by`` says ``'manual'``.

    Args:
        landmarks: In the same pixels as the override.
        override: As from :func:`load_manual_landmarks`; unnamed parts stay.
    """
    parts: dict[str, Any] = {name: override[name] for name in PARTS if name in override}
    if 'pectoral_line' in parts:
        line = np.asarray(parts['pectoral_line'], dtype=np.float64)
        parts['pectoral_line'] = line[np.argsort(line[:, 1], kind='stable')]
    # A part without a confidence of its own is as sure as the whole was.
    sure = {name: float(landmarks.part_confidence.get(name, landmarks.confidence)) for name in PARTS}
    sure.update(dict.fromkeys(parts, 1.0))
    found_by = {**landmarks.found_by, **dict.fromkeys(parts, 'manual')}
    edge = None if 'pectoral_line' in parts else landmarks.pectoral_edge  # that of another line contradicts this one
    least = min(sure.values())
    return replace(landmarks, **parts, pectoral_edge=edge, confidence=least, part_confidence=sure, found_by=found_by)


def _parts(path: Path | str, name: str, entry: Any) -> PartialLandmarks:
    """Check one image's entry."""
    if not isinstance(entry, dict) or not entry or not set(entry) <= set(PARTS):
        found = ', '.join(map(repr, entry)) if isinstance(entry, dict) and entry else repr(entry)
        raise _bad(path, name, found, f'an object with any of {", ".join(PARTS)}')
    return {part: _points(path, name, part, entry[part]) for part in PARTS if part in entry}


def _points(path: Path | str, name: str, part: str, value: Any) -> npt.NDArray[np.float64]:
    """Check the coordinates of one part."""
    expected = {'contour': 'at least three points (x, y)', 'nipple': 'one point (x, y)', 'pectoral_line': 'two points'}
    try:
        points = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as err:
        raise _bad(path, f'{name}: {part}', f'{value!r:.80}', expected[part]) from err
    fits = {
        'contour': points.ndim == 2 and points.shape[-1] == 2 and len(points) >= 3,
        'nipple': points.shape == (2,),
        'pectoral_line': points.shape == (2, 2) and not np.array_equal(points[0], points[-1]),
    }
    if not fits[part] or not np.isfinite(points).all():
        raise _bad(path, f'{name}: {part}', f'{points.tolist()}'[:80], expected[part] + ', finite')
    return points


def _bad(path: Path | str, field: str, found: str, expected: str) -> MammoError:
    return MammoError(path, field=field, found=found, expected=expected, remedy=_REMEDY)
