"""Tables in the log."""

from __future__ import annotations

import io
from collections.abc import Sequence

from mmengine.logging import MMLogger
from rich.console import Console
from rich.table import Table
from rich.text import Text


def log_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Log a small table; numbers to the right."""
    table = Table()
    for i, column in enumerate(columns):
        table.add_column(Text(column), justify='right' if i else 'left')
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(file=io.StringIO(), width=120)
    console.print(title, soft_wrap=True, highlight=False, markup=False)
    console.print(table)
    MMLogger.get_current_instance().info('\n' + console.file.getvalue().rstrip())
