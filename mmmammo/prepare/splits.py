"""Patients to train, val and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmmammo.structures import MammoError

SPLITS = ('train', 'val', 'test')


def assign_splits(
    patients: Mapping[str, str],
    fractions: Sequence[float] = (0.7, 0.1, 0.2),
    seed: int = 0,
) -> dict[str, str]:
    """Draw a split for every patient, stratum by stratum.

    Within a stratum the patients are shuffled and cut at the cumulative fractions, so that each split holds its share
    of every stratum to within one patient. The result depends on the set of patients, not on their order.

    Args:
        patients: Stratum (e.g. ``'positive'``) by patient id.
        fractions: Of train, val and test; they need not sum to one.
        seed: Of the shuffle.

    Raises:
        MammoError: If the fractions are not three non-negative numbers with a positive sum.
    """
    shares = np.asarray(fractions, dtype=float)
    if shares.shape != (3,) or not np.isfinite(shares).all() or (shares < 0).any() or shares.sum() <= 0:
        raise MammoError(
            'splits',
            field='fractions',
            found=tuple(fractions),
            expected='three numbers >= 0, for train, val and test',
            remedy='give e.g. 0.7 0.1 0.2',
        )
    generator = np.random.default_rng(seed)
    cuts = np.cumsum(shares / shares.sum())[:2]
    result: dict[str, str] = {}
    for stratum in sorted(set(patients.values())):
        members = sorted(patient for patient, of in patients.items() if of == stratum)
        generator.shuffle(members)
        bounds = np.round(cuts * len(members)).astype(int)
        for split, part in zip(SPLITS, np.split(np.array(members, dtype=object), bounds), strict=True):
            result.update(dict.fromkeys(part.tolist(), split))
    return result


def complete_splits(
    given: Mapping[str, str | None],
    positive: Mapping[str, bool],
    fractions: Sequence[float] = (0.7, 0.1, 0.2),
    seed: int = 0,
) -> dict[str, str]:
    """Keep the splits a source fixes and draw the others, so that no patient is divided.

    Args:
        given: The source's split by patient, or ``None``.
        positive: Whether a patient has a finding; the strata of the draw.
        fractions: See :func:`assign_splits`.
        seed: See :func:`assign_splits`.
    """
    free = {patient: 'positive' if positive[patient] else 'negative' for patient, split in given.items() if not split}
    fixed = {patient: split for patient, split in given.items() if split}
    return {**fixed, **assign_splits(free, fractions, seed)}
