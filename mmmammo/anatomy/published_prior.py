"""The geometric prior that paper 3 prints, as counts.

Its largest singular value is 1.000, as it must be for D_r^-1/2 eps D_c^-1/2, and its singular vectors are the roots of
D; that gives eps back, to whole numbers within .0034. Most counts are even: a lesion pair was counted once per triad
that it occurs in, with CC examined and with MLO examined.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

NUM_NODES = (22, 26)
CELLS: tuple[tuple[int, int, int], ...] = (
    (0, 0, 4), (2, 2, 1), (2, 9, 2), (3, 0, 2), (3, 3, 2), (3, 4, 1), (4, 4, 2), (4, 5, 2), (4, 6, 2), (4, 15, 2),
    (5, 0, 2), (5, 4, 2), (5, 5, 3), (5, 6, 2), (6, 4, 4), (7, 5, 4), (9, 9, 1), (9, 10, 1), (10, 8, 1), (10, 11, 2),
    (11, 2, 2), (11, 5, 2), (11, 8, 1), (11, 9, 2), (11, 12, 2), (11, 13, 2), (12, 4, 2), (12, 11, 2), (12, 12, 4),
    (13, 4, 4), (13, 6, 2), (13, 7, 4), (13, 10, 1), (13, 11, 3), (13, 12, 4), (18, 9, 2), (18, 10, 2), (18, 11, 2),
    (18, 12, 2), (19, 5, 1), (19, 12, 2), (19, 13, 2), (19, 15, 2), (20, 6, 2), (20, 11, 4), (20, 13, 2), (20, 16, 2),
    (20, 19, 1),
)  # fmt: skip
"""(CC node, MLO node, count): 48 cells, 105 in all."""


def published_counts() -> npt.NDArray[np.int64]:
    """(22, 26) counts of (CC node, MLO node)."""
    counts = np.zeros(NUM_NODES, dtype=np.int64)
    for row, column, count in CELLS:
        counts[row, column] = count
    return counts
