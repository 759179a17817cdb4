"""The compiled operators: where they lie, and whether they can be used."""

from __future__ import annotations

import hashlib
import platform
import sys
from functools import cache
from pathlib import Path

import torch
from mmengine.logging import MMLogger

SOURCES = tuple(sorted(Path(__file__).parent.glob('*.cpp')))
HEADERS = tuple(sorted(Path(__file__).parent.glob('*.h')))
BUILD = f'{sys.executable} -m mmmammo.ops.build'


def library_path() -> Path:
    """The file for these sources, torch and machine, inside the environment, so that it goes when that goes."""
    made_for = f'{torch.__version__} {platform.machine()}'.encode()
    said = b''.join(path.read_bytes() for path in (*SOURCES, *HEADERS))
    key = hashlib.sha256(said + made_for).hexdigest()[:16]
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


@cache
def is_compiled() -> bool:
    """Whether the operators are at hand; says once how to get them if not."""
    reason = why_not_loaded()
    if reason:
        MMLogger.get_current_instance().info(
            f'deformable attention and RoIAlign without compiled operators, several times slower: {reason}; '
            f'{BUILD} compiles them'
        )
    return not reason
