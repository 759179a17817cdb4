"""The phantom as VinDr-Mammo 1.0.0: four vendors with their headers stripped to a list of tags, and three tables.

Every known fault has an image of its own, in the order of :data:`FAULTS`; the other images are as they should be. Ids
are digests of phantom exams.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmmammo.phantom.dressing.planted import Planted
from mmmammo.phantom.dressing.planting import Fault, plant
from mmmammo.phantom.dressing.vindr_dicom import IMS, MACHINES, PLANMED, SIEMENS, write_vindr
from mmmammo.phantom.exam import PhantomExam, PhantomView
from mmmammo.phantom.vendors import Vendor
from mmmammo.structures import Finding

_NAMES = {
    'mass': ('Mass',),
    'calcification': ('Suspicious Calcification',),
    'distortion': ('Architectural Distortion',),
    'asymmetry': ('Asymmetry', 'Focal Asymmetry', 'Global Asymmetry'),
    'focal_asymmetry': ('Focal Asymmetry',),
    'global_asymmetry': ('Global Asymmetry',),
    'lymph_node': ('Suspicious Lymph Node',),
}
_BREAST = 'study_id,series_id,image_id,laterality,view_position,height,width,breast_birads,breast_density,split'
_FINDING = _BREAST.replace(',split', ',finding_categories,finding_birads,xmin,ymin,xmax,ymax,split')
_METADATA = (
    "SOP Instance UID,Patient's Age,Series Instance UID,SOP Instance UID,View Position,Image Laterality,"
    'Photometric Interpretation,Rows,Columns,Pixel Spacing,Pixel Padding Value,Pixel Padding Range Limit,Window Center,'
    'Window Width,Rescale Intercept,Rescale Slope,Rescale Type,Window Center & Width Explanation,Imager Pixel Spacing,'
    "Manufacturer,Manufacturer's Model Name"
)


@dataclass(frozen=True)
class Box:
    """One row of the table of findings: categories and assessment as written, xyxy in pixels of the file."""

    names: tuple[str, ...]
    birads: str
    bbox: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Image:
    """One image of the download.

    Args:
        view: Of the phantom.
        machine: Made it.
        age: As written; '' where it is unknown.
        cells: Of the table of breasts, by column.
        boxes: Without any, the table of findings says so.
        wrong: Cells of its rows of the table of findings that are not as they should be.
        intent: ``PresentationIntentType``.
        has_file: Whether there is one; so ``has_breast``, ``has_findings`` and ``has_metadata``, for rows.
        kept: Share of the bytes of the file.
        in_list: Whether ``SHA256SUMS.txt`` names the file.
    """

    view: PhantomView
    machine: Vendor
    age: str
    cells: Mapping[str, str]
    boxes: tuple[Box, ...]
    wrong: Mapping[str, str] | None = None
    intent: str = 'FOR PRESENTATION'
    has_file: bool = True
    has_breast: bool = True
    has_findings: bool = True
    has_metadata: bool = True
    kept: float = 1.0
    in_list: bool = True

    @property
    def path(self) -> str:
        """Relative to the download."""
        return f'images/{self.cells["study_id"]}/{self.cells["image_id"]}.dicom'


def dress(out: Path, exams: Sequence[PhantomExam], seed: int) -> tuple[Planted, ...]:
    """Write the download, with the pages that ``wget -r`` leaves in every folder.

    Args:
        out: The folder of the tables.
        exams: As many as give an image per fault.
        seed: Of the ids.

    Returns:
        Every planted fault: those of :data:`FAULTS` in their order, then what each vendor does.

    Raises:
        MammoError: If there are fewer images than faults.
    """
    out, images = Path(out), images_of(exams, seed)
    for image in images:
        path = out / image.path
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / 'index.html').write_text('<html></html>\n')
        if image.has_file:
            write_vindr(path, image.view, image.machine, image.cells, image.age, image.intent)
    (out / 'LICENSE.txt').write_text('Synthetic images of the mmmammo phantom; no person was imaged.\n')
    _write_table(out / 'breast-level_annotations.csv', _BREAST, (x.cells.values() for x in images if x.has_breast))
    _write_table(out / 'finding_annotations.csv', _FINDING, _finding_rows(images))
    _write_table(out / 'metadata.csv', _METADATA, (_metadata_row(x) for x in images if x.has_metadata))
    _write_checksums(out, [out / image.path for image in images if image.has_file and image.in_list])
    for image in images:
        _cut(out / image.path, image.kept)
    planted = [Planted(x.path, fault.name, fault.status, fault.says) for x, fault in zip(images, FAULTS, strict=False)]
    return (*planted, *_habits(images[len(FAULTS) :]))


def images_of(exams: Sequence[PhantomExam], seed: int) -> list[Image]:
    """Every image of the download; the first of them have the faults.

    Raises:
        MammoError: If there are fewer images than faults.
    """
    return plant([_image(exam, view, seed) for exam in exams for view in exam.views], FAULTS)


def _image(exam: PhantomExam, view: PhantomView, seed: int) -> Image:
    labels = exam.labels(view.laterality)
    study, series, image = (_digest(seed, exam.exam_id, word) for word in ('', 'series', view.name))
    height, width = view.image.shape
    birads = {'1': 'BI-RADS 1', '2': 'BI-RADS 3', '5': 'BI-RADS 5'}[str(labels['birads'])]
    cells = dict(
        zip(
            _BREAST.split(','),
            (study, series, image, str(view.laterality), str(view.view), str(height), str(width), birads),
            strict=False,
        ),
        breast_density=f'DENSITY {labels["density"]}',
        split='test' if exam.index % 5 == 4 else 'training',
    )
    boxes = tuple(_box(finding, exam.index) for finding in view.findings)
    return Image(view, MACHINES[exam.index % len(MACHINES)], f'{labels["age"]:03d}Y', cells, boxes)


def _box(finding: Finding, index: int) -> Box:
    names = _NAMES[finding.category]
    birads = 'BI-RADS 3' if finding.pathology == 'benign' else 'BI-RADS 5'
    return Box((names[index % len(names)],), birads, finding.bbox)


def _digest(*words: object) -> str:
    """32 hexadecimal digits, as the authors make them of UIDs."""
    return hashlib.md5(' '.join(map(str, words)).encode(), usedforsecurity=False).hexdigest()


def _with_box(image: Image, *names: str, place: tuple[float, float] = (0.3, 0.5), birads: str = '') -> Image:
    """With one more box of a tenth of the image, whose centre is at these fractions of width and height."""
    height, width = image.view.image.shape
    x, y, half = place[0] * width, place[1] * height, 0.05 * height
    return replace(image, boxes=(*image.boxes, Box(names, birads, (x - half, y - half, x + half, y + half))))


def _without_findings(image: Image, **wrong: str) -> Image:
    return replace(image, boxes=(), wrong=wrong)


FAULTS: tuple[Fault[Image], ...] = (
    Fault('box over the border', 'mended', 'clipped', lambda x: _with_box(x, 'Skin Thickening', place=(0.02, 0.5))),
    Fault('box outside', 'quarantined', 'annotation', lambda x: _with_box(x, 'Mass', place=(-0.04, 0.5))),
    Fault(
        'box of several categories',
        'accepted',
        '',
        lambda x: _with_box(x, 'Suspicious Calcification', 'Mass', birads='BI-RADS 4'),
    ),
    Fault('findings without BI-RADS', 'accepted', '', lambda x: _with_box(x, 'Nipple Retraction')),
    Fault('unknown category', 'quarantined', 'found Cyst; expected', lambda x: _with_box(x, 'Cyst')),
    Fault(
        'categories that are no list',
        'quarantined',
        'expected a list such as',
        lambda x: _without_findings(x, finding_categories='Mass'),
    ),
    Fault('box of No Finding', 'quarantined', 'because of No Finding', lambda x: _without_findings(x, xmin='12.5')),
    Fault('box that lacks a side', 'quarantined', 'ymax: found nothing', lambda x: _lame(x)),
    Fault(
        'tables contradict each other',
        'quarantined',
        'as in breast-level_annotations.csv row',
        lambda x: _without_findings(x, laterality='L' if x.cells['laterality'] == 'R' else 'R'),
    ),
    Fault(
        'unknown BI-RADS',
        'quarantined',
        'breast_birads: found BI-RADS 6; expected one of',
        lambda x: replace(x, cells={**x.cells, 'breast_birads': 'BI-RADS 6'}),
    ),
    Fault('no row of findings', 'quarantined', 'no row for the image', lambda x: replace(x, has_findings=False)),
    Fault('no row of the breast', 'quarantined', 'no row for', lambda x: replace(x, has_breast=False)),
    Fault('no image', 'quarantined', 'no such file', lambda x: replace(x, has_file=False)),
    Fault('cut off', 'quarantined', 'SHA-256', lambda x: replace(x, kept=0.7)),
    Fault('cut off, not in the list', 'quarantined', 'PixelData', lambda x: replace(x, kept=0.7, in_list=False)),
    Fault('raw image', 'quarantined', 'FOR PROCESSING', lambda x: replace(x, intent='FOR PROCESSING')),
    Fault('no age', 'accepted', '', lambda x: replace(x, age='')),
    Fault('no row of metadata', 'accepted', '', lambda x: replace(x, has_metadata=False)),
)


def _lame(image: Image) -> Image:
    return replace(_with_box(replace(image, boxes=()), 'Mass'), wrong={'ymax': ''})


def _habits(images: Iterable[Image]) -> Iterable[Planted]:
    """What is odd about all files of a vendor, shown by the first faultless one."""
    habits = {
        SIEMENS.name: ('view burned in', 'burned_in'),
        PLANMED.name: ('MONOCHROME1 of 14 bits', ''),
        IMS.name: ('two windows, the first is meant', ''),
    }
    for image in images:
        if image.machine.name in habits:
            name, says = habits.pop(image.machine.name)
            yield Planted(image.path, name, 'accepted', says)


def _finding_rows(images: Sequence[Image]) -> Iterable[Iterable[str]]:
    """Rows with a box first, as in the original."""
    told = [image for image in images if image.has_findings]
    for image in told:
        for box in image.boxes:
            corners = dict(zip(('xmin', 'ymin', 'xmax', 'ymax'), (f'{value:f}' for value in box.bbox), strict=True))
            yield _finding_row(image, finding_categories=str(list(box.names)), finding_birads=box.birads, **corners)
    for image in told:
        if not image.boxes:
            yield _finding_row(image, finding_categories="['No Finding']")


def _finding_row(image: Image, **cells: str) -> list[str]:
    row = {**image.cells, **cells, **(image.wrong or {})}
    return [row.get(name, '') for name in _FINDING.split(',')]


def _metadata_row(image: Image) -> list[str]:
    spacing = f'{image.view.projection.spacing_mm:.8g}'
    tags = {
        'Series Instance UID': image.cells['series_id'],
        "Patient's Age": image.age,
        'View Position': image.cells['view_position'],
        'Image Laterality': image.cells['laterality'],
        'Photometric Interpretation': 'MONOCHROME1' if image.machine.inverted else 'MONOCHROME2',
        'Rows': image.cells['height'],
        'Columns': image.cells['width'],
        'Imager Pixel Spacing': str([spacing, spacing]),
        'Rescale Intercept': '0',
        'Rescale Slope': '1',
        'Rescale Type': 'US',
        'Manufacturer': image.machine.name,
        "Manufacturer's Model Name": image.machine.model_name,
    }
    return [tags.get(name, image.cells['image_id'] if 'SOP' in name else '') for name in _METADATA.split(',')]


def _write_table(path: Path, header: str, rows: Iterable[Iterable[str]]) -> None:
    with path.open('w', newline='', encoding='utf-8') as file:
        csv.writer(file, lineterminator='\n').writerows([header.split(','), *rows])


def _write_checksums(out: Path, images: Sequence[Path]) -> None:
    paths = [*sorted(out.glob('*.csv')), out / 'LICENSE.txt', *sorted(images)]
    lines = [f'{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(out).as_posix()}\n' for path in paths]
    (out / 'SHA256SUMS.txt').write_text(''.join(lines))


def _cut(path: Path, kept: float) -> None:
    if kept < 1:
        content = path.read_bytes()
        path.write_bytes(content[: int(kept * len(content))])
