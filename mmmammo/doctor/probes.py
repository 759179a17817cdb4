"""Run each probe in a process of its own, so that a broken import or a crash is a finding and not the end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mmmammo.doctor import dicom, stack
from mmmammo.doctor.packages import FRESH, ROOT, pip_line
from mmmammo.doctor.result import Finding, Row, Status

TIMEOUT_S = 300
REBUILD = 'python3 tools/setup_env.py --rebuild-mmcv'


@dataclass(frozen=True)
class Probe:
    """Something to try out.

    Args:
        title: Names the row if there is no result.
        function: Raises, or returns rows; runs in the child.
        packages: The distributions to install again if it fails.
        remedy: A line that mends it better than installing those.
    """

    title: str
    function: Callable[[], list[Row]]
    packages: tuple[str, ...] = ()
    remedy: str = ''


PROBES = {
    'torch': Probe('torch', stack.probe_torch, ('torch', 'torchvision')),
    'operators': Probe('mmcv operators', stack.probe_operators, remedy=REBUILD),
    'cuda': Probe('CUDA', stack.probe_cuda, remedy=REBUILD),
    'detection': Probe('mmdet, mmpretrain', stack.probe_detection, remedy=FRESH),
    'images': Probe(
        'image libraries', stack.probe_images, ('opencv-python', 'opencv-python-headless', 'albumentations')
    ),
    'dicom': Probe(
        'DICOM', dicom.probe_dicom, ('pydicom', 'pylibjpeg', 'pylibjpeg-libjpeg', 'pylibjpeg-openjpeg', 'pyjpegls')
    ),
}


def run_probes(pins: Mapping[str, str]) -> list[Finding]:
    """Try everything out, two probes at a time."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return [finding for findings in pool.map(lambda name: run_probe(name, pins), PROBES) for finding in findings]


def run_probe(name: str, pins: Mapping[str, str]) -> list[Finding]:
    """Run one probe and turn what comes back, or does not, into findings with their remedy."""
    probe = PROBES[name]
    remedy = probe.remedy or pip_line(*probe.packages, pins=pins)
    command = [sys.executable, '-m', 'mmmammo.doctor', '--probe', name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, cwd=ROOT)
    except subprocess.TimeoutExpired:
        return [Finding(probe.title, Status.FAIL, f'no answer after {TIMEOUT_S} s', remedy)]
    if done.returncode:
        return [Finding(probe.title, Status.FAIL, _reason(done), remedy)]
    rows = json.loads(done.stdout.splitlines()[-1])
    return [Finding(row, Status(status), detail, '' if status == Status.OK else remedy) for row, status, detail in rows]


def answer(name: str) -> None:
    """The child's part: run the probe and print its rows as the last line."""
    print(json.dumps(PROBES[name].function()))


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """Why a child failed: the signal that ended it, or the last line of its traceback."""
    if done.returncode < 0:
        return f'crashed: {signal.Signals(-done.returncode).name}'
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else f'exit code {done.returncode}'
