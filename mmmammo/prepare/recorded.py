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


def _options(path: Path) -> Mapping[str, Any]:
    found: object = 'no such file'
    if path.is_file():
        try:
            found = json.loads(path.read_text(encoding='utf-8')).get('options')
        except (ValueError, AttributeError) as err:
            found = f'a file that cannot be read as one ({err})'
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
