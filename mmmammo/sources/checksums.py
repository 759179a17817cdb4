"""``SHA256SUMS.txt``: what the files of a download should be."""

from __future__ import annotations

import re
from pathlib import Path

from mmmammo.io.elements import shortened
from mmmammo.structures import MammoError

CHECKSUMS = 'SHA256SUMS.txt'
_LINE = re.compile(r'([0-9a-fA-F]{64}) [ *]?(.+)')


def read_checksums(path: Path) -> dict[str, str]:
    """Digests in small letters, by path relative to the folder of the list; empty if there is no list.

    Raises:
        MammoError: If a line is none of ``sha256sum``.
    """
    if not path.is_file():
        return {}
    digests = {}
    for position, line in enumerate(path.read_text(encoding='utf-8', errors='replace').splitlines(), start=1):
        match = _LINE.fullmatch(line.strip())
        if match is None and line.strip():
            expected, remedy = '64 hexadecimal digits and a path', 'download the list again, or delete it'
            found = shortened(line)
            raise MammoError(path, field=f'line {position}', found=found, expected=expected, remedy=remedy)
        if match is not None:
            digests[match[2].removeprefix('./')] = match[1].lower()
    return digests
