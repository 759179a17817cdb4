"""The compiled operators: where they lie, and whether they can be used."""

from __future__ import annotations

import hashlib
import platform
import sys
from functools import cache
from pathlib import Path

import torch

SOURCE = Path(__file__).with_name('deformable_attention.cpp')
BUILD = f'{sys.executable} -m mmmammo.ops.build'


def library_path() -> Path:
    """The file for this source, torch and machine, inside the environment, so that it goes when that goes."""
    made_for = f'{torch.__version__} {platform.machine()}'.encode()
    key = hashlib.sha256(SOURCE.read_bytes() + made_for).hexdigest()[:16]
    return Path(sys.prefix) / 'lib' / 'mmmammo' / f'operators-{key}.so'


@cache
def why_not_loaded() -> str:
    """Load the operators into this process; the answer is empty if that worked, else the reason."""
    path = library_path()
    if not path.is_file():
        return 'not compiled'
    try:
        torch.ops.load_library(path)
    except OSError as err:
        return f'{path} does not load: {err}'
    return ''
