"""Epochs in which rare classes come as often as frequent ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from mmengine.dataset import DefaultSampler

from mmmammo.registry import DATA_SAMPLERS
from mmmammo.structures import MammoError


@DATA_SAMPLERS.register_module()
class ClassWeightedSampler(DefaultSampler):
    """Draw samples with replacement, in proportion to the weights that the dataset gives them.

    An epoch is as long as the dataset, or as asked. Drawn from seed and epoch alone: the ranks agree, and a resumed run
    sees the order it would have seen.

    Args:
        dataset: With a method ``sample_weights()`` -> (n,), as :class:`~mmmammo.datasets.PatchDataset` has.
        length: Samples of an epoch; by default as many as the dataset has.
        seed: As the parent's; drawn and shared between ranks if ``None``.
        round_up: As the parent's.

    Raises:
        MammoError: If a weight is negative or not finite, all are 0, or the length is not positive.
    """

    def __init__(self, dataset: Any, length: int | None = None, seed: int | None = None, round_up: bool = True) -> None:
        # the parent deals positions of an epoch out to the ranks; any sized thing will do for it
        super().__init__(range(len(dataset) if length is None else length), shuffle=False, seed=seed, round_up=round_up)
        weights = np.asarray(dataset.sample_weights(), dtype=np.float64)
        if not len(self.dataset) or not np.isfinite(weights).all() or (weights < 0).any() or not weights.sum() > 0:
            raise MammoError(
                'ClassWeightedSampler',
                field='weights, length',
                found=f'{len(weights)} weights with sum {weights.sum():g}, length {length}',
                expected='weights of at least 0, some above, and a positive length',
                remedy='correct the dataset or the length',
            )
        self._shares = weights / weights.sum()

    def __iter__(self) -> Iterator[int]:
        """Yield this rank's sample indices."""
        generator = np.random.default_rng([self.seed, self.epoch])
        drawn = generator.choice(len(self._shares), size=len(self.dataset), p=self._shares)
        return (int(drawn[position]) for position in super().__iter__())
