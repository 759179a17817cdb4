#!/usr/bin/env python
"""Write scores of images as RSNA's challenge wants them: prediction_id,cancer, one row per breast.

Examples:
    python tools/export_submission.py work_dirs/crossval/run/scores.csv --out submission.csv
    python tools/export_submission.py scores.csv --out submission.csv --expected sample_submission.csv --missing 0.02
    python tools/export_submission.py scores.csv --out submission.csv --rule max --threshold 0.31

A prediction_id is <patient>_<side>. With --expected (sample_submission.csv, or test.csv) every breast asked for has
to be there and no other, as the grader wants it. A threshold is best chosen on out-of-fold scores: metrics.json of
tools/crossval.py has it as oof/breast/threshold@best, and what it is worth on other patients as oof/breast/binf1@thr.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from mmmammo import cli
from mmmammo.evaluation.summary.submission import RULES, make_submission
from mmmammo.io.intake import first_of


def parse_args() -> argparse.Namespace:
    parser = cli.make_parser(__doc__)
    parser.add_argument('table', type=Path, help='scores.csv: patient_id, laterality, image_id and a score per image')
    parser.add_argument('--out', type=Path, required=True, help='the file to write')
    parser.add_argument('--score', default='score', metavar='COLUMN', help='column of the scores (score)')
    parser.add_argument('--rule', choices=RULES, default='mean', help='over the images of a breast (mean)')
    parser.add_argument('--threshold', type=float, help='write 1 above this score, 0 elsewhere')
    parser.add_argument('--expected', type=Path, metavar='CSV', help='file with every prediction_id, in order')
    parser.add_argument('--missing', type=float, metavar='SCORE', help='score of breasts asked for without an image')
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    console = Console()
    submission = make_submission(
        args.table,
        score=args.score,
        rule=args.rule,
        threshold=args.threshold,
        expected=args.expected,
        missing=args.missing,
    )
    submission.write(args.out)
    console.print(
        f'{len(submission.scores):,} breasts of {submission.n_images:,} images: {args.out}',
        highlight=False,
        soft_wrap=True,
        markup=False,
    )
    for words, names in (
        (f'breasts without an image got {args.missing}', submission.filled),
        ('patients with one breast only', submission.one_sided),
    ):
        if names:
            console.print(f'{words} ({len(names):,}): {first_of(names)}', highlight=False, soft_wrap=True, markup=False)
    return 0


if __name__ == '__main__':
    cli.run(main)
