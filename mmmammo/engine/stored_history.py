"""mmengine's history of a value, read from a checkpoint as data."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import numpy.typing as npt
from mmengine.logging import HistoryBuffer

from mmmammo.io.stored_arrays import ForbiddenArray, Stored, StoredArray

_STATISTICS = ('mean', 'max', 'min', 'current')


class StoredHistory(Stored):
    """Stands for a ``HistoryBuffer``, whose own state would set the statistics of every history of the process."""

    def __setstate__(self, state: Any) -> None:
        """Make the history from its values and counts; the statistics stay those of mmengine."""
        logs, counts = _values(state['_log_history']), _values(state['_count_history'])
        if len(logs) != len(counts):
            raise ForbiddenArray(f'a history of {len(logs)} values and {len(counts)} counts')
        if type(state['max_length']) is not int:
            raise ForbiddenArray(f'a history of at most {state["max_length"]!r:.40} values')
        self.value = HistoryBuffer(logs, counts, state['max_length'])


def _values(stored: object) -> npt.NDArray[Any]:
    if isinstance(stored, StoredArray) and stored.value.ndim == 1 and stored.value.dtype.kind in 'biuf':
        return np.asarray(stored.value)
    raise ForbiddenArray('a history of something else than numbers')


def named_statistic(owner: object, name: object) -> str:
    """Stand for ``getattr``, by which a pickled history names its own statistics, and allow nothing else."""
    if owner is StoredHistory and name in _STATISTICS:
        return str(name)
    raise pickle.UnpicklingError(f'GLOBAL getattr({owner!r}, {name!r})')
