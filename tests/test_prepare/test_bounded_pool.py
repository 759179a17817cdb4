"""Items through processes: bounded, and none takes the others down."""

import multiprocessing
import os
import platform
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest

from mmmammo.prepare.pool import BoundedPool
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]


def square_or_die(number):
    """3 takes its process down, 5 raises."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 5:
        raise ValueError(number)
    return number**2


def test_only_the_item_that_kills_its_worker_fails():
    with BoundedPool(2) as pool:
        done = dict(pool.run(square_or_die, range(8)))
    assert sorted(done) == list(range(8))
    assert isinstance(done.pop(3).exception(), BrokenProcessPool)
    assert isinstance(done.pop(5).exception(), ValueError)
    assert {number: future.result() for number, future in done.items()} == {n: n**2 for n in (0, 1, 2, 4, 6, 7)}


class Recorder(ThreadPoolExecutor):
    """Counts what is submitted and not finished."""

    def __init__(self):
        super().__init__(1)
        self.under_way, self.most = 0, 0

    def submit(self, *args):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        future = super().submit(*args)
        future.add_done_callback(self._count)
        return future

    def _count(self, _: Future):
        self.under_way -= 1


def test_a_bounded_number_is_under_way_and_a_given_executor_stays_open():
    taken = []

    def endless():
        for number in range(50):
            taken.append(number)
            yield number

    with Recorder() as executor:
        with BoundedPool(1, executor) as pool:
            results = pool.run(abs, endless())
            next(results)
            assert len(taken) <= 5
            assert len(list(results)) == 49
        assert executor.most <= 5
        assert executor.submit(abs, -1).result() == 1


def faults_of_arrays(_):
    """Pages that the system has to map for arrays of 64 MiB, when one like them was freed just before."""
    np.ones(8 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):  # many, because pages may be large and the interpreter maps some of its own
        np.ones(8 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def faults_in_a_worker_and_here():
    with BoundedPool(1) as pool:
        ((_, kept),) = pool.run(faults_of_arrays, [0])
    return kept.result(), faults_of_arrays(0)


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='only glibc has mallopt')
def test_workers_keep_freed_memory_and_the_process_of_the_user_does_not():
    # A fresh process stands for the user's: the tests before this one leave free memory behind, which maps no page.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context('spawn')) as user:
        kept, returned = user.submit(faults_in_a_worker_and_here).result()
    assert kept < returned / 10


def test_no_workers_are_refused():
    with pytest.raises(MammoError, match='workers: found 0'):
        BoundedPool(0)


@pytest.mark.slow
def test_a_killed_run_leaves_no_worker_and_goes_on_to_the_same_files(tmp_path):
    """The real command under SIGKILL, three times, against one run in peace."""

    def command(out):
        script = ROOT / 'tools' / 'prepare_dataset.py'
        options = ['--raw', tmp_path / 'raw', '--out', out, '--num-exams', '8', '--phantom-height', '512']
        return [sys.executable, script, 'phantom', *options, '--workers', '2']

    subprocess.run(command(tmp_path / 'whole'), check=True, capture_output=True)
    journal = tmp_path / 'out/.prepare/journal.jsonl'
    for lines in (2, 10, 20):
        process = subprocess.Popen(command(tmp_path / 'out'), stdout=subprocess.DEVNULL, start_new_session=True)
        while process.poll() is None and (not journal.exists() or journal.read_bytes().count(b'\n') < lines):
            time.sleep(0.02)
        process.kill()
        process.wait()
        assert not (tmp_path / 'out/prepare.json').exists()
    deadline = time.monotonic() + 30
    while _members_of(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _members_of(process.pid) == []
    subprocess.run(command(tmp_path / 'out'), check=True, capture_output=True)
    assert _contents(tmp_path / 'out') == _contents(tmp_path / 'whole')


def _members_of(session):
    """Processes of a session that are alive."""
    alive = []
    for stat in Path('/proc').glob('[0-9]*/stat'):
        try:
            fields = stat.read_text().rpartition(')')[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != 'Z':
            alive.append(stat.parent.name)
    return alive


def _contents(out):
    files = [path for path in out.rglob('*') if path.is_file() and path.name != 'prepare.json']
    return {path.relative_to(out): path.read_bytes() for path in files}
