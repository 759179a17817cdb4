"""Landmarks that a reader has set by hand, as a file beside the images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from mmmammo.anatomy import load_manual_landmarks
from mmmammo.structures import ImageRecord, MammoError

FILE_NAME = 'manual_landmarks.json'


def with_manual_landmarks(records: Iterable[ImageRecord], raw: Path) -> list[ImageRecord]:
    """The records, with what ``manual_landmarks.json`` of the folder says of their landmarks.

    Args:
        records: Of the images in the folder.
        raw: The folder.

    Raises:
        MammoError: If the file is wrong, leads out of the folder, or names what is none of these images.
    """
    records, path = list(records), raw / FILE_NAME
    if not path.is_file():
        return records
    if not path.resolve().is_relative_to(raw.resolve()):
        raise _error(path, 'link', 'a link that leads out of the folder', 'a file', 'put the file itself there')
    by_hand = load_manual_landmarks(path)
    unknown = sorted(by_hand.keys() - {record.relative_path for record in records})
    if unknown:
        expected = 'paths of images below the folder, with / between'
        raise _error(path, 'image', f'{len(unknown)} that are not there, such as {unknown[0]}', expected, 'correct it')
    return [replace(record, manual_landmarks=by_hand.get(record.relative_path)) for record in records]


def _error(path: Path, field: str, found: str, expected: str, remedy: str) -> MammoError:
    return MammoError(path, field=field, found=found, expected=expected, remedy=remedy)
