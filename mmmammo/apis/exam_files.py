"""Results of exams as files: JSON, CSV and a panel per exam."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from mmmammo.apis.results import ExamResult, ImageResult
from mmmammo.prepare.run import slug
from mmmammo.visualization import PanelView, draw_exam_panel, save_exam_panel

COLUMNS = ('exam_id', 'file', 'laterality', 'view', 'category', 'score', 'x1', 'y1', 'x2', 'y2')


class ResultWriter:
    """Writes results as they come, so that an interrupted run keeps what it has.

    ``detections.csv`` and ``panels/<exam>.png`` grow exam by exam; ``detections.json`` is written on leaving.

    Args:
        out: Folder; made if need be.
        classes: Class list.
        info: What made the results (config, checkpoint, version).
    """

    def __init__(self, out: Path, classes: Sequence[str], info: dict[str, Any]) -> None:
        self.out = out
        self.classes = tuple(classes)
        self.info = info
        self._panels: set[str] = set()
        self._exams: list[dict[str, Any]] = []
        out.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = (out / 'detections.csv').open('w', newline='', encoding='utf-8')
        self._csv = csv.writer(self._file)
        self._csv.writerow(COLUMNS)

    def __enter__(self) -> ResultWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        document = {'info': {**self.info, 'classes': list(self.classes)}, 'exams': self._exams}
        (self.out / 'detections.json').write_text(json.dumps(document) + '\n', encoding='utf-8')

    def add(self, exam: ExamResult) -> Path | None:
        """Write one exam; returns its panel, ``None`` if it had no usable image."""
        entry = exam.to_json(self.classes)
        self._exams.append(entry)
        for image in entry['images']:
            for found in image['detections']:
                place = (exam.exam_id, image['file'], image['laterality'], image['view'])
                self._csv.writerow([*place, found['category'], found['score'], *found['bbox']])
        self._file.flush()
        if not exam.images:
            return None
        path = self.out / 'panels' / f'{self._panel_name(exam.exam_id)}.png'
        save_exam_panel(path, [panel_view(image) for image in exam.images])
        return path

    def _panel_name(self, exam_id: str) -> str:
        """The exam as a file name; exams that would share one (``a/1`` and ``a_1``) are told apart by a digest."""
        name = slug(exam_id)
        if name.lower() in self._panels:
            name = f'{name}-{hashlib.sha256(exam_id.encode()).hexdigest()[:8]}'
        self._panels.add(name.lower())
        return name


def panel_of(exam: ExamResult, max_side: int = 1600) -> npt.NDArray[np.uint8]:
    """The four views with boxes, scores, landmarks and attention, (h, w, 3) RGB."""
    return draw_exam_panel([panel_view(image) for image in exam.images], max_side)


def panel_view(image: ImageResult, num_boxes: int = 5) -> PanelView:
    """What the panel shows of one image: at most ``num_boxes`` boxes, the best ones."""
    prepared = image.prepared
    return PanelView(
        prepared.pixels,
        prepared.image.laterality,
        prepared.image.view,
        image.prepared_boxes[:num_boxes],
        image.scores[:num_boxes].tolist(),
        landmarks=prepared.image.landmarks,
        nodes=() if image.nodes is None else image.nodes,
        attention=image.attention,
    )
