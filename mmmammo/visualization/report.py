"""One self-contained HTML page about a test run, for the clinician as well as the programmer.

Nothing on the page is fetched from anywhere: pictures are part of it. It shows no patient id, and exams by running
number only; a short hash of an id would not hide it, since ids are few enough to try.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib import rc_context
from matplotlib.figure import Figure

from mmmammo.evaluation.functional import (
    FROCCurve,
    FROCResult,
    Interval,
    Matches,
    froc_interval,
    froc_recall_at,
    froc_result,
    froc_threshold_at,
    match_images,
)
from mmmammo.evaluation.functional.froc import DEFAULT_FPS_PER_IMAGE
from mmmammo.io import read_png16
from mmmammo.io.predictions import read_predictions
from mmmammo.structures import ImagePrediction, MammoError
from mmmammo.visualization.case_selection import RULE, ExamSummary, choose_exams, summarise_exams
from mmmammo.visualization.curves import Band, draw_froc, draw_score_histogram
from mmmammo.visualization.exam_panel import PanelView, draw_exam_panel

FILE_NAME = 'report.html'
_BAND_POINTS = np.linspace(0, 4, 41)


@dataclass(frozen=True)
class ReportSettings:
    """What the page computes and shows.

    Args:
        title: Of the page.
        matching: See :func:`mmmammo.evaluation.functional.froc`.
        iou_thr: Likewise.
        duplicates: Likewise.
        fps_per_image: Where the recall is read.
        operating_fps: The detections shown, hits and misses are those at this many false positives per image.
        bootstrap: Replicates of the intervals, patients resampled; 0 for none.
        seed: Of the bootstrap.
        exams_per_group: At most so many exams of each kind.
        show_exam_ids: Show the exam ids as they are. For data without patients (the phantom) only.
        panel_side: Longest side of an exam's picture in pixels.
    """

    title: str = 'Lesion detection in mammograms'
    matching: str = 'iou'
    iou_thr: float = 0.2
    duplicates: str = 'false_positive'
    fps_per_image: tuple[float, ...] = DEFAULT_FPS_PER_IMAGE
    operating_fps: float = 1.0
    bootstrap: int = 1000
    seed: int = 0
    exams_per_group: int = 4
    show_exam_ids: bool = False
    panel_side: int = 900


def build_report(
    predictions: str | Path,
    metrics: Mapping[str, float],
    images_root: str | Path,
    out_dir: str | Path,
    run: Mapping[str, object] | None = None,
    settings: ReportSettings | None = None,
) -> Path:
    """Write ``report.html``.

    Args:
        predictions: File of :class:`mmmammo.evaluation.metrics.PredictionDump`; the headline numbers are computed
            from it.
        metrics: What the test run printed, shown in full at the end.
        images_root: Folder that the file names in ``predictions`` are relative to.
        out_dir: Made if absent.
        run: What was run, shown as given: model, config, checkpoint, data set, seed, commit, command, …
        settings: How to compute and what to show.

    Returns:
        The page.

    Raises:
        MammoError: If the predictions cannot be read, hold no image, or an image that is to be shown is absent.
    """
    settings = settings or ReportSettings()
    images, categories = read_predictions(predictions)
    if not images:
        raise MammoError(
            predictions, field='images', found='none', expected='at least one', remedy='test on a set that has images'
        )
    matches = match_images(images, matching=settings.matching, iou_thr=settings.iou_thr, duplicates=settings.duplicates)
    result = froc_result(matches, settings.fps_per_image)
    threshold = froc_threshold_at(_curve(result), settings.operating_fps)
    bounds, no_interval = _interval(matches, images, settings)
    exams = summarise_exams(images, matches, threshold)
    page = _template().render(
        settings=settings,
        run=run or {},
        counts=_counts(images, result, exams),
        categories=categories,
        reason=result.reason,
        rows=_rows(result, bounds, settings),
        no_interval=no_interval,
        threshold=threshold,
        froc_image=_svg(draw_froc({'this run': result}, _band(bounds))),
        histogram_image=_svg(
            draw_score_histogram(
                matches.scores[matches.is_true_positive], matches.scores[matches.is_false_positive], threshold
            )
        ),
        groups=_groups(exams, images, Path(images_root), threshold, settings),
        rule=RULE,
        metrics=sorted(metrics.items()),
        source=(Path(predictions).name, hashlib.sha256(Path(predictions).read_bytes()).hexdigest()[:12]),
    )
    path = Path(out_dir) / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding='utf-8')
    return path


def number(value: float, digits: int = 3) -> str:
    """A number for the page; what is not defined is called so."""
    if np.isnan(value):
        return 'not defined'
    return f'{value:,.0f}' if float(value).is_integer() and abs(value) > 1 else f'{value:.{digits}f}'


def per_image(fps: float) -> str:
    """An FPI in words."""
    return f'{fps:g} false positive{"" if fps == 1 else "s"} per image'


def _curve(result: FROCResult) -> FROCCurve:
    return FROCCurve(result.fps_per_image, result.recall, result.thresholds)


def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / 'templates'),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {'number': number, 'per_image': per_image, 'percent': '{:.1%}'.format}
    return environment.get_template('report.html')


def _interval(
    matches: Matches, images: Sequence[ImagePrediction], settings: ReportSettings
) -> tuple[Interval | None, str]:
    """Intervals at the FPIs of table, operating point and band, then of the area; or why there are none."""
    patients = [image.patient_id for image in images]
    if not settings.bootstrap:
        return None, 'no intervals were asked for'
    if not all(patients):
        return None, 'the predictions name no patients, whom intervals resample'
    points = [*settings.fps_per_image, settings.operating_fps, *_BAND_POINTS]
    interval = froc_interval(matches, patients, points, settings.bootstrap, settings.seed)
    return interval, interval.reason or ''


def _rows(result: FROCResult, bounds: Interval | None, settings: ReportSettings) -> list[dict[str, Any]]:
    """The lines of the metric table; the first is the headline, at the operating point."""
    names = [f'Lesions found at {per_image(fps)}' for fps in (settings.operating_fps, *settings.fps_per_image)]
    names.append(f'Area under the FROC curve up to {per_image(1)}')
    at_operating_point = float(froc_recall_at(_curve(result), settings.operating_fps))
    values = [at_operating_point, *result.recall_at.values(), result.fauc]
    places = [len(settings.fps_per_image), *range(len(settings.fps_per_image)), -1]
    return [
        {
            'name': name,
            'value': value,
            'low': float('nan') if bounds is None else float(bounds.low[place]),
            'high': float('nan') if bounds is None else float(bounds.high[place]),
        }
        for name, value, place in zip(names, values, places, strict=True)
    ]


def _band(bounds: Interval | None) -> dict[str, Band]:
    if bounds is None or bounds.reason:
        return {}
    where = slice(-len(_BAND_POINTS) - 1, -1)
    return {'this run': Band(_BAND_POINTS, bounds.low[where], bounds.high[where], bounds.level, bounds.n_groups)}


def _counts(images: Sequence[ImagePrediction], result: FROCResult, exams: Sequence[ExamSummary]) -> dict[str, int]:
    patients = {image.patient_id for image in images if image.patient_id}
    counts = {'images': result.n_images, 'exams': len(exams), 'patients': len(patients)}
    return counts | {'annotated lesions': result.n_lesions, 'detections': result.n_detections}


def _groups(
    exams: Sequence[ExamSummary],
    images: Sequence[ImagePrediction],
    images_root: Path,
    threshold: float,
    settings: ReportSettings,
) -> list[dict[str, Any]]:
    """The chosen exams, each with its picture."""
    numbers = {exam.exam_id: i for i, exam in enumerate(exams, start=1)}
    groups = []
    for name, chosen in choose_exams(exams, settings.exams_per_group).items():
        shown = []
        for exam in chosen:
            views = [_panel_view(images[i].above(threshold), images_root) for i in exam.images]
            label = exam.exam_id if settings.show_exam_ids else f'Exam {numbers[exam.exam_id]}'
            panel = draw_exam_panel(views, settings.panel_side)
            shown.append({'label': label, 'summary': exam, 'image': _jpeg(panel)})
        groups.append({'name': name, 'exams': shown})
    return groups


def _panel_view(image: ImagePrediction, images_root: Path) -> PanelView:
    pixels = read_png16(images_root / image.file_name)
    return PanelView(pixels, image.laterality, image.view, image.boxes, image.scores.tolist(), gt_boxes=image.gt_boxes)


def _jpeg(rgb: npt.NDArray[np.uint8]) -> str:
    _, encoded = cv2.imencode('.jpg', rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    return _data_uri('image/jpeg', encoded.tobytes())


def _svg(figure: Figure) -> str:
    buffer = io.BytesIO()
    with rc_context({'svg.hashsalt': 'mmmammo'}):  # the same numbers give the same file
        figure.savefig(buffer, format='svg', metadata={'Date': None})
    return _data_uri('image/svg+xml', buffer.getvalue())


def _data_uri(mime: str, content: bytes) -> str:
    return f'data:{mime};base64,{base64.b64encode(content).decode("ascii")}'
