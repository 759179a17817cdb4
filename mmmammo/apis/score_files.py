"""Scores of exams as files: JSON, two tables and a panel per exam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from mmmammo.apis.exam_writer import ExamWriter, Written
from mmmammo.apis.score_results import ExamScores, ImageScores
from mmmammo.io.score_files import SCORE
from mmmammo.visualization import PanelView, save_exam_panel

IMAGES, EXAMS, DOCUMENT = 'scores.csv', 'exams.csv', 'scores.json'
WINDOW = ('x1', 'y1', 'x2', 'y2')


class ScoreWriter(ExamWriter[ExamScores]):
    """Writes scores as they come, so that an interrupted run keeps what it has.

    ``scores.csv`` has a row per image, with 1 where it counts in breast and exam, and the window a model looked at in
    pixels of the file; ``exams.csv`` a row per breast and, without side, per exam, with how many images count. With a
    frozen threshold the column ``called`` has 1 for an image that reaches it, and how many of those that count do. Both
    grow exam by exam, as do ``panels/<exam>.png``; ``scores.json`` is written on leaving.
    """

    document = DOCUMENT
    tables = (IMAGES, EXAMS)

    num_called = 0
    """Images so far that reach the frozen threshold."""

    @staticmethod
    def greatest_score(entry: Mapping[str, Any]) -> float:
        """Of the first class of the images, calibrated if scores are."""
        return max(next(iter(image['scores'].values())) for image in entry['images'])

    def written(self, exam: ExamScores, name: str) -> Written:
        """The panel of an exam; what stands in document and tables."""
        entry = exam.to_json()
        if not exam.images:
            return Written(entry)
        rows = {IMAGES: [_image_row(exam.exam_id, image) for image in exam.images], EXAMS: _exam_rows(exam)}
        if not self.panels:
            return Written(entry, rows, _heads(exam.classes))
        panel = f'panels/{name}.png'
        save_exam_panel(self.out / panel, [panel_view(image, exam.classes) for image in exam.images])
        return Written(entry, rows, _heads(exam.classes), self.out / panel, [panel])

    def _take(self, line: dict[str, Any], journal: IO[str]) -> None:
        super()._take(line, journal)
        self.num_called += sum(image['called'] or False for image in line['exam']['images'])


def _heads(classes: Sequence[str]) -> dict[str, list[str]]:
    scores = [SCORE] if len(classes) == 1 else [f'{SCORE}_{name}' for name in classes]
    return {
        IMAGES: ['exam_id', 'file', 'laterality', 'view', *scores, 'called', 'counts', *WINDOW],
        EXAMS: ['exam_id', 'laterality', *scores, 'called', 'images', 'missing_views'],
    }


def panel_view(image: ImageScores, classes: Sequence[str]) -> PanelView:
    """What the panel shows of one image: its scores, and the window the model looked at."""
    prepared = image.prepared
    title = f'{image.scores[0]:.3f}'
    if len(classes) > 1:
        best = int(np.argmax(image.scores))
        title = f'{classes[best]} {image.scores[best]:.3f}'
    return PanelView(
        prepared.pixels,
        prepared.image.laterality,
        prepared.image.view,
        boxes=() if image.window is None else prepared.image.affine.boxes(image.window[None]),
        landmarks=prepared.image.landmarks,
        title=title,
    )


def _image_row(exam_id: str, image: ImageScores) -> list[object]:
    found, quality = image.prepared.image, image.prepared.quality
    window: Sequence[object] = [''] * 4 if image.window is None else _rounded(image.window)
    place = [exam_id, quality.path, found.laterality.value, found.view.value]
    called = '' if image.called is None else int(image.called)
    return [*place, *image.scores.tolist(), called, int(image.counts), *window]


def _exam_rows(exam: ExamScores) -> list[list[object]]:
    missing = {side: ' '.join(view[2:] for view in exam.missing_views if view[0] == side) for side in 'LR'}
    rows: list[list[object]] = [
        [exam.exam_id, side, *scores.tolist(), exam.called(side), exam.count(side), missing[side]]
        for side, scores in exam.breasts.items()
    ]
    whole = [''] * len(exam.classes) if exam.exam is None else exam.exam.tolist()
    return [*rows, [exam.exam_id, '', *whole, exam.called(), exam.count(), ', '.join(exam.missing_views)]]


def _rounded(window: npt.NDArray[np.float64]) -> list[float]:
    rounded: list[float] = np.round(window, 2).tolist()
    return rounded
