"""What is worth telling about an image that is in the set and has no problem of a name."""

from __future__ import annotations

from collections.abc import Iterator

from mmmammo.io.elements import shortened
from mmmammo.structures import ImageRecord, Laterality, MammogramMeta, PreparedImage, View

_LOW_CONFIDENCE = 0.5
_PROBLEMS_OF_THEIR_OWN = ('magnification', 'spot compression', 'implant displaced')


def remarks(record: ImageRecord, meta: MammogramMeta, image: PreparedImage) -> Iterator[str]:
    """Warnings about what is contradictory, coarse, unknown or uncertain."""
    yield from _contradictions(record, meta)
    if meta.bits_stored is not None and meta.bits_stored <= 8:
        yield '8-bit: subtle contrast is lost; use the original DICOM'
    if image.laterality is Laterality.UNKNOWN:
        yield 'unknown laterality: oriented by the pixels, not paired'
    modifiers = [word for word in meta.view_modifiers if word not in _PROBLEMS_OF_THEIR_OWN]
    if image.view is View.UNKNOWN:
        yield 'unknown view: not paired'
    elif image.view is View.AT or modifiers:
        yield f'special view: {shortened(", ".join(modifiers), 64) or image.view}'
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
