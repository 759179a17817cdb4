"""Any number, subgroup by subgroup, with its interval and how much data stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.bootstrap import Interval, bootstrap_ci
from mmmammo.evaluation.functional.froc import DEFAULT_FPS_PER_IMAGE, undefined_reason
from mmmammo.evaluation.functional.froc_intervals import froc_interval
from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray, IntArray, check_groups
from mmmammo.evaluation.functional.matches import Matches, select_images, select_lesions
from mmmammo.structures import MammoError

UNKNOWN = 'unknown'
"""The row of what has no label."""

Column = Sequence[Any] | npt.NDArray[Any]
"""Label of each row; ``None``, nan and an empty text are unknown."""


@dataclass(frozen=True, eq=False)
class SubgroupRow:
    """One subgroup.

    Args:
        column: What it is divided by, e.g. ``'density'``; empty for the row of all.
        value: The label, e.g. ``'c'``.
        interval: The number or numbers with their interval; nan where undefined.
        counts: What stands behind them, e.g. ``{'images': 120, 'patients': 30}``; the same keys in every row.
        reason: Why the estimate is nan, or ``None``.
    """

    column: str
    value: str
    interval: Interval
    counts: Mapping[str, int]
    reason: str | None = None


def subgroup_table(
    fn: Callable[[IntArray], npt.ArrayLike],
    columns: Mapping[str, Column],
    patients: Column,
    *,
    values: Mapping[str, Sequence[str]] | None = None,
    units: Mapping[str, Column] | None = None,
    n: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> list[SubgroupRow]:
    """A statistic on all rows, and on the rows of each label of each column.

    Args:
        fn: Takes row indices, as for :func:`~mmmammo.evaluation.functional.bootstrap_ci`. It must bear any rows, as
            those of a subgroup without positives; what is undefined is nan, of the same shape.
        columns: Name -> label of each row.
        patients: Patient of each row; patients are resampled.
        values: Name -> labels that get a row whether or not they occur, in this order, so that the rows do not depend
            on the data. A label that is not listed is refused. Columns not named here get the labels that occur.
        units: Name -> id of each row, whose different values are counted beside each number. Patients and rows are
            counted anyway.
        n: Replicates.
        level: Coverage, in (0, 1).
        seed: The same seed gives the same intervals.

    Raises:
        MammoError: If a row has no patient, a column has another length, a label is not listed, or an argument is out
            of range.
    """
    length = len(patients)
    groups = check_groups('subgroup_table', patients, length)
    ids = {'patients': groups, **{name: _column(name, of, length) for name, of in (units or {}).items()}}
    shape = np.shape(fn(np.arange(length)))

    def row(column: str, value: str, mask: BoolArray) -> SubgroupRow:
        chosen = np.flatnonzero(mask)
        counts = {'rows': len(chosen)} | {name: len(set(of[chosen].tolist())) for name, of in ids.items()}
        if not len(chosen):
            return SubgroupRow(column, value, _no_interval(shape, level), counts, 'no row')
        interval = bootstrap_ci(lambda drawn: fn(chosen[drawn]), groups[chosen], n, level=level, seed=seed)
        return SubgroupRow(column, value, interval, counts, _reason(interval))

    return [row(*subgroup) for subgroup in _subgroups(columns, values or {}, length)]


def froc_subgroups(
    matches: Matches,
    patients: Column,
    *,
    image_columns: Mapping[str, Column] | None = None,
    lesion_columns: Mapping[str, Column] | None = None,
    values: Mapping[str, Sequence[str]] | None = None,
    exams: Column | None = None,
    fps_per_image: Sequence[float] = DEFAULT_FPS_PER_IMAGE,
    n: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> list[SubgroupRow]:
    """FROC readings (recall at each FPI and, last, the area up to 1 FPI) of subgroups.

    A label of images (density, view, vendor, age) chooses images, with their false positives. A label of lesions
    (size, pathology) chooses lesions; false positives belong to no lesion and are counted on all images.

    Args:
        matches: Detections matched to lesions.
        patients: Patient of each image.
        image_columns: Name -> label of each image.
        lesion_columns: Name -> label of each lesion of ``matches``.
        values: As for :func:`subgroup_table`.
        exams: Exam of each image, counted when given.
        fps_per_image: Where to read the recall.
        n: Replicates.
        level: Coverage, in (0, 1).
        seed: The same seed gives the same intervals.

    Raises:
        MammoError: If a column has another length, a label is not listed, or an argument is out of range.
    """
    groups = _column('patients', patients, matches.num_images)
    ids = {'patients': groups} | ({} if exams is None else {'exams': _column('exams', exams, matches.num_images)})
    listed = values or {}

    def row(column: str, value: str, chosen: Matches, images: BoolArray) -> SubgroupRow:
        counts = {'lesions': len(chosen.lesion_image), 'images': chosen.num_images}
        counts |= {name: len(set(of[images].tolist())) for name, of in ids.items()}
        reason = undefined_reason(chosen) if chosen.num_images else 'no image'
        if reason:
            return SubgroupRow(column, value, _no_interval((len(fps_per_image) + 1,), level), counts, reason)
        interval = froc_interval(chosen, groups[images].tolist(), fps_per_image, n, seed, level=level)
        return SubgroupRow(column, value, interval, counts, _reason(interval))

    by_image = _subgroups(image_columns or {}, listed, matches.num_images)
    rows = [row(column, value, select_images(matches, mask), mask) for column, value, mask in by_image]
    every = np.ones(matches.num_images, dtype=bool)
    by_lesion = _subgroups(lesion_columns or {}, listed, len(matches.lesion_image), with_all=False)
    return rows + [row(column, value, select_lesions(matches, mask), every) for column, value, mask in by_lesion]


def bands(numbers: npt.ArrayLike, edges: Sequence[float], unit: str = '') -> tuple[list[str], list[str]]:
    """Turn ages or sizes into labels such as ``'40 to 49'``.

    Args:
        numbers: One per row; nan is unknown.
        edges: Rising; a band includes its lower edge and not its upper one. Below the first and from the last edge on
            there is a band too.
        unit: Written after the numbers, e.g. ``'mm'``.

    Returns:
        The label of each row, and all labels in order, as ``values`` of a table.

    Raises:
        MammoError: If the edges do not rise.
    """
    if len(edges) == 0 or not (np.diff(edges) > 0).all():
        raise MammoError(
            'bands', field='edges', found=list(edges), expected='rising numbers', remedy='correct the argument'
        )
    end = f' {unit}' if unit else ''
    inner = [f'{low:g} to < {high:g}{end}' for low, high in pairwise(edges)]
    names = [f'< {edges[0]:g}{end}', *inner, f'>= {edges[-1]:g}{end}']
    values = np.asarray(numbers, dtype=np.float64)
    places = np.searchsorted(np.asarray(edges), values, side='right')
    return [UNKNOWN if np.isnan(v) else names[i] for v, i in zip(values, places, strict=True)], names


def lesion_diameters_mm(boxes: npt.ArrayLike, spacing_mm: npt.ArrayLike) -> FloatArray:
    """Longer side of each lesion's box in millimetres, for :func:`bands`.

    Args:
        boxes: (g, 4) xyxy.
        spacing_mm: (g,) millimetres per pixel of the lesion's image; nan where unknown gives nan.
    """
    xyxy = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    sides: FloatArray = (xyxy[:, 2:] - xyxy[:, :2]).max(axis=1, initial=0.0) * np.asarray(spacing_mm, dtype=np.float64)
    return sides


def _subgroups(
    columns: Mapping[str, Column], values: Mapping[str, Sequence[str]], length: int, with_all: bool = True
) -> Iterator[tuple[str, str, BoolArray]]:
    """``(column, label, mask)``: all rows first, then each column's labels, the unknown last where there are any."""
    if with_all:
        yield '', 'all', np.ones(length, dtype=bool)
    for name, column in columns.items():
        labels = np.array([subgroup_label(value) for value in _column(name, column, length).tolist()], dtype=object)
        for value in _listed(name, labels, values.get(name)):
            yield name, value, (labels == value).astype(bool)


def _listed(name: str, labels: npt.NDArray[Any], values: Sequence[str] | None) -> list[str]:
    found = set(labels.tolist())
    if values is None:
        return [*sorted(found - {UNKNOWN}), *([UNKNOWN] if UNKNOWN in found else [])]
    listed = [str(value) for value in values]
    for row, label in enumerate(labels.tolist()):
        if label not in listed and label != UNKNOWN:
            raise MammoError(
                f'subgroups by {name}',
                field=f'{name}[{row}]',
                found=repr(label),
                expected=f'one of {listed}, or nothing where unknown',
                remedy='correct the label, or list it',
            )
    return list(dict.fromkeys([*listed, UNKNOWN]))


def subgroup_label(value: Any) -> str:
    """What a value is called in a table of subgroups; nothing and nan are unknown."""
    if value is None or value == '' or (isinstance(value, float) and np.isnan(value)):
        return UNKNOWN
    return f'{value:g}' if isinstance(value, float) else str(value)


def _column(name: str, column: Column, length: int) -> npt.NDArray[Any]:
    array = np.asarray(column, dtype=object)  # not as text, in which nan would be a label
    if array.shape != (length,):
        raise MammoError(
            'subgroups',
            field=name,
            found=f'shape {array.shape}',
            expected=f'({length},), one label per row',
            remedy='give one entry per row, None where unknown',
        )
    return array


def _no_interval(shape: tuple[int, ...], level: float) -> Interval:
    nothing = np.full(shape, np.nan)
    return Interval(nothing, nothing, nothing, level, 0, 0, np.zeros(shape, dtype=np.int64), 'no data')


def _reason(interval: Interval) -> str | None:
    return 'undefined on these rows' if np.isnan(interval.estimate).all() else None
