"""The same set from a Dask cluster, whatever becomes of its workers."""

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from functools import partial
from pathlib import Path

import pytest
from distributed import Client

from mmmammo.prepare import prepare_dataset
from mmmammo.prepare.cluster import dask_cluster
from mmmammo.sources.folder import CATEGORIES, list_records
from mmmammo.structures import MammoError
from mmmammo.testing.raw_files import draw_breast, write_png

WORKER = [sys.executable, '-m', 'distributed.cli.dask_worker', '--nthreads', '1', '--no-dashboard', '--no-nanny']
SCHEDULER = [
    sys.executable,
    '-m',
    'distributed.cli.dask_scheduler',
    '--no-dashboard',
    '--host',
    '127.0.0.1',
    '--port',
    '0',
]


@pytest.fixture(scope='module')
def raw(tmp_path_factory):
    root = tmp_path_factory.mktemp('dask') / 'raw'
    for exam in range(6):
        for number, view in enumerate(('L-CC', 'L-MLO', 'R-CC', 'R-MLO')):
            write_png(root / f'e{exam}' / f'{view}.png', draw_breast(view[0], seed=10 * exam + number))
    (root / 'e0' / 'broken.png').write_bytes(b'\x89PNG\r\n\x1a\ncut off')
    return root


@pytest.fixture()
def processes():
    """Started processes, none of which outlives the test."""
    started = []
    yield started
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture()
def scheduler(processes, tmp_path):
    """Address of a scheduler of its own, as an administrator starts it."""
    log = tmp_path / 'scheduler.log'
    with log.open('w') as file:
        processes.append(subprocess.Popen(SCHEDULER, stdout=file, stderr=file, cwd=tmp_path))
    return wait_for(lambda: re.search(r'Scheduler at:\s+(tcp://\S+)', log.read_text()))[1]


def start_workers(processes, address, count, cwd):
    for _ in range(count):
        quiet = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}
        processes.append(subprocess.Popen([*WORKER, address], cwd=cwd, **quiet))
    with Client(address) as client:
        client.wait_for_workers(count, timeout=60)
    return processes[-count:]


def wait_for(found, patience=60):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.05)
    pytest.fail('it never came')


def prepare(raw, out, **values):
    return prepare_dataset(list_records(raw), out, categories=CATEGORIES, source='folder', **values)


def contents(out):
    """Bytes of all that does not name the time."""
    files = sorted(path for path in out.rglob('*') if path.is_file() and '.prepare' not in path.parts)
    return {str(path.relative_to(out)): path.read_bytes() for path in files if path.name != 'prepare.json'}


def end_process(_):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_killed_midway_changes_nothing(raw, scheduler, processes, tmp_path):
    workers = start_workers(processes, scheduler, 2, tmp_path)
    seen = []

    def kill_one(row):
        seen.append(row.path)
        if len(seen) == 5:
            workers[0].kill()

    (tmp_path / 'out').mkdir()
    with dask_cluster(scheduler, (raw, tmp_path / 'out')) as (executor, count):
        assert count == 2
        summary = prepare(raw, tmp_path / 'out', executor=executor, workers=count, on_image=kill_one)
    assert workers[0].poll() is not None and workers[1].poll() is None
    assert summary.statuses == {'accepted': 24, 'mended': 0, 'quarantined': 1}
    assert len(seen) == len(set(seen)) == 25
    prepare(raw, tmp_path / 'here', workers=2)
    assert contents(tmp_path / 'out') == contents(tmp_path / 'here')


def test_a_cluster_that_is_gone_is_told_and_the_work_goes_on_later(raw, scheduler, processes, tmp_path):
    start_workers(processes, scheduler, 1, tmp_path)
    (tmp_path / 'out').mkdir()
    seen = []

    def end_all(row):
        seen.append(row.path)
        if len(seen) == 3:
            for process in processes:
                process.kill()

    with (
        pytest.raises(MammoError, match=r'connection to the scheduler lost.*same command again'),
        dask_cluster(scheduler, (raw, tmp_path / 'out')) as (executor, count),
    ):
        prepare(raw, tmp_path / 'out', executor=executor, workers=count, on_image=end_all)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / 'out').rglob('*.png')}
    assert kept
    prepare(raw, tmp_path / 'out')
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items()), 'made once'
    prepare(raw, tmp_path / 'here')
    assert contents(tmp_path / 'out') == contents(tmp_path / 'here')


def test_a_file_that_kills_every_worker_is_a_broken_executor(tmp_path):
    with dask_cluster('local', (tmp_path,), workers=1) as (executor, _):
        assert isinstance(executor.submit(end_process, None).exception(timeout=120), BrokenExecutor)
        assert executor.submit(partial(max, 1), 2).result(timeout=60) == 2, 'the cluster lives on'


@pytest.mark.parametrize(
    ('address', 'says'),
    [('tcp://127.0.0.1:9', 'a running Dask scheduler'), ('nonsense://x', 'a running Dask scheduler')],
)
def test_nobody_there(address, says, tmp_path, monkeypatch):
    monkeypatch.setattr('mmmammo.prepare.cluster._PATIENCE_S', 1)
    with pytest.raises(MammoError, match=says), dask_cluster(address, (tmp_path,)):
        pass


def test_a_scheduler_without_workers(scheduler, tmp_path, monkeypatch):
    monkeypatch.setattr('mmmammo.prepare.cluster._PATIENCE_S', 1)
    with pytest.raises(MammoError, match='scheduler without workers'), dask_cluster(scheduler, (tmp_path,)):
        pass


def test_a_worker_that_does_not_see_the_folder(scheduler, processes, tmp_path):
    start_workers(processes, scheduler, 1, tmp_path)
    with (
        pytest.raises(MammoError, match=r'tcp://127.*no folder .*elsewhere.*mount the same file system'),
        dask_cluster(scheduler, (Path(tmp_path / 'elsewhere'),)),
    ):
        pass
