"""What becomes of damaged DICOM files: every one is read or refused with its reason, none crashes or hangs the reader.

Small mammograms of several codecs and the test files of pydicom are damaged at random, by seed: bytes flipped, files
cut, tags edited, lengths made wrong, bytes put in. Each goes through ``read_mammogram`` in a process that may die or
hang without taking the rest along.

    python benchmarks/fuzz_dicom.py                    # 5,000 files, a quarter of a minute on two idle cores
    python benchmarks/fuzz_dicom.py --files 500 --seed 7
    python benchmarks/fuzz_dicom.py --coarse           # JPEG 2000 read at a lower resolution of its own
    python benchmarks/fuzz_dicom.py --only 1234        # one of them again, with its traceback

Ends with status 1 if a file crashed or hung the reader, was refused by anything but a ``MammogramError``, or took more
memory than allowed.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mmmammo.io import MammogramError, read_mammogram
from mmmammo.testing.dicom_damage import DAMAGE, damaged, seed_files

HANG_S = 10.0
MEMORY_MIB = 1024
READ, READ_COARSE, CRASH, HANG = 'read', 'read (coarse)', 'CRASH', 'HANG'


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Args:
        number: Which one.
        kind: Of damage.
        what: ``'read'``, the name of the exception, ``'CRASH'`` or ``'HANG'``.
        expected: Whether that is allowed.
        seconds: How long it took.
        peak_mib: Peak memory of the process so far, over what it had before its first file.
    """

    number: int
    kind: str
    what: str
    expected: bool
    seconds: float = 0.0
    peak_mib: float = 0.0


def main() -> int:
    args = parse_args()
    warnings.simplefilter('ignore')  # of pydicom, about the originals
    originals = seed_files()
    if args.only is not None:
        return show_one(originals, args)
    outcomes = []
    for outcome in track(run(originals, args), description='reading', total=args.files, transient=True):
        outcomes.append(outcome)
    report(outcomes, len(originals), args.seed)
    return int(bool(failures(outcomes)))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--files', type=int, default=5000)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--only', type=int, metavar='NUMBER', help='damage and read this one file here')
    parser.add_argument('--coarse', action='store_true', help='ask for half of the rows')
    return parser.parse_args()


def rows_needed(args: argparse.Namespace) -> float:
    """What the reader is asked for."""
    return 0.5 if args.coarse else math.inf


def read_one(path: Path, rows: float) -> tuple[str, bool]:
    """Read a file and name the outcome; whether it is one that is allowed."""
    try:
        image = read_mammogram(path, rows_needed=rows)
    except MammogramError as err:
        return type(err).__name__, bool(err.reason)
    except Exception as err:  # to be counted, whatever it is
        return type(err).__name__, False
    fine = image.pixels.dtype == np.float32 and image.pixels.ndim == 2
    what = READ_COARSE if 'halvings' in image.meta.attributes else READ
    return what, fine and bool(((image.pixels >= 0) & (image.pixels <= 1)).all())


def serve(pipe: Connection, seed: int, rows: float) -> None:
    """A process that reads what it is told to, until it dies."""
    warnings.simplefilter('ignore')
    originals = seed_files()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'file.dcm')
        before = peak_mib()
        pipe.send(None)
        while (number := pipe.recv()) is not None:
            kind, data = damaged(originals, seed, number)
            path.write_bytes(data)
            begin = time.monotonic()
            what, expected = read_one(path, rows)
            pipe.send(Outcome(number, kind, what, expected, time.monotonic() - begin, peak_mib() - before))


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Reader:
    """A process and what it works on."""

    def __init__(self, seed: int, rows: float) -> None:
        context = multiprocessing.get_context('spawn')
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, seed, rows), daemon=True)
        self.process.start()
        theirs.close()
        self.pipe.recv()
        self.number: int | None = None
        self.since = 0.0

    def give(self, number: int) -> None:
        """Hand it a file, by number."""
        self.number, self.since = number, time.monotonic()
        self.pipe.send(number)

    def outcome(self) -> Outcome | None:
        """Of the file it has; ``None`` as long as it may still come."""
        if self.number is None:
            return None
        if self.pipe.poll():
            try:
                return self.pipe.recv()
            except EOFError:
                return self.lost(CRASH)
        return self.lost(HANG) if time.monotonic() - self.since > HANG_S else None

    def lost(self, what: str) -> Outcome:
        """End the process and say what became of its file."""
        self.process.kill()
        self.process.join()
        kind = list(DAMAGE)[(self.number or 0) % len(DAMAGE)]
        return Outcome(self.number or 0, kind, what, False, time.monotonic() - self.since)


def run(originals: Sequence[bytes], args: argparse.Namespace) -> Iterator[Outcome]:
    """Every file once, by as many processes as there are workers; one that is lost is replaced."""
    numbers = iter(range(args.files))
    readers = [Reader(args.seed, rows_needed(args)) for _ in range(args.workers)]
    for reader in readers:
        reader.give(next(numbers))
    while readers:
        wait([reader.pipe for reader in readers], timeout=1.0)
        for i in reversed(range(len(readers))):
            if (outcome := readers[i].outcome()) is None:
                continue
            yield outcome
            if outcome.what in (CRASH, HANG):
                readers[i] = Reader(args.seed, rows_needed(args))
            following = next(numbers, None)
            if following is None:
                readers.pop(i).process.kill()
            else:
                readers[i].give(following)


def failures(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Outcomes that must not be."""
    return [outcome for outcome in outcomes if not outcome.expected or outcome.peak_mib > MEMORY_MIB]


def report(outcomes: Sequence[Outcome], num_originals: int, seed: int) -> None:
    """The table of outcomes by kind of damage, the extremes, and what to look at."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in outcomes:
        counts[outcome.what][outcome.kind] += 1
    table = Table(title=f'{len(outcomes)} damaged files out of {num_originals}, seed {seed}', title_justify='left')
    for column in ('outcome', *DAMAGE, 'all'):
        table.add_column(column, justify='left' if column == 'outcome' else 'right')
    for what in sorted(
        {*counts, READ, CRASH, HANG}, key=lambda name: (name in (CRASH, HANG), not name.startswith(READ), name)
    ):
        row = counts[what]
        table.add_row(what, *(str(row[kind]) for kind in DAMAGE), str(row.total()))
    console = Console(width=max(Console().width, 110))
    console.print(table)
    slowest, largest = max(outcomes, key=lambda o: o.seconds), max(o.peak_mib for o in outcomes)
    lost = sum(o.what in (CRASH, HANG) for o in outcomes)
    wrong = [o for o in failures(outcomes) if o.what not in (CRASH, HANG)]
    console.print(
        f'{lost} crashes and hangs, {len(wrong)} other failures; slowest {slowest.seconds:.2f} s '
        f'(--only {slowest.number}; allowed {HANG_S:.0f}), '
        f'memory at most {largest:.0f} MiB over the start (allowed {MEMORY_MIB})'
    )
    for outcome in failures(outcomes)[:10]:
        console.print(f'  {outcome.what} ({outcome.kind}): --seed {seed} --only {outcome.number}', style='red')


def show_one(originals: Sequence[bytes], args: argparse.Namespace) -> int:
    """Damage one file and read it here, so that a traceback is seen."""
    kind, data = damaged(originals, args.seed, args.only)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'file.dcm')
        path.write_bytes(data)
        try:
            print(f'{kind}: read, {read_mammogram(path, rows_needed=rows_needed(args)).pixels.shape}')
        except MammogramError as err:
            print(f'{kind}: {type(err).__name__}: {err}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
