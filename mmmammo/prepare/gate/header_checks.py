"""Problems that the header of a file, or its source, tells.

Vendors write what an exposure is into different elements, so each check looks at all of them. Of free text only the
words that a check knows are repeated in messages: descriptions may hold a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

from mmmammo.io import parse_view_name
from mmmammo.io.elements import label
from mmmammo.prepare.gate.decisions import Fault
from mmmammo.structures import ImageRecord, Laterality, MammogramMeta, Problem, View

_MAGNIFIED = 1.3
"""Factor above which an image is no contact mammogram: those have 1.0 to 1.1, magnification views 1.5 and more."""

_GENERATED = re.compile(
    r'\b(C[- ]?VIEW|S-?VIEW|I-VIEW|V-?PREVIEW|INTELLIGENT ?2D|INSIGHT ?2D|SYNTHETIC|SYNTHESI[SZ]ED|GENERATED 2D)\b'
)
_SLICES = re.compile(r'\bTOMO(SYNTHESIS)? (SLICES?|RECONSTRUCTION|PROJECTIONS?)\b')
_STEREO = re.compile(r'\bSTEREO\w*')
_BIOPSY = re.compile(r'\b(STEREO\w*|BIOPSY)\b')
_SPECIMEN = re.compile(r'\bSPECIMEN\b')
_ENLARGED = re.compile(r'\b(MAG|MAGNIFICATION|MAGNIFIED|SPOT)\b')
_SEPARATORS = re.compile(r'[\W_]+')
_ENLARGING = ('magnification', 'spot compression')


def check_header(record: ImageRecord, meta: MammogramMeta) -> Iterator[Fault]:
    """Find everything that is no plain screening view, and tags that contradict the pixel data.

    Args:
        record: What the source says of the file.
        meta: What the file says.
    """
    for problem, (check, expected, remedy) in _CHECKS.items():
        seen = check(record, meta)
        if seen is not None:
            field, found = seen
            yield Fault(problem, field, found, expected, remedy, _MENDED.get(problem, ''))


def tables_fault(note: str) -> Fault:
    """The fault that a source has put right in its own tables, in the words of its note."""
    remedy = 'correct the tables of the source'
    return Fault(Problem.TABLES, 'tables of the source', note, 'nothing to put right', remedy, mended=note)


Seen = tuple[str, str] | None
"""The element that tells it, and what it holds."""


def _raw(record: ImageRecord, meta: MammogramMeta) -> Seen:
    if not meta.attributes.get('for_processing'):
        return None
    return label('PresentationIntentType'), 'FOR PROCESSING, the raw image of the detector'


def _slices(record: ImageRecord, meta: MammogramMeta) -> Seen:
    kind = _image_type(meta)
    if any(word.startswith('TOMO') for word in kind) and not any('2D' in word for word in kind):
        return label('ImageType'), 'TOMO, one slice or projection of a tomosynthesis'
    return _words(meta, 'SeriesDescription', _SLICES)


def _synthetic(record: ImageRecord, meta: MammogramMeta) -> Seen:
    generated = [word for word in _image_type(meta) if word in ('GENERATED_2D', 'TOMO_2D', 'C-VIEW', 'CVIEW')]
    if generated:
        return label('ImageType'), f'{generated[0]}, computed from a tomosynthesis'
    if record.labels.get('synthetic_2d'):
        return 'synthetic 2D, in the tables of the source', 'yes'
    return _words(meta, 'SeriesDescription', _GENERATED)


def _magnification(record: ImageRecord, meta: MammogramMeta) -> Seen:
    modifiers = [word for word in meta.view_modifiers if word in _ENLARGING]
    if modifiers:
        return label('ViewModifierCodeSequence'), ', '.join(modifiers)
    factor = meta.attributes.get('magnification_factor')
    if factor is not None and factor >= _MAGNIFIED:
        return label('EstimatedRadiographicMagnificationFactor'), f'{factor:g}'
    if record.labels.get('magnification'):
        return 'spot or magnification, in the tables of the source', 'yes'
    said = [_words(meta, name, _ENLARGED) for name in ('ViewPosition', 'PaddleDescription', 'SeriesDescription')]
    return next(filter(None, said), None) or _named_enlarged(record)


def _named_enlarged(record: ImageRecord) -> Seen:
    """Of a file whose name says side or view, too: in any other a word may be anything."""
    stem = PurePosixPath(record.relative_path).stem
    match = _ENLARGED.search(_SEPARATORS.sub(' ', stem).upper())
    is_view = parse_view_name(stem) != (Laterality.UNKNOWN, View.UNKNOWN)
    return ('name of the file', match[0]) if match and is_view else None


def _specimen(record: ImageRecord, meta: MammogramMeta) -> Seen:
    if View.SPECIMEN in (record.view, meta.view):
        return label('ViewCodeSequence'), 'tissue specimen'
    return _words(meta, 'SeriesDescription', _SPECIMEN)


def _stereo(record: ImageRecord, meta: MammogramMeta) -> Seen:
    stereo = [word for word in _image_type(meta) if word.startswith('STEREO')]
    if stereo:
        return label('ImageType'), 'STEREO, one of a stereotactic pair'
    return _words(meta, 'PaddleDescription', _BIOPSY) or _words(meta, 'SeriesDescription', _STEREO)


def _implant(record: ImageRecord, meta: MammogramMeta) -> Seen:
    if 'implant displaced' in meta.view_modifiers:
        return label('ViewModifierCodeSequence'), 'implant displaced'
    if meta.attributes.get('implant'):
        return label('BreastImplantPresent'), 'YES'
    return ('implant, in the tables of the source', 'yes') if record.labels.get('implant') else None


def _bit_depth(record: ImageRecord, meta: MammogramMeta) -> Seen:
    declared, stream = (meta.attributes.get(name) for name in ('declared_bits', 'stream_bits'))
    used = meta.bits_stored
    if declared is not None and used is not None and used > declared:
        return label('BitsStored'), f'{declared}, but pixels of {used} bits'
    if declared is not None and stream is not None and stream < declared:  # one with room to spare is common
        return label('BitsStored'), f'{declared}, but a codestream of {stream} bits'
    if meta.attributes.get('voi_unused'):
        return label('WindowWidth'), 'a window for pixels of another depth, which leaves hardly any contrast'
    return None


def _image_type(meta: MammogramMeta) -> list[str]:
    return [str(word).upper() for word in meta.attributes.get('image_type', ())]


def _words(meta: MammogramMeta, keyword: str, pattern: re.Pattern[str]) -> Seen:
    """The word of a description that the pattern knows."""
    said = str(meta.attributes.get(_TEXTS[keyword], '')).upper().replace('_', ' ')
    match = pattern.search(said)
    return (label(keyword), match[0]) if match else None


_TEXTS = {'SeriesDescription': 'series_description', 'PaddleDescription': 'paddle', 'ViewPosition': 'view_position'}
_PLAIN = 'a view of the whole breast'
_MENDED = {
    Problem.FOR_PROCESSING: 'made a picture by logarithm and inversion, not by its vendor',
    Problem.BIT_DEPTH: 'the pixels are believed',
}
_CHECKS: dict[Problem, tuple[Callable[[ImageRecord, MammogramMeta], Any], str, str]] = {
    Problem.FOR_PROCESSING: (_raw, 'FOR PRESENTATION', 'use the processed image of the same exposure'),
    Problem.TOMOSYNTHESIS: (_slices, 'a two-dimensional mammogram', 'leave slices and projections out'),
    Problem.SYNTHETIC_2D: (_synthetic, 'an image that was exposed', 'use the mammogram of the same exam'),
    Problem.SPECIMEN: (_specimen, _PLAIN, 'leave specimens out'),
    Problem.STEREO: (_stereo, _PLAIN, 'leave images of biopsies out'),
    Problem.MAGNIFICATION: (_magnification, _PLAIN, 'leave magnification and spot views out'),
    Problem.IMPLANT: (_implant, 'a breast without implant', 'leave breasts with implants out'),
    Problem.BIT_DEPTH: (_bit_depth, 'a depth that the pixels have', 'correct the tag, or export the image again'),
}
