"""The part of a prepared set that one fold of a cross-validation trains or tests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from mmmammo.datasets.label_rule import HAS_FINDING
from mmmammo.sources.folds import patient_folds
from mmmammo.structures import MammoError, PreparedImage

PARTS = ('rest', 'held_out')
UNITS = ('image', 'exam')


@dataclass(frozen=True)
class FoldPart:
    """Which images of which fold.

    The images of all files of ``pool`` are cut by patient, before a data set leaves any out, so that configs that ask
    for different labels have the same folds.

    Args:
        n: How many folds.
        held_out: The fold that is tested, from 0.
        part: ``'held_out'``, that fold; or ``'rest'``, all others.
        pool: Index files, relative to the prepared set. Together they are cut anew.
        seed: Of the cut; 121 is that of paper 2.
        stratify: Label of the images that is shared out evenly, whatever its values; absent is one of them.
            ``'has_finding'`` is whether an image has any.
        unit: What is shared out: ``'image'``, which is scikit-learn's ``StratifiedGroupKFold`` of the images; or
            ``'exam'``, where an exam's stratum is made of the different values of its images.
        label: Takes the folds that the images bring in this label (their values in order) in place of a cut.

    Raises:
        MammoError: If an argument makes no sense.
    """

    n: int
    held_out: int
    part: str
    pool: tuple[str, ...]
    seed: int = 121
    stratify: str = 'cancer'
    unit: str = 'image'
    label: str | None = None

    def __post_init__(self) -> None:
        for field, good, expected in (
            ('n', isinstance(self.n, int) and self.n >= 2, 'a whole number from 2 on'),
            ('held_out', self.held_out in range(max(self.n, 0)), f'a fold from 0 to {self.n - 1}'),
            ('part', self.part in PARTS, f'one of {PARTS}'),
            ('unit', self.unit in UNITS, f'one of {UNITS}'),
            ('pool', bool(self.pool) and len(set(self.pool)) == len(self.pool), 'index files, each once'),
            ('seed', isinstance(self.seed, int) and self.seed >= 0, 'a whole number from 0 on'),
        ):
            if not good:
                raise _error(field, repr(getattr(self, field)), expected, 'correct it')

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> FoldPart:
        """A part as configs write it.

        Raises:
            MammoError: If a key is missing, unknown, or its value makes no sense.
        """
        known = [field.name for field in fields(cls)]
        missing = [field.name for field in fields(cls) if field.default is MISSING and field.name not in config]
        unknown = sorted(set(config) - set(known))
        if missing or unknown:
            found = f'without {", ".join(missing)}' if missing else f'unknown {", ".join(unknown)}'
            raise _error('keys', found, f'keys {", ".join(known)}', 'tools/crossval.py writes them')
        return cls(**{**config, 'pool': tuple(config['pool'])})

    def of_config(self) -> dict[str, Any]:
        """The inverse of :meth:`of`."""
        return {**asdict(self), 'pool': list(self.pool)}

    def select(self, images: Sequence[PreparedImage]) -> tuple[PreparedImage, ...]:
        """The images of this part, in the order given.

        Args:
            images: All of the pool.

        Raises:
            MammoError: See :meth:`folds`.
        """
        folds = self.folds(images)
        wanted = self.part == 'held_out'
        return tuple(image for image in images if (folds[image.patient_id] == self.held_out) == wanted)

    def folds(self, images: Sequence[PreparedImage]) -> dict[str, int]:
        """The fold of every patient.

        Raises:
            MammoError: If there are fewer patients than folds, no image has the label, or the folds that the set brings
                are others than asked for or divide a patient.
        """
        if self.label is not None:
            return self._brought(images)
        strata = [_value(image, self.stratify) for image in images]
        if all(value is None for value in strata):
            labels = sorted({name for image in images for name in image.labels})
            remedy = "stratify by a label that the set has, or 'has_finding'"
            raise _error('stratify', repr(self.stratify), f'a label of some image, of {", ".join(labels)}', remedy)
        patients = [image.patient_id for image in images]
        if self.unit == 'exam':
            patients, strata = _by_exam(images, strata)
        return patient_folds(patients, strata, self.n, self.seed)

    def _brought(self, images: Sequence[PreparedImage]) -> dict[str, int]:
        by_patient: dict[str, set[Any]] = defaultdict(set)
        for image in images:
            by_patient[image.patient_id].add(image.labels.get(str(self.label)))
        divided = sorted(patient for patient, values in by_patient.items() if len(values) > 1)
        values = sorted({value for found in by_patient.values() for value in found}, key=_order)
        field = f'label {self.label!r}'
        if divided:
            found = f'{len(divided)} patients in several folds, the first is {divided[0]!r}'
            raise _error(field, found, 'a patient in one fold', 'correct the table that the set was prepared from')
        if None in values or len(values) != self.n:
            found = f'values {", ".join(map(str, values))}'
            raise _error(field, found, f'{self.n} values, one for every image', 'ask for as many folds as there are')
        return {patient: values.index(*found) for patient, found in by_patient.items()}


def _value(image: PreparedImage, label: str) -> object:
    return bool(image.findings) if label == HAS_FINDING else image.labels.get(label)


def _by_exam(images: Sequence[PreparedImage], strata: Sequence[object]) -> tuple[list[str], list[object]]:
    """Patient and stratum of every exam."""
    patient: dict[str, str] = {}
    values: dict[str, set[str]] = defaultdict(set)
    for image, stratum in zip(images, strata, strict=True):
        patient[image.exam_id] = image.patient_id
        values[image.exam_id].add(str(stratum))
    return list(patient.values()), [tuple(sorted(values[exam])) for exam in patient]


def _order(value: object) -> tuple[bool, float, str]:
    """Numbers as numbers, then texts; nothing comes last."""
    number = float(value) if isinstance(value, int | float) or str(value).isdecimal() else float('inf')
    return value is None, number, str(value)


def _error(field: str, found: str, expected: str, remedy: str) -> MammoError:
    return MammoError('folds', field=field, found=found, expected=expected, remedy=remedy)
