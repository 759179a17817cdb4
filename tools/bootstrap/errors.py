"""The one message a failed set-up ends in."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

DIAGNOSES = (
    (r'No space left on device|Disk quota exceeded', 'the disk is full', 'free about 15 GB and run make again'),
    (r'fatal error: Python\.h', 'the Python header files are missing', 'HEADERS'),
    (r'Killed|signal (9|terminated)|cannot allocate memory', 'out of memory', 'run MAX_JOBS=1 make setup'),
    (
        r'unsupported GNU version|nvcc fatal|CUDA version .* mismatches',
        'nvcc could not compile the CUDA operators',
        'run MMMAMMO_OPS=cpu make setup for CPU operators, or install a CUDA toolkit and g++ that match torch',
    ),
    (
        r'Temporary failure in name resolution|Connection(Error| (refused|reset|broken))|Max retries|timed out|SSLErr',
        'a download failed',
        'check the network and proxy and run make again; what has arrived is not fetched twice',
    ),
    (
        r'No matching distribution found|Could not find a version|HTTP error|\b40[34] Client Error',
        'a pinned package is not on the configured package index',
        'point pip at an index that has it (pip config list shows the current one) and run make again',
    ),
    (r'ResolutionImpossible|conflicting dependencies', 'the pins contradict each other', 'mend constraints.txt'),
    (r'Permission denied', 'a folder cannot be written', 'mend its owner or permissions and run make again'),
)


class SetupError(Exception):
    """A step that cannot be done, with what to do about it.

    Args:
        what: What went wrong.
        remedy: What the user does about it.
        log: Where the details are.
    """

    def __init__(self, what: str, remedy: str, log: Path | None = None) -> None:
        self.what = what
        self.remedy = remedy
        self.log = log
        super().__init__(what)

    def __str__(self) -> str:
        """The message as the terminal shows it."""
        lines = [f'setup stopped: {self.what}', f'  remedy: {self.remedy}']
        return '\n'.join(lines + ([f'  log: {self.log}'] if self.log else []))


def install_line(**packages: str) -> str:
    """The shell line that installs a system package here.

    Args:
        packages: Package names by manager, with ``_`` for ``-``: ``apt_get='g++', dnf='gcc-c++'``.
    """
    sudo = '' if os.geteuid() == 0 else 'sudo '
    for manager, names in packages.items():
        command = manager.replace('_', '-')
        if shutil.which(command):
            return f'{sudo}{command} install {names}'
    return f'install {next(iter(packages.values()))} with the package manager of this system'


def headers_line() -> str:
    """The shell line that installs the header files of this Python."""
    version = f'{sys.version_info.major}.{sys.version_info.minor}'
    return install_line(apt_get=f'python{version}-dev', dnf=f'python{version}-devel', zypper=f'python{version}-devel')


def diagnose(title: str, output: str, log: Path) -> SetupError:
    """Turn the output of a failed command into a message; its last line stands in for an unknown cause."""
    for pattern, what, remedy in DIAGNOSES:
        if re.search(pattern, output):
            remedy = headers_line() + ', then run make again' if remedy == 'HEADERS' else remedy
            return SetupError(f'{title}: {what}', remedy, log)
    last = [line.strip() for line in output.splitlines() if line.strip()][-1:] or ['no output']
    return SetupError(f'{title}: {last[0][:300]}', 'read the end of the log; make setup goes on from here', log)
