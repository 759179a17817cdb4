"""One independent random stream per purpose, so that a change in one part of an exam does not move the others."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np


def stream(seed: int, index: int, purpose: str) -> np.random.Generator:
    """Generator that depends on nothing but the set's seed, the exam's index and the purpose."""
    return np.random.default_rng([seed, index, zlib.crc32(purpose.encode())])


def choose(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """Draw a key with a probability proportional to its weight."""
    values = np.array(list(weights.values()), dtype=np.float64)
    return str(rng.choice(list(weights), p=values / values.sum()))


def truncated_normal(rng: np.random.Generator, mean: float, sd: float, bounds: Sequence[float]) -> float:
    """Normal variate clipped to ``bounds``."""
    return float(np.clip(rng.normal(mean, sd), *bounds))
