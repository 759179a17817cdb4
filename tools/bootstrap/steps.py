"""The steps of set-up, in order."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bootstrap import mmcv_wheel
from bootstrap.errors import SetupError
from bootstrap.host import Backend, check_compiler, check_disk
from bootstrap.project import Project
from bootstrap.runner import Meter, run

VERSION = f'{sys.version_info.major}.{sys.version_info.minor}'
MISLEADING = ('PYTHONPATH', 'PYTHONHOME', 'PIP_USER', 'PIP_TARGET', 'PIP_PREFIX', 'PIP_ROOT')


class Setup:
    """One run of set-up.

    Args:
        project: The clone.
        backend: Operators to compile.
        cache: Compiled wheels of all clones.
    """

    def __init__(self, project: Project, backend: Backend, cache: Path) -> None:
        self.project = project
        self.backend = backend
        self.cache = cache
        self.key = project.wheel_key(backend.tag)

    def install(self) -> None:
        """Do what is left to do and check the result.

        Raises:
            SetupError: From the step that cannot be done.
        """
        self.check_machine()
        self.make_venv()
        self.install_pinned()
        self.install_mmcv()
        self.install_project()
        self.compile_operators()
        self.check_result()

    def check_machine(self) -> None:
        """Refuse early what would fail late."""
        meter = Meter('[1/7] check this machine')
        has_torch = any(self.project.venv.glob('lib/python*/site-packages/torch'))
        facts = [f'Python {VERSION}', self.backend.reason]
        facts.append(check_disk(self.project.root, needed_gb=3 if has_torch else 15))
        if mmcv_wheel.cached_wheel(self.cache, self.key) is None:
            facts.append(check_compiler(os.environ))
        meter.done(', '.join(facts))

    def make_venv(self) -> None:
        """Create .venv, anew if the one that is there is broken, was moved, or is of another Python."""
        meter = Meter('[2/7] make .venv')
        if venv_is_sound(self.project):
            meter.done('kept')
            return
        self.run(meter, 'venv.log')([sys.executable, '-m', 'venv', '--clear', self.project.venv])
        meter.done()

    def install_pinned(self) -> None:
        """Install torch and everything else that does not depend on mmcv."""
        meter = Meter('[3/7] install the pinned packages', '6 GB; 1 to 5 minutes')
        command = [*self.pip_install(), *self.project.requirements_before_mmcv]
        self.run(meter, 'packages.log')(command, progress=last_package)
        meter.done()

    def install_mmcv(self) -> None:
        """Take mmcv from the cache, or compile it."""
        wheel = mmcv_wheel.cached_wheel(self.cache, self.key)
        if wheel is None:
            hint = 'once per machine; 6 minutes on two cores'
            meter = Meter(f'[4/7] compile mmcv, {self.backend.tag} operators', hint)
            wheel = mmcv_wheel.build_wheel(self.project, self.cache, self.backend, self.run(meter, 'mmcv.log'))
        else:
            meter = Meter(f'[4/7] install mmcv, {self.backend.tag} operators, compiled earlier')
        if not mmcv_wheel.is_installed(self.project, wheel):
            self.run(meter, 'mmcv.log')([*self.pip_install(), '--no-deps', '--force-reinstall', wheel])
        meter.done()

    def install_project(self) -> None:
        """Install mmdet, mmpretrain and this clone, editable."""
        meter = Meter('[5/7] install mmdet, mmpretrain and mmmammo')
        run_pip = self.run(meter, 'mmmammo.log')
        run_pip([*self.pip_install(), *self.project.requirements_on_mmcv])
        run_pip([*self.pip_install(), '--no-deps', '--no-build-isolation', '--editable', self.project.root])
        meter.done()

    def compile_operators(self) -> None:
        """Compile the operators of mmmammo; they save time only, so that set-up goes on without them."""
        meter = Meter('[6/7] compile the operators of mmmammo', 'half a minute')
        command = [self.project.python, '-m', 'mmmammo.ops.build']
        try:
            self.run(meter, 'operators.log')(command)
        except SetupError as err:
            meter.done(f'left out, slower without: {err.what}')
            return
        meter.done()

    def check_result(self) -> None:
        """Let the doctor look at it."""
        meter = Meter('[7/7] check that all of it works')
        log = self.project.work / 'doctor.log'
        try:
            self.run(meter, log.name)([self.project.python, '-m', 'mmmammo.doctor'])
        except SetupError as err:
            failures = [line.strip() for line in log.read_text().splitlines() if 'FAIL' in line]
            remedy = '.venv/bin/python -m mmmammo.doctor prints the line that mends each'
            raise SetupError('\n  '.join(['the environment is not sound', *failures]), remedy, log) from err
        meter.done()

    def pip_install(self) -> list[str | Path]:
        """The pip command that holds to the pins; byte code is left to the first import, which needs little of it."""
        return [self.project.python, '-m', 'pip', 'install', '--no-compile', '-c', self.project.constraints]

    def run(self, meter: Meter, log_name: str) -> Callable[..., None]:
        """A function that runs one command of a step in the environment, logged."""

        def run_here(
            command: Sequence[str | Path],
            env: Mapping[str, str] | None = None,
            progress: Callable[[str], str] = lambda output: '',
        ) -> None:
            environ = {**clean_env(self.project, os.environ), **(env or {})}
            run(command, self.project.work / log_name, meter, env=environ, progress=progress)

        return run_here


def clean_env(project: Project, environ: Mapping[str, str]) -> dict[str, str]:
    """The user's environment, without what leads pip astray; temporary files stay on this disk, /tmp may be small."""
    temporary = project.work / 'tmp'
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        **{name: value for name, value in environ.items() if name not in MISLEADING},
        'PATH': f'{project.venv / "bin"}{os.pathsep}{environ.get("PATH", os.defpath)}',
        'TMPDIR': str(temporary),
        'PIP_DISABLE_PIP_VERSION_CHECK': '1',
        'PIP_NO_INPUT': '1',
        'NO_ALBUMENTATIONS_UPDATE': '1',
    }


def venv_is_sound(project: Project) -> bool:
    """Whether .venv runs, has pip, stands where it was made and is of this Python."""
    pip = project.venv / 'bin' / 'pip'
    config = project.venv / 'pyvenv.cfg'
    if not (project.python.exists() and pip.exists() and config.exists()):
        return False
    settings = dict(line.split(' = ', 1) for line in config.read_text().splitlines() if ' = ' in line)
    return str(project.python) in pip.read_text() and settings.get('version', '').startswith(f'{VERSION}.')


def last_package(output: str) -> str:
    """What pip is at: the package it looks at, or that it unpacks."""
    lines = [line for line in output.splitlines() if line.startswith(('Collecting', 'Installing collected'))]
    if not lines:
        return ''
    return 'unpacking' if lines[-1].startswith('Installing') else ' '.join(lines[-1].split()[:2])
