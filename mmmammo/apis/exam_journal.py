"""The journal of a run over exams: a line for each, from which all its files can be made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from mmmammo.io.coco_entries import finding_to_json
from mmmammo.prepare.journal import manual_parts, stamp_of
from mmmammo.structures import ImageRecord

STATE = '.infer'
"""Folder of what runs to the same place need to go on: a lock, and the journal."""
MAY_MOVE = frozenset({'config', 'checkpoint'})
"""Of what made results: names, which may change between runs where a digest says that the models did not."""
Line = dict[str, Any]


def journal_of(out: Path) -> Path:
    """Where a run that writes to a folder has its journal."""
    return out / STATE / 'journal.jsonl'


def add_line(file: IO[str], line: Line) -> None:
    """Out of this process at once, for whoever stops the run."""
    file.write(json.dumps(line) + '\n')
    file.flush()


def read_lines(path: Path) -> Iterator[Line]:
    """What can be read; the exam of a line that a kill cut short is done again."""
    if not path.is_file():
        return
    with path.open(encoding='utf-8', errors='replace') as file:
        for text in file:
            with suppress(ValueError, RecursionError):
                line = json.loads(text)
                if isinstance(line, dict):
                    yield line


def stamp_of_exam(records: Iterable[ImageRecord]) -> str:
    """Changes when an exam gets or loses a file, one is written again, or its source says something else of its image.

    Not when exams come or go beside it: who is whose patient may change with them.
    """
    said = [
        [
            [record.relative_path, stamp_of(*record.files), record.laterality, record.view, record.refused],
            [{**finding_to_json(finding), 'category': finding.category} for finding in record.findings],
            [record.pixel_spacing_mm, record.film and vars(record.film), record.notes],
            *manual_parts(record),
        ]
        for record in sorted(records, key=lambda record: record.relative_path)
    ]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()[:24]
