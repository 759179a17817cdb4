"""Runs side by side as files: ``comparison.json``, the plots, and a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmmammo.evaluation.summary import (
    Comparison,
    DetectionSummary,
    ScoreSummary,
    comparison_document,
    write_document,
)
from mmmammo.evaluation.summary.detections import recall_key
from mmmammo.io.intake import Intake
from mmmammo.visualization.figures import Plot, save_plots
from mmmammo.visualization.page import interval, number, p_value
from mmmammo.visualization.report import PLOTS, Written, write_page
from mmmammo.visualization.report_plots import exam_roc_plot, froc_plot, precision_recall_plot, roc_plots

PAGE, DOCUMENT = 'comparison.html', 'comparison.json'


def write_comparison_report(
    comparison: Comparison,
    summaries: Sequence[DetectionSummary] | Sequence[ScoreSummary],
    out_dir: str | Path,
    *,
    run: Mapping[str, object] | None = None,
    title: str = 'Comparison of runs',
) -> Written:
    """Write everything about a comparison.

    Args:
        comparison: The numbers.
        summaries: Of the runs, in the same order.
        out_dir: Made if absent.
        run: What was compared, shown as given.
        title: Of the page.
    """
    out_dir, run = Path(out_dir), run or {}
    intakes = [_intakes(summary) for summary in summaries]
    written = write_document(out_dir / DOCUMENT, comparison_document(comparison, intakes, run))
    plots = _plots(comparison, summaries)
    headline = _headline_key(summaries[0])
    content = {
        'title': title,
        'run': run,
        'names': comparison.names,
        'counts_words': ', '.join(f'{n:,} {name}' for name, n in comparison.counts.items() if name != 'units'),
        'overview': _overview(comparison) if len(comparison.names) > 2 else [],
        'pairs': [_pair(comparison, place) for place in range(1, len(comparison.names))],
        'sentences': [_sentence(comparison, headline, place) for place in range(1, len(comparison.names))],
        'files': [intake for files in intakes for intake in files],
        'notes': [],
        'plots': plots,
    }
    paths = save_plots(plots, out_dir / PLOTS)
    return Written(written, write_page(out_dir / PAGE, 'comparison.html', content, written), tuple(paths))


def _headline_key(summary: DetectionSummary | ScoreSummary) -> str:
    if isinstance(summary, DetectionSummary):
        return recall_key('froc', summary.settings.operating_fps)
    return summary.headline.key


def _sentence(comparison: Comparison, key: str, place: int) -> str:
    """One difference in plain words."""
    first, name = comparison.names[0], comparison.names[place]
    row, words = comparison.differences[place - 1][key], comparison.numbers[0][key].name
    if row.reason:
        return f'{name} cannot be compared with {first}: {row.reason}.'
    values = ', '.join(f'{number(comparison.numbers[i][key].value)} for {comparison.names[i]}' for i in (place, 0))
    holds = 'includes' if row.low <= 0 <= row.high else 'excludes'
    return (
        f'{words}: {values}. The difference is {row.value:+.3f} (95 % interval {interval(row.low, row.high)}; '
        f'permutation p {p_value(row.p_permutation)}); the interval {holds} no difference.'
    )


def _overview(comparison: Comparison) -> list[dict[str, Any]]:
    """A row per number, with its value in every run."""
    first = comparison.numbers[0]
    return [
        {'key': key, 'name': first[key].name, 'numbers': [numbers[key] for numbers in comparison.numbers]}
        for key in comparison.differences[0]
    ]


def _pair(comparison: Comparison, place: int) -> dict[str, Any]:
    """The table of a run beside the first."""
    first, other = comparison.numbers[0], comparison.numbers[place]
    rows = [
        {'key': key, 'name': first[key].name, 'numbers': [first[key], other[key]], 'difference': difference}
        for key, difference in comparison.differences[place - 1].items()
    ]
    return {'name': comparison.names[place], 'rows': rows}


def _plots(comparison: Comparison, summaries: Sequence[DetectionSummary] | Sequence[ScoreSummary]) -> list[Plot]:
    detections = {n: s for n, s in zip(comparison.names, summaries, strict=True) if isinstance(s, DetectionSummary)}
    if detections:
        return [froc_plot(detections), precision_recall_plot(detections), exam_roc_plot(detections)]
    scores = {n: s.table for n, s in zip(comparison.names, summaries, strict=True) if isinstance(s, ScoreSummary)}
    classes = next(iter(scores.values())).classes
    plots = []
    for i, of in enumerate(classes):
        rows = {name: (table.labels[:, i], table.scores[:, i]) for name, table in scores.items()}
        plots += roc_plots(rows) if len(classes) == 1 else roc_plots(rows, of, f'_{i + 1}')
    return plots


def _intakes(summary: DetectionSummary | ScoreSummary) -> tuple[Intake, ...]:
    return summary.data.intakes if isinstance(summary, DetectionSummary) else summary.table.intakes
