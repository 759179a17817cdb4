"""Results of a run as files: ``metrics.json``, the plots, and a page for the clinician as well as the programmer.

The page is one file that loads nothing. It shows no patient id, and exams by running number only; a short hash of an id
would not hide it, since ids are few enough to try.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmmammo.evaluation.functional import MULTILABEL_COLUMNS, SubgroupRow
from mmmammo.evaluation.summary import (
    CalibrationReport,
    DetectionSummary,
    FrozenReport,
    ScoreSummary,
    detection_document,
    score_document,
    write_document,
)
from mmmammo.evaluation.summary.class_table import class_table_measures
from mmmammo.evaluation.summary.detections import LEVEL_WORDS, recall_key
from mmmammo.evaluation.summary.document import class_rows
from mmmammo.evaluation.summary.numbers import spread
from mmmammo.io.intake import file_sha256
from mmmammo.visualization.case_selection import RULE
from mmmammo.visualization.figures import Plot, save_plots
from mmmammo.visualization.gallery import GallerySettings, make_gallery
from mmmammo.visualization.page import render
from mmmammo.visualization.report_plots import detection_plots, score_plots
from mmmammo.visualization.saliency_panel import WindowPicture

PAGE, DOCUMENT, PLOTS = 'report.html', 'metrics.json', 'plots'
OPERATING_POINT, CALIBRATION = 'operating_point.json', 'calibration.json'
UNITS = {'image': 'images', 'breast': 'breasts', 'exam': 'exams', 'patient': 'patients'}


@dataclass(frozen=True)
class Written:
    """What was written.

    Args:
        document: ``metrics.json`` or ``comparison.json``.
        page: The HTML page.
        plots: SVG and PNG files.
    """

    document: Path
    page: Path
    plots: tuple[Path, ...]


def write_detection_report(
    summary: DetectionSummary,
    out_dir: str | Path,
    *,
    run: Mapping[str, object] | None = None,
    title: str = 'Lesion detection in mammograms',
    gallery: GallerySettings | None = None,
    frozen: FrozenReport | None = None,
    logged: Mapping[str, float | None] | None = None,
    windows: Sequence[WindowPicture] = (),
) -> Written:
    """Write everything about detections.

    Args:
        summary: The results.
        out_dir: Made if absent.
        run: What was run, shown as given: config, checkpoint, data set, seed, commit, command, …
        title: Of the page.
        gallery: Which exams to show; none without a folder of images.
        frozen: A frozen operating point; it then decides which detections the pictures show, and is written to
            ``operating_point.json``, to be reported on further sets.
        logged: What a test run printed; it goes into ``metrics`` of the document, and onto the page in full.
        windows: Where a model that judges a window of each image looked.

    Raises:
        MammoError: If an image that is to be shown is absent.
    """
    gallery, run = gallery or GallerySettings(), run or {}
    document = detection_document(summary, run, frozen)
    document['metrics'] |= logged or {}
    threshold = frozen.point.threshold if frozen else summary.threshold
    plots = detection_plots(summary, frozen)
    fps = summary.settings.operating_fps
    subgroups, silent = subgroup_tables(summary.subgroups, summary.settings.all_fps.index(fps))
    content = {
        'headline': summary.headline,
        'in_ten': f'{10 * summary.headline.value:.0f}',
        'exams': summary.numbers[recall_key('froc/exam', fps)],
        'froc_rows': [number for key, number in summary.numbers.items() if _is_box_row(key)],
        'level_rows': [summary.numbers[recall_key(f'froc/{level}', fps)] for level in LEVEL_WORDS],
        'ap_rows': [number for key, number in summary.numbers.items() if key.startswith('ap/')],
        'auc_rows': [summary.numbers['exam/auc']],
        'threshold': threshold,
        'rule': RULE,
        'no_gallery': '' if gallery.images_root else 'no folder of images was given (--images)',
        'groups': make_gallery(summary.data.images, summary.matches, threshold, gallery),
        'heat_words': gallery.heat_words,
        'logged': sorted((logged or {}).items()),
        'windows': windows,
        'subgroups': subgroups,
        'silent': silent,
    }
    shown = {**run, 'Classes': ', '.join(summary.data.categories), 'Rule': summary.settings.describe()}
    shared = _shared(title, shown, summary.data.intakes, summary.data.notes, frozen)
    return _write(out_dir, document, plots, 'detections.html', {**content, **shared, 'settings': summary.settings})


def write_score_report(
    summary: ScoreSummary,
    out_dir: str | Path,
    *,
    run: Mapping[str, object] | None = None,
    title: str = 'Classification of mammograms',
    frozen: FrozenReport | None = None,
    calibration: CalibrationReport | None = None,
    logged: Mapping[str, float | None] | None = None,
    windows: Sequence[WindowPicture] = (),
) -> Written:
    """Write everything about scores; see :func:`write_detection_report`.

    A calibration is written to ``calibration.json`` beside the rest.
    """
    run, table = run or {}, summary.table
    unit = UNITS[table.level]
    in_class_table = class_table_measures(table.classes, 0)
    subgroups, silent = subgroup_tables(summary.subgroups, 0)
    content = {
        'headline': summary.headline,
        'many': len(table.classes) > 1,
        'unit': unit,
        'unit_singular': table.level,
        'in_hundred': f'{100 * summary.headline.value:.0f}',
        'rows': [number for key, number in summary.numbers.items() if key not in in_class_table],
        'class_rows': class_rows(summary.classes) if summary.classes else [],
        'class_columns': MULTILABEL_COLUMNS,
        'subgroups': subgroups,
        'silent': silent,
        'logged': sorted((logged or {}).items()),
        'windows': windows,
    }
    shown = {**run, 'Classes': ', '.join(table.classes), 'Rows': summary.settings.aggregation.describe()}
    if calibration:
        shown['Calibration'] = calibration.describe()
        calibration.scaling.save(Path(out_dir) / CALIBRATION)
    shared = _shared(title, shown, table.intakes, table.notes, frozen)
    content |= {**shared, 'settings': summary.settings, 'calibration': calibration}
    document = score_document(summary, run, frozen, calibration)
    document['metrics'] |= logged or {}
    return _write(out_dir, document, score_plots(summary, frozen, calibration), 'scores.html', content)


def subgroup_tables(rows: Sequence[SubgroupRow], place: int) -> tuple[list[dict[str, Any]], list[str]]:
    """One table per column, and the columns of which the set knows nothing.

    Args:
        rows: Of all tables, the row of all first.
        place: Which entry of the numbers is shown.
    """
    by_column: dict[str, list[SubgroupRow]] = {}
    for row in rows:
        if row.column:
            by_column.setdefault(row.column, []).append(row)
    tables, silent = [], []
    for name, group in by_column.items():
        first_count = next(iter(group[0].counts))
        shown = [row for row in group if row.counts[first_count]]
        if {row.value for row in shown} <= {'unknown', 'U', 'UNKNOWN'}:
            silent.append(name)
            continue
        tables.append({'name': name, 'counts': list(group[0].counts), 'rows': [_row(row, place) for row in shown]})
    return tables, silent


def write_page(path: Path, template: str, content: Mapping[str, Any], document: Path) -> Path:
    """Render a page that names the digest of the document its numbers are in."""
    text = render(template, document=document.name, document_sha=file_sha256(document), **content)
    path.write_text(text, encoding='utf-8')
    return path


def _write(
    out_dir: str | Path, document: Mapping[str, Any], plots: Sequence[Plot], template: str, content: Mapping[str, Any]
) -> Written:
    out_dir = Path(out_dir)
    written = write_document(out_dir / DOCUMENT, document)
    if content['frozen']:
        content['frozen'].point.save(out_dir / OPERATING_POINT)
    paths = save_plots(plots, out_dir / PLOTS)
    page = write_page(out_dir / PAGE, template, {**content, 'plots': plots}, written)
    return Written(written, page, tuple(paths))


def _shared(
    title: str,
    run: Mapping[str, object],
    files: Sequence[object],
    notes: Sequence[str],
    frozen: FrozenReport | None,
) -> dict[str, Any]:
    return {'title': title, 'run': run, 'files': files, 'notes': notes, 'frozen': frozen}


def _is_box_row(key: str) -> bool:
    return key.startswith('froc/recall@') or key == 'froc/fauc'


def _row(row: SubgroupRow, place: int) -> dict[str, Any]:
    interval = row.interval
    low, high = spread(interval)
    return {
        'value': row.value,
        'reason': row.reason,
        'counts': row.counts,
        'number': float(interval.estimate[place]),
        'low': float(low[place]),
        'high': float(high[place]),
    }
