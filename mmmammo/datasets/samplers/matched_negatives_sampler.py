"""Epochs of all positives and as many negatives."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from mmengine.dataset import DefaultSampler

from mmmammo.registry import DATA_SAMPLERS
from mmmammo.structures import MammoError


@DATA_SAMPLERS.register_module()
class MatchedNegativesSampler(DefaultSampler):
    """Every positive image once per epoch, with negatives drawn anew each epoch (paper 4: one to one).

    Drawn from seed and epoch alone: the ranks agree, and a resumed run sees the order it would have seen.

    Args:
        dataset: Whose ``get_cat_ids(i)`` names the classes of image ``i``.
        negatives: Per positive; all there are, if there are fewer.
        positive_class: Number of the class that is rare.
        seed: As the parent's; drawn and shared between ranks if ``None``.
        round_up: As the parent's.

    Raises:
        MammoError: If ``negatives`` is not above 0, or one of the two kinds does not occur.
    """

    def __init__(
        self,
        dataset: Any,
        negatives: float = 1.0,
        positive_class: int = 1,
        seed: int | None = None,
        round_up: bool = True,
    ) -> None:
        super().__init__(dataset, shuffle=True, seed=seed, round_up=round_up)
        positive = np.array([positive_class in dataset.get_cat_ids(i) for i in range(len(dataset))], dtype=bool)
        self._positives, self._negatives = np.flatnonzero(positive), np.flatnonzero(~positive)
        wanted = round(len(self._positives) * negatives)
        if wanted < 1 or not len(self._negatives):
            raise MammoError(
                'MatchedNegativesSampler',
                field='dataset',
                found=f'{len(self._positives)} positive and {len(self._negatives)} negative images, {negatives} wanted',
                expected='some of each',
                remedy='look at the outcomes of the set; cross-validation wants at least as many cancers as folds',
            )
        self._drawn = min(wanted, len(self._negatives))
        total = len(self._positives) + self._drawn
        self.num_samples = math.ceil(total / self.world_size if round_up else (total - self.rank) / self.world_size)
        self.total_size = self.num_samples * self.world_size if round_up else total

    def epoch_indices(self, epoch: int) -> list[int]:
        """What all ranks together see in an epoch, in order."""
        rng = np.random.default_rng([self.seed, epoch])
        chosen = rng.choice(self._negatives, self._drawn, replace=False)
        shuffled: list[int] = rng.permutation(np.concatenate([self._positives, chosen])).tolist()
        return shuffled

    def __iter__(self) -> Iterator[int]:
        """This rank's share; the first ones are repeated where it does not come out even."""
        indices = self.epoch_indices(self.epoch)
        indices *= -(-self.total_size // len(indices))
        return iter(indices[self.rank : self.total_size : self.world_size])
