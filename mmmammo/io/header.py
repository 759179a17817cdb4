"""What the header of a DICOM image says, as a :class:`MammogramMeta`. Names, birth dates and addresses are not read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydicom.dataset import Dataset

from mmmammo.io.elements import items, number, numbers, text, words
from mmmammo.io.view_codes import BREAST_CODES, MODIFIER_CODES, SIDE_CODES, SNOMED_SCHEMES, VIEW_CODES
from mmmammo.io.view_names import parse_view_name
from mmmammo.structures import Laterality, MammogramMeta, View

_CODE = re.compile(r'(?=.*\d)[A-Z0-9.-]{1,16}')
"""What looks like a code and like no name."""
_TEXT_FACTS = {
    'modality': 'Modality',
    'sop_class_uid': 'SOPClassUID',
    'presentation_intent': 'PresentationIntentType',
    'photometric_interpretation': 'PhotometricInterpretation',
    'presentation_lut_shape': 'PresentationLUTShape',
    'series_description': 'SeriesDescription',
    'detector_type': 'DetectorType',
    'paddle': 'PaddleDescription',
    'view_position': 'ViewPosition',
}
_NUMBER_FACTS = {
    'body_part_thickness_mm': 'BodyPartThickness',
    'compression_force_n': 'CompressionForce',
    'magnification_factor': 'EstimatedRadiographicMagnificationFactor',
    'positioner_angle_degrees': 'PositionerPrimaryAngle',
}
_INTEGER_FACTS = {'rows': 'Rows', 'columns': 'Columns'}
_YES_NO_FACTS = {
    'implant': 'BreastImplantPresent',
    'partial_view': 'PartialView',
    'burned_in_annotation': 'BurnedInAnnotation',
    'horizontal_flip': 'FieldOfViewHorizontalFlip',
}
_WORDS_FACTS = {'image_type': 'ImageType', 'patient_orientation': 'PatientOrientation'}
_YEARS_PER_UNIT = {'Y': 1.0, 'M': 1 / 12, 'W': 7 / 365.25, 'D': 1 / 365.25}


def meta_of(dataset: Dataset) -> MammogramMeta:
    """Collect what the header says; what is absent or unreadable is ``None``, ``UNKNOWN`` or not in ``attributes``."""
    bits = number(dataset, 'BitsStored')
    return MammogramMeta(
        laterality=laterality_of(dataset),
        view=view_of(dataset),
        view_modifiers=view_modifiers_of(dataset),
        patient_id=text(dataset, 'PatientID'),
        study_uid=text(dataset, 'StudyInstanceUID'),
        image_uid=text(dataset, 'SOPInstanceUID'),
        pixel_spacing_mm=pixel_spacing_of(dataset),
        bits_stored=None if bits is None else int(bits),
        manufacturer=text(dataset, 'Manufacturer'),
        model_name=text(dataset, 'ManufacturerModelName'),
        attributes=attributes_of(dataset),
    )


def laterality_of(dataset: Dataset) -> Laterality:
    """The first that is L or R of ImageLaterality, Laterality, FrameLaterality, the anatomic region, ViewPosition.

    ``'B'`` (both) and ``'U'`` count as not said.
    """
    return next((side for side in _lateralities(dataset) if side is not Laterality.UNKNOWN), Laterality.UNKNOWN)


def _lateralities(dataset: Dataset) -> Iterator[Laterality]:
    yield Laterality.parse(text(dataset, 'ImageLaterality'))
    yield Laterality.parse(text(dataset, 'Laterality'))
    for groups in items(dataset, 'SharedFunctionalGroupsSequence') + items(dataset, 'PerFrameFunctionalGroupsSequence'):
        for anatomy in items(groups, 'FrameAnatomySequence'):
            yield Laterality.parse(text(anatomy, 'FrameLaterality'))
    for region in items(dataset, 'AnatomicRegionSequence'):
        for modifier in items(region, 'AnatomicRegionModifierSequence'):
            yield Laterality.parse(SIDE_CODES.get(_snomed_value(modifier)))
    yield parse_view_name(text(dataset, 'ViewPosition') or '')[0]  # 'RIGHT CC' is seen in the wild
    part = (text(dataset, 'BodyPartExamined') or '').upper().split()
    if 'BREAST' in part:  # 'Left Breast' in CBIS-DDSM
        yield parse_view_name(' '.join(part))[0]


def view_of(dataset: Dataset) -> View:
    """The first known of ViewCodeSequence, ViewPosition and, as CBIS-DDSM misuses it, PatientOrientation."""
    for item in items(dataset, 'ViewCodeSequence'):
        view = VIEW_CODES.get(_snomed_value(item))
        if view is not None:
            return view
    position = text(dataset, 'ViewPosition')
    view = View.parse(position)
    if view is View.UNKNOWN:
        view = parse_view_name(position or '')[1]
    orientation = words(dataset, 'PatientOrientation')
    if view is View.UNKNOWN and len(orientation) == 1:
        view = View.parse(orientation[0])
    return view


def view_modifiers_of(dataset: Dataset) -> tuple[str, ...]:
    """Meanings of the view modifiers, inside the item of the view or (non-standard) beside it.

    A code outside CID 4015 is named, or told as ``'other modifier'``, so that an unusual exposure is not taken for a
    plain one; its own meaning is free text, which may hold a name.
    """
    holders = [*items(dataset, 'ViewCodeSequence'), dataset]
    modifiers = [item for holder in holders for item in items(holder, 'ViewModifierCodeSequence')]
    return tuple(dict.fromkeys(filter(None, map(_meaning_of_modifier, modifiers))))


def _meaning_of_modifier(item: Dataset) -> str:
    """By its code, else by its meaning if that is one of the known ones; '' for an empty item."""
    code, meaning = text(item, 'CodeValue') or '', (text(item, 'CodeMeaning') or '').lower()
    known = MODIFIER_CODES.get(_snomed_value(item)) or (meaning if meaning in MODIFIER_CODES.values() else '')
    if known or not (code or meaning):
        return known
    return f'other modifier {code}' if _CODE.fullmatch(code) else 'other modifier'


def pixel_spacing_of(dataset: Dataset) -> float | None:
    """ImagerPixelSpacing, then PixelSpacing; ``None`` if neither is positive and the same in both directions (1 %)."""
    for keyword in ('ImagerPixelSpacing', 'PixelSpacing'):
        spacing = numbers(dataset, keyword)
        if len(spacing) == 2 and min(spacing) > 0 and max(spacing) <= 1.01 * min(spacing):
            return sum(spacing) / 2
    return None


def age_of(dataset: Dataset) -> float | None:
    """PatientAge in years; ``None`` for the zero that de-identification leaves."""
    age = (text(dataset, 'PatientAge') or '').upper()
    if len(age) < 2 or not age[:-1].isdecimal() or age[-1] not in _YEARS_PER_UNIT:
        return None
    return int(age[:-1]) * _YEARS_PER_UNIT[age[-1]] or None


def shows_breast(dataset: Dataset) -> bool:
    """Whether an image of no mammographic modality is one nevertheless.

    The body part decides if it is named. Otherwise a mammographic view or positioner does, or (headers stripped down
    to their last tags) a side.
    """
    part = ' '.join(filter(None, (text(dataset, 'BodyPartExamined'), text(dataset, 'OrganExposed')))).upper()
    regions = items(dataset, 'AnatomicRegionSequence')
    if part or regions:
        return 'BREAST' in part.split() or any(_snomed_value(region) in BREAST_CODES for region in regions)
    positioner = (text(dataset, 'PositionerType') or '').upper()
    return (
        view_of(dataset) is not View.UNKNOWN
        or positioner.startswith('MAMMOGRAPHIC')
        or laterality_of(dataset) is not Laterality.UNKNOWN
    )


def attributes_of(dataset: Dataset) -> dict[str, Any]:
    """Acquisition facts under plain names; a fact the header does not state has no key. All values suit JSON."""
    facts: dict[str, Any] = {name: text(dataset, keyword) for name, keyword in _TEXT_FACTS.items()}
    facts |= {name: number(dataset, keyword) for name, keyword in _NUMBER_FACTS.items()}
    sizes = {name: number(dataset, keyword) for name, keyword in _INTEGER_FACTS.items()}
    facts |= {name: None if size is None else int(size) for name, size in sizes.items()}
    facts |= {
        name: {'YES': True, 'NO': False}.get((text(dataset, keyword) or '').upper())
        for name, keyword in _YES_NO_FACTS.items()
    }
    facts |= {name: words(dataset, keyword) or None for name, keyword in _WORDS_FACTS.items()}
    facts['age'] = age_of(dataset)
    facts['transfer_syntax'] = text(getattr(dataset, 'file_meta', Dataset()), 'TransferSyntaxUID')
    return {'file_format': 'dicom'} | {name: value for name, value in facts.items() if value is not None}


def _snomed_value(item: Dataset) -> str:
    """The value of a code if its scheme is one of SNOMED's or not named, else ''."""
    scheme = text(item, 'CodingSchemeDesignator')
    return (text(item, 'CodeValue') or '') if scheme is None or scheme.upper() in SNOMED_SCHEMES else ''
