"""What keeps a readable image out of a prepared set, and what is worth a warning."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mmmammo.io.elements import shortened
from mmmammo.structures import ImageRecord, Laterality, MammoError, Mammogram, MammogramMeta, PreparedImage, View

_FEWEST_GREYS = 16
_SATURATED_FRACTION = 0.3
_SAMPLE_SIDE = 512
_LOW_CONFIDENCE = 0.5


def check_pixels(record: ImageRecord, mammogram: Mammogram) -> None:
    """Refuse masks and saturated images.

    Raises:
        MammoError: If the image has hardly any grey values, or is mostly at full white.
    """
    rows, columns = mammogram.pixels.shape
    sample = mammogram.pixels[:: max(1, rows // _SAMPLE_SIDE), :: max(1, columns // _SAMPLE_SIDE)]
    greys = len(np.unique(sample))
    if greys < _FEWEST_GREYS:
        raise MammoError(
            record.relative_path,
            field='pixel values',
            found=f'{greys} different grey values',
            expected=f'a mammogram, with at least {_FEWEST_GREYS}',
            remedy='leave masks and overlays out of the exam folder',
        )
    white = float((sample >= 1).mean())
    if white > _SATURATED_FRACTION:
        raise MammoError(
            record.relative_path,
            field='pixel values',
            found=f'{white:.0%} of the image at full white',
            expected=f'at most {_SATURATED_FRACTION:.0%}',
            remedy='export the image again with its own window, or leave it out',
        )


def no_breast(record: ImageRecord) -> MammoError:
    """The complaint about an image in which nothing stands out of the background."""
    return MammoError(
        record.relative_path,
        field='pixel values',
        found='no region that could be a breast',
        expected='a breast, brighter than the background',
        remedy='look at the file; export it again, or leave it out',
    )


def warnings_of(record: ImageRecord, meta: MammogramMeta, image: PreparedImage) -> Iterator[str]:
    """What is worth telling about an image that is in the set."""
    yield from _contradictions(record, meta)
    if meta.bits_stored is not None and meta.bits_stored <= 8:
        yield '8-bit: subtle contrast is lost; use the original DICOM'
    if image.laterality is Laterality.UNKNOWN:
        yield 'unknown laterality: oriented by the pixels, not paired'
    if image.view is View.UNKNOWN:
        yield 'unknown view: not paired'
    elif image.view is View.AT or meta.view_modifiers:
        yield f'special view: {shortened(", ".join(meta.view_modifiers), 64) or image.view}'
    if image.landmarks is None:
        yield 'no landmarks: looked at without its partners'
    elif image.landmarks.confidence < _LOW_CONFIDENCE:
        yield f'landmarks uncertain ({image.landmarks.confidence:.2f})'


def _contradictions(record: ImageRecord, meta: MammogramMeta) -> Iterator[str]:
    """Where the source's tables and the file say different things; the tables win."""
    pairs = {'laterality': (record.laterality, meta.laterality), 'view': (record.view, meta.view)}
    for name, (said, in_file) in pairs.items():
        if said != in_file and not {Laterality.UNKNOWN, View.UNKNOWN} & {said, in_file}:
            yield f'{name} is {said} in the tables of the source, {in_file} in the file'
