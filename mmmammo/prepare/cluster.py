"""The same work on a Dask cluster: one of this machine, or one that runs somewhere already.

Dask keeps tasks and workers; when a worker dies, its tasks go to others. What is ours is to see before the first image
that the cluster can do the work, and to tell a file that kills its workers from a cluster that is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mmmammo import __version__
from mmmammo.prepare.pool import check_workers, set_up_worker
from mmmammo.structures import MammoError

if TYPE_CHECKING:
    from distributed import Client

LOCAL = 'local'
_PATIENCE_S = 30


class Cluster(NamedTuple):
    """Who does the work, as :func:`mmmammo.prepare.prepare_dataset` is told; no executor means processes of its own."""

    executor: Executor | None
    workers: int


@contextmanager
def dask_cluster(address: str, folders: tuple[Path, ...], workers: int = 1) -> Iterator[Cluster]:
    """Connect to a scheduler, or start one here, and leave it as it was afterwards.

    Args:
        address: Of the scheduler, such as ``tcp://10.0.0.1:8786``; ``'local'`` starts one with ``workers`` processes.
        folders: Must be there under the same names for every worker: the download and the prepared set.
        workers: Of a local cluster.

    Raises:
        MammoError: If Dask is not installed, nothing answers at the address, no worker is there, or a worker has
            another version of this package or does not see the folders.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as err:
        raise _error(address, err, 'Dask', "install it: pip install 'mmmammo[scale]'") from err
    if address == LOCAL:
        check_workers(workers)
        with (
            LocalCluster(workers, threads_per_worker=1, dashboard_address='127.0.0.1:0') as cluster,
            Client(cluster) as client,
        ):
            yield _checked(client, address, folders)
        return
    try:
        client = Client(address, timeout=_PATIENCE_S)
    except (OSError, ValueError) as err:
        expected = "a running Dask scheduler, or 'local'"
        raise _error(address, err, expected, 'start one with `dask scheduler`, or correct --dask') from err
    with client:
        yield _checked(client, address, folders)


def _checked(client: Client, address: str, folders: tuple[Path, ...]) -> Cluster:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE_S)
    except TimeoutError as err:
        raise _error(address, 'a scheduler without workers', 'at least one', 'start some with `dask worker`') from err
    names = [str(folder.resolve()) for folder in folders]
    for worker, (version, missing) in client.run(look_around, names).items():
        if version != __version__:
            raise _error(worker, f'mmmammo {version}', f'{__version__}, as here', 'install the same version there')
        if missing:
            remedy = 'mount the same file system under the same path'
            raise _error(worker, f'no folder {missing[0]}', 'the folders of this command', remedy)
    return Cluster(_Executor(client.get_executor(pure=False)), sum(client.nthreads().values()))


def look_around(folders: list[str]) -> tuple[str, list[str]]:
    """Run on a worker: its version of this package, and the folders it does not see; it is set up for images."""
    set_up_worker()
    return __version__, [folder for folder in folders if not Path(folder).is_dir()]


class _Executor(Executor):
    """Dask's executor in the words of ``concurrent.futures``, which the pool understands."""

    def __init__(self, inner: Executor) -> None:
        self._inner = inner

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        out: Future[Any] = Future()
        self._inner.submit(fn, *args, **kwargs).add_done_callback(lambda done: _pass_on(done, out))
        return out


def _pass_on(done: Future[Any], out: Future[Any]) -> None:
    """Copy an outcome; a task that killed its workers is a broken executor, one that Dask gave up is a lost cluster."""
    from distributed import KilledWorker

    if done.cancelled():
        remedy = 'start it again and give the same command again; it goes on where it was'
        out.set_exception(_error('Dask', 'the connection to the scheduler lost', 'a running scheduler', remedy))
    elif (error := done.exception()) is None:
        out.set_result(done.result())
    elif isinstance(error, KilledWorker):
        out.set_exception(BrokenExecutor(str(error)))
    else:
        out.set_exception(error)


def _error(where: object, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError(str(where), field='Dask cluster', found=found, expected=expected, remedy=remedy)
