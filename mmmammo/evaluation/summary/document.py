"""metrics.json and comparison.json: every number with what stands behind it, in a form that does not change."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmmammo.evaluation.functional import MULTILABEL_COLUMNS, MultilabelReport, SubgroupRow
from mmmammo.evaluation.summary.calibrated import CalibrationReport
from mmmammo.evaluation.summary.comparison import Comparison
from mmmammo.evaluation.summary.detections import DetectionSummary, recall_key
from mmmammo.evaluation.summary.frozen import FrozenReport
from mmmammo.evaluation.summary.numbers import LEVEL, flat_metrics, spread
from mmmammo.evaluation.summary.scores import ScoreSummary
from mmmammo.io.intake import Intake
from mmmammo.io.whole_files import written_whole

FORMAT = 'mmmammo-metrics-1'
COMPARISON_FORMAT = 'mmmammo-comparison-1'


def detection_document(
    summary: DetectionSummary, run: Mapping[str, object], frozen: FrozenReport | None = None
) -> dict[str, Any]:
    """What ``metrics.json`` says of detections.

    Args:
        summary: The results.
        run: What made them, as given: config, checkpoint, command, commit, …
        frozen: A frozen operating point, if there is one.
    """
    keys = [*(recall_key('froc', fps) for fps in summary.settings.all_fps), 'froc/fauc']
    return {
        'format': FORMAT,
        'kind': 'detections',
        'run': dict(run),
        'settings': dict(summary.settings.as_dict()),
        **_common(summary.data.split, summary.data.intakes, summary.data.notes, frozen),
        'classes': list(summary.data.categories),
        'metrics': flat_metrics(summary.numbers)
        | {
            'froc/n_images': summary.froc.n_images,
            'froc/n_lesions': summary.froc.n_lesions,
            'froc/n_detections': summary.froc.n_detections,
        },
        'numbers': {key: number.as_dict() for key, number in summary.numbers.items()},
        'subgroups': [subgroup_entry(row, keys) for row in summary.subgroups],
    }


def score_document(
    summary: ScoreSummary,
    run: Mapping[str, object],
    frozen: FrozenReport | None = None,
    calibration: CalibrationReport | None = None,
) -> dict[str, Any]:
    """What ``metrics.json`` says of scores."""
    key = 'auc' if len(summary.table.classes) == 1 else 'macro/auc'
    return {
        'format': FORMAT,
        'kind': 'scores',
        'run': dict(run),
        'settings': asdict(summary.settings),
        **_common(summary.table.split, summary.table.intakes, summary.table.notes, frozen),
        'calibration': None if calibration is None else _calibration_entry(calibration),
        'classes': list(summary.table.classes),
        'metrics': flat_metrics(summary.numbers),
        'numbers': {name: number.as_dict() for name, number in summary.numbers.items()},
        'class_table': None if summary.classes is None else class_rows(summary.classes),
        'subgroups': [subgroup_entry(row, [key]) for row in summary.subgroups],
    }


def comparison_document(
    comparison: Comparison, intakes: Sequence[Sequence[Intake]], run: Mapping[str, object]
) -> dict[str, Any]:
    """What ``comparison.json`` says."""
    return {
        'format': COMPARISON_FORMAT,
        'run': dict(run),
        'compared_with': comparison.names[0],
        'level': LEVEL,
        'n': dict(comparison.counts),
        'runs': [
            {
                'name': name,
                'files': [intake.as_dict() for intake in files],
                'numbers': {key: number.as_dict() for key, number in numbers.items()},
                'minus_first': None
                if i == 0
                else {key: row.as_dict() for key, row in comparison.differences[i - 1].items()},
            }
            for i, (name, files, numbers) in enumerate(zip(comparison.names, intakes, comparison.numbers, strict=True))
        ],
    }


def write_document(path: str | Path, document: Mapping[str, Any]) -> Path:
    """Write it, whole or not at all; its folder is made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, allow_nan=False) + '\n'
    with written_whole(path) as file:
        file.write(text)
    return path


def subgroup_entry(row: SubgroupRow, keys: Sequence[str]) -> dict[str, Any]:
    """One row of a subgroup table."""
    interval = row.interval
    low, high = spread(interval)
    columns = {'value': interval.estimate, 'low': low, 'high': high}
    numbers = {key: {name: _or_none(values[i]) for name, values in columns.items()} for i, key in enumerate(keys)}
    return {'by': row.column, 'value': row.value, 'n': dict(row.counts), 'numbers': numbers, 'reason': row.reason}


def class_rows(report: MultilabelReport) -> list[dict[str, Any]]:
    """Classes, then averages."""
    names = ('support', 'predicted', 'name')
    return [
        {name: getattr(row, name) for name in names}
        | {name: _or_none(getattr(row, name)) for name in MULTILABEL_COLUMNS}
        | {'reasons': dict(row.reasons), 'is_average': row in report.averages}
        for row in (*report.classes, *report.averages)
    ]


def _common(split: str, intakes: Sequence[Intake], notes: Sequence[str], frozen: FrozenReport | None) -> dict[str, Any]:
    return {
        'split': split,
        'files': [intake.as_dict() for intake in intakes],
        'notes': list(notes),
        'operating_point': None if frozen is None else _frozen_entry(frozen),
    }


def _frozen_entry(frozen: FrozenReport) -> dict[str, Any]:
    return {
        **{name: value for name, value in asdict(frozen.point).items() if name != 'exam_scores'},
        'same_split': frozen.same_split,
        'numbers': {key: number.as_dict() for key, number in frozen.numbers.items()},
        'shift': None if frozen.shift is None else asdict(frozen.shift),
    }


def _calibration_entry(calibration: CalibrationReport) -> dict[str, Any]:
    return {
        'method': calibration.method,
        **asdict(calibration.scaling),
        'same_split': calibration.same_split,
        'numbers': {key: number.as_dict() for key, number in calibration.before.items()},
    }


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
