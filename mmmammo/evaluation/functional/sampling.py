"""The rows that paper 4 computes its AUCs on: all cancers, and a fixed random part of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional.inputs import BoolArray, IntArray
from mmmammo.evaluation.functional.labelled_scores import binary_labels, option, same_length
from mmmammo.structures import MammoError

SCREENING_OUTCOMES = ('screening', 'interval', 'normal')
"""A cancer found at the screening exam, one found between two exams, none."""


@dataclass(frozen=True, eq=False)
class SampledRows:
    """Rows to evaluate, and their labels.

    Args:
        rows: (k,) rising indices into the whole set.
        labels: (k,) whether each is a case.
    """

    rows: IntArray
    labels: BoolArray


def sample_controls(
    is_case: npt.ArrayLike, n_controls: int = 5000, seed: int = 0, strata: Sequence[Any] | None = None
) -> SampledRows:
    """Every case, and controls drawn without replacement.

    AUC does not depend on prevalence, so the sample estimates that of all; precision, pF1 and average precision do,
    and must not be computed on it.

    Args:
        is_case: (n,) 0 or 1.
        n_controls: How many controls; all of them if there are no more.
        seed: The same seed draws the same rows.
        strata: (n,) kind of each row; when given, the kinds of controls keep their shares.

    Raises:
        MammoError: On malformed labels, strata of another length or a negative number.
    """
    good = isinstance(n_controls, Integral) and n_controls >= 0
    option('sample_controls', 'n_controls', n_controls, 'a whole number, 0 or more', good=good)
    case = binary_labels('sample_controls', is_case, 'is_case')
    kinds = ['' for _ in case] if strata is None else [str(kind) for kind in strata]
    same_length('sample_controls', is_case=case, strata=kinds)
    rng = np.random.default_rng(seed)
    names, kind = np.unique(np.array(kinds, dtype=object)[~case], return_inverse=True)
    controls = np.flatnonzero(~case)
    quotas = _shares(np.bincount(kind, minlength=len(names)), n_controls)
    drawn = [rng.choice(controls[kind == i], size=quota, replace=False) for i, quota in enumerate(quotas)]
    rows = np.sort(np.concatenate([np.flatnonzero(case), *drawn]))
    return SampledRows(rows, case[rows])


def screening_tasks(outcomes: Sequence[str], n_controls: int = 5000, seed: int = 0) -> dict[str, SampledRows]:
    """The two columns of paper 4's Table 1.

    ``'screening'``: screening cancers against 5,000 of all others, interval cancers among them in proportion.
    ``'screening_interval'``: both kinds of cancer against 5,000 normal exams.

    Args:
        outcomes: (n,) one of ``SCREENING_OUTCOMES`` per exam.
        n_controls: See :func:`sample_controls`.
        seed: See :func:`sample_controls`.

    Raises:
        MammoError: On an unknown outcome, with its row.
    """
    for row, outcome in enumerate(outcomes):
        if outcome not in SCREENING_OUTCOMES:
            raise MammoError(
                'screening_tasks',
                field=f'outcomes[{row}]',
                found=repr(outcome),
                expected=f'one of {SCREENING_OUTCOMES}',
                remedy='map the outcome of the programme to these',
            )
    kinds = np.array(outcomes, dtype=object)
    return {
        'screening': sample_controls(kinds == 'screening', n_controls, seed, outcomes),
        'screening_interval': sample_controls(kinds != 'normal', n_controls, seed),
    }


def _shares(sizes: IntArray, total: int) -> IntArray:
    """Split ``total`` in proportion to the sizes, by largest remainder; never more than there are."""
    total = min(total, int(sizes.sum()))
    exact = sizes * (total / max(int(sizes.sum()), 1))
    quotas: IntArray = np.floor(exact).astype(np.int64)
    largest = np.argsort(-(exact - quotas), kind='stable')[: total - int(quotas.sum())]
    quotas[largest] += 1
    return quotas
