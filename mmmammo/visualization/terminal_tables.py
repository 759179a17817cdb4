"""The same results as tables for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from mmmammo.evaluation.summary import CalibrationReport, Comparison, DetectionSummary, FrozenReport, ScoreSummary
from mmmammo.evaluation.summary.detections import LEVEL_WORDS, per_image, recall_key
from mmmammo.evaluation.summary.numbers import Number
from mmmammo.io.intake import Intake, first_of
from mmmammo.visualization.page import interval, number, p_value

COLUMNS = ('key', 'value', '95 % interval', 'n')
_KEY_WIDTH = 18  # the keys of detections stay whole


def detection_tables(summary: DetectionSummary) -> list[Table]:
    """FROC, other levels, average precision."""
    numbers, fps = summary.numbers, summary.settings.operating_fps
    counts = summary.headline.counts
    title = (
        f'FROC, {summary.settings.as_dict()["rule"]}: {counts["lesions"]} lesions, {counts["images"]} images, '
        f'{counts["exams"]} exams, {counts["patients"]} patients'
    )
    froc = [one for key, one in numbers.items() if key.startswith('froc/recall@') or key == 'froc/fauc']
    levels = [numbers[recall_key(f'froc/{level}', fps)] for level in LEVEL_WORDS]
    others = [one for key, one in numbers.items() if key.startswith(('ap/', 'exam/'))]
    return [
        number_table(title, froc),
        number_table(f'Counted otherwise, at {per_image(fps)}', levels),
        number_table('Average precision and exams', others),
    ]


def score_tables(summary: ScoreSummary, calibration: CalibrationReport | None = None) -> list[Table]:
    """All numbers; what a calibration changed."""
    counts = summary.headline.counts
    title = f'Scores: {counts["rows"]} rows, {counts["positives"]} positive, {counts["patients"]} patients'
    tables = [number_table(title, list(summary.numbers.values()))]
    if calibration:
        of = f'Calibration: {calibration.describe()}' + (' (THE SAME SPLIT)' if calibration.same_split else '')
        tables.append(number_table(of, list(calibration.before.values())))
    return tables


def frozen_table(frozen: FrozenReport) -> Table:
    """What the frozen threshold does."""
    point = frozen.point
    title = f'Frozen operating point: score >= {point.threshold:.4f}, {point.rule}, chosen on {point.chosen_on.name}'
    return number_table(title + (' (THE SAME SPLIT)' if frozen.same_split else ''), list(frozen.numbers.values()))


def number_table(title: str, numbers: Sequence[Number]) -> Table:
    """Numbers with their intervals; below, why some are undefined."""
    rows = [(one.key, number(one.value), interval(one.low, one.high), f'{_n(one):,}', one.name) for one in numbers]
    undefined: dict[str, list[str]] = {}
    for one in numbers:
        if one.reason:
            undefined.setdefault(one.reason, []).append(one.key)
    caption = '\n'.join(f'not defined, {reason}: {first_of(keys, 2)}' for reason, keys in undefined.items())
    table = Table(title=escape(title), title_justify='left', caption=escape(caption), caption_justify='left')
    for place, name in enumerate(COLUMNS):
        width = max(len(cells[place]) for cells in [COLUMNS, *rows])
        table.add_column(name, justify='right' if place else 'left', min_width=width, no_wrap=True)
    table.add_column('')
    for *cells, words in rows:  # only the words are cut where the terminal is narrow
        table.add_row(*map(escape, cells), Text(words, no_wrap=True, overflow='ellipsis'))
    return table


def _n(one: Number) -> int:
    return one.counts.get('units', one.counts.get('rows', one.counts.get('lesions', 0)))


def comparison_tables(comparison: Comparison) -> list[Table]:
    """One per run beside the first, both values and the difference; before them, of three runs or more, all values."""
    overview = [_overview(comparison)] if len(comparison.names) > 2 else []
    return [*overview, *(_pair_table(comparison, place) for place in range(1, len(comparison.names)))]


def _overview(comparison: Comparison) -> Table:
    table = Table(title='Side by side', title_justify='left')
    table.add_column('key', no_wrap=True)
    for name in comparison.names:
        table.add_column(escape(name), justify='right')
    for key in comparison.differences[0]:
        table.add_row(escape(key), *(number(numbers[key].value) for numbers in comparison.numbers))
    return table


def _pair_table(comparison: Comparison, place: int) -> Table:
    """Runs are lettered to save room."""
    names = f'A is {comparison.names[0]}, B is {comparison.names[place]}'
    table = Table(title=escape(f'Paired differences; {names}; p by bootstrap, permutation'), title_justify='left')
    rows = comparison.differences[place - 1]
    longest = max(map(len, rows))
    table.add_column('key', overflow='fold', no_wrap=longest <= _KEY_WIDTH, min_width=min(longest, _KEY_WIDTH))
    for name, width in (('A', 5), ('B', 5), ('B - A', 6), ('95 % interval', 16)):
        table.add_column(name, justify='right', no_wrap=True, min_width=width)
    table.add_column('p', justify='right')  # gives way, as longer keys do, where the terminal is narrow
    for key, row in rows.items():
        values = [_short(comparison.numbers[which][key].value) for which in (0, place)]
        p = f'{p_value(row.p_bootstrap)}, {p_value(row.p_permutation)}'.replace('< ', '<')
        table.add_row(escape(key), *values, _short(row.value), interval(row.low, row.high), p)
    return table


def _short(value: float | None) -> str:
    return '–' if value is None or math.isnan(value) else number(value)  # "not defined" would take the room of p


def intake_lines(intakes: Sequence[Intake], most: int = 10) -> list[str]:
    """How many rows of each file were used, and the first of those that were not."""
    lines = []
    for intake in intakes:
        others = f', {intake.left_out:,} not asked for' if intake.left_out else ''
        lines.append(f'{intake.path}: {intake.used:,} {intake.what} used, {len(intake.refused):,} refused{others}')
        lines += [f'  refused {row.row}: {row.reason}' for row in intake.refused[:most]]
        if len(intake.refused) > most:
            lines.append(f'  and {len(intake.refused) - most:,} more: see files in metrics.json')
    return lines
