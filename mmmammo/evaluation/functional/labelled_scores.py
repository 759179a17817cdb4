"""Labels and scores of many rows (images, breasts or exams), checked once at the door."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import BoolArray, FloatArray
from mmmammo.structures import MammoError

_NO_ID = ('', 'None', 'nan', '<NA>')


def labelled_scores(
    where: str, labels: npt.ArrayLike, scores: npt.ArrayLike, *, probabilities: bool = False
) -> tuple[BoolArray, FloatArray]:
    """The labels as booleans and the scores as floats, row by row.

    Args:
        where: Who asks; the first words of a message.
        labels: (n,) 0 or 1.
        scores: (n,) finite; the greater, the more suspicious.
        probabilities: Whether the scores must lie in [0, 1].

    Raises:
        MammoError: With row and value, if a label is neither 0 nor 1, a score is not finite or no probability, or the
            lengths differ.
    """
    is_positive = binary_labels(where, labels)
    values = finite_scores(where, scores, probabilities=probabilities)
    same_length(where, labels=is_positive, scores=values)
    return is_positive, values


def binary_labels(where: str, labels: npt.ArrayLike, field: str = 'labels') -> BoolArray:
    """(n,) labels as booleans.

    Raises:
        MammoError: If one is neither 0 nor 1.
    """
    numbers = _numbers(where, field, labels, '0 or 1')
    is_positive: BoolArray = numbers == 1
    good = is_positive | (numbers == 0)
    if not good.all():
        raise _row_error(where, field, numbers, good, '0 or 1', 'leave out rows whose label is not known')
    return is_positive


def finite_scores(
    where: str, scores: npt.ArrayLike, field: str = 'scores', *, probabilities: bool = False
) -> FloatArray:
    """(n,) scores as floats.

    Raises:
        MammoError: If one is not finite or, where probabilities are needed, outside [0, 1].
    """
    expected = 'a number in [0, 1]' if probabilities else 'a finite number'
    numbers = _numbers(where, field, scores, expected)
    if not np.isfinite(numbers).all():
        raise _row_error(where, field, numbers, np.isfinite(numbers), expected, 'look for nan in the model')
    if probabilities:
        good = (numbers >= 0) & (numbers <= 1)
        if not good.all():
            remedy = 'give probabilities: sigmoid of logits, scores in per cent over 100'
            raise _row_error(where, field, numbers, good, expected, remedy)
    return numbers


def same_length(where: str, **columns: Sequence[Any] | npt.NDArray[Any]) -> None:
    """Refuse columns of unequal length.

    Raises:
        MammoError: Naming the first column that differs from the first given.
    """
    (first, values), *others = columns.items()
    for name, column in others:
        if len(column) != len(values):
            raise MammoError(
                where,
                field=name,
                found=f'{len(column)} rows',
                expected=f'{len(values)}, as many as {first}',
                remedy='give one entry per row',
            )


def known_ids(where: str, ids: Iterable[Any], field: str = 'ids') -> list[str]:
    """The ids as text.

    Raises:
        MammoError: If one is empty, ``None`` or nan.
    """
    names = [str(name) for name in ids]
    for row, name in enumerate(names):
        if name in _NO_ID:
            raise MammoError(
                where, field=f'{field}[{row}]', found=repr(name), expected='an id', remedy='complete it or drop the row'
            )
    return names


def unique_ids(where: str, ids: Iterable[Any], field: str = 'ids') -> list[str]:
    """The ids as text, each once.

    Raises:
        MammoError: If one occurs twice, naming both rows, or is empty.
    """
    names = known_ids(where, ids, field)
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        if first.setdefault(name, row) != row:
            raise MammoError(
                where,
                field=f'{field}[{row}]',
                found=f'{name!r}, already in row {first[name]}',
                expected='each id once',
                remedy='drop the repeat, or aggregate the rows of one id first (breast_scores, exam_scores)',
            )
    return names


def one_class_reason(is_positive: BoolArray) -> str | None:
    """Why a comparison of two classes is undefined, or ``None``."""
    if not is_positive.any():
        return 'no positive label'
    return 'no negative label' if is_positive.all() else None


def option(where: str, field: str, found: Any, expected: str, *, good: bool) -> None:
    """Refuse an argument that is not ``good``.

    Raises:
        MammoError: If it is not.
    """
    if not good:
        raise MammoError(where, field=field, found=found, expected=expected, remedy='correct the argument')


def _numbers(where: str, field: str, values: npt.ArrayLike, expected: str) -> FloatArray:
    try:
        array = np.asarray(values)
    except ValueError as err:  # rows of unequal length
        raise MammoError(
            where, field=field, found='rows of unequal length', expected='(n,)', remedy='give one number per row'
        ) from err
    if array.ndim != 1:
        raise MammoError(
            where, field=field, found=f'shape {array.shape}', expected='(n,)', remedy='give one number per row'
        )
    if array.dtype.kind not in 'biuf':
        for row, value in enumerate(values if isinstance(values, list | tuple) else array.tolist()):
            if not isinstance(value, Real):
                raise MammoError(
                    where, field=f'{field}[{row}]', found=repr(value), expected=expected, remedy='convert or drop it'
                )
    return array.astype(np.float64)


def _row_error(where: str, field: str, numbers: FloatArray, good: BoolArray, expected: str, remedy: str) -> MammoError:
    row = int(np.argmin(good))
    return MammoError(where, field=f'{field}[{row}]', found=f'{numbers[row]:g}', expected=expected, remedy=remedy)
