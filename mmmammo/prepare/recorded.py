"""How a prepared set was made, so that further images can be prepared alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from mmmammo.prepare.options import PrepareOptions, SetOptions
from mmmammo.structures import MammoError

FACTS = 'prepare.json'
MERGED = 'merged'
"""The source of a set that was made of others."""
_OF_IMAGES, _OF_SETS = ({field.name for field in fields(kind)} for kind in (PrepareOptions, SetOptions))


def recorded_options(prepared: str | Path) -> PrepareOptions:
    """The options of a prepared set, as its ``prepare.json`` has them; but landmarks that its source knew are detected.

    Args:
        prepared: The set, or the file.

    Raises:
        MammoError: If there is no such file, or it does not say, or says what this version does not know.
    """
    path = Path(prepared)
    path = path / FACTS if path.suffix != '.json' else path
    said = _options(path)
    unknown = sorted(said.keys() - _OF_IMAGES - _OF_SETS)
    if unknown:
        raise _error(path, f'unknown {", ".join(unknown)}', 'options of this version of mmmammo')
    try:
        options = PrepareOptions(**{name: value for name, value in said.items() if name in _OF_IMAGES})
        return replace(options, landmarks='detected') if options.landmarks == 'truth' else options
    except (MammoError, TypeError, AttributeError) as err:
        found = err.found if isinstance(err, MammoError) else err
        raise _error(path, found, 'options as tools/prepare_dataset.py writes them') from err


def facts_of(path: Path) -> dict[str, Any] | str:
    """What a ``prepare.json`` says, or why it says nothing."""
    if not path.is_file():
        return 'no such file'
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
    except (ValueError, RecursionError) as err:
        return f'a file that cannot be read as one ({err})'
    return found if isinstance(found, dict) else 'a file that cannot be read as one (no JSON object)'


def _options(path: Path) -> Mapping[str, Any]:
    facts = facts_of(path)
    found = facts if isinstance(facts, str) else facts.get('options')
    if isinstance(found, Mapping):
        return found
    raise _error(path, found, 'how the set was prepared that the model was trained on')


def _error(path: Path, found: object, expected: str) -> MammoError:
    return MammoError(
        path,
        field='options',
        found=found,
        expected=expected,
        remedy=f'name that set, or a copy of its {FACTS}, with --prepared-as (in Python: options)',
    )
