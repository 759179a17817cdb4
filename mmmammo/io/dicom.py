"""DICOM mammograms: what is accepted, and how stored values become display values."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.uid import DigitalMammographyXRayImageStorageForPresentation as FOR_PRESENTATION

from mmmammo.io.dicom_file import open_dicom, quiet, understood
from mmmammo.io.elements import label, number, quoted, text
from mmmammo.io.errors import NotAMammogram, NotForPresentation, UnsupportedPixelData
from mmmammo.io.header import meta_of, shows_breast
from mmmammo.io.raster import constant_image
from mmmammo.io.raw_detector import developed_table
from mmmammo.io.stored_values import StoredValues, decode
from mmmammo.io.voi import DisplayTable, display_table, has_voi
from mmmammo.structures import Mammogram, MammogramMeta, Policy, Problem

FOR_PROCESSING = '1.2.840.10008.5.1.4.1.1.1.2.1'
TOMOSYNTHESIS = '1.2.840.10008.5.1.4.1.1.13.1.3'
PROJECTION_FOR_PRESENTATION = '1.2.840.10008.5.1.4.1.1.13.1.4'
PROJECTION_FOR_PROCESSING = '1.2.840.10008.5.1.4.1.1.13.1.5'
RADIOGRAPH_FOR_PROCESSING = '1.2.840.10008.5.1.4.1.1.1.1.1'

_MAMMOGRAPHIC = {
    FOR_PRESENTATION,
    FOR_PROCESSING,
    TOMOSYNTHESIS,
    PROJECTION_FOR_PRESENTATION,
    PROJECTION_FOR_PROCESSING,
}
_RAW = {FOR_PROCESSING, PROJECTION_FOR_PROCESSING, RADIOGRAPH_FOR_PROCESSING}
_MODALITIES_NEEDING_EVIDENCE = {None, 'CR', 'DX', 'DR', 'RG', 'OT', 'SC'}
_STRIP = 64  # rows


@quiet()
@disable_value_validation()  # otherwise a de-identified UID costs time in every file
def read_dicom(
    path: Path, for_processing: Policy = Policy.QUARANTINE, use_voi: bool = True, rows_needed: float = math.inf
) -> Mammogram:
    """Read a DICOM image as displayed: rescale, VOI LUT or window, inversion, padding made background.

    Args:
        path: The file.
        for_processing: See :func:`mmmammo.io.read_mammogram`.
        use_voi: Likewise.
        rows_needed: Likewise.

    Raises:
        MammogramError: See :func:`mmmammo.io.read_mammogram`.
    """
    header = open_dicom(path, with_pixels=False)
    with understood(path):
        check_shows_breast(header, path)
        check_single_frame(header, path)  # before a stack of a gigabyte is in memory
        raw = is_for_processing(header)
        meta = meta_of(header)
    if raw and for_processing is Policy.QUARANTINE:
        raise _not_for_presentation(header, path)
    dataset = open_dicom(path, with_pixels=True)
    if raw:
        meta = replace(meta, attributes={**meta.attributes, 'for_processing': True})
    if raw or not use_voi:  # the range of all pixels decides what is black and white
        develop = raw and for_processing is Policy.MEND
        return _as_displayed(decode(dataset, path), dataset, meta, path, develop, use_voi)
    shown = _as_displayed(decode(dataset, path, rows_needed), dataset, meta, path)
    if 'halvings' in shown.meta.attributes and shown.meta.attributes['voi'] == 'range':
        return _as_displayed(decode(dataset, path), dataset, meta, path)
    return shown


@quiet()
@disable_value_validation()
def read_dicom_meta(path: Path) -> MammogramMeta:
    """Read the header only; tomosynthesis and raw images have one too.

    Raises:
        CorruptFile: If the file cannot be parsed.
        NotAMammogram: If it shows something else.
    """
    dataset = open_dicom(path, with_pixels=False)
    with understood(path):
        check_shows_breast(dataset, path)
        return meta_of(dataset)


def check_shows_breast(dataset: Dataset, path: Path) -> None:
    """Accept modality MG always, general radiography and secondary capture only with evidence of a breast.

    Raises:
        NotAMammogram: For anything else.
    """
    modality = text(dataset, 'Modality')
    if modality == 'MG':
        return
    if modality not in _MODALITIES_NEEDING_EVIDENCE:
        raise NotAMammogram(
            path,
            field=label('Modality'),
            found=quoted(dataset, 'Modality'),
            expected='MG, or CR, DX, RG, OT, SC or none with a breast as body part',
            remedy='leave the file out',
        )
    if not (_sop_classes(dataset) & _MAMMOGRAPHIC or shows_breast(dataset)):
        raise NotAMammogram(
            path,
            field=label('BodyPartExamined'),
            found=f'{quoted(dataset, "BodyPartExamined")} with modality {modality or "not given"}',
            expected='BREAST, or else a mammographic view or a side',
            remedy='leave the file out, or, if it is a mammogram, set Modality to MG',
        )


def check_single_frame(dataset: Dataset, path: Path) -> None:
    """Refuse tomosynthesis and every other stack.

    Raises:
        UnsupportedPixelData: If the file holds a stack.
    """
    frames = number(dataset, 'NumberOfFrames') or 1
    if TOMOSYNTHESIS in _sop_classes(dataset) or frames > 1:
        raise UnsupportedPixelData(
            path,
            field=label('NumberOfFrames'),
            found=f'{frames:.0f} (SOP class {quoted(dataset, "SOPClassUID", "not given")})',
            expected='one two-dimensional mammogram',
            remedy='export the synthetic 2-D image of the tomosynthesis, or its slices as single images'
            if frames > 1
            else 'if it is the synthetic 2-D image, export it as a mammogram (SOP class …1.1.1.2)',
            problem=Problem.TOMOSYNTHESIS,
        )


def is_for_processing(dataset: Dataset) -> bool:
    """Whether the intent or the SOP class says that it is the raw image of a detector."""
    return _intent(dataset) == 'FOR PROCESSING' or bool(_sop_classes(dataset) & _RAW)


def _not_for_presentation(dataset: Dataset, path: Path) -> NotForPresentation:
    by_intent = _intent(dataset) == 'FOR PROCESSING'
    return NotForPresentation(
        path,
        field=label('PresentationIntentType' if by_intent else 'SOPClassUID'),
        found='FOR PROCESSING' if by_intent else quoted(dataset, 'SOPClassUID'),
        expected='FOR PRESENTATION',
        remedy='use the processed image of the same exposure',
    )


def _intent(dataset: Dataset) -> str:
    return (text(dataset, 'PresentationIntentType') or '').upper()


def _sop_classes(dataset: Dataset) -> set[str | None]:
    """Of the data set and of the file; de-identification often leaves only one of them."""
    file_meta = getattr(dataset, 'file_meta', Dataset())
    return {text(dataset, 'SOPClassUID'), text(file_meta, 'MediaStorageSOPClassUID')}


def _as_displayed(
    stored: StoredValues,
    dataset: Dataset,
    meta: MammogramMeta,
    path: Path,
    develop: bool = False,
    use_voi: bool = True,
) -> Mammogram:
    """Look every pixel up in one table that holds all transforms; the table is small, the image is not."""
    live = stored.present & ~stored.padding
    if not live.any():
        raise UnsupportedPixelData(
            path,
            field=label('PixelPaddingValue'),
            found='every pixel is padding',
            expected='padding around a breast',
            remedy='look at the image: if it is black, leave it out; else correct PixelPaddingValue and '
            'PixelPaddingRangeLimit, or delete them',
            problem=Problem.BLACK,
        )
    if develop:
        table = developed_table(stored, dataset, path)
    else:
        table = display_table(stored.values, live, dataset, path, use_voi)
    table.values[stored.padding] = 0
    if np.ptp(table.values[stored.present]) == 0:
        raise constant_image(path, label('PixelData'), stored.values[live][0])
    meta = replace(
        meta, bits_stored=stored.bits, attributes={**meta.attributes, **_how(stored, table, dataset, meta, use_voi)}
    )
    return Mammogram(_looked_up(table.values, stored.patterns), meta)


def _looked_up(table: npt.NDArray[np.float32], patterns: npt.NDArray[np.unsignedinteger]) -> npt.NDArray[np.float32]:
    """``table[patterns]`` in strips: NumPy makes 64-bit indices of everything that it is asked for at once."""
    shown = np.empty(patterns.shape, dtype=np.float32)
    for top in range(0, len(patterns), _STRIP):
        strip = np.s_[top : top + _STRIP]
        np.take(table, patterns[strip], out=shown[strip], mode='clip')  # none needs clipping, and none is checked
    return shown


def _how(
    stored: StoredValues, table: DisplayTable, dataset: Dataset, meta: MammogramMeta, use_voi: bool
) -> dict[str, Any]:
    """What made the display values, and what of the header was not believed."""
    facts: dict[str, Any] = {'voi': table.voi, 'inverted': table.inverted}
    if stored.halvings:
        facts['halvings'] = stored.halvings
    if stored.stream_bits is not None:
        facts['stream_bits'] = stored.stream_bits
    if meta.bits_stored is not None:
        facts['declared_bits'] = meta.bits_stored
    if use_voi and table.voi == 'range' and has_voi(dataset):
        facts['voi_unused'] = True
    return facts
