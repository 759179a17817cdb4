"""What a user sees when a set is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from mmmammo.prepare.splits import SPLITS
from mmmammo.prepare.summary import Summary
from mmmammo.sources import CountCheck
from mmmammo.structures import Policy


def summary_tables(summary: Summary, out: Path, shares: Sequence[float]) -> Iterator[RenderableType]:
    """Counts per split, labels, problems, published counts, and where the reasons are.

    Args:
        summary: Of the set.
        out: The set.
        shares: Wanted of train, val and test; a split that came out empty though it has one is warned of.
    """
    yield _split_table(summary, out)
    for split, share in zip(SPLITS, shares, strict=True):
        if share > 0 and not summary.images[split]:
            warning = f'Warning: no image in {split}. Remedy: more patients, or other --split-fractions'
            yield Text(warning, style='red')
    yield Text('Views: ' + _listed(summary.views))
    if summary.labels:
        yield Text('Labels: ' + '; '.join(f'{name} {_listed(counts)}' for name, counts in summary.labels.items()))
    if summary.left_out:
        yield Text('Findings of other categories, left out: ' + _listed(summary.left_out))
    if summary.checks:
        yield _count_table(summary)
    yield from _problem_lines(summary)
    statuses = ', '.join(f'{count} {status}' for status, count in summary.statuses.items())
    skipped = f'; {summary.skipped} skipped, by their names no images' if summary.skipped else ''
    if summary.coarse:
        yield Text(f'Decoded at a lower resolution of their own (JPEG 2000): {summary.coarse:,} images')
    if summary.uneven:
        yield Text(
            f'Warning: images of {summary.uneven:,} exams differ in depth (bits in quality.csv). PNG and the like do '
            'not say what is white; it is guessed from the brightest pixel of each. Remedy: export them scaled alike, '
            'or as DICOM',
            style='red',
        )
    told = f'Files: {statuses}{skipped}; {summary.warnings} with a warning. Reasons: {out / "quality.csv"}'
    yield Text(told, overflow='ignore', no_wrap=True)


def _split_table(summary: Summary, out: Path) -> Table:
    table = Table(title=f'Prepared set {escape(str(out))}', title_justify='left')
    for column in ('split', 'patients', 'exams', 'images', 'findings'):
        table.add_column(column, justify='left' if column in ('split', 'findings') else 'right')
    for split in SPLITS:
        start = f'{split}/'
        findings = {key[len(start) :]: n for key, n in sorted(summary.findings.items()) if key.startswith(start)}
        counts = (str(part[split]) for part in (summary.patients, summary.exams, summary.images))
        table.add_row(split, *counts, escape(_listed(findings)) or '-')
    return table


def _count_table(summary: Summary) -> Table:
    """Counts of the download beside those of its authors."""
    table = Table(title='Counts of the download', title_justify='left')
    for column in ('count', 'found', 'published', ''):
        table.add_column(column, justify='right' if column in ('found', 'published') else 'left')
    before = ''
    for check in summary.checks:
        published, said = '-' if check.published is None else f'{check.published:,}', _verdict(check)
        shown = '"' if said == before and said not in ('', 'ok') else said
        table.add_row(Text(check.what), f'{check.found:,}', published, Text(shown))
        before = said
    return table


def _verdict(check: CountCheck) -> str:
    """Whether a count is the published one, or why not."""
    if check.published in (None, check.found):
        return check.explanation or ('' if check.published is None else 'ok')
    return check.explanation or 'differs: a partial download, or another release'


def _problem_lines(summary: Summary) -> Iterator[Text]:
    """Problems by what was done about them."""
    words = {Policy.ACCEPT: 'Accepted with', Policy.MEND: 'Mended', Policy.QUARANTINE: 'Quarantined for'}
    for policy, word in words.items():
        ending = f'={policy}'
        counts = {key.removesuffix(ending): n for key, n in summary.problems.items() if key.endswith(ending)}
        if counts:
            yield Text(f'{word}: {_listed(counts)}')


def _listed(counts: Mapping[str, int]) -> str:
    return ', '.join(f'{name} {count:,}' for name, count in counts.items())
