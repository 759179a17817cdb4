"""Installed versions against the pinned ones; nothing is imported."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

from mmmammo.doctor.result import Finding, Status

ROOT = Path(__file__).resolve().parents[2]
REQUIRED = (
    'torch',
    'torchvision',
    'onedl-mmcv',
    'onedl-mmengine',
    'onedl-mmdetection',
    'onedl-mmpretrain',
    'numpy',
    'opencv-python',
    'albumentations',
    'pydicom',
    'pylibjpeg',
    'pylibjpeg-libjpeg',
    'pylibjpeg-openjpeg',
    'pyjpegls',
)
HELPFUL = {'imagecodecs': 'RLE and JPEG Lossless take five times the time'}
"""What mmmammo can do without, and what that costs."""

RIVALS = ('mmcv', 'mmcv-full', 'mmcv-lite', 'mmengine', 'mmdet', 'mmpretrain')
SUPPORTED = ((3, 11), (3, 12))
LOW_DISK_GB = 5
FRESH = 'python3 tools/setup_env.py --fresh'

VersionOf = Callable[[str], str | None]


def installed_version(name: str) -> str | None:
    """Version of an installed distribution, or ``None``."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def read_pins(path: Path = ROOT / 'constraints.txt') -> dict[str, str]:
    """Pinned version by distribution; empty where mmmammo was installed without its repository."""
    if not path.is_file():
        return {}
    return dict(line.split('==') for line in path.read_text().split() if '==' in line)


def pip_line(*names: str, pins: Mapping[str, str]) -> str:
    """The line that installs these distributions as pinned, whatever is there now."""
    wanted = ' '.join(f'{name}=={pins[name]}' if name in pins else name for name in names)
    return f'{sys.executable} -m pip install --no-deps --force-reinstall {wanted}'


def check_packages(pins: Mapping[str, str], version_of: VersionOf = installed_version) -> list[Finding]:
    """One finding for each distribution that mmmammo stands on."""
    return [_check_package(name, version_of(name), pins) for name in (*REQUIRED, *HELPFUL)]


def _check_package(name: str, version: str | None, pins: Mapping[str, str]) -> Finding:
    # A plain `pip install onedl-mmcv` may silently come without operators, so set-up is the one to install it.
    remedy = FRESH if name == 'onedl-mmcv' else pip_line(name, pins=pins)
    pin = pins.get(name)
    if version is None and name in HELPFUL:
        return Finding(name, Status.WARN, f'missing: {HELPFUL[name]}', remedy)
    if version is None:
        return Finding(name, Status.FAIL, f'missing, {pin or "any version"} wanted', remedy)
    if pin and version.split('+')[0] != pin:
        return Finding(name, Status.WARN, f'{version}, pinned {pin}: not tried together', remedy)
    return Finding(name, Status.OK, version)


def check_opencv(pins: Mapping[str, str], version_of: VersionOf = installed_version) -> list[Finding]:
    """opencv-python and -headless share their files: of two versions a mixture gets imported."""
    plain, headless = version_of('opencv-python'), version_of('opencv-python-headless')
    if headless is None or plain == headless:
        return [Finding('opencv-python-headless', Status.OK, headless or 'absent')]
    remedy = pip_line('opencv-python', 'opencv-python-headless', pins=pins)
    return [Finding('opencv-python-headless', Status.FAIL, f'{headless} over opencv-python {plain}', remedy)]


def check_rivals(version_of: VersionOf = installed_version) -> list[Finding]:
    """The original mm* packages have the same import names as the maintained ones."""
    rivals = [name for name in RIVALS if version_of(name)]
    if not rivals:
        return []
    remedy = f'{sys.executable} -m pip uninstall -y {" ".join(rivals)} && {FRESH}'
    return [Finding('mm* packages', Status.FAIL, f'{", ".join(rivals)} beside the onedl-… ones', remedy)]


def check_machine() -> list[Finding]:
    """Python and room on the disk."""
    version = '.'.join(map(str, sys.version_info[:3]))
    supported = sys.version_info[:2] in SUPPORTED
    python = Finding('Python', Status.OK, f'{version}, {sys.prefix}')
    if not supported:
        python = Finding('Python', Status.FAIL, f'{version}, 3.11 or 3.12 wanted', 'make setup')
    elif sys.prefix == sys.base_prefix:
        python = Finding('Python', Status.WARN, f'{version}, outside .venv', 'make setup && source .venv/bin/activate')
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < LOW_DISK_GB:
        return [python, Finding('disk', Status.WARN, f'{free:.1f} GB free', 'du -sh work_dirs data | sort -h')]
    return [python, Finding('disk', Status.OK, f'{free:.0f} GB free')]
