"""A fault that was put into a dressed download on purpose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Planted:
    """One fault and what has to become of it.

    Args:
        path: The file of ``quality.csv`` that it concerns, relative to the download; for faults of tables, the table.
        fault: Short name, as in data/README.md.
        status: ``'accepted'`` (with a warning, or nothing to do), ``'mended'`` or ``'quarantined'``; ``'refused'``
            where the whole table is.
        says: Words that the reason or warning has to contain.
    """

    path: str
    fault: str
    status: str
    says: str = ''
