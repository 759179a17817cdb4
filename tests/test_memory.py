"""Kept memory: seen from outside as page faults, which a second array of the same size no longer causes."""

import platform
import subprocess
import sys

import pytest

COUNT = """
import resource
import numpy as np
from mmmammo.memory import keep_freed_memory
if {keep}:
    print(keep_freed_memory())
np.ones(8 << 20)  # 64 MB, freed at once
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(8 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(keep):
    out = subprocess.run(
        [sys.executable, '-c', COUNT.format(keep=keep)], check=True, capture_output=True, text=True
    ).stdout.split()
    return out[:-1], int(out[-1])


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='only glibc has mallopt')
def test_a_freed_array_is_used_again():
    said, kept = faults(keep=True)
    _, returned = faults(keep=False)
    pages = (64 << 20) // 4096
    assert said == ['True']
    assert returned > pages / 1024  # mapped anew, in pages of up to 4 MB
    assert kept < returned / 10
