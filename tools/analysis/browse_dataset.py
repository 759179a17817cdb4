"""Look at a dataset as the network gets it: the image after each transform, with landmarks, nodes and boxes on.

One PNG per sample; a row per view, a column per transform.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope
from mmengine.runner import set_random_seed
from rich.console import Console
from rich.progress import track

from mmmammo import cli
from mmmammo.apis.arguments import add_config_options
from mmmammo.apis.runs import load_config
from mmmammo.datasets.transforms.tracking import current_affine
from mmmammo.structures import Affine, BreastLandmarks, MammoError

EXAMPLE = """example, on the phantom:
  python tools/prepare_dataset.py phantom --out data/phantom_decoys --num-exams 1200 --phantom-height 512 \\
      --phantom-split 0.7 0.02 0.28 --phantom-decoys 1.0 0.4 --finding-mix mass=1 --single-class mass
  python tools/analysis/browse_dataset.py configs/agrcnn_phantom.py --out work_dirs/browse --num 4

colours: contour green, pectoral line cyan, nipple magenta, nodes yellow (the first ringed), boxes red
"""

GREEN, CYAN, MAGENTA, YELLOW, RED = (80, 200, 80), (230, 200, 40), (230, 60, 230), (0, 220, 255), (60, 60, 255)
BAR = 24
"""Height of the line of text above each row and each panel."""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('--out', required=True, type=Path, help='folder for the PNG files')
    parser.add_argument('--split', choices=('train', 'val', 'test'), default='train', help='default: train')
    parser.add_argument(
        '--mode',
        choices=('pipeline', 'final'),
        default='pipeline',
        help='every transform, or only what the network gets; default: pipeline',
    )
    parser.add_argument('--num', type=int, default=8, help='samples to show; default: 8')
    parser.add_argument('--start', type=int, default=0, help='index of the first; default: 0')
    parser.add_argument('--seed', type=int, default=0, help='of the augmentations; default: 0')
    parser.add_argument('--height', type=int, default=420, help='of a panel in pixels; default: 420')
    add_config_options(parser)
    return parser.parse_args(argv)


def build_dataset(config: Config, split: str) -> Any:
    init_default_scope(config.get('default_scope', 'mmdet'))
    loader = config.get(f'{split}_dataloader')
    if loader is None:
        raise MammoError(
            config.filename, field=f'{split}_dataloader', found='none', expected='one', remedy='choose another --split'
        )
    return DATASETS.build(loader.dataset)


def view_records(dataset: Any, index: int) -> list[dict[str, Any]]:
    """The records of all views of a sample, after the transforms of the whole exam."""
    info = dataset.get_data_info(index)
    return dataset.exam_pipeline(info['images']) if 'images' in info else [info]


def steps(dataset: Any, record: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is there after each transform, once there is an image: its name and a flat dict of results."""
    results: dict[str, Any] | None = record
    for transform in dataset.pipeline.transforms:
        results = transform(results)
        if results is None:
            return
        flat = unpack(results) if 'data_samples' in results else results
        if 'img' in flat:
            yield type(transform).__name__, flat


def unpack(packed: dict[str, Any]) -> dict[str, Any]:
    """A packed sample, with the keys that it had before packing."""
    sample = packed['data_samples']
    return {
        **sample.metainfo,
        'img': packed['inputs'].numpy().transpose(1, 2, 0),
        'gt_bboxes': sample.gt_instances.bboxes,
        'gt_bboxes_labels': sample.gt_instances.labels,
    }


def draw_panel(title: str, results: dict[str, Any], height: int, classes: tuple[str, ...], prepared_boxes: bool) -> Any:
    """One image with everything known about it.

    Args:
        title: Written above.
        results: Of a pipeline step.
        height: Of the panel.
        classes: Names of the labels.
        prepared_boxes: Whether boxes are in prepared pixels, as in a test pipeline, rather than in current ones.
    """
    image = np.clip(results['img'], 0, 1)
    zoom = height / image.shape[0]
    size = (max(round(image.shape[1] * zoom), 1), height)
    grey = cv2.resize((image * 255).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    canvas = grey if grey.ndim == 3 else cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    to_panel = Affine.scaling(zoom)
    now = to_panel @ current_affine(results)
    if results.get('landmarks') is not None:
        draw_landmarks(canvas, results['landmarks'].transformed(now))
    if results.get('nodes') is not None:
        draw_nodes(canvas, to_panel.points(results['nodes']))
    if 'gt_bboxes' in results:
        boxes = (now if prepared_boxes else to_panel).boxes(results['gt_bboxes'].numpy())
        draw_boxes(canvas, boxes, [classes[int(label)] for label in results['gt_bboxes_labels']])
    return np.vstack([text_bar(f'{title} {image.shape[1]}x{image.shape[0]}', size[0]), canvas])


def text_bar(text: str, width: int) -> Any:
    bar = np.zeros((BAR, width, 3), dtype=np.uint8)
    cv2.putText(bar, text, (4, BAR - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
    return bar


def draw_landmarks(canvas: Any, landmarks: BreastLandmarks) -> None:
    cv2.polylines(canvas, [landmarks.contour.round().astype(np.int32)], True, GREEN, 1, cv2.LINE_AA)
    top, bottom = landmarks.pectoral_line.round().astype(int).tolist()
    cv2.line(canvas, top, bottom, CYAN, 1, cv2.LINE_AA)
    cv2.drawMarker(canvas, landmarks.nipple.round().astype(int).tolist(), MAGENTA, cv2.MARKER_CROSS, 14, 2)


def draw_nodes(canvas: Any, nodes: Any) -> None:
    for point in nodes.round().astype(int).tolist():
        cv2.circle(canvas, point, 2, YELLOW, -1, cv2.LINE_AA)
    cv2.circle(canvas, nodes[0].round().astype(int).tolist(), 6, YELLOW, 1, cv2.LINE_AA)


def draw_boxes(canvas: Any, boxes: Any, names: list[str]) -> None:
    for (x1, y1, x2, y2), name in zip(boxes.round().astype(int).tolist(), names, strict=True):
        cv2.rectangle(canvas, (x1, y1), (x2, y2), RED, 2)
        cv2.putText(canvas, name, (x1, max(y1 - 4, 10)), cv2.FONT_HERSHEY_SIMPLEX, 0.4, RED, 1, cv2.LINE_AA)


def draw_row(dataset: Any, record: dict[str, Any], mode: str, height: int) -> Any:
    """One view under its name, a panel per step; drawn as steps come, because transforms write into what they get."""
    classes = dataset.metainfo['classes']
    name = f'{record["exam_id"]} {record["laterality"]}-{record["view"]}'
    panels = [draw_panel(step, results, height, classes, dataset.test_mode) for step, results in steps(dataset, record)]
    row = np.hstack(panels if mode == 'pipeline' else panels[-1:])
    return np.vstack([text_bar(name, row.shape[1]), row])


def draw_sample(dataset: Any, index: int, mode: str, height: int) -> Any:
    """All views of one sample below each other, padded to one width."""
    rows = [draw_row(dataset, record, mode, height) for record in view_records(dataset, index)]
    width = max(row.shape[1] for row in rows)
    return np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows])


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    config = load_config(args.config, options=args.cfg_options)
    set_random_seed(args.seed)
    dataset = build_dataset(config, args.split)
    console = Console()
    console.print(repr(dataset), markup=False, highlight=False)
    args.out.mkdir(parents=True, exist_ok=True)
    chosen = range(len(dataset))[args.start : args.start + args.num]
    if not chosen:
        raise MammoError(
            '--start, --num',
            field='samples',
            found=f'none from {args.start} on',
            expected=f'some of 0 to {len(dataset) - 1}',
            remedy='choose others',
        )
    for index in track(chosen, 'Drawing', console=console):
        cv2.imwrite(
            str(args.out / f'{args.split}_{index:05d}.png'), draw_sample(dataset, index, args.mode, args.height)
        )
    console.print(f'{len(chosen)} samples in {args.out}')


if __name__ == '__main__':
    cli.run(main)
