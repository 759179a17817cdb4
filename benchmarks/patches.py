"""Patches of a view at full size: read in part from a decoded copy, against decoding and equalising the view for each.

A view of the phantom (3328 x 2560, cut to the breast as a prepared set has it) is written as PNG. Both sides give the
same fused patches, drawn as paper 1 draws them around a box of 228 x 244 pixels, the median of VinDr-Mammo:

* The reference decodes the PNG, equalises the view at both scales, cuts and resizes.
* Ours is ``OpenView``, ``SamplePatch`` and ``CutPatch``, once from the kept copy of a view that is opened anew for each
  patch, as in a shuffled epoch, and once from one that is still open.

CPU seconds of one thread, medians.

    python benchmarks/patches.py                    # under a minute
    python benchmarks/patches.py --height 1664
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from mmmammo.datasets.transforms import CutPatch, OpenView, SamplePatch
from mmmammo.io import read_png16, write_png16
from mmmammo.phantom import PhantomConfig, make_exam
from mmmammo.preprocessing import crop_to_breast
from mmmammo.preprocessing.fusion import Fusion

WINDOW = 256
BOX = (228.0, 244.0)


def record_of(path: Path, cache: Path) -> dict[str, Any]:
    """As ``PatchDataset`` makes them, of a box in the middle of the view."""
    height, width = read_png16(path).shape
    x, y = 0.4 * width, 0.5 * height
    return {
        'img_path': str(path),
        'height': height,
        'width': width,
        'cache': str(cache),
        'patch_boxes': np.array([[x - BOX[0] / 2, y - BOX[1] / 2, x + BOX[0] / 2, y + BOX[1] / 2]]),
        'patch_box_labels': np.ones((1, 10), dtype=np.float32),
        'patch_source': 0,
        'has_no_finding_output': False,
    }


def whole_view(record: dict[str, Any], patch: tuple[int, int, int, int]) -> np.ndarray:
    """What one would write first."""
    image = read_png16(record['img_path'])
    x1, y1, x2, y2 = patch
    part = Fusion().of(image).apply(image)[y1:y2, x1:x2]
    return cv2.resize(part, (WINDOW, WINDOW), interpolation=cv2.INTER_AREA)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median CPU time of a call."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return statistics.median(times)


def main() -> None:
    """Make the view, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--height', type=int, default=3328, help='of the view before it is cut to the breast')
    parser.add_argument('--repeats', type=int, default=40, help='patches (the reference: a tenth)')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    np.random.seed(0)
    with tempfile.TemporaryDirectory() as folder:
        path, cache = Path(folder, 'view.png'), Path(folder, 'decoded_views')
        view = make_exam(PhantomConfig(height=args.height), 0).views[0]
        write_png16(path, np.ascontiguousarray(crop_to_breast(view.image)[0]))
        record = record_of(path, cache)
        sample, cut, opened = SamplePatch(), CutPatch(WINDOW), OpenView()
        first = seconds(lambda: OpenView()(record), 1)
        patch = sample(opened(record))['patch']
        reference = seconds(lambda: whole_view(record, patch), max(args.repeats // 10, 3))
        anew = seconds(lambda: cut(sample(OpenView()(record))), args.repeats)
        still = seconds(lambda: cut(sample(opened(record))), args.repeats)
        kept = sum(file.stat().st_size for file in cache.iterdir()) / 1e6
    table = Table(title=f'{WINDOW} x {WINDOW} patches of a view of {record["height"]} x {record["width"]}')
    for column in ('', 'ms per patch', 'times faster'):
        table.add_column(column, justify='left' if not column else 'right')
    for name, took in (('view decoded for each', reference), ('view opened anew', anew), ('view open', still)):
        table.add_row(name, f'{took * 1e3:.1f}', f'{reference / took:.0f}')
    Console().print(table, f'first patch of a view: {first * 1e3:.0f} ms; {kept:.1f} MB kept beside its PNG')


if __name__ == '__main__':
    main()
