"""The phantom as CMMD: 8-bit DICOM files that only their headers tell apart, and a spreadsheet of breasts.

Every fault has a patient of her own, in the order of :data:`FAULTS`; the other patients are as they should be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from mmmammo.phantom.dicom_writer import VIEW_CODES
from mmmammo.phantom.dressing.plain_dicom import made_uid, write_plain
from mmmammo.phantom.dressing.planted import Planted
from mmmammo.phantom.dressing.planting import Fault, plant
from mmmammo.phantom.exam import PhantomExam, PhantomView
from mmmammo.structures import Laterality, View

TABLE = 'CMMD_clinicaldata_revision.xlsx'
COLUMNS = ('ID1', 'LeftRight', 'Age', 'number', 'abnormality', 'classification', 'subtype')
_ORIENTATIONS = {
    (Laterality.LEFT, View.CC): ['A', 'R'],
    (Laterality.LEFT, View.MLO): ['A', 'FR'],
    (Laterality.RIGHT, View.CC): ['P', 'L'],
    (Laterality.RIGHT, View.MLO): ['P', 'FL'],
}
Row = Mapping[str, object]


@dataclass(frozen=True, eq=False)
class Patient:
    """One patient of the download.

    Args:
        exam: Of the phantom.
        name: Such as ``D1-0001``.
        views: That are there, in the order of their files.
        rows: Of the table: one per biopsied breast.
        bits: Of the files.
        has_side: Whether their headers name the side.
        at_fault: Paths, relative to the download, that the fault of this patient concerns.
    """

    exam: PhantomExam
    name: str
    views: tuple[PhantomView, ...]
    rows: tuple[Row, ...]
    bits: int = 8
    has_side: bool = True
    at_fault: tuple[str, ...] = ()

    def path(self, view: PhantomView) -> str:
        """Of the file of a view."""
        study = f'0{1 + self.exam.index % 9}-18-2010-NA-{10001 + self.exam.index}'
        return f'CMMD/{self.name}/{study}/1.000000-NA-{20001 + self.exam.index}/1-{1 + self.views.index(view)}.dcm'


def dress(out: Path, exams: Sequence[PhantomExam], seed: int) -> tuple[Planted, ...]:
    """Write the download.

    Args:
        out: Where the folder ``CMMD`` and the spreadsheet go.
        exams: As many as there are faults.
        seed: Of nothing here: CMMD has numbers only.

    Returns:
        Every planted fault, in the order of :data:`FAULTS`.

    Raises:
        MammoError: If there are fewer exams than faults.
    """
    patients = patients_of(exams)
    for patient in patients:
        for view in patient.views:
            write_plain(Path(out) / patient.path(view), view.image, patient.bits, _elements(patient, view))
    rows = [row for patient in patients for row in patient.rows]
    pd.DataFrame(rows, columns=list(COLUMNS)).to_excel(Path(out) / TABLE, index=False)
    (Path(out) / 'LICENSE').write_text('invented\n')
    faulty = zip(patients, FAULTS, strict=False)
    return tuple(
        Planted(path, fault.name, fault.status, fault.says) for patient, fault in faulty for path in patient.at_fault
    )


def patients_of(exams: Sequence[PhantomExam]) -> list[Patient]:
    """Every patient of the download; the first of them have the faults.

    Raises:
        MammoError: If there are fewer exams than faults.
    """
    return plant([_patient(exam) for exam in exams], FAULTS)


def _patient(exam: PhantomExam) -> Patient:
    """With a row for the left breast, and for the right one if something was found in it."""
    name = f'D{1 + exam.index % 2}-{1 + exam.index:04d}'
    found = {side: sorted(_found(exam, side)) for side in (Laterality.LEFT, Laterality.RIGHT)}
    rows = tuple(
        {
            'ID1': name,
            'LeftRight': str(side),
            'Age': exam.woman.age,
            'number': 2,
            'abnormality': 'both' if len(found[side]) > 1 else (found[side] or ['mass'])[0],
            'classification': 'Malignant' if exam.labels(side)['cancer'] else 'Benign',
            'subtype': 'Luminal A' if name.startswith('D2') else None,
        }
        for side in found
        if side is Laterality.LEFT or found[side]
    )
    return Patient(exam, name, exam.views, rows)


def _found(exam: PhantomExam, side: Laterality) -> set[str]:
    findings = {finding.category for view in exam.views if view.laterality is side for finding in view.findings}
    return findings & {'mass', 'calcification'}


def _left(patient: Patient) -> Patient:
    """With the left breast only, and all of its images at fault."""
    one = replace(patient, views=tuple(view for view in patient.views if view.laterality == 'L'), rows=patient.rows[:1])
    return replace(one, at_fault=tuple(one.path(view) for view in one.views))


def _said(patient: Patient, **cells: object) -> Patient:
    """The left breast only, with other cells in its row."""
    one = _left(patient)
    return replace(one, rows=({**one.rows[0], **cells},))


def _with_row(change: Callable[[Patient], Patient]) -> Callable[[Patient], Patient]:
    """What is told about the row too, beside the images."""

    def changed(patient: Patient) -> Patient:
        one = change(patient)
        return replace(one, at_fault=(*one.at_fault, f'CMMD/{one.name} U'))

    return changed


def _without_one(patient: Patient) -> Patient:
    one = _left(patient)
    return replace(one, views=one.views[:1], at_fault=(f'CMMD/{one.name} L',))


def _without_side(patient: Patient) -> Patient:
    one = _left(patient)
    return replace(one, has_side=False, at_fault=(*one.at_fault, f'CMMD/{one.name} L'))


FAULTS: tuple[Fault[Patient], ...] = (
    Fault('one breast only', 'accepted', '', _left),
    Fault('16 bits', 'accepted', '', lambda x: replace(_left(x), bits=16)),
    Fault('no side in the header', 'quarantined', '', _without_side),
    Fault('unknown classification', 'quarantined', 'found Normal', lambda x: _said(x, classification='Normal')),
    Fault('unknown abnormality', 'quarantined', 'found cyst', lambda x: _said(x, abnormality='cyst')),
    Fault('unknown side in the table', 'quarantined', 'found Left', _with_row(lambda x: _said(x, LeftRight='Left'))),
    Fault('no row', 'quarantined', 'no row for', lambda x: replace(_left(x), rows=())),
    Fault('two rows', 'quarantined', 'a breast that is not in row', lambda x: replace(_left(x), rows=x.rows[:1] * 2)),
    Fault('one image missing', 'quarantined', '1 of 2 images', _without_one),
)


def _elements(patient: Patient, view: PhantomView) -> dict[str, Any]:
    """What the headers of CMMD say beside the pixels."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = VIEW_CODES[view.view]['SCT'], 'SCT'
    code.CodeMeaning = VIEW_CODES[view.view]['meaning']
    elements: dict[str, Any] = {
        'PatientID': patient.name,
        'PatientAge': f'{patient.exam.woman.age:03d}Y',
        'PatientSex': 'F',
        'StudyInstanceUID': made_uid('cmmd', patient.name),
        'ImageType': ['DERIVED', 'PRIMARY'],
        'Manufacturer': '',
        'BurnedInAnnotation': 'NO',
        'PatientOrientation': _ORIENTATIONS[view.laterality, view.view],
        'ImagerPixelSpacing': ['0.094090909', '0.094090909'],
        'ViewCodeSequence': Items([code]),
        'WindowCenter': str(2 ** (patient.bits - 1)),
        'WindowWidth': str(2**patient.bits),
        'VOILUTFunction': 'SIGMOID',
    }
    return elements | ({'ImageLaterality': str(view.laterality)} if patient.has_side else {})
