"""A fault, and the one who decides about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mmmammo.prepare.policies import POSSIBLE
from mmmammo.structures import MammoError, Policy, Problem


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with one image.

    Args:
        problem: Its name.
        field: Tag or property that shows it.
        found: What was there; in one line it tells a reader all that matters.
        expected: What a faultless image has there.
        remedy: What the owner of the file can do.
        mended: What mending does about it; '' if in this image nothing can be done, or need be; the same as ``found``
            if that says it already.
    """

    problem: Problem
    field: str
    found: str
    expected: str
    remedy: str
    mended: str = ''

    def refusal(self, where: str, final: bool = False) -> MammoError:
        """The complaint that leaves the image out; unless it is final, it names what else may be done."""
        others = [policy for policy in POSSIBLE[self.problem] if not (final or policy is Policy.QUARANTINE)]
        choice = f', or prepare with --policy {self.problem}={others[0]}' if others else ''
        return MammoError(
            where,
            field=self.field,
            found=self.found,
            expected=self.expected,
            remedy=self.remedy + choice,
            problem=self.problem,
        )


class Gate:
    """Decides about the faults of one image, and remembers what it decided.

    Args:
        where: The file, relative to its download.
        policies: One for every problem, see :func:`mmmammo.prepare.policies.completed`.
    """

    def __init__(self, where: str, policies: Mapping[Problem, Policy]) -> None:
        self.where = where
        self.policies = policies
        self.mended: list[str] = []
        self.warnings: list[str] = []
        self._decided: dict[Problem, Policy] = {}

    @property
    def problems(self) -> str:
        """What was found and decided, as ``quality.csv`` has it: ``'implant=accept; laterality=mend'``."""
        return '; '.join(f'{problem}={self._decided[problem]}' for problem in Problem if problem in self._decided)

    def decide(self, fault: Fault | None) -> bool:
        """Apply the policy of the fault's problem; no fault needs none.

        Returns:
            Whether the caller has to mend it.

        Raises:
            MammoError: If the image is to be left out.
        """
        if fault is None:
            return False
        policy = self.policies[fault.problem]
        if policy is Policy.QUARANTINE:
            raise fault.refusal(self.where)
        if policy is Policy.MEND and fault.mended:
            self.mend(fault.problem, fault.found if fault.mended == fault.found else f'{fault.found}: {fault.mended}')
            return True
        self._decided.setdefault(fault.problem, Policy.ACCEPT)
        self.warnings.append(f'{fault.problem}: {fault.found}')
        return False

    def mend(self, problem: Problem, what: str) -> None:
        """Keep what was put right."""
        self._decided[problem] = Policy.MEND
        self.mended.append(f'{problem} {what}')
