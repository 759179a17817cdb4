"""mmcv with compiled operators, built once per machine and kept as a wheel.

The build goes on in a folder of the cache, where finished object files survive an interruption; the wheel is moved into
place only when whole. pip's own wheel cache is kept out of it: it does not know which torch a wheel was compiled for.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

from bootstrap.errors import SetupError
from bootstrap.host import Backend, max_jobs
from bootstrap.locks import locked
from bootstrap.project import MMCV, Project

Run = Callable[..., None]


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where all clones of this user keep what they compiled: MMMAMMO_CACHE, else the usual cache folder."""
    base = environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    return Path(environ.get('MMMAMMO_CACHE') or Path(base) / 'mmmammo').absolute()


def cached_wheel(cache: Path, key: str) -> Path | None:
    """The wheel for this key, if there is one."""
    return next(iter(sorted((cache / 'wheels' / key).glob('*.whl'))), None)


def build_wheel(project: Project, cache: Path, backend: Backend, run: Run) -> Path:
    """Compile, unless another clone has done so while this one waited for its turn.

    Args:
        project: Its environment has torch and the build tools already.
        cache: See :func:`cache_folder`.
        backend: CPU or CUDA operators.
        run: Runs a command of the environment: ``run(command, env=…, progress=…)``.

    Returns:
        The wheel in the cache.
    """
    key = project.wheel_key(backend.tag)
    with locked(cache / 'locks' / f'{key}.lock'):
        wheel = cached_wheel(cache, key)
        return wheel or _compile(project, cache, key, backend, run)


def _compile(project: Project, cache: Path, key: str, backend: Backend, run: Run) -> Path:
    build = cache / 'build' / key
    pip = [project.python, '-m', 'pip']
    flags = ['--no-deps', '--no-build-isolation', '--no-cache-dir']
    env = {'MMCV_WITH_OPS': '1', 'MAX_JOBS': str(max_jobs(os.environ)), **_without_debug_info(), **backend.env}
    source = _fetch_source(build, [*pip, 'download', *flags, '--no-binary', MMCV], f'{MMCV}=={project.pins[MMCV]}', run)
    shutil.rmtree(build / 'out', ignore_errors=True)
    run([*pip, 'wheel', '-v', *flags, '-w', build / 'out', source], env=env, progress=compiled_files)
    built = next((build / 'out').glob('*.whl'))
    wheel = cache / 'wheels' / key / built.name
    wheel.parent.mkdir(parents=True, exist_ok=True)
    os.replace(built, wheel)
    shutil.rmtree(build)
    return wheel


def _without_debug_info() -> dict[str, str]:
    """Python's own flags ask for debug information, which nobody reads and which takes most of the time.

    CPPFLAGS come after them; CFLAGS would be instead of them, the optimisation included.
    """
    return {'CPPFLAGS': f'{os.environ.get("CPPFLAGS", "")} -g0'.strip()}


def _fetch_source(build: Path, download: list[str | Path], requirement: str, run: Run) -> Path:
    """Download and unpack the source, unless an interrupted build left it here."""
    source = build / 'source'
    if not source.exists():
        shutil.rmtree(build, ignore_errors=True)
        run([*download, '-d', build / 'sdist', requirement], env={'MMCV_WITH_OPS': '1', 'FORCE_CUDA': '0'})
        with tarfile.open(next((build / 'sdist').glob('*.tar.gz'))) as archive:
            archive.extractall(build / 'unpacked', filter='data')
        next((build / 'unpacked').iterdir()).rename(source)
    return source


def compiled_files(output: str) -> str:
    """How far ninja is, from its last ``[37/107]``."""
    counts = re.findall(r'\[(\d+)/(\d+)\]', output)
    return '{} of {} files'.format(*counts[-1]) if counts else ''


def is_installed(project: Project, wheel: Path) -> bool:
    """Whether the environment holds this very wheel: another one of the same version may lack the operators."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    records = project.venv.glob('lib/python*/site-packages/onedl_mmcv-*.dist-info/direct_url.json')
    return any(digest in record.read_text() for record in records)


def forget_wheel(cache: Path, key: str) -> None:
    """Throw away a compiled mmcv that turned out not to work, and what is left of its build."""
    for folder in (cache / 'wheels' / key, cache / 'build' / key):
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            continue
        except OSError as err:
            raise SetupError(f'cannot delete {folder}: {err.strerror}', f'delete it by hand: rm -rf {folder}') from err
