"""The plots of a report, each with what it shows in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmmammo.evaluation.summary import CalibrationReport, DetectionSummary, FrozenReport, ScoreSummary
from mmmammo.evaluation.summary.detections import BAND_POINTS
from mmmammo.visualization.curves import (
    Band,
    draw_froc,
    draw_precision_recall,
    draw_score_histogram,
    draw_sizes,
    draw_threshold_sweep,
)
from mmmammo.visualization.figures import Plot
from mmmammo.visualization.page import number
from mmmammo.visualization.score_curves import (
    draw_calibration,
    draw_reliability,
    draw_roc,
    draw_row_precision_recall,
    draw_row_scores,
    draw_row_threshold_sweep,
)

THIS = 'this run'


def detection_plots(summary: DetectionSummary, frozen: FrozenReport | None = None) -> list[Plot]:
    """FROC, precision and recall, threshold sweep, scores, sizes, and the ROC of exams."""
    return [
        froc_plot({THIS: summary}),
        precision_recall_plot({THIS: summary}),
        _sweep_plot(summary, frozen),
        _histogram_plot(summary, frozen),
        _size_plot(summary, frozen),
        exam_roc_plot({THIS: summary}),
    ]


def froc_plot(runs: Mapping[str, DetectionSummary]) -> Plot:
    """FROC of one or more runs with their bands."""
    bands = {name: band for name, summary in runs.items() if (band := _band(summary)) is not None}
    said = [
        f'{name}: ' + ', '.join(f'{number(recall)} at {fps:g} FPI' for fps, recall in summary.froc.recall_at.items())
        for name, summary in runs.items()
    ]
    shaded = ' Shaded: 95 % interval.' if bands else ''
    return Plot(
        'froc',
        draw_froc({name: summary.froc for name, summary in runs.items()}, bands),
        f'FROC curve. Recall of {"; ".join(said)}.',
        'FROC curve. Lowering the score at which a detection is shown finds more lesions (up) and costs more false '
        'positives (right). A perfect model runs along the upper left corner. Dots: the readings of the table.'
        + shaded,
    )


def precision_recall_plot(runs: Mapping[str, DetectionSummary]) -> Plot:
    """Precision against recall of the marks."""
    found = [f'{name}: up to {number(summary.froc.recall[-1])} of lesions' for name, summary in runs.items()]
    return Plot(
        'precision_recall',
        draw_precision_recall({name: summary.matches for name, summary in runs.items()}),
        f'Precision against recall of the marks; {"; ".join(found)}.',
        'Of the marks shown, the share that found a lesion, against the share of lesions found. Class labels aside.',
    )


def exam_roc_plot(runs: Mapping[str, DetectionSummary]) -> Plot:
    """ROC of exams, each scored by its highest detection."""
    rows = {
        name: (np.array(list(summary.exam_labels.values()), int), np.array(list(summary.exam_scores.values())))
        for name, summary in runs.items()
    }
    said = [f'{name} {number(summary.numbers["exam/auc"].value)}' for name, summary in runs.items()]
    return Plot(
        'exam_roc',
        draw_roc(rows),
        f'ROC curve of exams. Area: {", ".join(said)}.',
        'ROC curve of exams, with a lesion or without, each scored by its highest detection.',
    )


def score_plots(
    summary: ScoreSummary, frozen: FrozenReport | None = None, calibration: CalibrationReport | None = None
) -> list[Plot]:
    """ROC and precision of all classes; reliability, thresholds and scores where there is one class."""
    table = summary.table
    one = len(table.classes) == 1
    names = [THIS] if one else table.classes
    rows = {name: (table.labels[:, i], table.scores[:, i]) for i, name in enumerate(names)}
    plots = roc_plots(rows)
    if one:
        plots += _one_class_plots(summary, frozen)
        if calibration:
            plots.insert(3, _calibration_plot(summary, calibration))
    elif table.scores.max(initial=0) <= 1:
        plots += [_reliability_plot(*rows[name], name, f'reliability_{i}') for i, name in enumerate(names, start=1)]
    return plots


def roc_plots(rows: Mapping[str, tuple[np.ndarray, np.ndarray]], of: str = '', file_end: str = '') -> list[Plot]:
    """ROC, and precision against recall.

    Args:
        rows: Name of a curve -> labels and scores.
        of: What the curves are about, where a page has several such plots.
        file_end: Of the plots' names, likewise.
    """
    about = f'{of}: ' if of else ''
    return [
        Plot(
            f'roc{file_end}',
            draw_roc(rows),
            f'{about}ROC curve of {", ".join(rows)}.',
            f'{about}ROC curve. A perfect model runs along the upper left corner, a useless one along the diagonal.',
        ),
        Plot(
            f'precision_recall{file_end}',
            draw_row_precision_recall(rows),
            f'{about}Precision against recall of {", ".join(rows)}.',
            f'{about}Of the rows called positive, the share that is, against the share of positives called.',
        ),
    ]


def _one_class_plots(summary: ScoreSummary, frozen: FrozenReport | None) -> list[Plot]:
    labels, scores = summary.table.labels[:, 0], summary.table.scores[:, 0]
    threshold = frozen.point.threshold if frozen else None
    plots = [
        Plot(
            'threshold_sweep',
            draw_row_threshold_sweep(labels, scores, threshold, 'frozen' if frozen else ''),
            'Sensitivity, specificity and F1 against the threshold.',
            f'What each threshold would do on these rows. {_where_chosen(frozen, "rows")}',
        ),
        Plot(
            'scores',
            draw_row_scores(labels, scores),
            'Scores of positive and of negative rows.',
            'The less the two overlap, the better the score tells them apart.',
        ),
    ]
    return plots if scores.max(initial=0) > 1 else [_reliability_plot(labels, scores, THIS, 'reliability'), *plots]


def _reliability_plot(labels: np.ndarray, scores: np.ndarray, name: str, file_name: str) -> Plot:
    return Plot(
        file_name,
        draw_reliability(labels, scores),
        f'Reliability curve of {name}: observed share of positives against the predicted probability, in 10 bins.',
        f'Reliability of {name}. On the diagonal, three in ten rows with score 0.3 are positive. Bars: Wilson 95 % '
        'intervals.',
    )


def _calibration_plot(summary: ScoreSummary, calibration: CalibrationReport) -> Plot:
    return Plot(
        'calibration',
        draw_calibration(calibration.scaling.apply, calibration.scores_before, summary.table.labels[:, 0]),
        f'What the calibration ({calibration.method}) makes of each score, and the observed shares before it.',
        f'Calibration: {calibration.describe()}. Line: what it makes of a score. Dots: observed shares of positives, '
        'here, of the scores before it. The nearer the dots to the line, the better it fits these rows.',
    )


def _band(summary: DetectionSummary) -> Band | None:
    bounds = summary.band
    if bounds is None or bounds.reason:
        return None
    return Band(BAND_POINTS, bounds.low, bounds.high, bounds.level, bounds.n_groups)


def _sweep_plot(summary: DetectionSummary, frozen: FrozenReport | None) -> Plot:
    threshold, chosen = _threshold(summary, frozen)
    return Plot(
        'threshold_sweep',
        draw_threshold_sweep(summary.froc, threshold, chosen),
        f'Precision, recall and F1 against the score threshold, with a line at {number(threshold)}.',
        f'What each threshold would do on these images. {_where_chosen(frozen, "images")}',
    )


def _where_chosen(frozen: FrozenReport | None, what: str) -> str:
    if frozen and frozen.same_split:
        return 'The frozen one was chosen here, as was asked for, and flatters.'
    return f'A threshold is chosen on other {what}, never here.'


def _histogram_plot(summary: DetectionSummary, frozen: FrozenReport | None) -> Plot:
    matches = summary.matches
    hits, false = matches.scores[matches.is_true_positive], matches.scores[matches.is_false_positive]
    return Plot(
        'scores',
        draw_score_histogram(hits, false, _threshold(summary, frozen)[0]),
        f'Scores of {len(hits)} hits and {len(false)} false positives.',
        'Scores of detections that found a lesion and of false positives. The less the two overlap, the better a '
        'score tells them apart.',
    )


def _size_plot(summary: DetectionSummary, frozen: FrozenReport | None) -> Plot:
    threshold, chosen = _threshold(summary, frozen)
    images = summary.data.images
    known = all(image.pixel_spacing_mm for image in images)
    unit = [float(image.pixel_spacing_mm or 1) ** 2 if known else 1.0 for image in images]
    predicted = _areas([(image.boxes[image.scores >= threshold], u) for image, u in zip(images, unit, strict=True)])
    true = _areas([(image.gt_boxes, u) for image, u in zip(images, unit, strict=True)])
    return Plot(
        'sizes',
        draw_sizes(predicted, true, 'mm²' if known else 'pixels²'),
        f'Sizes of {len(predicted)} marks and {len(true)} annotated lesions.',
        f'Sizes of the marks with a score of {number(threshold)} or more ({chosen}) and of the annotated lesions. '
        'Where the marks lack small or large boxes, lesions of that size are missed.',
    )


def _threshold(summary: DetectionSummary, frozen: FrozenReport | None) -> tuple[float, str]:
    if frozen:
        return frozen.point.threshold, 'frozen'
    return summary.threshold, f'at {summary.settings.operating_fps:g} FPI here'


def _areas(boxes: Sequence[tuple[np.ndarray, float]]) -> np.ndarray:
    return np.concatenate([np.empty(0), *((xyxy[:, 2:] - xyxy[:, :2]).prod(axis=1) * unit for xyxy, unit in boxes)])
