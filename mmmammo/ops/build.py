"""Compile the operators into the environment: ``python -m mmmammo.ops.build``. Instant if that has been done."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from mmmammo.ops.library import SOURCES, library_path
from mmmammo.structures import MammoError

TORCH = Path(torch.__file__).parent
INSTALL_COMPILER = 'install g++ (apt-get install g++, dnf install gcc-c++) or name a C++ compiler in CXX, and try again'


def build(*, again: bool = False) -> Path:
    """Compile what is not compiled yet, or ``again``.

    Returns:
        The library; it is put into place only when whole.

    Raises:
        MammoError: Without a compiler, if that fails, or if the environment cannot be written.
    """
    library = library_path()
    if library.is_file() and not again:
        return library
    try:
        library.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=library.parent) as folder:
            built = Path(folder) / library.name
            for command in commands(_compiler(), Path(folder), built):
                _run(command)
            os.replace(built, library)
    except OSError as err:
        remedy = 'make the folder writable; without the operators all works, slower'
        raise _error('folder', f'{library.parent}: {err.strerror}', 'one that can be written', remedy) from err
    return library


def commands(compiler: Sequence[str], folder: Path, library: Path) -> list[list[str]]:
    """Compile each, then link: against torch's own OpenMP, a second one in the process fights it for the cores."""
    headers = ['-isystem', str(TORCH / 'include')]
    abi = f'-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}'
    openmp = sorted(str(path) for path in (TORCH / 'lib').glob('libgomp*.so*')) or ['-fopenmp']
    compiled = [*compiler, '-std=c++17', '-O3', '-fPIC', '-fopenmp', abi, *headers, '-c']
    binaries = {str(source): str(folder / f'{source.stem}.o') for source in SOURCES}
    libraries = [f'-L{TORCH / "lib"}', '-ltorch_cpu', '-lc10', *openmp]
    return [
        *([*compiled, source, '-o', binary] for source, binary in binaries.items()),
        [*compiler, '-shared', *binaries.values(), *libraries, '-o', str(library)],
    ]


def _compiler() -> list[str]:
    """The command in CXX, else g++."""
    command = os.environ.get('CXX', 'g++').split()
    if not command or shutil.which(command[0]) is None:
        raise _error('compiler', f'no program {" ".join(command)!r}', 'a C++ compiler', INSTALL_COMPILER)
    return command


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if 'error' in line] or [f'exit code {done.returncode}']
        raise _error('compilation', lines[0], f'{command[0]} to compile mmmammo/ops', INSTALL_COMPILER)


def _error(field: str, found: str, expected: str, remedy: str) -> MammoError:
    return MammoError('mmmammo.ops.build', field=field, found=found, expected=expected, remedy=remedy)


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='python -m mmmammo.ops.build',
        description='Compile the CPU operators into this environment: half a minute, and instant if that is done.',
        epilog='Example: .venv/bin/python -m mmmammo.ops.build --again   (CXX names another compiler than g++)',
    )
    parser.add_argument('--again', action='store_true', help='compile even if that has been done')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Build, and say how long it took or what is missing."""
    args = parse_args(argv)
    begin = time.monotonic()
    was_there = library_path().is_file() and not args.again
    try:
        library = build(again=args.again)
    except MammoError as err:
        print(err, file=sys.stderr)
        return 1
    note = 'compiled earlier' if was_there else f'compiled in {time.monotonic() - begin:.1f} s'
    print(f'operators for torch {torch.__version__} on {platform.machine()}: {note}, {library}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
