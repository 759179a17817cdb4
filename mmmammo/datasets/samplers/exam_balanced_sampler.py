"""Epochs with a set share of positive samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from mmengine.dataset import DefaultSampler

from mmmammo.registry import DATA_SAMPLERS
from mmmammo.structures import MammoError

_NOUNS = {'findings': 'findings', 'label': 'the label'}


@DATA_SAMPLERS.register_module()
class ExamBalancedSampler(DefaultSampler):
    """Fill a given fraction of every epoch with positive samples: those that have findings, or the label.

    An epoch is as long as the dataset. Either kind is drawn by going through a fresh shuffle of it as often as needed,
    so no exam comes twice before every one of its kind came once. Drawn from seed and epoch alone: the ranks agree,
    and a resumed run sees the order it would have seen.

    Args:
        dataset: With a method ``has_findings()`` -> (n,) bool, as :class:`~mmmammo.datasets.MammogramDataset` has, or
            ``is_positive()``, as :class:`~mmmammo.datasets.ViewClassificationDataset` has.
        positive_fraction: Share of positive samples.
        by: ``'findings'`` or ``'label'``: what makes a sample positive.
        seed: As the parent's; drawn and shared between ranks if ``None``.
        round_up: As the parent's.

    Raises:
        MammoError: If the fraction is not in (0, 1), or one of the two kinds does not occur.
    """

    def __init__(
        self,
        dataset: Any,
        positive_fraction: float = 0.5,
        seed: int | None = None,
        round_up: bool = True,
        by: str = 'findings',
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
        positive = which_are_positive(dataset, by)
        self._positives, self._negatives = np.flatnonzero(positive), np.flatnonzero(~positive)
        if not len(self._positives) or not len(self._negatives):
            raise MammoError(
                'ExamBalancedSampler',
                field='dataset',
                found=f'{len(self._positives)} samples with and {len(self._negatives)} without {_NOUNS[by]}',
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


def which_are_positive(dataset: Any, by: str) -> npt.NDArray[np.bool_]:
    """(n,) bool.

    Args:
        dataset: See :class:`ExamBalancedSampler`.
        by: Likewise.

    Raises:
        MammoError: If ``by`` is unknown, or the data set cannot tell.
    """
    method = {'findings': 'has_findings', 'label': 'is_positive'}.get(by)
    if method is None or not hasattr(dataset, method):
        raise MammoError(
            f'sampler of {type(dataset).__name__}',
            field='by',
            found=repr(by),
            expected="'findings', or 'label' with mmmammo.ViewClassificationDataset",
            remedy='correct it in the config',
        )
    return np.asarray(getattr(dataset, method)(), dtype=bool)


def _cycle(items: npt.NDArray[np.int64], count: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    rounds = -(-count // len(items))
    return np.concatenate([generator.permutation(items) for _ in range(max(rounds, 1))])[:count]
