"""Batches with a set number of positive samples."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice

import numpy as np
import numpy.typing as npt
from mmengine.dataset import DefaultSampler

from mmmammo.datasets.samplers.exam_balanced_sampler import which_are_positive
from mmmammo.registry import DATA_SAMPLERS
from mmmammo.structures import MammoError


@DATA_SAMPLERS.register_module()
class FixedRateBatchSampler:
    """Give every batch the same number of positive samples, however rare they are.

    An epoch goes once, up to a part of a batch, through the negatives in the sampler's order; positives are repeated,
    in their order, or left out at its end, as the rate wants. Where a shuffling sampler would leave most batches of a
    screening set without a cancer, each loss then has one. In a dataloader as
    ``batch_sampler=dict(type='mmmammo.FixedRateBatchSampler')``, with ``drop_last=False``; the data loader gives the
    rest.

    Args:
        sampler: Gives the order, of this rank alone; not one that balances itself.
        batch_size: Samples per batch, at least 2.
        positive_rate: Share of positives in a batch; rounded, but to neither none nor all of the batch.
        by: As in :class:`~mmmammo.datasets.samplers.ExamBalancedSampler`.

    Raises:
        MammoError: If the rate is not in (0, 1), a batch is too small for both kinds, or one of them does not occur.
    """

    def __init__(
        self, sampler: DefaultSampler, batch_size: int, positive_rate: float = 0.25, by: str = 'label'
    ) -> None:
        if not 0 < positive_rate < 1 or batch_size < 2:
            raise _error(
                'positive_rate, batch_size',
                (positive_rate, batch_size),
                'a rate between 0 and 1, both excluded, and batches of at least 2',
                'correct them in the config',
            )
        self.sampler = sampler
        self.batch_size = batch_size
        self.num_positive = min(max(round(batch_size * positive_rate), 1), batch_size - 1)
        self._positive = which_are_positive(sampler.dataset, by)
        if self._positive.all() or not self._positive.any():
            counts = f'{self._positive.sum()} positive and {(~self._positive).sum()} negative samples'
            raise _error('dataset', counts, 'some of each', 'leave the batch_sampler out for this set')

    def __iter__(self) -> Iterator[list[int]]:
        """Yield batches; in each the positives come first."""
        order = np.fromiter(self.sampler, dtype=np.int64, count=len(self.sampler))
        positives, negatives = self._stream(order, True), self._stream(order, False)
        for _ in range(len(self)):
            yield [*islice(positives, self.num_positive), *islice(negatives, self.batch_size - self.num_positive)]

    def _stream(self, order: npt.NDArray[np.int64], positive: bool) -> Iterator[int]:
        """One kind in this rank's order, over and over; the whole kind if the rank has none by chance."""
        own = order[self._positive[order] == positive].tolist()
        return cycle(own or np.flatnonzero(self._positive == positive).tolist())

    def __len__(self) -> int:
        """Batches of an epoch, the same on every rank."""
        share = (~self._positive).sum() / len(self._positive)
        return max(round(len(self.sampler) * share / (self.batch_size - self.num_positive)), 1)


def _error(field: str, found: object, expected: str, remedy: str) -> MammoError:
    return MammoError('FixedRateBatchSampler', field=field, found=found, expected=expected, remedy=remedy)
