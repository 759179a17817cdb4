"""Results of exams as files: JSON, CSV and a panel per exam."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from mmmammo.apis.file_names import FileNames
from mmmammo.apis.results import ExamResult, ImageResult
from mmmammo.io import write_heatmap, write_png16
from mmmammo.visualization import PanelView, draw_exam_panel, region_map, save_exam_panel

_LAST_COLUMNS = ('lesion', 'malignancy', 'detector_score', 'ipsilateral', 'contralateral')
FILE_COLUMNS = ('exam_id', 'file', 'laterality', 'view', 'used', 'detections', 'score', 'reason')
COLUMNS = ('exam_id', 'file', 'laterality', 'view', 'category', 'score', 'x1', 'y1', 'x2', 'y2', *_LAST_COLUMNS)


class ResultWriter:
    """Writes results as they come, so that an interrupted run keeps what it has.

    ``detections.csv`` and ``panels/<exam>.png`` grow exam by exam, and ``files.csv`` by a row for every file, with what
    was found, nothing perhaps, or the reason why it was not used. ``detections.json`` is written on leaving.

    Args:
        out: Folder; made if need be.
        classes: Class list.
        info: What made the results (config, checkpoint, version).
        regions: Show high-risk regions in the panels and write them too, ``regions/<exam>/<file>.png``: 16-bit grey,
            white is 1, in the pixels of the user's file; ``detections.json`` names them. A model with heatmaps shows
            these, and writes the maps of its classes beside as ``.npz`` (:func:`mmmammo.io.write_heatmap`).
    """

    def __init__(self, out: Path, classes: Sequence[str], info: dict[str, Any], regions: bool = False) -> None:
        self.out = out
        self.regions = regions
        self.classes = tuple(classes)
        self.info = info
        self._names = FileNames()
        self._exams: list[dict[str, Any]] = []
        out.mkdir(parents=True, exist_ok=True)
        (out / 'detections.json').unlink(missing_ok=True)  # of another run
        self._detections = _begun(out / 'detections.csv', COLUMNS)
        self._files = _begun(out / 'files.csv', FILE_COLUMNS)

    def __enter__(self) -> ResultWriter:
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._detections, self._files):
            file.close()
        document = {'info': {**self.info, 'classes': list(self.classes)}, 'exams': self._exams}
        (self.out / 'detections.json').write_text(json.dumps(document) + '\n', encoding='utf-8')

    def add(self, exam: ExamResult) -> Path | None:
        """Write one exam; returns its panel, ``None`` if it had no usable image."""
        entry, name = exam.to_json(self.classes), self._names.of(exam.exam_id)
        self._exams.append(entry)
        for image in entry['images']:
            place = (exam.exam_id, image['file'], image['laterality'], image['view'])
            for found in image['detections']:
                after = [found[name] for name in _LAST_COLUMNS]  # None is written as nothing
                _add_row(self._detections, [*place, found['category'], found['score'], *found['bbox'], *after])
            score = round(image['score'], 5)
            _add_row(self._files, [*place, 'yes', len(image['detections']), score, ''])
        for row in exam.rejected:
            _add_row(self._files, [exam.exam_id, row.path, '', '', 'no', '', '', row.reason])
        if not exam.images:
            return None
        for image, written in zip(exam.images, entry['images'], strict=True):
            if self.regions:
                written['regions'] = self._write_regions(image, name)
        path = self.out / 'panels' / f'{name}.png'
        save_exam_panel(path, [panel_view(image, regions=self.regions) for image in exam.images])
        return path

    def _write_regions(self, image: ImageResult, exam_name: str) -> str:
        """Returns the file, relative to ``out``."""
        path = self.out / 'regions' / exam_name / f'{self._names.of(image.prepared.quality.path)}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png16(path, image.regions)
        if image.heatmap is not None:
            classes = self.classes[: len(image.heatmap.values)]
            write_heatmap(path, image.heatmap, classes, image.prepared.image.affine)
        return path.relative_to(self.out).as_posix()


def _begun(path: Path, columns: Sequence[str]) -> IO[str]:
    file: IO[str] = path.open('w', newline='', encoding='utf-8')
    _add_row(file, columns)
    return file


def _add_row(file: IO[str], row: Sequence[object]) -> None:
    """At once on the disk, for whoever stops the run."""
    csv.writer(file).writerow(row)
    file.flush()


def panel_of(exam: ExamResult, max_side: int = 1600) -> npt.NDArray[np.uint8]:
    """The four views with boxes, scores, landmarks and attention, (h, w, 3) RGB."""
    return draw_exam_panel([panel_view(image) for image in exam.images], max_side)


def panel_view(image: ImageResult, num_boxes: int = 5, regions: bool = False) -> PanelView:
    """What the panel shows of one image: at most ``num_boxes`` boxes, the best ones; regions in place of attention."""
    prepared = image.prepared
    return PanelView(
        prepared.pixels,
        prepared.image.laterality,
        prepared.image.view,
        image.prepared_boxes[:num_boxes],
        image.scores[:num_boxes].tolist(),
        landmarks=prepared.image.landmarks,
        nodes=() if image.nodes is None else image.nodes,
        attention=None if regions else image.attention,
        regions=_regions(image) if regions else None,
        marks=image.lesions[:num_boxes],
        notes=[_note(image, i) for i in range(min(num_boxes, len(image.scores)))],
    )


def _regions(image: ImageResult) -> npt.NDArray[np.float32]:
    """In prepared pixels: the heatmap, or what the detections make."""
    if image.heatmap is not None:
        return image.heatmap.at_pixels(image.heatmap.strongest)
    height, width = image.prepared.pixels.shape
    return region_map(image.prepared_boxes, image.scores, (height, width))


def _note(image: ImageResult, i: int) -> str:
    """What stands after the score of a detection: how malignant it looks, and what the other views show there."""
    found = image.evidence
    values = {
        'mal.': None if image.malignancy is None else image.malignancy[i],
        'ipsi': None if found is None else found.ipsilateral[i],
        'contra': None if found is None else found.contralateral[i],
    }
    return ' '.join(
        f'{name} {value:.2f}' for name, value in values.items() if value is not None and not np.isnan(value)
    )
