#!/usr/bin/env python
"""Put the numbers of test runs into docs/results.json and write docs/results.md from it.

Example:
    python tools/test.py configs/agrcnn_phantom.py work_dirs/agrcnn_phantom/epoch_3.pth --report report
    python tools/analysis/collect_results.py report/metrics.json

A run replaces an earlier one of the same config, checkpoint and data. Nothing in docs/results.md is typed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmmammo import cli
from mmmammo.structures import MammoError

DOCS = Path(__file__).resolve().parents[2] / 'docs'
FPS_PER_IMAGE = ('0.50', '1.00', '2.00', '3.00', '4.00')
KEYS = ('config', 'checkpoint', 'data')
HEAD = """# Results

Written by `tools/analysis/collect_results.py` from the `metrics.json` of test runs; each row can be had again with its
command at its commit. Recall in % at 0.5 / 1 / 2 / 3 / 4 false positives per image (IoU > 0.2, a further hit on a found
lesion is a false positive), 95 % intervals in brackets where patients were resampled. `untrained` is the same model
with random weights. **The phantom is synthetic: no number here says anything about patients.**

| command | data | images, lesions | seed | code | recall |
|---|---|---|---|---|---|
"""


def render(results: Sequence[Mapping[str, Any]]) -> str:
    """The page."""
    rows = [_row(entry['run'], entry['metrics']) for entry in sorted(results, key=_key)]
    return HEAD + '\n'.join(rows) + '\n'


def merged(results: Sequence[Mapping[str, Any]], new: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The results with one more, in place of an earlier one of the same config, checkpoint and data."""
    return [entry for entry in results if _key(entry) != _key(new)] + [new]


def _key(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(entry['run'][key]) for key in KEYS)


def _row(run: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    command = f'`tools/test.py {run["config"]} {run["checkpoint"]}`'
    counts = f'{metrics["froc/n_images"]:.0f}, {metrics["froc/n_lesions"]:.0f}'
    recalls = ' / '.join(_recall(metrics, fps) for fps in FPS_PER_IMAGE)
    source = f'{run["data"]} ({run["source"]})'
    return f'| {command} | {source} | {counts} | {run["seed"]} | {run["code"]} | {recalls} |'


def _recall(metrics: Mapping[str, Any], fps: str) -> str:
    value, low, high = (metrics.get(f'froc/recall@{fps}{end}') for end in ('', '_low', '_high'))
    if value is None:
        return 'not defined'
    interval = '' if low is None or high is None else f' ({100 * low:.1f} to {100 * high:.1f})'
    return f'{100 * value:.1f}{interval}'


def _read(path: Path) -> dict[str, Any]:
    try:
        entry: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
        entry = {key: entry[key] for key in ('run', 'metrics')}
        _row(entry['run'], entry['metrics'])
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise MammoError(
            path,
            field='content',
            found=err,
            expected='a metrics.json of tools/test.py',
            remedy='run tools/test.py again',
        ) from err
    return entry


def main() -> int:
    parser = cli.make_parser(__doc__)
    parser.add_argument('metrics', nargs='*', type=Path, help='metrics.json of test runs; none: only write the page')
    parser.add_argument('--docs', type=Path, default=DOCS, help='folder of results.json and results.md')
    args = parser.parse_args()
    store = args.docs / 'results.json'
    results = json.loads(store.read_text(encoding='utf-8')) if store.is_file() else []
    for path in args.metrics:
        results = merged(results, _read(path))
    store.write_text(json.dumps(sorted(results, key=_key), indent=1) + '\n', encoding='utf-8')
    (args.docs / 'results.md').write_text(render(results), encoding='utf-8')
    print(f'{len(results)} results: {args.docs / "results.md"}')
    return 0


if __name__ == '__main__':
    cli.run(main)
