"""The phantom as "INbreast Release 1.0": Siemens files that say little, semicolons, property lists and a spreadsheet.

Every known fault has an image of its own, in the order of :data:`FAULTS`; the other images are as they should be.
"""

from __future__ import annotations

import hashlib
import plistlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.phantom.dressing.plain_dicom import write_plain
from mmmammo.phantom.dressing.planted import Planted
from mmmammo.phantom.dressing.planting import Fault, plant
from mmmammo.phantom.dressing.xls_writer import Cell, write_xls
from mmmammo.phantom.exam import PhantomExam, PhantomView

FOLDER = 'INbreast Release 1.0'
_MORE = (
    'Mass ',
    'Micros',
    'Distortion',
    'Asymmetry',
    'Findings Notes (in Portuguese)',
    'Other Notes',
    'Lesion Annotation Status',
    'Pectoral Muscle Annotation',
    'Other Annotations',
)
_MARKED = ('mass', 'calcification', 'distortion', 'asymmetry')
_NAMES = {'mass': 'Mass', 'calcification': 'Cluster', 'distortion': 'Distortion', 'asymmetry': 'Asymmetry'}
Points = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Region:
    """One drawn region: its name as written, and (n, 2) points."""

    name: str
    points: Points


@dataclass(frozen=True, eq=False)
class Image:
    """One image of the download.

    Args:
        view: Of the phantom.
        patient: The hash.
        cells: Of the table, by column.
        regions: As drawn; they are what a reader should find.
        outlines: The property list; ``None`` if there is none.
        has_file: Whether the DICOM file is there; so ``has_row``.
        file_view: As the name of the file has it.
    """

    view: PhantomView
    patient: str
    cells: Mapping[str, str]
    regions: tuple[Region, ...]
    outlines: bytes | None
    file_view: str
    has_file: bool = True
    has_row: bool = True

    @property
    def number(self) -> str:
        """``File Name``."""
        return self.cells['File Name']

    @property
    def path(self) -> str:
        """Of the DICOM file, relative to the download; a row without one knows less."""
        name = f'{self.number}_{self.patient}_MG_{self.view.laterality}_{self.file_view}_ANON.dcm'
        return f'{FOLDER}/AllDICOMs/{name}' if self.has_file else f'AllDICOMs/{self.number}.dcm'


def dress(out: Path, exams: Sequence[PhantomExam], seed: int) -> tuple[Planted, ...]:
    """Write the download.

    Args:
        out: Where the folder of the release goes.
        exams: As many as give an image per fault.
        seed: Of the patient hashes.

    Returns:
        Every planted fault, in the order of :data:`FAULTS`.

    Raises:
        MammoError: If there are fewer images than faults.
    """
    images = images_of(exams, seed)
    folder = Path(out) / FOLDER
    for image in images:
        _write_files(folder, image)
    table = [image for image in images if image.has_row]
    _write_csv(folder / 'INbreast.csv', table)
    write_xls(folder / 'INbreast.xls', {'Sheet1': _sheet(table), 'Sheet2': [['ID', 'DG'], ['invented', 'invented']]})
    for name in ('INbreast.pdf', 'README.txt', 'AllDICOMs/rename.m', 'MedicalReports/invented.txt'):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text('invented\n')
    faulty = zip(images, FAULTS, strict=False)
    return tuple(Planted(image.path, fault.name, fault.status, fault.says) for image, fault in faulty)


def images_of(exams: Sequence[PhantomExam], seed: int) -> list[Image]:
    """Every image of the download; the first of them have the faults.

    Raises:
        MammoError: If there are fewer images than faults.
    """
    views = [(exam, view) for exam in exams for view in exam.views]
    images = [_image(exam, view, str(30_000_001 + 17 * i), seed) for i, (exam, view) in enumerate(views)]
    return plant(images, FAULTS)


def _image(exam: PhantomExam, view: PhantomView, number: str, seed: int) -> Image:
    labels = exam.labels(view.laterality)
    cells = {
        'Patient ID': 'removed',
        'Patient age': 'removed',
        'Laterality': str(view.laterality),
        'View': str(view.view),
        'Acquisition date': ('200802', '200901', '201001')[exam.index % 3],
        'File Name': number,
        'ACR': str('ABCD'.index(str(labels['density'])) + 1),
        'Bi-Rads': str(labels['birads']),
    }
    regions = tuple(Region(_NAMES[x.category], x.polygons[0]) for x in view.findings)
    return Image(
        view,
        hashlib.sha256(f'{seed} {exam.patient_id}'.encode()).hexdigest()[:16],
        cells,
        regions,
        None if cells['Bi-Rads'] == '1' else _property_list(regions),
        'ML' if view.view == 'MLO' else str(view.view),
    )


def _said(image: Image, **cells: str) -> Image:
    """With other cells of the table; ``_`` in a name stands for the other signs."""
    known = {name.replace(' ', '_').replace('-', '_'): name for name in image.cells}
    return replace(image, cells={**image.cells, **{known[name]: cell for name, cell in cells.items()}})


def _drawn(image: Image, *regions: tuple[str, Points]) -> Image:
    """With these regions in place of its own, and a BI-RADS that has some."""
    drawn = tuple(Region(name, points) for name, points in regions)
    return replace(_said(image, Bi_Rads='4b'), regions=drawn, outlines=_property_list(drawn))


def _spoiled(image: Image, old: bytes, new: bytes) -> Image:
    """With one mass, and this written otherwise in its property list."""
    drawn = _drawn(image, ('Mass', _circle(image, 0.3, 0.5)))
    return replace(drawn, outlines=(drawn.outlines or b'').replace(old, new))


def _exchanged(image: Image) -> Image:
    """With x and y of its one mass exchanged, which puts it below the image."""
    points = _circle(image, 0.4, 0.93)
    drawn = _drawn(image, ('Mass', points))
    return replace(drawn, outlines=_property_list([Region('Mass', points[:, ::-1])]))


def _circle(image: Image, x: float, y: float, radius: float = 0.03, count: int = 12) -> Points:
    """Points on a circle around these fractions of width and height."""
    height, width = image.view.image.shape
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    circle: Points = np.array([x * width, y * height]) + radius * height * np.stack([np.cos(turn), np.sin(turn)], 1)
    return circle


_TYPE_END = b'PropertyList-1.0.dtd">'
_ENTITIES = _TYPE_END[:-1] + b' [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
FAULTS: tuple[Fault[Image], ...] = (
    Fault('blank density', 'accepted', '', lambda x: _said(x, ACR=' ' * 190)),
    Fault('view FB', 'accepted', '', lambda x: replace(_said(x, View='FB'), file_view='FB')),
    Fault('view MLO in the name too', 'accepted', '', lambda x: replace(_said(x, View='MLO'), file_view='MLO')),
    Fault(
        'misspelt names',
        'accepted',
        '',
        lambda x: _drawn(
            x,
            ('Assymetry', _circle(x, 0.3, 0.4)),
            ('Espiculated Region ', _circle(x, 0.3, 0.5)),
            ('calcifications', _circle(x, 0.3, 0.6)),
        ),
    ),
    Fault(
        'single calcifications',
        'accepted',
        '',
        lambda x: _drawn(
            x,
            ('Calcification', _circle(x, 0.3, 0.4, count=1)),
            ('Calcification', _circle(x, 0.3, 0.6, count=2)),
        ),
    ),
    Fault(
        'names of nothing',
        'mended',
        'no kind of finding',
        lambda x: _drawn(x, *((name, _circle(x, 0.3, 0.5)) for name in ('', 'Unnamed', 'Point 1', 'Mass'))),
    ),
    Fault(
        'outline without points',
        'mended',
        'without a point',
        lambda x: _drawn(x, ('Mass', np.empty((0, 2))), ('Mass', _circle(x, 0.3, 0.5))),
    ),
    Fault('points outside', 'mended', 'moved to its border', lambda x: _drawn(x, ('Mass', _circle(x, 0.985, 0.5)))),
    Fault('x and y exchanged', 'mended', 'x and y of the outlines exchanged', _exchanged),
    Fault('unknown name', 'quarantined', "'Lymph node'", lambda x: _spoiled(x, b'>Mass<', b'>Lymph node<')),
    Fault('broken outlines', 'quarantined', 'no property list', lambda x: _spoiled(x, b'</plist>', b'')),
    Fault('entities', 'quarantined', 'entity declarations', lambda x: _spoiled(x, _TYPE_END, _ENTITIES)),
    Fault(
        'wrong number of points',
        'quarantined',
        'NumberOfPoints: found 11, with 12 points',
        lambda x: _spoiled(x, b'<integer>12</integer>', b'<integer>11</integer>'),
    ),
    Fault(
        'no outlines',
        'quarantined',
        'because BI-RADS is 4b',
        lambda x: replace(_drawn(x), outlines=None),
    ),
    Fault('unknown BI-RADS', 'quarantined', 'Bi-Rads: found 7; expected one of', lambda x: _said(x, Bi_Rads='7')),
    Fault(
        'name and table contradict each other',
        'quarantined',
        'as the name of the file says',
        lambda x: _said(x, Laterality=str(x.view.laterality.other)),
    ),
    Fault('no row', 'quarantined', 'no row for', lambda x: replace(x, has_row=False)),
    Fault('no image', 'quarantined', 'no such file', lambda x: replace(x, has_file=False)),
)


def _write_files(folder: Path, image: Image) -> None:
    """DICOM file, property list and drawing."""
    for name in ('AllDICOMs', 'AllXML', 'AllROI'):
        (folder / name).mkdir(parents=True, exist_ok=True)
    if image.has_file:
        write_plain(folder.parent / image.path, image.view.image, 14, _ELEMENTS)
    if image.outlines is not None:
        (folder / 'AllXML' / f'{image.number}.xml').write_bytes(image.outlines)
        (folder / 'AllROI' / f'{image.number}.roi').write_bytes(b'\x04\x0binvented')


_ELEMENTS: Mapping[str, Any] = {
    'Manufacturer': 'SIEMENS',
    'ManufacturerModelName': 'MammoNovation',
    'PatientName': '',
    'PatientID': 'removed',
    'PatientBirthDate': '',
    'PatientSex': '',
    'BodyPartExamined': 'BREAST',
    'WindowCenter': '8192',
    'WindowWidth': '16384',
}


def _property_list(regions: Sequence[Region]) -> bytes:
    """As OsiriX writes it, in its order of the keys."""
    drawn = [_drawing(index, region) for index, region in enumerate(regions)]
    image = {'ImageIndex': 0, 'NumberOfROIs': len(drawn), 'ROIs': drawn}
    return plistlib.dumps({'Images': [image]}, sort_keys=False)


def _drawing(index: int, region: Region) -> dict[str, Any]:
    centre = region.points.mean(axis=0) if len(region.points) else np.zeros(2)
    return {
        'Area': 1.0,
        'Center': f'({centre[0]:f}, {centre[1]:f}, 0.000000)',
        'Dev': 1.0,
        'IndexInImage': index,
        'Max': 4095.0,
        'Mean': 2048.0,
        'Min': 0.0,
        'Name': region.name,
        'NumberOfPoints': len(region.points),
        'Point_mm': [f'({0.07 * x:f}, {0.07 * y:f}, 0.000000)' for x, y in region.points],
        'Point_px': [f'({x:f}, {y:f})' for x, y in region.points],
        'Total': 4096.0,
        'Type': 15 if len(region.points) > 1 else 19,
    }


def _write_csv(path: Path, images: Sequence[Image]) -> None:
    lines = [';'.join(image.cells.values()) for image in images]
    path.write_text('\n'.join([';'.join(images[0].cells), *lines]) + '\n')


def _sheet(images: Sequence[Image]) -> list[list[Cell]]:
    """The rows of the table with more columns, a blank row and one of totals."""
    rows = [[*map(_cell, image.cells.values()), *_crosses(image), *[''] * (len(_MORE) - 4)] for image in images]
    totals: list[Cell] = [sum(row[8 + i] == 'X' for row in rows) for i in range(4)]
    return [[*images[0].cells, *_MORE], *rows, [None] * (8 + len(_MORE)), [*[None] * 8, *totals]]


def _crosses(image: Image) -> list[Cell]:
    marked = {finding.category for finding in image.view.findings}
    return ['X' if category in marked else '' for category in _MARKED]


def _cell(text: str) -> Cell:
    return float(text) if text.isdigit() else text
