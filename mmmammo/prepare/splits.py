"""Patients to train, val and test."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mmmammo.structures import ImageRecord, MammoError

SPLITS = ('train', 'val', 'test')


def assign_splits(
    patient_ids: Iterable[str],
    fractions: Sequence[float] = (0.7, 0.1, 0.2),
    seed: int = 0,
    stratify: Mapping[str, Hashable] | None = None,
) -> dict[str, str]:
    """Draw a split for every patient, stratum by stratum.

    Within a stratum the patients are shuffled and cut at the cumulative fractions, so that each split holds its share
    of every stratum to within one patient. The result depends on the set of patients, not on their order.

    Args:
        patient_ids: Repeats count once.
        fractions: Of train, val and test; they need not sum to one.
        seed: Of the shuffle.
        stratify: Stratum by patient, e.g. whether there is a finding; all in one by default.

    Raises:
        MammoError: If the fractions are not three non-negative numbers with a positive sum.
    """
    shares = check_fractions(fractions)
    strata: dict[str, list[str]] = {}
    for patient in sorted(set(patient_ids)):
        strata.setdefault(repr(stratify[patient]) if stratify else '', []).append(patient)
    generator = np.random.default_rng(seed)
    cuts = np.cumsum(shares / shares.sum())[:2]
    result: dict[str, str] = {}
    for _, members in sorted(strata.items()):
        generator.shuffle(members)
        first, second = np.round(cuts * len(members)).astype(int)
        for split, part in zip(SPLITS, (members[:first], members[first:second], members[second:]), strict=True):
            result.update(dict.fromkeys(part, split))
    return result


def check_fractions(fractions: Sequence[float]) -> npt.NDArray[np.float64]:
    """The fractions as an array.

    Raises:
        MammoError: If they are not three non-negative numbers with a positive sum.
    """
    shares = np.asarray(fractions, dtype=np.float64)
    if shares.shape != (3,) or not np.isfinite(shares).all() or (shares < 0).any() or shares.sum() <= 0:
        raise MammoError(
            'splits',
            field='fractions',
            found=tuple(fractions),
            expected='three numbers >= 0, for train, val and test, that are not all 0',
            remedy='give e.g. --split-fractions 0.7 0.1 0.2',
        )
    return shares


def complete_splits(
    given: Mapping[str, str | None],
    positive: Mapping[str, bool],
    fractions: Sequence[float] = (0.7, 0.1, 0.2),
    seed: int = 0,
) -> dict[str, str]:
    """Keep the splits a source fixes and draw the others, so that no patient is divided.

    A source that fixes train and test only gets its val from train, in the proportion of the fractions.

    Args:
        given: The source's split by patient, or ``None``; see :func:`split_by_patient`.
        positive: Whether a patient has a finding; the strata of the draw.
        fractions: See :func:`assign_splits`.
        seed: See :func:`assign_splits`.
    """
    fixed = {patient: split for patient, split in given.items() if split}
    drawn = assign_splits(given.keys() - fixed.keys(), fractions, seed, positive)
    if fixed and 'val' not in fixed.values() and sum(fractions[:2]) > 0:
        train = [patient for patient, split in fixed.items() if split == 'train']
        fixed |= assign_splits(train, (fractions[0], fractions[1], 0), seed, positive)
    return fixed | drawn


def split_by_patient(records: Iterable[ImageRecord]) -> dict[str, str | None]:
    """The split of every patient, as the source gives it image by image; ``None`` where it names none.

    Raises:
        MammoError: If an exam is of two patients, or a patient in two splits.
    """
    patients: dict[str, str] = {}
    splits: dict[str, str | None] = {}
    for record in records:
        if patients.setdefault(record.exam_id, record.patient_id) != record.patient_id:
            found = f'{patients[record.exam_id]} and {record.patient_id}'
            raise _contradiction(f'exam {record.exam_id}', 'patient_id', found, 'one patient for all of its images')
        known = splits.setdefault(record.patient_id, record.split)
        if known and record.split and known != record.split:
            found = f'images in {known} and in {record.split}'
            raise _contradiction(f'patient {record.patient_id}', 'split', found, 'all of a patient in one split')
        splits[record.patient_id] = known or record.split
    return splits


def _contradiction(where: str, field: str, found: str, expected: str) -> MammoError:
    remedy = 'correct the tables of the source: nobody may be tested on whom a detector was trained on'
    return MammoError(where, field=field, found=found, expected=expected, remedy=remedy)
