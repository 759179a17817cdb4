"""Results as tables in Markdown, between two marks of a page. Rows without results are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mmmammo.experiments.plan import Plan, Row, Table
from mmmammo.experiments.pooled import note
from mmmammo.structures import MammoError

NOTHING = 'No run is complete yet. The command above makes them.'
_PAPER = 'paper\\*'
_OF_PAPERS = "\\* Not run by us: the paper's numbers, on its own data. An empty cell there: it prints none."


def render(plan: Plan, results: Mapping[str, Any] | None) -> str:
    """The tables, and below them what they stand on.

    Args:
        plan: What is shown, and the numbers of the paper.
        results: Of :func:`~mmmammo.experiments.results.collect`; ``None`` where there are none yet.
    """
    found = {row['name']: row for row in (results or {}).get('rows', [])}
    notes = _Notes()
    tables = [_table(plan, table, found, notes) for table in plan.tables if any(name in found for name in table.rows)]
    if results is None or not tables:
        return NOTHING
    text = '\n\n'.join([*tables, _footnote(plan, results, notes)])
    return f'{text}\n{_OF_PAPERS}' if _PAPER in text else text


def put_between_marks(page: str, name: str, content: str) -> str:
    """The page with new content between ``<!-- results:NAME -->`` and ``<!-- /results:NAME -->``.

    Raises:
        MammoError: If the page lacks the marks, or has them more than once.
    """
    start, end = f'<!-- results:{name} -->', f'<!-- /results:{name} -->'
    if page.count(start) != 1 or page.count(end) != 1 or page.index(start) > page.index(end):
        raise MammoError(
            'page',
            field='marks',
            found=f'{page.count(start)} of {start}, {page.count(end)} of {end}',
            expected='one of each, in this order',
            remedy='write both where the tables belong',
        )
    before, after = page[: page.index(start)], page[page.index(end) :]
    return f'{before}{start}\n{content}\n{after}'


@dataclass
class _Notes:
    """What cells lack and why, numbered in the order of the page.

    Args:
        texts: Each once.
    """

    texts: list[str] = field(default_factory=list)

    def mark(self, text: str | None) -> str:
        """A raised number, or nothing where nothing is to be said."""
        if not text:
            return ''
        if text not in self.texts:
            self.texts.append(text)
        return f'<sup>{self.texts.index(text) + 1}</sup>'

    @property
    def lines(self) -> list[str]:
        """One per text, with its mark, as sentences."""
        return [f'{self.mark(text)} {text[0].upper()}{text[1:].rstrip(".")}.' for text in self.texts]


def _table(plan: Plan, table: Table, found: Mapping[str, Mapping[str, Any]], notes: _Notes) -> str:
    head = ['', '', *(plan.metrics[key] for key in table.metrics)]
    lines = [head, ['---', '---', *('---:' for _ in table.metrics)]]
    rows = {row.name: row for row in plan.rows}
    for name, label in table.rows.items():
        if name in found:
            lines += _lines(plan, table, rows[name], found[name], label, notes)
    text = '\n'.join(f'| {" | ".join(cells)} |' for cells in lines)
    return '\n\n'.join([f'### {table.title}', *([table.note.strip()] if table.note else []), text])


def _lines(plan: Plan, table: Table, row: Row, entry: Mapping[str, Any], label: str, notes: _Notes) -> list[list[str]]:
    """Ours, its difference from the row it is compared with, and the paper's."""
    seeds = len(entry['seeds'])
    made = f'{seeds} {"seed" if seeds == 1 else "seeds"}' + (f' of {row.folds} folds' if row.folds else '')
    made += notes.mark(entry.get('not_compared')) + notes.mark(note(entry))
    lines = [[label, made, *(_value(plan, entry['values'][key], notes) for key in table.metrics)]]
    if entry['difference']:
        paired, reasons = entry['difference']['values'], entry['difference'].get('reasons', {})
        cells = [_difference(plan, paired.get(key), reasons.get(key), notes) for key in table.metrics]
        lines.append(['', f'minus {_label(plan, table, plan.reference_of(row))}', *cells])
    if table.paper and any(key in row.paper for key in table.metrics):
        cells = [f'{row.paper[key]:.{plan.digits}f}' if key in row.paper else '' for key in table.metrics]
        lines.append(['', _PAPER, *cells])
    return lines


def _value(plan: Plan, number: Mapping[str, Any], notes: _Notes) -> str:
    """``72.5 ± 1.3 (57.1 to 86.3)``, or a mark that says why there is no interval."""
    if number['mean'] is None:
        return f'not defined{notes.mark(number.get("undefined"))}'
    spread = '' if number['sd'] is None else f' ± {_number(plan, number["sd"])}'
    return f'{_number(plan, number["mean"])}{spread}{_bounds(plan, number)}{notes.mark(number.get("no_interval"))}'


def _difference(plan: Plan, number: Mapping[str, Any] | None, reason: str | None, notes: _Notes) -> str:
    """``+3.1 (-0.4 to 6.8), p 0.084``, or a mark that says why not."""
    if number is None:
        return notes.mark(reason)
    if number['value'] is None:
        return f'not defined{notes.mark(number.get("reason"))}'
    p = number['p_permutation'] if number['p_permutation'] is not None else number['p_bootstrap']
    said = '' if p is None else f', p {p:.3f}' if p >= 0.001 else ', p < 0.001'
    why = notes.mark(number.get('reason'))
    return f'{plan.factor * number["value"]:+.{plan.digits}f}{_bounds(plan, number)}{said}{why}'


def _bounds(plan: Plan, number: Mapping[str, Any]) -> str:
    if number.get('low') is None or number.get('high') is None:
        return ''
    return f' ({_number(plan, number["low"])} to {_number(plan, number["high"])})'


def _number(plan: Plan, value: float) -> str:
    return f'{plan.factor * value:.{plan.digits}f}'


def _label(plan: Plan, table: Table, name: str) -> str:
    """What a row is called, here or in the first table that has it."""
    for candidate in (table, *plan.tables):
        if name in candidate.rows:
            return candidate.rows[name]
    return name


def _footnote(plan: Plan, results: Mapping[str, Any], notes: _Notes) -> str:
    """How to read the tables, what cells lack, and how they were made."""
    rows = results['rows']
    counts = {', '.join(f'{count} {what}' for what, count in row['n'].items()) for row in rows if row['n']}
    commits = sorted({commit for row in rows for commit in row['commits']})
    planned = sum(len(row.seeds) for row in plan.rows)
    made = sum(len(row['seeds']) for row in rows)
    hours = sum(row['hours'] for row in rows)
    drawn = [f'{times:,}' for times in sorted({row.get('replicates', results['replicates']) for row in rows})]
    lines = [
        f'Mean ± standard deviation over seeds ({results["level"]:.0%} interval of the mean, patients resampled '
        f'{" or ".join(drawn)} times). Differences are over the seeds that both rows have; p-values exchange the '
        'two models patient by patient, and are not corrected for their number.',
        *(
            f'<sup>{number}</sup> {text[0].upper()}{text[1:].rstrip(".")}.'
            for number, text in enumerate(notes.texts, 1)
        ),
        *(f'Tested on {one}.' for one in sorted(counts)),
        f'{made} of {planned} runs, {hours:.1f} hours of training and testing; commit {", ".join(commits)}; made by '
        f'`{results["command"]}`.',
    ]
    return '\n'.join(lines)
