"""What has to be installed, read from pyproject.toml and constraints.txt, and whether it has been."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

MMCV = 'onedl-mmcv'
NEEDS_MMCV = (MMCV, 'onedl-mmdetection', 'onedl-mmpretrain')
MMCV_BUILD_REQUIREMENTS = ('packaging', 'ninja', 'psutil')
EXTRAS = ('dev', 'scale')


def package_name(requirement: str) -> str:
    """The normalised name in ``'Dask[distributed]>=1'``: ``'dask'``."""
    return re.sub(r'[-_.]+', '-', re.match(r'[\w.-]+', requirement)[0]).lower()


@dataclass(frozen=True)
class Project:
    """One clone.

    Args:
        root: Its folder.
    """

    root: Path

    @property
    def venv(self) -> Path:
        """The environment that set-up makes."""
        return self.root / '.venv'

    @property
    def python(self) -> Path:
        """The interpreter of that environment."""
        return self.venv / 'bin' / 'python'

    @property
    def work(self) -> Path:
        """Logs, the lock and temporary files of set-up."""
        return self.root / '.setup'

    @property
    def constraints(self) -> Path:
        """The freeze of the environment in which everything was tried together."""
        return self.root / 'constraints.txt'

    @cached_property
    def pins(self) -> dict[str, str]:
        """Version by normalised package name."""
        lines = self.constraints.read_text().splitlines()
        return {package_name(line): line.split('==')[1].strip() for line in lines if '==' in line}

    @cached_property
    def requirements(self) -> list[str]:
        """Everything asked for by name: run-time, extras, build."""
        pyproject = tomllib.loads((self.root / 'pyproject.toml').read_text())
        project = pyproject['project']
        extras = [line for extra in EXTRAS for line in project['optional-dependencies'][extra]]
        return [*pyproject['build-system']['requires'], *MMCV_BUILD_REQUIREMENTS, *project['dependencies'], *extras]

    @property
    def requirements_before_mmcv(self) -> list[str]:
        """The part that neither is mmcv nor depends on it, torch among it."""
        return [line for line in self.requirements if package_name(line) not in NEEDS_MMCV]

    @property
    def requirements_on_mmcv(self) -> list[str]:
        """The part that depends on mmcv, and mmcv."""
        return [line for line in self.requirements if package_name(line) in NEEDS_MMCV]

    @property
    def pinned_cuda(self) -> str | None:
        """CUDA version of the pinned torch, ``'13.0'``; ``None`` if the pins hold no CUDA runtime."""
        version = self.pins.get('nvidia-cuda-runtime')
        return version and '.'.join(version.split('.')[:2])

    def wheel_key(self, backend: str) -> str:
        """Names what a compiled mmcv depends on: Python, machine, torch, CPU or CUDA with its architectures, mmcv."""
        python = f'cp{sys.version_info.major}{sys.version_info.minor}'
        torch, mmcv = self.pins['torch'], self.pins[MMCV]
        return f'{python}-{platform.machine()}-torch{torch}-{backend}-mmcv{mmcv}'

    def digest(self) -> str:
        """Changes when anything that is to be installed or compiled does."""
        sources = [path.read_text() for path in sorted((self.root / 'mmmammo' / 'ops').glob('*.cpp'))]
        text = ''.join([self.constraints.read_text(), '\n'.join(self.requirements), *sources])
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Stamp:
    """Written into the environment when all is done; makes the next run instant.

    Args:
        root: Where the clone was then: an environment does not survive a move.
        digest: :meth:`Project.digest`.
        backend: Tag of the operators that are in it.
        python: Version it was made with.
    """

    root: str
    digest: str
    backend: str
    python: str

    @classmethod
    def of(cls, project: Project, backend: str) -> Stamp:
        """What a complete environment would carry now."""
        return cls(str(project.root), project.digest(), backend, f'{sys.version_info.major}.{sys.version_info.minor}')

    @classmethod
    def read(cls, project: Project) -> Stamp | None:
        """The stamp of the environment as it is; ``None`` if that is absent, unfinished or was moved."""
        try:
            stamp = cls(**json.loads(_stamp_file(project).read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return stamp if project.python.exists() and stamp.root == str(project.root) else None

    def write(self, project: Project) -> None:
        """Declare the environment complete."""
        _stamp_file(project).write_text(json.dumps(vars(self), indent=2) + '\n')

    @staticmethod
    def remove(project: Project) -> None:
        """Declare it incomplete, before anything in it changes."""
        _stamp_file(project).unlink(missing_ok=True)

    def satisfies(self, wanted: Stamp) -> bool:
        """Whether nothing is left to do.

        CUDA operators serve a machine without a GPU too (a cluster's login node), and any supported Python will do: an
        environment is not made anew because another ``python3`` is first on the path today.
        """
        return self.digest == wanted.digest and (wanted.backend in ('cpu', self.backend))


def _stamp_file(project: Project) -> Path:
    return project.venv / 'mmmammo-setup.json'
