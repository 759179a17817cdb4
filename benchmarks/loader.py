"""How fast training images are read: 8 bits against 16, PNG against pixels kept decoded; and whether a GPU waits.

Views of the phantom are written as a prepared set holds them, once with 8 and once with 16 bits. Each is read by the
steps of a config's training pipeline: only its first (``mmmammo.LoadMammogram``), and all of them. Rows alternate, each
in CPU seconds of one thread per image; medians are compared with PNG of 8 bits, which is what paper 2 could afford.

Then torch's DataLoader runs the whole pipeline in several processes, by the wall clock. With a GPU (or --device cpu),
the config's model is trained from those loaders: how much of a step is waiting for images.

    python benchmarks/loader.py                                              # quarter size, a minute or two
    python benchmarks/loader.py --height 3328 --config configs/rsna/larger_effnetb4_rsna.py
    python benchmarks/loader.py --workers 1 2 4 8 16
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch.utils.data import DataLoader, Dataset

from mmmammo.io import write_png16
from mmmammo.io.decoded import decoded_path
from mmmammo.io.png16 import write_png8
from mmmammo.phantom import PhantomConfig, make_exam
from mmmammo.prepare.pool import limit_threads
from mmmammo.registry import MODELS
from mmmammo.structures import Affine, Laterality

ROOT = Path(__file__).resolve().parents[1]
WRITERS: Mapping[int, Callable[..., None]] = {8: write_png8, 16: write_png16}
STORAGE = {'PNG, 8 bits': (8, False), 'PNG, 16 bits': (16, False), '16 bits, kept decoded': (16, True)}
"""Name -> bits, and ``keep_decoded`` of LoadMammogram."""
STEPS = 12
"""Training steps that are timed on a GPU."""

Record = dict[str, Any]
Records = Mapping[int, Sequence[Record]]
"""Bits -> the views."""


class Images(Dataset):
    """The same few images over and over, through a pipeline."""

    def __init__(self, records: Sequence[Record], pipeline: Sequence[dict[str, Any]], length: int) -> None:
        self.records, self.pipeline, self.length = records, Compose(list(pipeline)), length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Record:
        return self.pipeline(copy.deepcopy(self.records[index % len(self.records)]))


def main() -> None:
    args = parse_args()
    limit_threads()
    torch.set_num_threads(1)
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    MMLogger.get_instance('mmengine', log_level='WARNING')
    console = Console(width=max(Console().width, 110))
    records = {bits: write_images(args.cache, args.height, bits) for bits in WRITERS}
    pipelines = {name: pipeline_of(cfg, kept) for name, (_, kept) in STORAGE.items()}
    console.print(core_table(records, pipelines, args))
    console.print(worker_table(records, pipelines, args))
    if args.device:
        console.print(waiting_table(cfg, records, pipelines, args))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--height', type=int, default=832, help='of the views, 256 to 3328 pixels (832)')
    parser.add_argument(
        '--config',
        type=Path,
        default=ROOT / 'configs' / 'rsna' / 'baseline_effnetb4_rsna.py',
        help='whose training pipeline and model (paper 2, experiment 1)',
    )
    parser.add_argument('--repeats', type=int, default=7, help='timed runs over all views, after one to warm up (7)')
    parser.add_argument(
        '--workers', type=int, nargs='+', default=default_workers(), help='processes (1, 2, 4, … cores)'
    )
    parser.add_argument('--images', type=int, default=48, help='per worker (48)')
    device = 'cuda' if torch.cuda.is_available() else None
    parser.add_argument('--device', default=device, help="that trains; without a GPU nothing does, unless 'cpu'")
    parser.add_argument('--batch-size', type=int, help='of a training step (that of the config)')
    parser.add_argument(
        '--cache',
        type=Path,
        default=Path(tempfile.gettempdir()) / 'mmmammo-loader-benchmark',
        help='where the views are kept for the next time (the folder of temporary files)',
    )
    return parser.parse_args()


def default_workers() -> list[int]:
    cores = len(os.sched_getaffinity(0))
    return sorted({*(2**i for i in range(cores.bit_length())), cores})


def write_images(cache: Path, height: int, bits: int) -> list[Record]:
    """Four views, as the records of a data set."""
    folder = cache / f'{height}-{bits}' / 'images' / 'exam'
    folder.mkdir(parents=True, exist_ok=True)
    records = []
    for view in make_exam(PhantomConfig(height=height), seed=0, index=0).views:
        name = f'{view.laterality.value}_{view.view.value}'
        left = view.laterality is Laterality.LEFT
        image = view.image if left else view.image[:, ::-1]
        if not (folder / f'{name}.png').is_file():
            WRITERS[bits](folder / f'{name}.png', image)
        records.append(
            {
                'img_path': str(folder / f'{name}.png'),
                'img_id': len(records),
                'height': image.shape[0],
                'width': image.shape[1],
                'laterality': view.laterality.value,
                'view': view.view.value,
                'affine': (Affine.identity() if left else Affine.mirror(image.shape[1])).matrix,
                'labels': {'cancer': 0},
                'instances': [],
                'gt_score': [0.0],
            }
        )
    return records


def pipeline_of(cfg: Config, keep_decoded: bool) -> list[dict[str, Any]]:
    """The training pipeline of a config, reading in one of two ways."""
    dataset = cfg.train_dataloader.dataset
    while 'pipeline' not in dataset:
        dataset = dataset.dataset
    steps = copy.deepcopy(dataset.pipeline)
    steps[0].keep_decoded = keep_decoded
    return list(steps)


def core_table(
    records: Mapping[int, Sequence[Record]], pipelines: Mapping[str, Any], args: argparse.Namespace
) -> Table:
    """What an image costs on one core."""
    parts = {'read': slice(0, 1), 'all steps': slice(None)}
    readers = {
        (name, part): Images(records[STORAGE[name][0]], pipelines[name][steps], len(records[8]))
        for name in STORAGE
        for part, steps in parts.items()
    }
    times: dict[tuple[str, str], list[float]] = {key: [] for key in readers}
    for turn in track(range(args.repeats + 1), description='measuring', transient=True):
        for key, images in readers.items():
            seconds = cpu_seconds(images)
            if turn:  # the first one warms up, and decodes what is kept
                times[key].append(seconds)
    middle = {key: statistics.median(runs) for key, runs in times.items()}
    first = next(iter(STORAGE))
    table = Table(title=f'views of {args.height} rows through {args.config.name}, one thread', title_justify='left')
    for column in (
        'storage',
        'MB/image',
        *(f'{part}, {unit}' for part in parts for unit in ('ms', 'images/s', 'ratio')),
    ):
        table.add_column(column, justify='left' if column == 'storage' else 'right')
    for name in STORAGE:
        cells = [name, f'{megabytes(name, records):.2f}']
        for part in parts:
            seconds = middle[name, part]
            ratio = middle[first, part] / seconds
            cells += [f'{1000 * seconds:.2f}', f'{1 / seconds:.0f}', f'{ratio:.2f}x']
        table.add_row(*cells)
    return table


def cpu_seconds(images: Images) -> float:
    """Of one image."""
    begin = time.process_time()
    for index in range(len(images)):
        images[index]
    return (time.process_time() - begin) / len(images)


def megabytes(name: str, records: Records) -> float:
    """On disk, per image: what is kept decoded comes on top of the PNG."""
    bits, kept = STORAGE[name]
    paths = [Path(record['img_path']) for record in records[bits]]
    sizes = [path.stat().st_size + (decoded_path(path).stat().st_size if kept else 0) for path in paths]
    return statistics.mean(sizes) / 1e6


def worker_table(records: Records, pipelines: Mapping[str, Any], args: argparse.Namespace) -> Table:
    """Images per second of a DataLoader."""
    table = Table(title=f'whole pipeline, images/s by the wall clock, {os.cpu_count()} cores', title_justify='left')
    table.add_column('workers', justify='right')
    for name in STORAGE:
        table.add_column(name, justify='right')
        table.add_column('efficiency', justify='right')
    alone: dict[str, float] = {}
    for workers in track(args.workers, description='scaling', transient=True):
        cells = [str(workers)]
        for name, (bits, _) in STORAGE.items():
            rate = throughput(Images(records[bits], pipelines[name], args.images * workers), workers)
            alone.setdefault(name, rate / workers)
            cells += [f'{rate:.0f}', f'{rate / workers / alone[name]:.0%}']
        table.add_row(*cells)
    return table


def throughput(images: Images, workers: int) -> float:
    """Images per second, from the moment when every worker has given its first batch."""
    batch = 4
    loader = DataLoader(images, batch_size=batch, num_workers=workers, collate_fn=pseudo_collate)
    batches = iter(loader)
    for _ in range(workers):
        next(batches)
    begin = time.perf_counter()
    rest = sum(1 for _ in batches)
    return rest * batch / (time.perf_counter() - begin)


def waiting_table(cfg: Config, records: Records, pipelines: Mapping[str, Any], args: argparse.Namespace) -> Table:
    """How much of a training step is waiting."""
    batch = args.batch_size or cfg.train_dataloader.batch_size
    workers = max(args.workers)
    config = copy.deepcopy(cfg.model)
    config.backbone.pretrained = False  # nothing is downloaded
    model = MODELS.build(config).to(args.device).train()
    device = torch.cuda.get_device_name() if args.device == 'cuda' else args.device
    table = Table(title=f'training on {device}, batches of {batch}, {workers} workers', title_justify='left')
    for column in ('storage', 'step, images/s', 'from the loader, images/s', 'waiting'):
        table.add_column(column, justify='left' if column == 'storage' else 'right')
    for name, (bits, _) in STORAGE.items():
        images = Images(records[bits], pipelines[name], (STEPS + 2) * batch)
        loader = DataLoader(images, batch_size=batch, num_workers=workers, collate_fn=pseudo_collate)
        ready = seconds_per_step(model, repeat(next(iter(loader))))
        read = seconds_per_step(model, iter(loader))
        table.add_row(name, f'{batch / ready:.0f}', f'{batch / read:.0f}', f'{max(1 - ready / read, 0):.0%}')
    return table


def repeat(batch: Record) -> Iterator[Record]:
    """One batch, as often as there are steps."""
    return (copy.deepcopy(batch) for _ in range(STEPS + 2))


def seconds_per_step(model: torch.nn.Module, batches: Iterator[Record]) -> float:
    """Forward and backward, on a GPU in mixed precision, after two steps to warm up."""
    device = next(model.parameters()).device.type
    begin = 0.0
    for number, batch in enumerate(batches):
        if number == 2:
            synchronise(device)
            begin = time.perf_counter()
        with torch.autocast(device, enabled=device == 'cuda'):
            loss, _ = model.parse_losses(model(**model.data_preprocessor(batch, training=True), mode='loss'))
        loss.backward()
        model.zero_grad()
    synchronise(device)
    return (time.perf_counter() - begin) / STEPS


def synchronise(device: str) -> None:
    if device == 'cuda':
        torch.cuda.synchronize()


if __name__ == '__main__':
    main()
