"""Epochs with a set share of exams that have findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from mmengine.dataset import DefaultSampler

from mmmammo.registry import DATA_SAMPLERS
from mmmammo.structures import MammoError


@DATA_SAMPLERS.register_module()
class ExamBalancedSampler(DefaultSampler):
    """Fill a given fraction of every epoch with samples that have findings.

    An epoch is as long as the dataset. Either kind is drawn by going through a fresh shuffle of it as often as needed,
    so no exam comes twice before every one of its kind came once. Drawn from seed and epoch alone: the ranks agree,
    and a resumed run sees the order it would have seen.

    Args:
        dataset: With a method ``has_findings()`` -> (n,) bool, as :class:`~mmmammo.datasets.MammogramDataset` has.
        positive_fraction: Share of samples with findings.
        seed: As the parent's; drawn and shared between ranks if ``None``.
        round_up: As the parent's.

    Raises:
        MammoError: If the fraction is not in (0, 1), or one of the two kinds does not occur.
    """

    def __init__(
        self, dataset: Any, positive_fraction: float = 0.5, seed: int | None = None, round_up: bool = True
    ) -> None:
        super().__init__(dataset, shuffle=True, seed=seed, round_up=round_up)
        if not 0 < positive_fraction < 1:
            raise MammoError(
                'ExamBalancedSampler',
                field='positive_fraction',
                found=positive_fraction,
                expected='between 0 and 1, both excluded',
                remedy='use DefaultSampler with filter_cfg for exams of one kind only',
            )
        self.positive_fraction = positive_fraction
        has_findings = np.asarray(dataset.has_findings())
        self._positives, self._negatives = np.flatnonzero(has_findings), np.flatnonzero(~has_findings)
        if not len(self._positives) or not len(self._negatives):
            raise MammoError(
                'ExamBalancedSampler',
                field='dataset',
                found=f'{len(self._positives)} samples with and {len(self._negatives)} without findings',
                expected='some of each',
                remedy='use DefaultSampler for this set',
            )

    def __iter__(self) -> Iterator[int]:
        """Yield this rank's sample indices; the parent shuffles the table and deals it out to the ranks."""
        table = self._epoch_table()
        return (int(table[position]) for position in super().__iter__())

    def _epoch_table(self) -> npt.NDArray[np.int64]:
        generator = np.random.default_rng([self.seed, self.epoch])
        total = len(self.dataset)
        num_positive = round(total * self.positive_fraction)
        return np.concatenate(
            [
                _cycle(self._positives, num_positive, generator),
                _cycle(self._negatives, total - num_positive, generator),
            ]
        )


def _cycle(items: npt.NDArray[np.int64], count: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    rounds = -(-count // len(items))
    return np.concatenate([generator.permutation(items) for _ in range(max(rounds, 1))])[:count]
