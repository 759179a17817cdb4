#!/usr/bin/env python
"""Put results of tools/infer.py --shard together.

Examples:
    for i in 1 2 3 4; do
        CUDA_VISIBLE_DEVICES=$((i - 1)) python tools/infer.py CONFIG CKPT archive --out parts/$i --shard $i/4 &
    done; wait
    python tools/join_results.py parts/* --out results

OUT is then as if one run had written it: document, tables, and what each exam has for itself, as hard links where the
disk allows. tools/infer.py … --out OUT --resume goes on there, with exams that came since, or that a part has not done.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from mmmammo import cli
from mmmammo.apis.joined_results import join_results


def parse_args() -> argparse.Namespace:
    parser = cli.make_parser(__doc__)
    parser.add_argument('parts', nargs='+', type=Path, metavar='PART', help='folders that infer.py wrote, by one model')
    parser.add_argument('--out', type=Path, required=True, help='the new folder')
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    console = Console()

    def tell(part: Path, taken: int, lacking: int) -> None:
        console.print(f'{part}: {taken} exams', highlight=False, soft_wrap=True, markup=False)
        if lacking:
            gone = f'  {lacking} more left out: files of theirs are gone; tools/infer.py … --out {args.out} --resume'
            console.print(f'{gone} makes them again', style='yellow', highlight=False, soft_wrap=True, markup=False)

    num_exams = join_results(args.parts, args.out, tell)
    console.print(f'{num_exams} exams in {args.out}', highlight=False, soft_wrap=True, markup=False)
    return 0


if __name__ == '__main__':
    cli.run(main)
