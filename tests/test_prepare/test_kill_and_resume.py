"""A set that is killed at any point and made again ends as if nothing had happened."""

import hashlib
import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mmmammo.prepare import prepare_dataset
from mmmammo.sources.folder import CATEGORIES, list_records
from mmmammo.testing.raw_files import draw_breast, write_png

POINTS = 20


@pytest.fixture(scope='module')
def raw(tmp_path_factory):
    root = tmp_path_factory.mktemp('killed') / 'raw'
    for exam in range(2):
        for number, view in enumerate(('L-CC', 'L-MLO', 'R-CC', 'R-MLO')):
            write_png(root / f'e{exam}' / f'{view}.png', draw_breast(view[0], seed=10 * exam + number))
    (root / 'e1' / 'broken.png').write_bytes(b'\x89PNG\r\n\x1a\ncut off')
    return root


@pytest.fixture(scope='module')
def processes():
    """New processes that have the imports behind them, so that a kill hits the work."""
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['mmmammo.prepare', 'mmmammo.sources.folder'])
    return context


def prepare(raw, out):
    with ThreadPoolExecutor(1) as executor:
        prepare_dataset(list_records(raw), out, categories=CATEGORIES, source='folder', executor=executor)


def hashes(out):
    """Of every file that a user reads, but for the one that holds the time."""
    files = sorted(path for path in out.rglob('*') if path.is_file() and '.prepare' not in path.parts)
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name != 'prepare.json'
    }


def seconds_of_a_run(processes, raw, out):
    begin = time.monotonic()
    process = processes.Process(target=prepare, args=(raw, out))
    process.start()
    process.join()
    assert process.exitcode == 0
    return time.monotonic() - begin


@pytest.fixture(scope='module')
def whole(processes, raw, tmp_path_factory):
    """Hashes of a set made without interruption, and how long that took once everything was warm."""
    root = tmp_path_factory.mktemp('whole')
    seconds_of_a_run(processes, raw, root / 'warm')
    return hashes(root / 'warm'), seconds_of_a_run(processes, raw, root / 'timed')


@pytest.mark.parametrize('point', range(POINTS))
def test_kill_and_resume(point, whole, processes, raw, tmp_path):
    expected, seconds = whole
    fraction = (point + np.random.default_rng(point).uniform()) / POINTS
    process = processes.Process(target=prepare, args=(raw, tmp_path / 'out'))
    process.start()
    process.join(fraction * seconds)
    process.kill()
    process.join()
    prepare(raw, tmp_path / 'out')
    assert hashes(tmp_path / 'out') == expected
