"""Landmarks that a reader has set by hand, as a file beside the images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from mmmammo.anatomy import load_manual_landmarks
from mmmammo.sources.listing import link_refusal
from mmmammo.structures import ImageRecord, MammoError

FILE_NAME = 'manual_landmarks.json'


def with_manual_landmarks(records: Iterable[ImageRecord], raw: Path, ignore_others: bool = False) -> list[ImageRecord]:
    """The records, with what ``manual_landmarks.json`` of the folder says of their landmarks.

    Args:
        records: Of the images in the folder.
        raw: The folder.
        ignore_others: Whether what it says of other images is nobody's business instead of an error.

    Raises:
        MammoError: If the file is wrong, leads out of the folder, or names what is none of these images.
    """
    records, path = list(records), raw / FILE_NAME
    if not path.is_file():
        return records
    if refused := link_refusal(path, raw.resolve()):
        raise refused
    by_hand = load_manual_landmarks(path)
    unknown = sorted(by_hand.keys() - {record.relative_path for record in records})
    if unknown and not ignore_others:
        found = f'{len(unknown)} that are not there, such as {unknown[0]}'
        expected = 'paths of images below the folder, with / between'
        raise MammoError(path, field='image', found=found, expected=expected, remedy='correct it')
    return [replace(record, manual_landmarks=by_hand.get(record.relative_path)) for record in records]
