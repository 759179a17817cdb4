"""What a terminal is told of each exam."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from mmmammo.apis.results import ExamResult
from mmmammo.apis.score_results import ExamScores
from mmmammo.prepare import Prepared


def tell_exam(exam: ExamResult | ExamScores, panel: Path | None, console: Console) -> None:
    """An exam, a line per file and score, why files are not used, and where its picture is."""
    missing = f', missing {", ".join(exam.missing_views)}' if exam.missing_views else ''
    console.print(
        f'[bold]{escape(exam.exam_id)}[/bold]: {len(exam.images)} views{missing}', highlight=False, soft_wrap=True
    )
    for line in lines_of_detections(exam) if isinstance(exam, ExamResult) else lines_of_scores(exam):
        console.print(f'  {line}', highlight=False, soft_wrap=True, markup=False)
    for row in exam.rejected:
        console.print(
            f'  not used: {row.path}: {row.reason}', style='red', highlight=False, soft_wrap=True, markup=False
        )
    if panel is not None:
        console.print(f'  panel: {panel}', highlight=False, soft_wrap=True, markup=False)


def lines_of_detections(exam: ExamResult) -> Iterable[str]:
    """What was found in each file."""
    for result in exam.images:
        found = f'{len(result.scores)} detections, best {result.score:.3f}' if len(result.scores) else 'no detection'
        quality = result.prepared.quality
        landmarks = 'no landmarks'
        if result.prepared.image.landmarks:
            landmarks = f'landmarks {quality.landmark_confidence:.2f}'
        yield f'{_place(result.prepared)} {found:<27} {landmarks}  {_file(result.prepared)}'


def lines_of_scores(exam: ExamScores) -> Iterable[str]:
    """Scores of images, breasts and the exam."""
    for image in exam.images:
        apart = '  called' if image.called else ''
        apart += '' if image.counts else '  (counts in no breast or exam)'
        yield f'{_place(image.prepared)} {_named(exam.classes, image.scores)}  {_file(image.prepared)}{apart}'
    for side, scores in exam.breasts.items():
        yield f'{side} breast {_named(exam.classes, scores)}'
    if exam.exam is not None:
        yield f'exam {_named(exam.classes, exam.exam)}'


def _place(prepared: Prepared) -> str:
    return f'{prepared.image.laterality} {prepared.image.view:<4}'


def _file(prepared: Prepared) -> str:
    return prepared.quality.path + (f'  ({prepared.quality.warnings})' if prepared.quality.warnings else '')


def _named(classes: Sequence[str], scores: Iterable[float]) -> str:
    return ', '.join(f'{name} {score:.3f}' for name, score in zip(classes, scores, strict=True))
