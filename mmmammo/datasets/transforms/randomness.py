"""Where the transforms get their randomness from."""

from __future__ import annotations

import numpy as np

from mmmammo.structures import MammoError


def call_generator() -> np.random.Generator:
    """A generator for one call of one transform, seeded from NumPy's global state.

    mmengine seeds that state in the main process and in every data loader worker, so a seeded run is repeatable with
    any number of workers, and two calls never share their numbers.
    """
    return np.random.default_rng(np.random.randint(2**32, size=4, dtype=np.uint32))


def checked_probability(owner: str, prob: float) -> float:
    """Return ``prob``, or complain if it is not in [0, 1]."""
    if not 0 <= prob <= 1:
        raise MammoError(
            owner, field='prob', found=prob, expected='a probability in [0, 1]', remedy='correct it in the config'
        )
    return prob
