"""What this machine has: cores, memory, disk, compiler, GPU."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.errors import SetupError, headers_line, install_line

GB_PER_JOB = 2


@dataclass(frozen=True)
class Backend:
    """Which operators of mmcv get compiled.

    Args:
        tag: ``'cpu'``, or ``'cu130-sm80-sm90'``: part of the wheel's key.
        reason: Why, for the terminal.
        env: Environment of the build.
    """

    tag: str
    reason: str
    env: Mapping[str, str]


def cpu_backend(reason: str) -> Backend:
    """CPU operators; the environment keeps a stray nvcc or GPU out of the build."""
    return Backend('cpu', f'{reason}: CPU operators', {'FORCE_CUDA': '0', 'CUDA_VISIBLE_DEVICES': ''})


def detect_backend(pinned_cuda: str | None, environ: Mapping[str, str]) -> Backend:
    """Choose CUDA operators where an NVIDIA GPU works and nvcc fits torch, else CPU operators.

    Args:
        pinned_cuda: CUDA version of the pinned torch, e.g. ``'13.0'``; ``None`` for a CPU-only torch.
        environ: ``MMMAMMO_OPS=cpu`` asks for CPU operators whatever there is; ``CUDA_HOME`` names a toolkit.
    """
    if environ.get('MMMAMMO_OPS') == 'cpu':
        return cpu_backend('MMMAMMO_OPS=cpu')
    archs = gpu_architectures()
    if not archs:
        return cpu_backend('no NVIDIA GPU')
    cuda_home, nvcc_version = find_toolkit(environ)
    if cuda_home is None:
        return cpu_backend('an NVIDIA GPU but no nvcc')
    if pinned_cuda is None or nvcc_version.split('.')[0] != pinned_cuda.split('.')[0]:
        return cpu_backend(f'nvcc {nvcc_version}, but torch is built with CUDA {pinned_cuda}')
    tag = '-'.join([f'cu{nvcc_version.replace(".", "")}', *(f'sm{arch.replace(".", "")}' for arch in archs)])
    env = {'FORCE_CUDA': '1', 'CUDA_HOME': str(cuda_home), 'TORCH_CUDA_ARCH_LIST': ';'.join(archs)}
    return Backend(tag, f'NVIDIA GPU and nvcc {nvcc_version}: CUDA operators', env)


def gpu_architectures() -> list[str]:
    """Compute capabilities of the working GPUs, e.g. ``['9.0']``; empty without one."""
    output = _output('nvidia-smi', '--query-gpu=compute_cap', '--format=csv,noheader')
    return sorted(set(re.findall(r'^\s*(\d+\.\d+)\s*$', output, flags=re.MULTILINE)))


def find_toolkit(environ: Mapping[str, str]) -> tuple[Path | None, str]:
    """The CUDA toolkit and its version: CUDA_HOME, else the one of nvcc on the path, else the usual place."""
    on_path = shutil.which('nvcc')
    homes = [environ.get('CUDA_HOME'), on_path and Path(on_path).resolve().parents[1], '/usr/local/cuda']
    for home in (Path(home) for home in homes if home):
        release = re.search(r'release (\d+\.\d+)', _output(str(home / 'bin' / 'nvcc'), '--version'))
        if release and (home / 'include' / 'cuda_runtime.h').exists():
            return home, release[1]
    return None, ''


def max_jobs(environ: Mapping[str, str]) -> int:
    """How many files to compile at once: one per core and 2 GB of free memory; MAX_JOBS overrides."""
    if environ.get('MAX_JOBS', '').isdigit():
        return max(1, int(environ['MAX_JOBS']))
    return max(1, min(len(os.sched_getaffinity(0)), int(free_memory_gb() // GB_PER_JOB)))


def free_memory_gb() -> float:
    """Memory that can be had now, within the limit of the container."""
    meminfo = Path('/proc/meminfo').read_text()
    limits = [int(re.search(r'MemAvailable:\s+(\d+)', meminfo)[1]) * 1024]
    cgroup = Path('/sys/fs/cgroup/memory.max')
    if cgroup.exists() and cgroup.read_text().strip().isdigit():
        limits.append(int(cgroup.read_text()))
    return min(limits) / 1e9


def check_disk(folder: Path, needed_gb: float) -> str:
    """Say how much room there is.

    Raises:
        SetupError: If it will not fit.
    """
    free = shutil.disk_usage(folder).free / 1e9
    if free < needed_gb:
        remedy = 'free some room, or clone to a larger disk'
        raise SetupError(f'{free:.1f} GB free at {folder}, about {needed_gb} GB are needed', remedy)
    return f'{free:.0f} GB free'


def check_compiler(environ: Mapping[str, str]) -> str:
    """Make sure that mmcv can be compiled.

    Raises:
        SetupError: Without a C++ compiler or the header files of this Python.
    """
    compiler = environ.get('CXX', 'g++').split()[0]
    if shutil.which(compiler) is None:
        remedy = install_line(apt_get='build-essential', dnf='gcc-c++ make', zypper='gcc-c++ make', pacman='gcc make')
        raise SetupError(f'no C++ compiler ({compiler}) for the operators of mmcv', f'{remedy}, then run make again')
    if not (Path(sysconfig.get_path('include')) / 'Python.h').exists():
        raise SetupError(
            f'no header files of {sys.executable} for the operators of mmcv', f'{headers_line()}, then run make again'
        )
    return compiler


def _output(*command: str) -> str:
    """What a command prints; empty if it is missing or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return ''
