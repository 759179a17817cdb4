"""What every source offers, and the small things it offers it in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mmmammo.structures import ImageRecord, MammoError, Policy, Problem


@dataclass(frozen=True)
class SourceOption:
    """A choice that only this source has; ``tools/prepare_dataset.py`` shows it as ``--name``.

    Args:
        name: Also the keyword of ``list_records`` and ``count_checks``.
        choices: Allowed values.
        default: One of them.
        help: One line.
    """

    name: str
    choices: tuple[str, ...]
    default: str
    help: str


def chosen(options: Mapping[str, str], known: Sequence[SourceOption]) -> dict[str, str]:
    """The value of every option of a source: what was given, else the default.

    Raises:
        MammoError: If an option is unknown, or has another value than its choices.
    """
    choices = {option.name: option.choices for option in known}
    for name, value in options.items():
        if name not in choices:
            said = ', '.join(choices) or 'none'
            raise MammoError('options', field=name, found='no such option', expected=said, remedy='leave it out')
        if value not in choices[name]:
            said = f'one of {", ".join(choices[name])}'
            raise MammoError('options', field=name, found=value, expected=said, remedy='choose one of these')
    return {option.name: options.get(option.name, option.default) for option in known}


@dataclass(frozen=True)
class CountCheck:
    """A count of a download beside the published one.

    Args:
        what: E.g. ``'mass train rows'``.
        found: In this download.
        published: By its authors; ``None`` where nobody has said.
        explanation: Why they differ, where that is known; '' if they agree.
    """

    what: str
    found: int
    published: int | None
    explanation: str = ''


class Source(Protocol):
    """What a source module offers."""

    CATEGORIES: tuple[str, ...]
    OPTIONS: tuple[SourceOption, ...]
    POLICIES: Mapping[Problem, Policy]
    """What is done about a problem in images of this source, where that differs from the default."""

    def list_records(self, raw: Path, **options: str) -> Iterator[ImageRecord]:
        """One record per image below the folder ``raw``, in a fixed order; absent options have their default."""

    def count_skipped(self, raw: Path) -> int:
        """Files below ``raw`` that have no record because they are no images to prepare."""

    def count_checks(self, raw: Path, **options: str) -> tuple[CountCheck, ...]:
        """Counts of the tables of this download beside the published ones; empty where none are published."""
