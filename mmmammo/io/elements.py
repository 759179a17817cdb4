"""Lenient access to the elements of a DICOM data set: absent, empty and unreadable are one thing, and no exception."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.sequence import Sequence
from pydicom.tag import Tag

UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    NotImplementedError,
    OverflowError,
    OSError,
    EOFError,
    struct.error,
    BytesLengthException,
)
"""What pydicom raises while it converts the value of a broken element."""

_HARMLESS = {'CS': re.compile('[A-Z0-9_ ]{1,16}'), 'UI': re.compile('[0-9.]{1,64}')}


def label(keyword: str) -> str:
    """The keyword with its number, as error messages show it: ``'Modality (0008,0060)'``."""
    return f'{keyword} {Tag(tag_for_keyword(keyword) or 0)}'


def raw_value(dataset: Dataset, keyword: str) -> object:
    """The value as pydicom gives it, or ``None`` if it is absent or cannot be converted."""
    try:
        return dataset.get(keyword)
    except UNREADABLE:
        return None


def words(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """All values as stripped text, without the empty ones at the end; the items of a sequence are none."""
    value = raw_value(dataset, keyword)
    of_text = [] if isinstance(value, Sequence) else _as_sequence(value)  # the text of nested items never ends
    parts = [str(part).strip(' \0') for part in of_text]
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


def text(dataset: Dataset, keyword: str) -> str | None:
    """The first value as stripped text, or ``None``."""
    return next(iter(words(dataset, keyword)), None) or None


def quoted(dataset: Dataset, keyword: str, absent: str = 'nothing') -> str:
    """The first value as a message may show it.

    Messages land in files that are handed on, and a header may hold a name in the wrong place. So only codes and UIDs
    are shown, and only if they look like one.
    """
    value = text(dataset, keyword)
    if value is None:
        return absent
    return value if _HARMLESS[dictionary_VR(keyword)].fullmatch(value) else 'an unexpected value'


def shortened(words: object, length: int = 100) -> str:
    """One line of at most so many characters, for what others say about a file."""
    line = ' '.join(str(words).split())
    return line if len(line) <= length else f'{line[: length - 1]}…'


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """All values as finite numbers; a decimal comma is read as a point; empty if any value is not a number."""
    values = readable_numbers(dataset, keyword)
    return tuple(value for value in values if value is not None) if None not in values else ()


def readable_numbers(dataset: Dataset, keyword: str) -> tuple[float | None, ...]:
    """As :func:`numbers`, with ``None`` in the place of each value that is no finite number."""
    return tuple(_finite(part) for part in words(dataset, keyword))


def _finite(word: str) -> float | None:
    try:
        value = float(word.replace(',', '.'))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value as a number, or ``None``."""
    return next(iter(numbers(dataset, keyword)), None)


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; empty if it is absent or no sequence."""
    value = raw_value(dataset, keyword)
    return [item for item in _as_sequence(value) if isinstance(item, Dataset)]


def _as_sequence(value: object) -> list[object]:
    if value is None:
        return []
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return list(value)
    return [value]
