"""Results of exams as files: JSON, CSV and a panel per exam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from mmmammo.apis.exam_writer import ExamWriter, Written
from mmmammo.apis.file_names import FileNames
from mmmammo.apis.results import ExamResult, ImageResult
from mmmammo.io import write_heatmap, write_png16
from mmmammo.structures import ImageRecord
from mmmammo.visualization import PanelView, draw_exam_panel, region_map, save_exam_panel

DETECTIONS, FILES = 'detections.csv', 'files.csv'
_LAST_COLUMNS = ('lesion', 'malignancy', 'detector_score', 'ipsilateral', 'contralateral')
FILE_COLUMNS = ('exam_id', 'file', 'laterality', 'view', 'used', 'detections', 'score', 'reason')
COLUMNS = ('exam_id', 'file', 'laterality', 'view', 'category', 'score', 'x1', 'y1', 'x2', 'y2', *_LAST_COLUMNS)


class ResultWriter(ExamWriter[ExamResult]):
    """Writes detections as they come, so that an interrupted run keeps what it has.

    ``detections.csv`` and ``panels/<exam>.png`` grow exam by exam, and ``files.csv`` by a row for every file, with what
    was found, nothing perhaps, or the reason why it was not used. ``detections.json`` is written on leaving.

    Args:
        out: As of :class:`ExamWriter`.
        classes: Class list.
        info: As of :class:`ExamWriter`.
        regions: Show high-risk regions in the panels and write them too, ``regions/<exam>/<file>.png``: 16-bit grey,
            white is 1, in the pixels of the user's file; ``detections.json`` names them. A model with heatmaps shows
            these, and writes the maps of its classes beside as ``.npz`` (:func:`mmmammo.io.write_heatmap`).
        exams: As of :class:`ExamWriter`.
        resume: As of :class:`ExamWriter`.
        panels: As of :class:`ExamWriter`.
    """

    document = 'detections.json'
    tables = (DETECTIONS, FILES)
    heads: ClassVar[Mapping[str, Sequence[str]]] = {DETECTIONS: COLUMNS, FILES: FILE_COLUMNS}

    def __init__(
        self,
        out: Path,
        classes: Sequence[str],
        info: Mapping[str, Any],
        regions: bool = False,
        exams: Mapping[str, Sequence[ImageRecord]] | None = None,
        resume: bool = False,
        panels: bool = True,
    ) -> None:
        self.regions = regions
        self.classes = tuple(classes)
        super().__init__(out, {**info, 'classes': list(classes)}, exams, resume, panels)

    @staticmethod
    def greatest_score(entry: Mapping[str, Any]) -> float:
        """Of the detections; 0 without any."""
        return float(entry['score'])

    def written(self, exam: ExamResult, name: str) -> Written:
        """Panel and regions of an exam; what stands in document and tables."""
        entry = exam.to_json(self.classes)
        rows = {DETECTIONS: _detection_rows(entry), FILES: _file_rows(entry)}
        if not exam.images:
            return Written(entry, rows)
        written = Written(entry, rows)
        if self.panels:
            panel = f'panels/{name}.png'
            save_exam_panel(self.out / panel, [panel_view(image, regions=self.regions) for image in exam.images])
            written = Written(entry, rows, panel=self.out / panel, files=[panel])
        if self.regions:
            names = FileNames()
            for image, of_image in zip(exam.images, entry['images'], strict=True):
                of_image['regions'] = f'regions/{name}/{names.of(image.prepared.quality.path)}.png'
                written.files += self._write_regions(image, of_image['regions'])
        return written

    def _write_regions(self, image: ImageResult, name: str) -> list[str]:
        """The regions, and a model's heatmap beside; returns all files, relative to ``out``."""
        path = self.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png16(path, image.regions)
        if image.heatmap is None:
            return [name]
        classes = self.classes[: len(image.heatmap.values)]
        write_heatmap(path, image.heatmap, classes, image.prepared.image.affine)
        return [name, f'{name.removesuffix(".png")}.npz']


def _detection_rows(entry: Mapping[str, Any]) -> list[list[Any]]:
    """A row per detection of an exam."""
    return [
        # None is written as nothing
        [*_place(entry, image), found['category'], found['score'], *found['bbox'], *map(found.get, _LAST_COLUMNS)]
        for image in entry['images']
        for found in image['detections']
    ]


def _file_rows(entry: Mapping[str, Any]) -> list[list[Any]]:
    """A row per file of an exam, the unusable ones last."""
    used = [
        [*_place(entry, image), 'yes', len(image['detections']), round(image['score'], 5), '']
        for image in entry['images']
    ]
    unused = [[entry['exam_id'], row['file'], '', '', 'no', '', '', row['reason']] for row in entry['rejected']]
    return used + unused


def _place(entry: Mapping[str, Any], image: Mapping[str, Any]) -> list[str]:
    return [entry['exam_id'], image['file'], image['laterality'], image['view']]


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
