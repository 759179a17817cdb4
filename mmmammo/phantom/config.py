"""What a phantom set looks like, in one frozen object."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from mmmammo.structures import MammoError

ASYMMETRIES: tuple[str, ...] = ('asymmetry', 'focal_asymmetry', 'global_asymmetry')
CATEGORIES: tuple[str, ...] = ('mass', 'calcification', 'distortion', *ASYMMETRIES, 'lymph_node')
"""The first four occur by default, the others where ``finding_mix`` names them. Named as the source ``vindr`` does."""
DENSITIES: tuple[str, ...] = ('A', 'B', 'C', 'D')
DETECTOR_MM: tuple[float, float] = (232.96, 179.2)
"""(height, width) of the detector: 3328 x 2560 pixels of 0.07 mm."""
MIN_HEIGHT, MAX_HEIGHT = 256, 3328


@dataclass(frozen=True)
class PhantomConfig:
    """Size, mixture and difficulty of a phantom set; every fraction lies in [0, 1].

    Args:
        height: Image height in pixels, 256 to 3328; the width follows from the detector (see :attr:`width`).
        prevalence: Fraction of exams with at least one true finding.
        lesion_counts: Relative frequency of one, two, three, … findings in such an exam.
        finding_mix: Relative frequency per category.
        malignant_fraction: Of the true findings.
        contrast: Range (least, most) of the factor on a lesion's excess density; 1 is gland in place of fat, about 0.6
            is subtle.
        overlap_decoys: Mean number per image of lesion-like overlaps that only this one view shows.
        symmetric_decoys: Mean number per exam of benign densities that both breasts show at mirrored places.
        density_mix: Relative frequency per ACR density class.
        missing_views: Probability that a view is absent; at least one view of an exam remains.
        vendors: Names of the vendor profiles to draw from, see :data:`mmmammo.phantom.vendors.VENDORS`; empty: all.
        split: Fractions (train, val, test) of the patients.

    Raises:
        MammoError: If a value is out of range; it names the field.
    """

    height: int = 1024
    prevalence: float = 0.75
    lesion_counts: tuple[float, ...] = (0.5, 0.3, 0.2)
    finding_mix: Mapping[str, float] = field(
        default_factory=lambda: {'mass': 0.5, 'calcification': 0.25, 'distortion': 0.1, 'asymmetry': 0.15}
    )
    malignant_fraction: float = 0.5
    contrast: tuple[float, float] = (0.9, 2.2)
    overlap_decoys: float = 0.25
    symmetric_decoys: float = 0.4
    density_mix: Mapping[str, float] = field(default_factory=lambda: {'A': 0.1, 'B': 0.4, 'C': 0.4, 'D': 0.1})
    missing_views: float = 0.0
    vendors: tuple[str, ...] = ()
    split: tuple[float, float, float] = (0.7, 0.1, 0.2)

    def __post_init__(self) -> None:
        for name in ('lesion_counts', 'contrast', 'vendors', 'split'):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if isinstance(self.height, bool) or not isinstance(self.height, int):
            raise _error('height', self.height, 'a whole number of pixels')
        _check_range('height', self.height, MIN_HEIGHT, MAX_HEIGHT)
        for name in ('prevalence', 'malignant_fraction', 'missing_views'):
            _check_range(name, getattr(self, name), 0, 1)
        for name in ('overlap_decoys', 'symmetric_decoys'):
            _check_range(name, getattr(self, name), 0, 5)
        for value in self.contrast:
            _check_range('contrast', value, 0.05, 5)
        if len(self.contrast) != 2 or self.contrast[0] > self.contrast[1]:
            raise _error('contrast', self.contrast, 'two numbers, least <= most')
        _check_weights('finding_mix', self.finding_mix, CATEGORIES)
        _check_weights('density_mix', self.density_mix, DENSITIES)
        _check_weights('lesion_counts', dict(enumerate(self.lesion_counts, start=1)))
        if len(self.split) != 3:
            raise _error('split', self.split, 'three fractions: train, val, test')
        _check_weights('split', dict(zip(('train', 'val', 'test'), self.split, strict=True)))
        self._check_vendors()

    def _check_vendors(self) -> None:
        from mmmammo.phantom.vendors import VENDORS

        for name in self.vendors:
            if name not in VENDORS:
                raise _error('vendors', name, f'one of {", ".join(VENDORS)}')

    @property
    def width(self) -> int:
        """Image width in pixels."""
        return round(self.height * DETECTOR_MM[1] / DETECTOR_MM[0])

    @property
    def pixel_spacing_mm(self) -> float:
        """Distance of pixel centres at the detector; 0.07 at full size."""
        return DETECTOR_MM[0] / self.height

    def to_json(self) -> dict[str, Any]:
        """Plain values, for ``phantom.json``."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PhantomConfig:
        """The inverse of :meth:`to_json`; an unknown key is an error."""
        known = [f.name for f in fields(cls)]
        for key in data:
            if key not in known:
                raise _error(key, data[key], f'one of the fields {", ".join(known)}')
        return cls(**data)


def _check_range(name: str, value: object, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise _error(name, value, f'a number from {least:g} to {most:g}')


def _check_weights(name: str, weights: Mapping[Any, float], keys: tuple[str, ...] | None = None) -> None:
    for key, value in weights.items():
        if keys is not None and key not in keys:
            raise _error(name, key, f'keys out of {", ".join(keys)}')
        if not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
            raise _error(f'{name}[{key!r}]', value, 'a number >= 0')
    if not sum(weights.values()) > 0:
        raise _error(name, dict(weights), 'at least one weight above 0')


def _error(name: str, found: object, expected: str) -> MammoError:
    return MammoError('PhantomConfig', field=name, found=found, expected=expected, remedy=f'change `{name}`')
