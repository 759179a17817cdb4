"""Command line: write a phantom set and say what it is."""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mmmammo import cli
from mmmammo.phantom.config import PhantomConfig
from mmmammo.phantom.dataset import check_dataset, write_dataset
from mmmammo.phantom.exam import make_exam
from mmmammo.phantom.spectrum import SpectrumSlope, measure_slope
from mmmammo.phantom.vendors import VENDORS
from mmmammo.structures import STANDARD_VIEWS, MammoError, View

EXAMPLE = """example:
  python -m mmmammo.phantom --out data/raw/phantom --exams 200 --height 1024 --workers 2 --seed 0
  python tools/prepare_dataset.py phantom --raw data/raw/phantom --out data/phantom_all

An interrupted run goes on where it was when the same command is given again."""


def main(argv: list[str] | None = None) -> int:
    """Parse, write, report; 0 on success.

    Raises:
        MammoError: If the options are out of range, or the folder holds something else.
    """
    arguments = _parse(argv)
    console = Console()
    config = _config(arguments)
    _check(arguments, config)
    started = time.perf_counter()
    info = _write(arguments, config, console)
    elapsed = time.perf_counter() - started
    slopes = measure_gland(config, arguments.seed, min(arguments.spectrum_exams, arguments.exams))
    console.print(_summary(info, elapsed, slopes, arguments.out))
    return 0


def measure_gland(config: PhantomConfig, seed: int, num_exams: int) -> dict[View, SpectrumSlope]:
    """Spectral exponent of the gland in the displayed images of the first exams, made again without lesions."""
    healthy = replace(config, prevalence=0.0, overlap_decoys=0.0, symmetric_decoys=0.0)
    views = [view for index in range(num_exams) for view in make_exam(healthy, seed, index).views]
    slopes = {}
    for name in STANDARD_VIEWS:
        chosen = [view for view in views if view.view is name]
        regions = [view.gland_region for view in chosen]
        slopes[name] = measure_slope([view.image for view in chosen], regions, config.pixel_spacing_mm)
    return slopes


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m mmmammo.phantom',
        description='Write synthetic screening exams as DICOM, with their ground truth.',
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = PhantomConfig()
    parser.add_argument('--out', type=Path, required=True, help='folder to write to')
    parser.add_argument('--exams', type=int, default=200, help='number of exams (default: %(default)s)')
    parser.add_argument(
        '--height', type=int, default=default.height, help='image height in pixels, 256 to 3328 (default: %(default)s)'
    )
    parser.add_argument(
        '--workers', type=int, default=os.cpu_count() or 1, help='processes (default: all cores, %(default)s)'
    )
    parser.add_argument('--seed', type=int, default=0, help='same seed and options, same bytes (default: %(default)s)')
    parser.add_argument(
        '--prevalence',
        type=float,
        default=default.prevalence,
        help='fraction of exams with a finding (default: %(default)s)',
    )
    parser.add_argument(
        '--contrast',
        type=float,
        nargs=2,
        metavar=('LEAST', 'MOST'),
        default=default.contrast,
        help='range of lesion contrast (default: %(default)s)',
    )
    parser.add_argument(
        '--overlap-decoys',
        type=float,
        default=default.overlap_decoys,
        help='mean number per image (default: %(default)s)',
    )
    parser.add_argument(
        '--symmetric-decoys',
        type=float,
        default=default.symmetric_decoys,
        help='mean number per exam (default: %(default)s)',
    )
    parser.add_argument(
        '--missing-views',
        type=float,
        default=default.missing_views,
        help='probability that a view is absent (default: %(default)s)',
    )
    parser.add_argument(
        '--vendors', nargs='+', default=(), metavar='NAME', help=f'out of {", ".join(VENDORS)} (default: all)'
    )
    parser.add_argument(
        '--spectrum-exams', type=int, default=8, help='exams on which to measure the spectrum (default: %(default)s)'
    )
    return parser.parse_args(argv)


def _config(arguments: argparse.Namespace) -> PhantomConfig:
    return PhantomConfig(
        height=arguments.height,
        prevalence=arguments.prevalence,
        contrast=tuple(arguments.contrast),
        overlap_decoys=arguments.overlap_decoys,
        symmetric_decoys=arguments.symmetric_decoys,
        missing_views=arguments.missing_views,
        vendors=tuple(arguments.vendors),
    )


def _check(arguments: argparse.Namespace, config: PhantomConfig) -> None:
    """Refuse what cannot be before the progress bar appears."""
    if arguments.spectrum_exams < 0:
        raise MammoError(
            'options',
            field='--spectrum-exams',
            found=arguments.spectrum_exams,
            expected='at least 0',
            remedy='give 0 to measure none',
        )
    check_dataset(arguments.out, arguments.exams, config, arguments.seed, arguments.workers)


def _write(arguments: argparse.Namespace, config: PhantomConfig, console: Console) -> dict:
    with cli.progress_bar(console) as progress:
        task = progress.add_task('phantom exams', total=arguments.exams)

        def advance(_: str) -> None:
            progress.advance(task)

        return write_dataset(arguments.out, arguments.exams, config, arguments.seed, arguments.workers, advance)


def _summary(info: dict, elapsed: float, slopes: dict[View, SpectrumSlope], out: Path) -> Table:
    counts = info['counts']
    table = Table(title=f'phantom set in {out}', show_header=False, title_justify='left')
    findings = ', '.join(f'{name} {number}' for name, number in sorted(counts['findings'].items())) or 'none'
    splits = ', '.join(f'{name} {counts["splits"].get(name, 0)}' for name in ('train', 'val', 'test'))
    rows = [
        ('exams', f'{counts["exams"]} ({splits}); {counts["cancer_exams"]} with cancer'),
        ('images', f'{counts["images"]} of {info["config"]["height"]} px height'),
        ('findings in images', findings),
        ('decoys in images', str(counts['decoys'])),
        ('time', f'{elapsed:.1f} s, {elapsed / max(counts["images"], 1):.3f} s an image'),
    ]
    for view, slope in slopes.items():
        measured = f'1/f^{slope.beta:.2f} ({slope.num_regions} regions of 25.6 mm)'
        rows.append((f'gland spectrum {view}', measured if slope.num_regions else 'not measured'))
    for row in rows:
        table.add_row(*row)
    return table


if __name__ == '__main__':
    cli.run(main, interrupted='give the same command again to go on')
