"""Where a model looked in each image: a small file that can be made in pieces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mmmammo.io.intake import load_json
from mmmammo.io.whole_files import written_whole
from mmmammo.structures import MammoError

FORMAT = 'mmmammo-attention-1'
DECIMALS = 2
"""Of a pixel that the file keeps."""
Centres = Mapping[int, tuple[float, float]]
"""Image id -> (x, y) in prepared pixels."""


def write_centres(path: str | Path, key: str, centres: Centres) -> None:
    """Write the file, whole or not at all.

    Args:
        path: The file; its folder is made.
        key: What the centres depend on, such as a digest of the model's weights.
        centres: Rounded to :data:`DECIMALS`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {str(image): [round(x, DECIMALS), round(y, DECIMALS)] for image, (x, y) in sorted(centres.items())}
    with written_whole(path) as file:
        file.write(json.dumps({'format': FORMAT, 'key': key, 'centres': rows}) + '\n')


def read_centres(path: str | Path, key: str | None = None) -> dict[int, tuple[float, float]]:
    """Read it.

    Args:
        path: The file.
        key: If given and the file has another, nothing is returned: the centres are of another model.

    Raises:
        MammoError: If it is absent or no such file.
    """
    document = load_json(path, 'centres of attention')
    if not isinstance(document, dict) or document.get('format') != FORMAT:
        raise MammoError(
            path,
            field='format',
            found=document.get('format') if isinstance(document, dict) else type(document).__name__,
            expected=FORMAT,
            remedy='remove the file; training makes it again',
        )
    if key is not None and document['key'] != key:
        return {}
    return {int(image): (float(x), float(y)) for image, (x, y) in document['centres'].items()}
