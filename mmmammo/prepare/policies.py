"""What may be done about each problem, and what is done where nobody says otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from mmmammo.structures import MammoError, Policy, Problem

_ACCEPT, _MEND, _QUARANTINE = Policy.ACCEPT, Policy.MEND, Policy.QUARANTINE

POSSIBLE: Mapping[Problem, tuple[Policy, ...]] = {
    Problem.UNREADABLE: (_QUARANTINE,),
    Problem.TABLES: (_MEND, _QUARANTINE),
    Problem.FOR_PROCESSING: (_QUARANTINE, _MEND, _ACCEPT),
    Problem.TOMOSYNTHESIS: (_QUARANTINE,),
    Problem.SYNTHETIC_2D: (_QUARANTINE, _ACCEPT),
    Problem.MODALITY: (_QUARANTINE,),
    Problem.MAGNIFICATION: (_QUARANTINE, _ACCEPT),
    Problem.SPECIMEN: (_QUARANTINE, _ACCEPT),
    Problem.STEREO: (_QUARANTINE, _ACCEPT),
    Problem.IMPLANT: (_ACCEPT, _QUARANTINE),
    Problem.BURNED_IN: (_ACCEPT, _MEND, _QUARANTINE),
    Problem.BLACK: (_QUARANTINE,),
    Problem.NO_BREAST: (_QUARANTINE,),
    Problem.SATURATED: (_QUARANTINE, _ACCEPT),
    Problem.BIT_DEPTH: (_MEND, _QUARANTINE),
    Problem.LATERALITY: (_MEND, _ACCEPT, _QUARANTINE),
    Problem.ANNOTATION: (_MEND, _QUARANTINE),
}
"""Policies that make sense, the default first.

Nothing can be mended of which only the maker of the file has the better version. A wrong bit depth cannot be accepted
because one of the two things that contradict each other has to be believed, nor an annotation outside of its image
because no detector can learn it. What one file makes impossible is quarantined under any policy, such as an
annotation that lies wholly outside.
"""


def completed(chosen: Mapping[Problem, Policy]) -> dict[Problem, Policy]:
    """A policy for every problem: the chosen one, else the default.

    Args:
        chosen: Policies by problem; plain words will do.

    Raises:
        MammoError: If there is no such problem or policy, or the two do not go together.
    """
    known = {_problem(name): (name, policy) for name, policy in chosen.items()}
    return {
        problem: _policy(problem, known[problem][1]) if problem in known else possible[0]
        for problem, possible in POSSIBLE.items()
    }


def parse_policy(text: str) -> tuple[Problem, Policy]:
    """Read ``'magnification=accept'``.

    Raises:
        MammoError: If it is none, or one that does not make sense.
    """
    name, equals, action = text.partition('=')
    if not equals:
        raise _error(text, 'NAME=ACTION, e.g. magnification=accept', 'write it so')
    problem = _problem(name)
    return problem, _policy(problem, action)


def _problem(name: str) -> Problem:
    if name not in Problem.__members__.values():
        raise _error(name, f'a problem: one of {", ".join(POSSIBLE)}', 'correct the name')
    return Problem(name)


def _policy(problem: Problem, action: str) -> Policy:
    possible = POSSIBLE[problem]
    if action not in possible:
        said = ', '.join(f'{problem}={policy}' for policy in possible)
        only = ' (nothing else can be done about it)' if len(possible) == 1 else ''
        raise _error(f'{problem}={action}', f'{"one of " if len(possible) > 1 else ""}{said}{only}', 'choose that')
    return Policy(action)


def _error(found: str, expected: str, remedy: str) -> MammoError:
    return MammoError('policies', field='--policy', found=found, expected=expected, remedy=remedy)
