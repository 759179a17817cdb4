"""The file that says which models make a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from mmmammo.structures import MammoError

MEANS = {'mean': 'probability', 'mean_log_odds': 'log_odds'}
"""How rows are combined -> what is averaged, as tools/average_scores.py calls it."""


@dataclass(frozen=True)
class Row:
    """One model, trained once per seed; or the mean of the scores of other rows.

    Args:
        name: Of its folder; unique.
        config: Path from the root of the repository; empty for a mean.
        seeds: Of its trainings.
        cfg_options: What overrides the config, as ``--cfg-options`` does.
        paper: Metric -> the number of the paper, on the scale of the page.
        folds: Cross-validate it with so many folds, instead of one training; its numbers are those of all folds' rows.
        against: Name of the row that it is compared with; by default the plan's ``reference``.
        combine: For a mean: one of :data:`MEANS` -> names of rows, averaged image by image and seed by seed.
    """

    name: str
    config: str
    seeds: tuple[int, ...]
    cfg_options: Mapping[str, Any] = field(default_factory=dict)
    paper: Mapping[str, float] = field(default_factory=dict)
    folds: int | None = None
    against: str = ''
    combine: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """One table of the page.

    Args:
        title: Its heading.
        rows: Name of a row -> what it is called here, in this order.
        metrics: Keys of its columns.
        note: A paragraph above it.
        paper: Whether the paper's numbers of its rows stand in it, because it is a table of the paper.
    """

    title: str
    rows: Mapping[str, str]
    metrics: tuple[str, ...]
    note: str = ''
    paper: bool = True


@dataclass(frozen=True)
class Plan:
    """Everything in the file.

    Args:
        path: Of the file; ``page`` and ``results`` are beside it.
        name: Of the marks in the page, ``<!-- results:NAME -->``.
        metrics: Key of ``metrics.json`` -> heading of its column.
        reference: Name of the row that the others are compared with, unless they say otherwise.
        rows: The models.
        tables: What the page shows of them.
        factor: What a metric is multiplied with on the page; 100 for per cent.
        digits: Decimals on the page.
        page: File with the marks.
        results: File with the numbers.
    """

    path: Path
    name: str
    metrics: Mapping[str, str]
    reference: str
    rows: tuple[Row, ...]
    tables: tuple[Table, ...]
    factor: float = 100.0
    digits: int = 1
    page: str = 'README.md'
    results: str = 'results.json'

    def reference_of(self, row: Row) -> str:
        """Name of the row that a row is compared with."""
        return row.against or self.reference

    def folds_of(self, row: Row) -> int | None:
        """How many folds a row has; a mean has those of its rows."""
        parts = {name for names in row.combine.values() for name in names}
        return next((other.folds for other in self.rows if other.name in parts), row.folds)

    def needs(self, row: Row, key: str) -> bool:
        """Whether the test of a row has to log a metric: not if only tables without the row show it."""
        tables = [table for table in self.tables if key in table.metrics]
        return not tables or any(row.name in table.rows for table in tables)

    @property
    def page_path(self) -> Path:
        """Of the page."""
        return self.path.parent / self.page

    @property
    def results_path(self) -> Path:
        """Of the numbers."""
        return self.path.parent / self.results


def read_plan(path: str | Path) -> Plan:
    """Read a plan; see ``configs/agrcnn/experiments.yaml`` for an example.

    Raises:
        MammoError: If the file is absent, no YAML, or says something that cannot be.
    """
    path = Path(path)
    try:
        document = yaml.safe_load(path.read_text(encoding='utf-8'))
    except FileNotFoundError as err:
        raise _error(path, 'file', 'no such file', 'a plan such as configs/agrcnn/experiments.yaml') from err
    except yaml.YAMLError as err:
        raise _error(path, 'content', str(err).replace('\n', ' '), 'YAML') from err
    _check_keys(path, 'plan', document, Plan, also=('seeds',), without=('path',))
    seeds = document.pop('seeds', [0])
    rows = tuple(_row(path, entry, seeds) for entry in _list(path, document, 'rows'))
    tables = tuple(_table(path, entry, document['metrics']) for entry in _list(path, document, 'tables'))
    plan = Plan(path, **{**document, 'rows': rows, 'tables': tables})
    _check_names(plan)
    _check_means(plan)
    return plan


def _row(path: Path, entry: Any, seeds: list[int]) -> Row:
    _check_keys(path, 'row', entry, Row, optional=('seeds', 'config'))
    _check_making(path, entry)
    given = entry.get('seeds', seeds)
    good = isinstance(given, list) and given and all(isinstance(s, int) and s >= 0 for s in given)
    if not good or len(set(given)) < len(given):
        raise _error(path, f'row {entry["name"]!r}: seeds', given, 'a list of different whole numbers')
    combine = {how: tuple(names) for how, names in entry.get('combine', {}).items()}
    return Row(**{'config': '', **entry, 'seeds': tuple(given), 'combine': combine})


def _check_making(path: Path, entry: Mapping[str, Any]) -> None:
    """Trained, cross-validated or combined."""
    where, folds, combine = f'row {entry["name"]!r}', entry.get('folds'), entry.get('combine')
    if 'combine' not in entry:
        if not isinstance(entry.get('config'), str):
            raise _error(path, where, 'without config', 'a config, or other rows to combine')
        if folds is not None and (not isinstance(folds, int) or folds < 2):
            raise _error(path, f'{where}: folds', folds, 'a whole number from 2 on')
        return
    extra = [key for key in ('config', 'cfg_options', 'folds') if key in entry]
    if extra:
        raise _error(path, where, f'combine and {", ".join(extra)}', 'one of both: a mean is not trained')
    good = isinstance(combine, dict) and len(combine) == 1 and set(combine) <= set(MEANS)
    parts = next(iter(combine.values())) if good else None
    if not isinstance(parts, list) or len(set(parts)) < 2:
        raise _error(path, f'{where}: combine', combine, f'one of {", ".join(MEANS)}, and a list of two rows or more')


def _table(path: Path, entry: Any, metrics: Mapping[str, str]) -> Table:
    _check_keys(path, 'table', entry, Table, optional=('metrics',))
    if not isinstance(entry.get('paper', True), bool):
        raise _error(path, f'table {entry["title"]!r}: paper', entry['paper'], 'true or false')
    return Table(**{**entry, 'metrics': tuple(entry.get('metrics', metrics))})


def _check_names(plan: Plan) -> None:
    """Whatever is named has to be there, once."""
    names = [row.name for row in plan.rows]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _error(plan.path, 'rows: name', ', '.join(twice), 'a name of its own for every row')
    for what, used, known in (
        ('reference', [plan.reference], names),
        ('rows: against', [row.against for row in plan.rows if row.against], names),
        ('tables: rows', [name for table in plan.tables for name in table.rows], names),
        ('tables: metrics', [key for table in plan.tables for key in table.metrics], plan.metrics),
        (
            'rows: combine',
            [name for row in plan.rows for parts in row.combine.values() for name in parts],
            [row.name for row in plan.rows if not row.combine],
        ),
        ('rows: paper', [key for row in plan.rows for key in row.paper], plan.metrics),
    ):
        unknown = [name for name in used if name not in known]
        if unknown:
            raise _error(plan.path, what, ', '.join(unknown), f'some of {", ".join(known)}')


def _check_means(plan: Plan) -> None:
    """Only scores of the same images can be averaged."""
    folds = {row.name: row.folds for row in plan.rows}
    for row in plan.rows:
        found = {folds[name] for names in row.combine.values() for name in names}
        if len(found) > 1:
            said = ', '.join('none' if number is None else str(number) for number in sorted(found, key=str))
            raise _error(plan.path, f'row {row.name!r}: combine', f'rows of folds {said}', 'rows of equally many folds')


def _check_keys(
    path: Path,
    what: str,
    entry: Any,
    kind: type,
    *,
    also: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
) -> None:
    if not isinstance(entry, dict):
        raise _error(path, what, f'{entry!r}', 'keys and values')
    known = [f.name for f in fields(kind) if f.name not in without]
    needed = [f.name for f in fields(kind) if _needed(f) and f.name in known and f.name not in optional]
    missing, extra = [k for k in needed if k not in entry], [str(k) for k in entry if k not in (*known, *also)]
    if missing or extra:
        found = f'without {", ".join(missing)}' if missing else f'unknown {", ".join(extra)}'
        raise _error(path, f'{what} {entry.get("name", entry.get("title", ""))!r}', found, f'keys {", ".join(known)}')


def _needed(of: Any) -> bool:
    return of.default is MISSING and of.default_factory is MISSING


def _list(path: Path, document: Mapping[str, Any], key: str) -> list[Any]:
    entries = document[key]
    if not isinstance(entries, list) or not entries:
        raise _error(path, key, f'{entries!r}', 'a list')
    return entries


def _error(path: Path, field: str, found: object, expected: str) -> MammoError:
    return MammoError(path, field=field, found=found, expected=expected, remedy='correct the file')
