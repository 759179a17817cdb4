"""Tables of exam scores for the terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from mmmammo.evaluation.functional import CohortAUC
from mmmammo.evaluation.functional.reading import Reading
from mmmammo.evaluation.summary.cohort import TASKS, CohortExams, CohortRow
from mmmammo.evaluation.summary.exam_rows import ExamRow

PAPER = {
    'Holistic': ('0.913', '0.866'),
    'Attention': ('0.932', '0.883'),
    'Ensemble': ('0.940', '0.891'),
    'Pretrained': ('0.833', '0.784'),
    'Adapted Pretrained': ('0.861', '0.819'),
    '1 radiologist': ('0.930', '0.836'),
    '2 radiologists': ('0.987', '0.886'),
}
"""Table 1 of paper 4, on another set."""


def cohort_tables(exams: CohortExams, rows: Sequence[CohortRow]) -> list[Table]:
    """Paper 4's Table 1 with intervals; a second one on all controls, where some were left out."""
    drawn = [next(iter(row.drawn.values())) for row in rows]
    sampled = any(cell.n_controls < cell.n_controls_known for cell in drawn)
    n_drawn = ' and '.join(sorted({f'{cell.n_controls:,}' for cell in rows[0].drawn.values()}))
    what = f'all cancers and {n_drawn} drawn controls' if sampled else f'all {len(exams.ids):,} exams'
    tables = [_cohort_table(f'Table 1 of paper 4, AUC of {what}', rows, on_all=not sampled)]
    if sampled:
        tables.append(_cohort_table(f'The same of all {len(exams.ids):,} exams', rows, on_all=True))
    return tables


def exam_rows_table(rows: Sequence[ExamRow], n_exams: int, n_positive: int) -> Table:
    """AUC of exams of several models, and their differences from the first."""
    table = Table(title=escape(f'AUC of {n_exams:,} exams, {n_positive:,} positive'), title_justify='left')
    table.add_column('model', no_wrap=True)
    heads = ('AUC', 'DeLong', 'bootstrap', 'minus first', 'DeLong', 'p', 'p permutation')
    for name in heads:
        table.add_column(name, justify='right')
    for row in rows:
        cells = [_number(row.delong.auc), _interval(row.delong.low, row.delong.high), _interval(row.low, row.high)]
        if row.against_first is not None:
            other = row.against_first
            p = '' if row.paired is None else f'{float(row.paired.p_permutation):.3f}'
            cells += [f'{other.difference:+.3f}', _interval(other.low, other.high), _p(other.p_value), p]
        table.add_row(escape(row.name), *cells)
    return table


def cohort_markdown(rows: Sequence[CohortRow], on_all: bool) -> str:
    """The table in the paper's form, with DeLong's intervals and the folds' mean.

    Args:
        rows: Lines.
        on_all: Whether of all exams, or of the drawn controls.
    """
    lines = [['Model', *(f'{title} | folds' for title in TASKS.values())], ['---'] + ['---: | ---:'] * len(TASKS)]
    for row in rows:
        cells = (row.every if on_all else row.drawn).values()
        lines.append([row.name, *(f'{_with_interval(cell)} | {_number(cell.fold_mean)}' for cell in cells)])
    table = '\n'.join(f'| {" | ".join(cells)} |' for cells in lines)
    return f'{_counts(rows[0], on_all)}\n\n{table}\n'


def _cohort_table(title: str, rows: Sequence[CohortRow], on_all: bool) -> Table:
    table = Table(title=escape(title), title_justify='left')
    table.add_column('model', no_wrap=True)
    for name in TASKS.values():
        for head in (name, 'DeLong', 'bootstrap', 'folds', "paper's"):
            table.add_column(head, justify='right')
    for row in rows:
        cells = []
        for place, task in enumerate(TASKS):
            cell = (row.every if on_all else row.drawn)[task]
            area = cell.delong
            bounds = [_interval(area.low, area.high), _interval(cell.low, cell.high)]
            paper = PAPER.get(row.name, ('', ''))[place]
            cells += [_number(area.auc), *bounds, _number(cell.fold_mean), paper]
        table.add_row(escape(row.name), *cells)
    table.caption = escape(_counts(rows[0], on_all))
    table.caption_justify = 'left'
    return table


def _counts(row: CohortRow, on_all: bool) -> str:
    cells = row.every if on_all else row.drawn
    said = (f'{TASKS[task]}: {cell.n_cases:,} against {cell.n_controls:,}' for task, cell in cells.items())
    return '; '.join(said)


def _with_interval(cell: CohortAUC) -> str:
    area = cell.delong
    return _number(area.auc) + ('' if area.low.reason else f' ({_interval(area.low, area.high)})')


def _number(value: Reading) -> str:
    return '-' if value.reason else f'{value:.3f}'


def _interval(low: Reading, high: Reading) -> str:
    return '-' if low.reason or high.reason else f'{low:.3f}-{high:.3f}'


def _p(value: Reading) -> str:
    return '-' if value.reason else f'{value:.3f}'
