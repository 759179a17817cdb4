"""DICOM to prepared image, per codec, against what one would write first; and images per second over workers.

A CC and an MLO view of the phantom at full size (3328 x 2560, 12 bits in 16) are written in each transfer syntax. Both
sides start from the file and end with a PNG of 16 bits on disk, cut to the breast and scaled alike:

* The reference reads with pydicom, applies the modality LUT and the window, inverts MONOCHROME1, stretches to 16 bits,
  takes what is brighter than a twentieth of that (Otsu's threshold would cut the fat off), keeps the largest component,
  cuts to its box, scales with ``cv2.resize`` and writes with ``cv2.imwrite``.
* Ours is all that ``tools/prepare_dataset.py`` does for a file. On top of the above: SHA-256 of the file, the checks of
  the quality gate, marks beside the breast, side of the chest wall, landmarks, affine, an atomic write.

Each side of each row has a fresh process of its own, because what a process has allocated before decides how long it
waits for memory: ours is a worker as ``tools/prepare_dataset.py`` starts it, the reference a plain process. Runs
alternate, each in CPU seconds of one thread, per image; medians are compared. "at most" is the ratio of a pipeline with
our decoder for which all the rest costs nothing: where it is below the goal, both sides wait for the same decoder.

"JPEG 2000, coarse" is ``--coarse-jpeg2000`` on the files of the row above it: not the same pixels.

    python benchmarks/decode.py                        # some two minutes on an idle core
    python benchmarks/decode.py --prepared-height 0    # at the resolution of the source
    python benchmarks/decode.py --part read            # only from the file to display values
    python benchmarks/decode.py --height 1024 --repeats 3
"""

from __future__ import annotations

import argparse
import io
import math
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pydicom
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mmmammo.io import read_mammogram
from mmmammo.io.dicom_file import open_dicom
from mmmammo.io.stored_values import decode
from mmmammo.phantom import PhantomConfig, make_dataset, make_exam
from mmmammo.phantom.vendors import VENDORS
from mmmammo.prepare import PrepareOptions
from mmmammo.prepare.pool import limit_threads, local_processes
from mmmammo.prepare.run import Task, run_task
from mmmammo.structures import ImageRecord
from mmmammo.testing.dicom_damage import encoded, recoded

GOAL = 1.5
CODECS = {
    'explicit VR': ExplicitVRLittleEndian,
    'implicit VR': ImplicitVRLittleEndian,
    'RLE': RLELossless,
    'JPEG Lossless SV1': JPEGLosslessSV1,
    'JPEG-LS': JPEGLSLossless,
    'JPEG 2000 lossless': JPEG2000Lossless,
}
COARSE = 'JPEG 2000, coarse'
VIEWS = ('L_CC', 'L_MLO')
NUMBERS = ('file, MB', 'ours, s', 'reference, s', 'ratio', 'goal', 'met', 'decoder, s', 'at most')


Work = Callable[[Path], object]


class Times(NamedTuple):
    """CPU seconds of every run."""

    ours: list[float]
    reference: list[float]
    decoder: list[float]


def main() -> None:
    args = parse_args()
    limit_threads()
    files = write_files(args.cache, args.height)
    console = Console(width=max(Console().width, 132))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        console.print(codec_table(files, args, out))
        if args.part == 'prepare':
            console.print(worker_table([path for pair in files.values() for path in pair], args, out))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--height', type=int, default=3328, help='of the phantom, 256 to 3328 pixels (3328)')
    parser.add_argument(
        '--prepared-height', type=int, default=1024, help='as --height of prepare_dataset; 0: not scaled (1024)'
    )
    parser.add_argument('--part', choices=('prepare', 'read'), default='prepare', help='what is timed (prepare)')
    parser.add_argument('--repeats', type=int, default=7, help='timed runs of each side, after one to warm up (7)')
    parser.add_argument(
        '--workers', type=int, nargs='+', default=default_workers(), help='processes (1, 2, 4, … cores)'
    )
    parser.add_argument('--images', type=int, default=18, help='per worker (18)')
    parser.add_argument(
        '--cache',
        type=Path,
        default=Path(tempfile.gettempdir()) / 'mmmammo-decode-benchmark',
        help='where the files are kept for the next time (the folder of temporary files)',
    )
    return parser.parse_args()


def default_workers() -> list[int]:
    cores = len(os.sched_getaffinity(0))
    return sorted({*(2**i for i in range(cores.bit_length())), cores})  # no power of two above the cores is among them


def write_files(cache: Path, height: int) -> dict[str, list[Path]]:
    """The same two views in every transfer syntax."""
    folder = cache / str(height)
    files = {name: [folder / f'{name.replace(" ", "_")}_{view}.dcm' for view in VIEWS] for name in CODECS}
    if all(path.is_file() for pair in files.values() for path in pair):
        return files
    folder.mkdir(parents=True, exist_ok=True)
    exam = make_exam(PhantomConfig(height=height), seed=0, index=0)
    exam = replace(exam, vendor=replace(VENDORS['PHANTOM-A'], transfer_syntax=ExplicitVRLittleEndian))
    datasets = [make_dataset(exam, view) for view in exam.views if view.name in VIEWS]
    for name, pair in files.items():
        for dataset, path in zip(datasets, pair, strict=True):
            path.write_bytes(written(dataset, CODECS[name]))
    return files


def written(dataset: pydicom.Dataset, syntax: pydicom.uid.UID) -> bytes:
    if syntax not in (JPEGLSLossless, JPEG2000Lossless):
        return recoded(dataset, syntax)
    copy = pydicom.dcmread(io.BytesIO(encoded(dataset)))
    copy.compress(syntax, generate_instance_uid=False)
    return encoded(copy)


def reference_image(path: Path) -> np.ndarray:
    """(h, w) uint16 as displayed."""
    dataset = pydicom.dcmread(path)
    values = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset).astype(np.float64)
    if dataset.PhotometricInterpretation == 'MONOCHROME1':
        values = values.max() - values
    values = (values - values.min()) / (values.max() - values.min())
    return (values * 65535).astype(np.uint16)


def prepare_reference(path: Path, target: Path, height: int) -> None:
    """What one would write first."""
    image = reference_image(path)
    _, _, stats, _ = cv2.connectedComponentsWithStats((image > 0.05 * 65535).astype(np.uint8))
    x, y, w, h = stats[1 + stats[1:, cv2.CC_STAT_AREA].argmax(), :4]
    breast = image[y : y + h, x : x + w]
    if height:
        factor = height / image.shape[0]
        breast = cv2.resize(breast, (round(w * factor), round(h * factor)), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(target), breast)


def prepare_ours(path: Path, name: str, out: Path, options: PrepareOptions) -> None:
    """What a worker of ``tools/prepare_dataset.py`` does."""
    record = ImageRecord(path=path, relative_path=path.name, exam_id='exam', patient_id='patient')
    entry = run_task(Task(record, name, digest=''), out=out, options=options)
    if entry.image is None:
        raise SystemExit(f'{path} was not prepared: {entry.quality.reason}')


def decode_ours(path: Path, rows_needed: float) -> None:
    """The share of our decoder."""
    decode(open_dicom(path, with_pixels=True), path, rows_needed)


def works(coarse: bool, args: argparse.Namespace, out: Path) -> dict[str, Work]:
    """What is timed for a row, by name."""
    rows_needed = args.prepared_height if coarse else math.inf
    timed: dict[str, Work] = {'decoder': partial(decode_ours, rows_needed=rows_needed)}
    if args.part == 'read':
        return timed | {'ours': partial(read_mammogram, rows_needed=rows_needed), 'reference': reference_image}
    options = PrepareOptions(height=args.prepared_height or None, coarse_jpeg2000=coarse)
    return timed | {
        'ours': partial(prepare_ours, name='ours.png', out=out, options=options),
        'reference': partial(prepare_reference, target=out / 'reference.png', height=args.prepared_height),
    }


def measure(paths: Sequence[Path], coarse: bool, args: argparse.Namespace, out: Path) -> Times:
    """All sides in turns, so that a busy moment of the machine hits each; seconds per file."""
    times: dict[str, list[float]] = {name: [] for name in Times._fields}
    sides = works(coarse, args, out)
    with local_processes(1) as worker, plain_process() as other:
        for turn in range(args.repeats + 1):
            for name in Times._fields:
                place = other if name == 'reference' else worker
                runs = [place.submit(cpu_seconds, sides[name], path, out).result() for path in paths]
                if turn:  # the first one warms up
                    times[name].append(statistics.mean(runs))
    return Times(**times)


def plain_process() -> Executor:
    """A new process with one thread and nothing else set."""
    return ProcessPoolExecutor(1, multiprocessing.get_context('spawn'), initializer=limit_threads)


def cpu_seconds(work: Work, path: Path, out: Path) -> float:
    """Of one call; what it wrote is deleted, so that no run has to replace a file."""
    begin = time.process_time()
    work(path)
    seconds = time.process_time() - begin
    for file in out.rglob('*.png'):
        file.unlink()
    return seconds


def codec_table(files: Mapping[str, Sequence[Path]], args: argparse.Namespace, out: Path) -> Table:
    size = f'{args.prepared_height} rows' if args.prepared_height else 'the size of the source'
    what = f'to a prepared image of {size}' if args.part == 'prepare' else 'to display values'
    table = Table(title=f'DICOM of {args.height} rows {what}: CPU seconds per image, one thread')
    table.add_column('codec', no_wrap=True)
    for column in NUMBERS:
        table.add_column(column, justify='right', no_wrap=True)
    rows = {name: (paths, False) for name, paths in files.items()}
    if args.prepared_height:  # else there is nothing to gain
        rows[COARSE] = (files['JPEG 2000 lossless'], True)
    for name, (paths, coarse) in track(rows.items(), description='measuring', transient=True):
        times = measure(paths, coarse, args, out)
        mine, other, decoder = (statistics.median(runs) for runs in times)
        ratio = other / mine
        megabytes = statistics.mean(path.stat().st_size for path in paths) / 1e6
        numbers = [f'{megabytes:.1f}', spread(times.ours), spread(times.reference), f'{ratio:.2f}x']
        met = [f'>= {GOAL:g}', 'yes' if ratio >= GOAL else 'NO'] if args.part == 'prepare' else ['', '']
        table.add_row(name, *numbers, *met, f'{decoder:.3f}', f'{other / decoder:.1f}x')
    return table


def spread(times: Sequence[float]) -> str:
    return f'{statistics.median(times):.3f} ({min(times):.3f}-{max(times):.3f})'


def worker_table(files: Sequence[Path], args: argparse.Namespace, out: Path) -> Table:
    """Files of all codecs in turns; a rate counts from the moment when every worker is warm."""
    megabytes = np.prod(decode(open_dicom(files[0], with_pixels=True), files[0]).patterns.shape) * 2 / 1e6
    table = Table(title=f'all codecs in turns, {os.cpu_count()} cores, wall clock')
    for column in ('workers', 'images/s', 'MB/s of pixels', 'efficiency', 'peak memory of a worker, MiB'):
        table.add_column(column, justify='right')
    first = None
    for workers in track(args.workers, description='scaling', transient=True):
        rate, peak = throughput(files, workers, args, out)
        first = first or rate / workers
        efficiency = f'{rate / workers / first:.0%}'
        table.add_row(str(workers), f'{rate:.2f}', f'{rate * megabytes:.0f}', efficiency, f'{peak:.0f}')
    return table


def throughput(files: Sequence[Path], workers: int, args: argparse.Namespace, out: Path) -> tuple[float, float]:
    """Images per second, and the largest peak of a worker in MiB."""
    with local_processes(workers) as pool:
        run_all(pool, files, 3 * workers, args, out)
        begin = time.perf_counter()
        peaks = run_all(pool, files, args.images * workers, args, out)
        return args.images * workers / (time.perf_counter() - begin), max(peaks)


def run_all(pool: Executor, files: Sequence[Path], count: int, args: argparse.Namespace, out: Path) -> list[float]:
    options = PrepareOptions(height=args.prepared_height or None)
    jobs = [pool.submit(one_of_many, files[i % len(files)], f'{i}.png', out, options) for i in range(count)]
    return [job.result() for job in jobs]


def one_of_many(path: Path, name: str, out: Path, options: PrepareOptions) -> float:
    """Prepare an image; the peak memory of this process so far, in MiB."""
    prepare_ours(path, name, out, options)
    status = Path('/proc/self/status').read_text()  # getrusage would count the parent's memory before the exec
    return int(status.partition('VmHWM:')[2].split()[0]) / 1024


if __name__ == '__main__':
    main()
