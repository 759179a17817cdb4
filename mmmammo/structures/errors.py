"""One shape for every complaint about bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from mmmammo.structures.problems import Problem


class MammoError(ValueError):
    """Input that cannot be used, told so that its owner can mend it.

    Args:
        where: The file, exam or config entry at fault.
        field: The tag, key or property at fault, e.g. ``'Modality (0008,0060)'``.
        found: What was there.
        expected: What would have been accepted.
        remedy: What to do about it.
        problem: Its name for the quality gate, if it has one; by default that of the class.
    """

    usual_problem: ClassVar[Problem | None] = None

    def __init__(
        self,
        where: str | Path,
        *,
        field: str,
        found: object,
        expected: str,
        remedy: str,
        problem: Problem | None = None,
    ) -> None:
        self.where = str(where)
        self.field = field
        self.found = found
        self.expected = expected
        self.remedy = remedy
        self.problem = problem or self.usual_problem
        super().__init__(f'{where}: {field}: found {found}; expected {expected}. Remedy: {remedy}')

    @property
    def reason(self) -> str:
        """The message without the file name, for a table that has a column of its own for the file."""
        return f'{self.field}: found {self.found}; expected {self.expected}. Remedy: {self.remedy}'

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by keyword, so that a worker process can hand the error to its parent."""
        said = {name: getattr(self, name) for name in ('field', 'found', 'expected', 'remedy', 'problem')}
        return _rebuild, (type(self), self.where, said)


def _rebuild(cls: type[MammoError], where: str, said: dict[str, Any]) -> MammoError:
    return cls(where, **said)
