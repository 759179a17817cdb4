"""How our commands end when something is wrong: one message, no traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

from mmmammo.structures import MammoError


def run(main: Callable[[], int | None], *, interrupted: str = 'run the same command again') -> None:
    """Run a command's ``main`` and leave the process with its exit code.

    Bad input (:class:`~mmmammo.structures.MammoError`) ends with its message and code 2, Ctrl-C with 130. Anything else
    is a defect of ours and keeps its traceback.

    Args:
        main: Returns the exit code, or ``None`` for 0.
        interrupted: What the user may do after Ctrl-C.
    """
    try:
        sys.exit(main() or 0)
    except MammoError as err:
        print(f'error: {err}', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f'\ninterrupted; {interrupted}', file=sys.stderr)
        sys.exit(130)
