"""What a test run keeps and reports: detections and scores as files, numbers with intervals, and a page."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from mmengine.config import Config

from mmmammo.apis.loaders import datasets_of
from mmmammo.evaluation.functional import ScoreMeasure
from mmmammo.evaluation.metrics import (
    APMetric,
    ATDMetric,
    ClassificationMetric,
    DetectionMetric,
    FROCMetric,
    HeatmapDump,
    LocalisationMetric,
    ScoreDump,
    ScoreMetric,
)
from mmmammo.evaluation.summary import (
    DetectionSettings,
    ScoreSettings,
    detection_document,
    measures_of,
    score_document,
    summarise_detections,
    summarise_scores,
    with_subgroups,
    write_document,
)
from mmmammo.io.detection_files import read_detection_set, with_labels_of
from mmmammo.io.score_tables import read_score_table
from mmmammo.registry import METRICS
from mmmammo.visualization import GallerySettings, write_detection_report, write_score_report
from mmmammo.visualization.saliency_panel import WindowPicture

HEATMAPS = 'heatmaps'
"""Folder in that of the report."""
DOCUMENT, PREDICTIONS, SCORES = 'metrics.json', 'predictions.json', 'scores.csv'
LOCALISATION, ANCHORS = 'localisation.npz', 'anchors.npz'
"""What a run leaves in its work dir; the last two, if its metrics are about maps or anchors."""
_OF_BOXES = (DetectionMetric, HeatmapDump, LocalisationMetric)


Settings = TypeVar('Settings', DetectionSettings, ScoreSettings)


@dataclass(frozen=True)
class Kept:
    """Which files a run leaves; ``None`` for those that its model has nothing for.

    Args:
        predictions: Detections.
        scores: Scores of images, breasts or exams.
        report: Folder of the page, if one is wanted.
        bootstrap: Replicates of the intervals, 0 for none; ``None``: those of the config's FROC, or 1000.
    """

    predictions: Path | None
    scores: Path | None
    report: Path | None
    bootstrap: int | None = None


def keep_results(cfg: Config, report: Path | None = None, bootstrap: int | None = None) -> Kept:
    """Add the metrics that write what was predicted, depending on what the config's metrics are about.

    Scores are kept if a metric reads scores; detections if one reads boxes or maps, or none reads scores.
    Both lie in the work dir; the folder of the report gets copies. A :class:`ScoreDump` of the config keeps its own
    settings, but writes here.

    Args:
        cfg: A config with a work dir; its test evaluator is changed.
        report: Folder of the page.
        bootstrap: Replicates of the intervals, see :class:`Kept`.
    """
    evaluators, kinds = metrics_of(cfg)
    has_scores = _read_scores(kinds)
    has_boxes = gives_boxes(cfg)
    work_dir = Path(cfg.work_dir)
    kept = Kept(
        work_dir / PREDICTIONS if has_boxes else None,
        work_dir / SCORES if has_scores else None,
        report,
        bootstrap,
    )
    for evaluator, kind in zip(evaluators, kinds, strict=True):
        if issubclass(kind, LocalisationMetric):
            evaluator.setdefault('path', str(work_dir / LOCALISATION))
        if issubclass(kind, ATDMetric):
            evaluator.setdefault('path', str(work_dir / ANCHORS))
        if issubclass(kind, ScoreDump):
            evaluator.path = str(kept.scores)
    added: list[dict[str, Any]] = []
    if kept.scores and not any(issubclass(kind, ScoreDump) for kind in kinds):
        added.append(_score_dump(cfg, kept.scores))
    if kept.predictions:
        root = str(images_root(cfg))
        added.append({'type': 'mmmammo.PredictionDump', 'path': str(kept.predictions), 'images_root': root})
        if report:
            added.append({'type': 'mmmammo.HeatmapDump', 'path': str(report / HEATMAPS), 'images_root': root})
    cfg.test_evaluator = [*evaluators, *added]
    return kept


def write_results(
    kept: Kept,
    cfg: Config,
    metrics: Sequence[Any],
    logged: Mapping[str, float],
    run: Mapping[str, object],
    windows: Sequence[WindowPicture] = (),
) -> list[Path]:
    """``metrics.json``, and the page where one is asked for.

    Args:
        kept: Of :func:`keep_results`.
        cfg: That was tested.
        metrics: Of its evaluator, after the test.
        logged: What they gave.
        run: What made the numbers; see :func:`~mmmammo.evaluation.summary.score_document`.
        windows: For the page, of a model that looks at windows.

    Returns:
        What was written.
    """
    numbers = {key: None if math.isnan(value) else float(value) for key, value in logged.items()}  # JSON has no nan
    measures = score_measures(metrics)
    if kept.predictions:
        return _write_detections(kept, cfg, metrics, numbers, run, measures, windows)
    page = {'report': kept.report, 'title': _title(cfg), 'windows': windows, 'bootstrap': kept.bootstrap}
    return write_scores_of(Path(cfg.work_dir), run, numbers, measures, **page)


def write_scores_of(
    work_dir: Path,
    run: Mapping[str, object],
    logged: Mapping[str, float | None],
    measures: Mapping[str, ScoreMeasure],
    *,
    report: Path | None = None,
    title: str = 'Classification of mammograms',
    windows: Sequence[WindowPicture] = (),
    bootstrap: int | None = None,
) -> list[Path]:
    """``metrics.json`` of a folder with ``scores.csv``: what was logged, and the evaluator's numbers with intervals.

    Args:
        work_dir: The folder.
        run: What made the numbers.
        logged: Further numbers, e.g. of the config's metrics.
        measures: How those of them that can be are read off the table.
        report: Folder of a page, which then gets a copy of the table.
        title: Of the page.
        windows: For the page, of a model that looks at windows.
        bootstrap: Replicates of the intervals, 0 for none (1000).

    Returns:
        What was written.
    """
    table, subgroups = with_subgroups(read_score_table(work_dir / SCORES, strict=True))
    summary = summarise_scores(table, _drawn(ScoreSettings(subgroups=subgroups), bootstrap))
    document = score_document(summary, run)
    document['metrics'] |= logged
    document['measures'] = {key: one.as_dict() for key, one in (measures_of(summary) | dict(measures)).items()}
    if report is None:
        return [write_document(work_dir / DOCUMENT, document)]
    written = write_score_report(summary, report, run=run, title=title, logged=logged, windows=windows)
    _copy(work_dir / SCORES, report)
    return [written.document, written.page, write_document(work_dir / DOCUMENT, document)]  # whole, if it is one folder


def score_measures(metrics: Sequence[Any]) -> dict[str, ScoreMeasure]:
    """Logged key -> how it is read off the ``scores.csv`` that the run wrote; empty where it wrote none."""
    dump = next((metric for metric in metrics if isinstance(metric, ScoreDump) and metric.columns), None)
    if dump is None:
        return {}
    of_scores = [metric for metric in metrics if isinstance(metric, ScoreMetric)]
    return {key: one for metric in of_scores for key, one in metric.measures(dump.columns).items()}


def gives_boxes(cfg: Config) -> bool:
    """Whether a config's metrics say that its model gives boxes or maps: one reads these, or none reads scores."""
    kinds = metrics_of(cfg)[1]
    return any(issubclass(kind, _OF_BOXES) for kind in kinds) or not _read_scores(kinds)


def metrics_of(cfg: Config) -> tuple[list[Any], list[type]]:
    """The metrics of the test, and their classes."""
    evaluators = cfg.get('test_evaluator') or []
    evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
    return evaluators, [METRICS.get(evaluator.type) or object for evaluator in evaluators]


def asked_output(cfg: Config) -> tuple[int, str] | None:
    """The one output that metrics judge by a label of the prepared set, and the label; ``None`` if all count."""
    for evaluator, kind in zip(*metrics_of(cfg), strict=True):
        if issubclass(kind, ClassificationMetric) and evaluator.get('label_key') is not None:
            return evaluator.get('score_index', -1), evaluator.label_key
    return None


def shows_exam_ids(run: Mapping[str, object]) -> bool:
    """Whether the page may name exams as the set does: synthetic ones."""
    return run.get('source') == 'phantom'


def images_root(cfg: Config) -> Path:
    """The folder that holds the prepared images of the test set."""
    dataset = tested_set(cfg)
    return Path(dataset.data_root, dataset.get('data_prefix', {}).get('img', 'images'))


def tested_set(cfg: Config) -> Any:
    """The data set of the test, without what wraps it."""
    return next(datasets_of(cfg.test_dataloader))


def index_files(dataset: Any) -> list[Path]:
    """The index files that the images of a data set are from: several, if it is a part of a fold."""
    names = dataset.folds['pool'] if dataset.get('folds') else [dataset.ann_file]
    return [Path(dataset.data_root, name) for name in names]


def _read_scores(kinds: Sequence[type]) -> bool:
    return any(issubclass(kind, ScoreMetric) for kind in kinds)


def _score_dump(cfg: Config, path: Path) -> dict[str, Any]:
    """One class if the config's metrics take its label from the prepared set, otherwise all outputs."""
    dump = {'type': 'mmmammo.ScoreDump', 'path': str(path), 'split': Path(tested_set(cfg).ann_file).stem}
    asked = asked_output(cfg)
    return dump if asked is None else dump | {'score_index': asked[0], 'label_key': asked[1]}


def _write_detections(
    kept: Kept,
    cfg: Config,
    metrics: Sequence[Any],
    numbers: Mapping[str, float | None],
    run: Mapping[str, object],
    measures: Mapping[str, ScoreMeasure],
    windows: Sequence[WindowPicture],
) -> list[Path]:
    predictions = Path(cfg.work_dir) / PREDICTIONS
    detections = with_labels_of(read_detection_set(predictions), *index_files(tested_set(cfg)))
    summary = summarise_detections(detections, _drawn(detection_settings(metrics), kept.bootstrap))
    document = detection_document(summary, run)
    document['metrics'] |= numbers
    document['measures'] = {key: one.as_dict() for key, one in measures.items()}
    document['settings'] = {**document['settings'], 'size_classes': size_classes(metrics)}
    if kept.report is None:
        return [write_document(Path(cfg.work_dir) / DOCUMENT, document)]
    heatmaps = kept.report / HEATMAPS if numbers['heatmaps/n_images'] else None
    gallery = GallerySettings(images_root(cfg), heatmaps, regions=True, show_exam_ids=shows_exam_ids(run))
    page = {'run': run, 'title': _title(cfg), 'gallery': gallery, 'windows': windows}
    written = write_detection_report(summary, kept.report, logged=numbers, **page)
    _copy(predictions, kept.report)
    return [written.document, written.page, write_document(Path(cfg.work_dir) / DOCUMENT, document)]


def _copy(path: Path, folder: Path) -> None:
    """A copy of a file in a folder, which may be its own."""
    if not path.parent.samefile(folder):
        shutil.copyfile(path, folder / path.name)


def _drawn(settings: Settings, bootstrap: int | None) -> Settings:
    """With so many replicates, if that is said."""
    return settings if bootstrap is None else replace(settings, bootstrap=bootstrap)


def size_classes(metrics: Sequence[Any]) -> dict[str, list[float]]:
    """Name -> least and greatest side, of the average precisions that were logged."""
    return {
        name: [float(side) for side in sides]
        for metric in metrics
        if isinstance(metric, APMetric)
        for name, sides in metric.size_classes.items()
    }


def _title(cfg: Config) -> str:
    return Path(cfg.filename).stem


def detection_settings(metrics: Sequence[Any]) -> DetectionSettings:
    """The protocol of the first FROC among a config's metrics, so that page and log agree."""
    default = DetectionSettings()
    for metric in metrics:
        if isinstance(metric, FROCMetric):
            return DetectionSettings(
                matching=metric.rule.matching,
                iou_thr=metric.rule.iou_thr,
                distance_mm=metric.rule.distance_mm,
                duplicates=metric.duplicates,
                false_positive_images=metric.false_positive_images,
                fps_per_image=metric.fps_per_image,
                bootstrap=metric.bootstrap or default.bootstrap,
                seed=metric.seed,
            )
    return default
