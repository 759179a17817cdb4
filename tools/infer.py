#!/usr/bin/env python
"""Run a trained model on a folder of exams, DICOM or PNG: lesions of a detector, scores of a classifier.

Examples:
    python tools/infer.py configs/agrcnn_phantom.py work_dirs/agrcnn_phantom/epoch_3.pth my_exams --out results
    python tools/infer.py configs/holistic_phantom.py work_dirs/holistic_phantom/epoch_60.pth my_exams --out results
    python tools/infer.py CONFIG CKPT archive --out results --workers 8 --resume   (go on, or add new exams)

A detector writes results/detections.json and .csv (boxes in pixels of your files), files.csv (what became of each file)
and results/panels/<exam>.png, in which the detections of one lesion in CC and MLO share letter and colour; with
--regions also results/regions/<exam>/<file>.png, with --dicom results/dicom/<exam>_report.dcm and <exam>_panel.dcm. A
classifier writes results/scores.json, scores.csv (images), exams.csv (breasts and exams) and panels. Files that cannot
be used are named with their reason; the rest is processed. results/.infer is what --resume
goes on from. Research software, not a medical device.
"""

from __future__ import annotations

from mmmammo import cli


def main() -> int:
    from mmmammo.apis.infer_command import infer  # here, because the workers read this file, too, and need none of it

    return infer(__doc__)


if __name__ == '__main__':
    cli.run(main, interrupted='give the same command again with --resume to go on')
