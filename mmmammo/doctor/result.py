"""What one look at the environment found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a thing is: sound, worth a word, or broken."""

    OK = 'ok'
    WARN = 'warn'
    FAIL = 'FAIL'


@dataclass(frozen=True)
class Finding:
    """One row of the table.

    Args:
        name: What was looked at.
        status: Whether it works; ``FAIL`` only for what mmmammo cannot do without.
        detail: What was found.
        remedy: The shell line that mends it; empty if there is nothing to mend.
    """

    name: str
    status: Status
    detail: str
    remedy: str = ''


Row = tuple[str, str, str]
"""Name, status and detail, as a probe in a child process hands them over."""
