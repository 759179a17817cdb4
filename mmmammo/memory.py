"""How a process gets and returns the memory of its arrays and tensors."""

from __future__ import annotations

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # parameters of mallopt(3), from glibc's malloc.h


def keep_freed_memory() -> bool:
    """Let the C library keep freed memory for the next array instead of giving it back to the system each time.

    By default glibc asks the system for every large array and returns it when it is freed; the system then has to
    clear and map each page anew, in every layer of every training step and in every step of preparing an image.
    ``benchmarks/training_step.py``, with and without ``--return-memory``, shows what that costs. In turn the peak of
    memory grows somewhat through fragmentation; glibc before 2.38 does not give every aligned block again.

    It holds for the whole process and for those it forks, so that tools and workers that they start call it, never
    the library in the process of its user.

    Returns:
        Whether it took effect; it does with glibc only.
    """
    if platform.libc_ver()[0] != 'glibc':
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, -1))


def is_out_of_memory(err: BaseException) -> bool:
    """Whether memory was short: Python and torch on a GPU have a type for it, torch on a CPU and OpenCV words only."""
    said = str(err).lower()
    words = ('allocate memory', 'out of memory', 'insufficient memory', 'alloc_failed', 'failed to allocate')
    return isinstance(err, MemoryError) or any(one in said for one in words)
