"""What the user may choose about a prepared set."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from mmmammo.prepare.policies import completed
from mmmammo.prepare.splits import check_fractions
from mmmammo.structures import MammoError, Policy, Problem

LANDMARK_SOURCES = ('detected', 'paper', 'truth')
CROP_METHODS = ('mask', 'rsna')
PECTORAL_METHODS = ('landmarks', 'rsna')
SCALES = ('height', 'scale', 'long_side', 'spacing')
_LEAST_SIDE = 64
_COARSE = 0.5  # the scale from which a codestream's own half size is enough
_LATER = ('coarse_jpeg2000', 'crop_method', 'pectoral_method')  # options that came when there were sets
_RECIPE = 4  # raise it when the same options give other pixels or landmarks, so that resumed sets are made again


@dataclass(frozen=True)
class PrepareOptions:
    """How one image is prepared; equal options and sources give equal files.

    Of ``height``, ``scale``, ``long_side`` and ``spacing`` at most one may be given; without any, the source's
    resolution is kept. None of them ever enlarges.

    Args:
        height: Scale every image so that its *source* would be this high, in pixels; the crop keeps the scale, so all
            views of a set with one detector size share their millimetres per pixel.
        crop: Whether to cut to the breast.
        landmarks: ``'detected'``: found in the image, as a user's will be. ``'paper'``: found by the recipe of paper 3.
            ``'truth'``: the source's own where it has any.
        scale: Scale every image by this factor, 0.25 for a quarter of the size.
        long_side: Scale every prepared image so that neither side exceeds this, in pixels; each crop thus has a scale
            of its own.
        spacing: Scale every image to this many millimetres per pixel; files without a pixel spacing are left out.
        bits: Of the PNG files, 8 or 16.
        remove_pectoral: Blank the muscle in oblique views.
        pectoral_fill: Grey in [0, 1] that it is filled with.
        crop_method: ``'mask'``: the breast as :func:`mmmammo.preprocessing.segment_breast` finds it, with a margin.
            ``'rsna'``: by the recipe of paper 2 (:mod:`mmmammo.preprocessing.rsna_recipe`).
        pectoral_method: ``'landmarks'``: behind the edge of the muscle that was found. ``'rsna'``: by that recipe.
        clahe: Clip limit of an equalisation in 8 x 8 tiles that is baked into the file; ``None``: none.
        voi: Whether the VOI LUT or window of DICOM files is used, see :func:`mmmammo.io.read_mammogram`.
        coarse_jpeg2000: Whether JPEG 2000 files that are shrunk to half or less are decoded at the codestream's own
            lower resolution (:mod:`mmmammo.io.coarse`): in less than half of the time, not the same
            pixels. With ``height``, or a ``scale`` of at most 0.5.
        policies: What is done about each problem, where that is not the default; completed to all of them.

    Raises:
        MammoError: If a value is not one of those named, or two of them exclude each other.
    """

    height: int | None = None
    crop: bool = True
    landmarks: str = 'detected'
    scale: float | None = None
    long_side: int | None = None
    spacing: float | None = None
    bits: int = 16
    remove_pectoral: bool = False
    pectoral_fill: float = 0.0
    clahe: float | None = None
    voi: bool = True
    coarse_jpeg2000: bool = False
    crop_method: str = 'mask'
    pectoral_method: str = 'landmarks'
    policies: Mapping[Problem, Policy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, 'policies', completed(self.policies))
        self._check_scale()
        if self.landmarks not in LANDMARK_SOURCES:
            raise _error('landmarks', self.landmarks, f'one of {", ".join(LANDMARK_SOURCES)}')
        self._check_methods()
        if self.bits not in (8, 16):
            raise _error('bits', self.bits, '8 or 16')
        if not 0 <= self.pectoral_fill <= 1 or (self.pectoral_fill and not self.remove_pectoral):
            raise _error('pectoral_fill', self.pectoral_fill, 'a grey from 0 to 1, with remove_pectoral')
        if self.clahe is not None and not 0 < self.clahe < math.inf:
            raise _error('clahe', self.clahe, 'a clip limit greater than 0, e.g. 2')
        if self.coarse_jpeg2000:
            self._check_coarse()

    @property
    def rows_needed(self) -> float:
        """Rows of the source that an image is made of, see :func:`mmmammo.io.read_mammogram`; infinite: all of them."""
        return (self.height or self.scale or math.inf) if self.coarse_jpeg2000 else math.inf

    def _check_scale(self) -> None:
        given = {name: getattr(self, name) for name in SCALES if getattr(self, name) is not None}
        if len(given) > 1:
            raise _error(' and '.join(given), 'several ways to say the size', f'one of {", ".join(SCALES)}')
        for name in given.keys() & {'height', 'long_side'}:
            if given[name] < _LEAST_SIDE:
                raise _error(name, given[name], f'at least {_LEAST_SIDE} pixels')
        if self.scale is not None and not 0 < self.scale <= 1:
            raise _error('scale', self.scale, 'a factor greater than 0, at most 1')
        if self.spacing is not None and not 0 < self.spacing < math.inf:
            raise _error('spacing', self.spacing, 'millimetres per pixel, greater than 0')

    def _check_methods(self) -> None:
        if self.crop_method not in CROP_METHODS or (self.crop_method != 'mask' and not self.crop):
            raise _error('crop_method', self.crop_method, f'one of {", ".join(CROP_METHODS)}, the latter with crop')
        if self.pectoral_method not in PECTORAL_METHODS or (
            self.pectoral_method != 'landmarks' and not self.remove_pectoral
        ):
            choices = ', '.join(PECTORAL_METHODS)
            raise _error('pectoral_method', self.pectoral_method, f'one of {choices}, the latter with remove_pectoral')

    def _check_coarse(self) -> None:
        """Refuse it where it would never do anything, so that nobody waits for what does not come."""
        if self.height is None and (self.scale is None or self.scale > _COARSE):
            size = next((f'{name} {getattr(self, name)}' for name in SCALES if getattr(self, name)), 'full size')
            raise _error('coarse_jpeg2000', f'True with {size}', f'height, or a scale of at most {_COARSE}')
        if not self.voi:
            raise _error('coarse_jpeg2000', 'True without voi', 'voi: the range of the values is that of all pixels')
        if 'rsna' in (self.crop_method, self.pectoral_method):
            raise _error('coarse_jpeg2000', "True with method 'rsna'", 'the full resolution, whose pixels that counts')

    def digest(self) -> str:
        """Changes when any option does, or what this version makes of them."""
        said = asdict(self)
        for name in _LATER:  # as before there was this option: sets made then are finished
            if said[name] == getattr(type(self), name):
                del said[name]
        return hashlib.sha256(json.dumps([_RECIPE, said], sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class SetOptions:
    """What becomes of the prepared images as a set; changing it prepares no image again.

    Args:
        single_class: Merge all findings into one class of this name; the finer category is kept in
            ``attributes['category']``.
        only: Keep findings of these categories; empty keeps all.
        fractions: Of train, val and test, for patients whose source names no split; they need not sum to one.
        seed: Of that draw, at least 0.

    Raises:
        MammoError: If the fractions or the seed are none.
    """

    single_class: str | None = None
    only: tuple[str, ...] = ()
    fractions: tuple[float, float, float] = (0.7, 0.1, 0.2)
    seed: int = 0

    def __post_init__(self) -> None:
        check_fractions(self.fractions)
        if self.seed < 0:
            raise _error('seed', self.seed, 'at least 0')

    def classes(self, categories: Sequence[str]) -> tuple[str, ...]:
        """The class list made of a source's categories.

        Raises:
            MammoError: If ``only`` names a category the source does not have.
        """
        unknown = [name for name in self.only if name not in categories]
        if unknown:
            raise _error('only', ', '.join(unknown), f'out of {", ".join(categories)}')
        if self.single_class:
            return (self.single_class,)
        return tuple(name for name in categories if not self.only or name in self.only)


def _error(field: str, found: object, expected: str) -> MammoError:
    return MammoError('options of the set', field=field, found=found, expected=expected, remedy=f'change {field}')
