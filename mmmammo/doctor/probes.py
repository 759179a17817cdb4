"""Run the probes in child processes, so that a broken import or a crash is a finding and not the end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from tempfile import TemporaryFile

from mmmammo.doctor import dicom, stack
from mmmammo.doctor.packages import FRESH, ROOT, pip_line
from mmmammo.doctor.result import Finding, Row, Status

TIMEOUT_S = 300
MARK = 'probe answers: '
REBUILD = 'python3 tools/setup_env.py --rebuild-mmcv'
TOOLKIT = f"{REBUILD}  # once a CUDA toolkit (nvcc) of torch's major version is installed"
COMPILE = f'{sys.executable} -m mmmammo.ops.build --again'


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
    'own_operators': Probe('mmmammo operators', stack.probe_own_operators, remedy=COMPILE),
    'cuda': Probe('CUDA', stack.probe_cuda, remedy=TOOLKIT),
    'detection': Probe('mmdet, mmpretrain', stack.probe_detection, remedy=FRESH),
    'images': Probe(
        'image libraries', stack.probe_images, ('opencv-python', 'opencv-python-headless', 'albumentations')
    ),
    'dicom': Probe(
        'DICOM',
        dicom.probe_dicom,
        ('pydicom', 'pylibjpeg', 'pylibjpeg-libjpeg', 'pylibjpeg-openjpeg', 'pyjpegls', 'imagecodecs'),
    ),
}
TOGETHER = (('torch', 'operators', 'own_operators', 'cuda', 'detection'), ('images', 'dicom'))
"""Probes that share a process while all goes well: importing torch takes seconds."""


def run_probes(pins: Mapping[str, str]) -> list[Finding]:
    """Try everything out."""
    with ThreadPoolExecutor() as pool:
        return [finding for found in pool.map(lambda names: run_group(names, pins), TOGETHER) for finding in found]


def run_group(names: Sequence[str], pins: Mapping[str, str]) -> list[Finding]:
    """Run probes one after another in one process; where one ends it, the rest go on in a new one."""
    findings: list[Finding] = []
    waiting = list(names)
    while waiting:
        answers, trouble = ask(waiting)
        for name, rows in zip(waiting, answers, strict=False):
            findings += [_finding(name, row, pins) for row in rows]
        waiting = waiting[len(answers) :]
        if waiting:
            failed = waiting.pop(0)
            findings.append(_finding(failed, (PROBES[failed].title, Status.FAIL, trouble), pins))
    return findings


def ask(names: Sequence[str]) -> tuple[list[list[Row]], str]:
    """Run the child: the rows of the probes that it got through, and why it got no further."""
    command = [sys.executable, '-m', 'mmmammo.doctor', '--probe', *names]
    with TemporaryFile('w+') as errors:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT)
        try:
            output, _ = child.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            output, _ = child.communicate()
            return _answers(output), f'no answer after {TIMEOUT_S} s'
        errors.seek(0)
        return _answers(output), _reason(child.returncode, errors.read())


def answer(names: Sequence[str]) -> None:
    """The child's part: run the probes, and print the rows of each as one line."""
    for name in names:
        print(MARK + json.dumps(PROBES[name].function()), flush=True)


def _answers(output: str) -> list[list[Row]]:
    """The lines of :func:`answer` among whatever an imported library prints."""
    return [json.loads(line.removeprefix(MARK)) for line in output.splitlines() if line.startswith(MARK)]


def _finding(name: str, row: Row, pins: Mapping[str, str]) -> Finding:
    title, status, detail = row
    remedy = PROBES[name].remedy or pip_line(*PROBES[name].packages, pins=pins)
    return Finding(title, Status(status), detail, '' if status == Status.OK else remedy)


def _reason(returncode: int, errors: str) -> str:
    """Why a child ended: its signal, or the last line of its traceback."""
    if returncode < 0:
        return f'crashed: {signal.Signals(-returncode).name}'
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return lines[-1][:200] if lines else f'exit code {returncode}'
