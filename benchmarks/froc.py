"""FROC of 20,000 images x 100 detections, against plain loops; and 2,000 patient-bootstrap replicates of it.

    python benchmarks/froc.py [--images 20000] [--detections 100] [--loop-images 500] [--replicates 2000]

The reference does what one would write first: per image, per detection from the highest score down, the IoU with each
lesion, one lesion at a time; once with Python numbers, once with a NumPy call per detection. It runs on the first
``--loop-images`` images only, and time *per image* is compared. Both give the same matches there, which is checked.

The goals: at most 2 s, and a fiftieth of the time of the loops with a NumPy call per detection, which is how published
code does it. Python numbers are quicker than those, with about one lesion per image; a fiftieth of their time would
not do to sort the two million scores.

The bootstrap draws patients of four images. Its reference is one replicate done by reading the whole curve, which must
give the same numbers; the goal is 2,000 replicates in at most 60 s. Memory is the peak that NumPy holds beyond the
matches, found on a few replicates: it does not grow with their number.

All times are CPU seconds of one thread, so that a busy machine says nearly the same.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from mmmammo.evaluation.functional import (
    Matches,
    bootstrap_ci,
    flatten_images,
    froc,
    froc_area,
    froc_curve,
    froc_interval,
    froc_recall_at,
    match_detections,
)
from mmmammo.evaluation.functional.froc import DEFAULT_FPS_PER_IMAGE

IOU_THR = 0.2
VIEWS = 4
FROC_S, RATIO, BOOTSTRAP_S = 2, 50, 60


def make_case(num_images: int, num_detections: int, rng: np.random.Generator) -> tuple[list, list]:
    """Screening-like: about one lesion per image, a tenth of the detections near lesions, float32 as models give."""
    ground_truths = [random_boxes(n, rng) for n in rng.poisson(1.0, num_images)]
    detections = []
    for lesions in ground_truths:
        boxes = random_boxes(num_detections, rng)
        if len(lesions):
            near = num_detections // 10
            boxes[:near] = lesions[rng.integers(len(lesions), size=near)] + rng.uniform(-8, 8, (near, 4))
        detections.append((boxes.astype(np.float32), rng.random(num_detections, dtype=np.float32)))
    return detections, ground_truths


def random_boxes(n: int, rng: np.random.Generator) -> np.ndarray:
    corner = rng.uniform(0, 900, (n, 2))
    return np.concatenate([corner, corner + rng.uniform(20, 150, (n, 2))], axis=1)


def python_iou(a: list[float], b: list[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def python_loops(detections: list, ground_truths: list) -> list[tuple[float, bool]]:
    """``(score, hit)`` of every detection, with Python numbers."""
    fates = []
    for (boxes, scores), lesions in zip(detections, ground_truths, strict=True):
        boxes, scores, lesions, taken = boxes.tolist(), scores.tolist(), lesions.tolist(), set()
        for i in sorted(range(len(scores)), key=lambda i: -scores[i]):
            best, best_iou = None, IOU_THR
            for j, lesion in enumerate(lesions):
                iou = python_iou(boxes[i], lesion)
                if j not in taken and iou > best_iou:
                    best, best_iou = j, iou
            taken.add(best)
            fates.append((scores[i], best is not None))
    return fates


def numpy_loops(detections: list, ground_truths: list) -> list[tuple[float, bool]]:
    """``(score, hit)`` of every detection, with one NumPy IoU per detection against the image's lesions."""
    fates = []
    for (boxes, scores), lesions in zip(detections, ground_truths, strict=True):
        taken = np.zeros(len(lesions), dtype=bool)
        for i in np.argsort(-scores):
            size = np.minimum(boxes[i, 2:], lesions[:, 2:]) - np.maximum(boxes[i, :2], lesions[:, :2])
            both = np.clip(size, 0, None).prod(axis=1)
            area = (lesions[:, 2:] - lesions[:, :2]).prod(axis=1)
            iou = both / ((boxes[i, 2:] - boxes[i, :2]).prod() + area - both)
            iou[taken] = 0
            hit = len(iou) > 0 and iou.max() > IOU_THR
            if hit:
                taken[iou.argmax()] = True
            fates.append((scores[i], hit))
    return fates


def sweep(fates: list[tuple[float, bool]], num_images: int, num_lesions: int) -> list[tuple[float, float]]:
    """``(fps per image, recall)`` after every detection, by counting."""
    curve, hits, misses = [], 0, 0
    for _, hit in sorted(fates, key=lambda fate: -fate[0]):
        hits, misses = hits + hit, misses + (not hit)
        curve.append((misses / num_images, hits / num_lesions))
    return curve


def best_time(run: Callable[[], object], repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def told(goal: str, met: bool) -> str:
    return f'{goal}, {"yes" if met else "NO"}'


def whole_curve_interval(matches: Matches, patients: np.ndarray, n: int) -> np.ndarray:
    """Bounds of the readings, with every replicate's curve drawn to its end."""

    def readings(rows: np.ndarray) -> np.ndarray:
        curve = froc_curve(matches, np.bincount(rows, minlength=matches.num_images))
        return np.append(froc_recall_at(curve, DEFAULT_FPS_PER_IMAGE), froc_area(curve))

    interval = bootstrap_ci(readings, patients, n)
    return np.stack([interval.low, interval.high])


def bootstrap_table(matches: Matches, replicates: int, few: int = 10) -> Table:
    patients = np.arange(matches.num_images) // VIEWS
    tracemalloc.start()
    interval = froc_interval(matches, patients, DEFAULT_FPS_PER_IMAGE, few)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    if not np.allclose(whole_curve_interval(matches, patients, few), [interval.low, interval.high], rtol=1e-9):
        raise SystemExit('froc_interval() differs from reading the whole curves: the comparison is void')
    ours = best_time(lambda: froc_interval(matches, patients, DEFAULT_FPS_PER_IMAGE, replicates), repeats=1)
    whole = best_time(lambda: whole_curve_interval(matches, patients, few), repeats=1) / few
    table = Table('bootstrap', 'times', 'CPU s', 'ms each', 'peak memory', 'faster by', 'goal, met')
    table.add_row(
        'mmmammo froc_interval()',
        f'{replicates:,}',
        f'{ours:.1f}',
        f'{ours / replicates * 1e3:.2f}',
        f'{peak / 1e6:.0f} MB',
        '',
        told(f'{BOOTSTRAP_S} s', ours / replicates * 2000 <= BOOTSTRAP_S),
    )
    ratio = whole / (ours / replicates)
    table.add_row('whole curves', f'{few}', f'{whole * few:.1f}', f'{whole * 1e3:.2f}', '', f'{ratio:.0f}x')
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--images', type=int, default=20_000)
    parser.add_argument('--detections', type=int, default=100, help='per image')
    parser.add_argument('--loop-images', type=int, default=500, help='images that the loops run on')
    parser.add_argument('--replicates', type=int, default=2000, help='of the patient bootstrap')
    args = parser.parse_args()
    detections, ground_truths = make_case(args.images, args.detections, np.random.default_rng(0))
    some = detections[: args.loop_images], ground_truths[: args.loop_images]
    num_lesions = sum(map(len, some[1]))

    ours = best_time(lambda: froc(detections, ground_truths))
    table = Table('method', 'images', 'CPU s', 'µs per image', 'faster by', 'goal, met')
    met = told(f'{FROC_S} s', ours / args.images * 20_000 <= FROC_S)
    table.add_row('mmmammo froc()', f'{args.images:,}', f'{ours:.3f}', f'{ours / args.images * 1e6:.1f}', '', met)
    expected = int(match_detections(flatten_images(*some)).is_true_positive.sum())
    for name, loops in (('loops, NumPy IoU', numpy_loops), ('loops, plain Python', python_loops)):
        found = sum(hit for _, hit in loops(*some))
        if found != expected:
            raise SystemExit(f'{name} found {found} lesions, froc() {expected}: the comparison is void')
        spent = best_time(lambda loops=loops: sweep(loops(*some), args.loop_images, num_lesions), repeats=2)
        ratio = (spent / args.loop_images) / (ours / args.images)
        per_image = f'{spent / args.loop_images * 1e6:.1f}'
        met = told(f'{RATIO}x', ratio >= RATIO) if loops is numpy_loops else ''
        table.add_row(name, f'{args.loop_images:,}', f'{spent:.3f}', per_image, f'{ratio:.0f}x', met)
    Console().print(table)
    Console().print(bootstrap_table(match_detections(flatten_images(detections, ground_truths)), args.replicates))


if __name__ == '__main__':
    main()
