"""The phantom as RSNA's challenge on Kaggle: two sites, labels of breasts, a test patient without a diagnosis.

Every known fault has an image of its own, in the order of :data:`FAULTS`; the other images are as they should be. Ids
are larger than any of the challenge. Numbers of site 1 have a decimal point (``61.0``), as in one of the known copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.phantom import voi
from mmmammo.phantom.dressing.planted import Planted
from mmmammo.phantom.dressing.planting import Fault, plant
from mmmammo.phantom.dressing.rsna_dicom import SITE_1, SITE_2, write_rsna
from mmmammo.phantom.exam import PhantomExam, PhantomView
from mmmammo.phantom.vendors import Vendor

_TRAIN = (
    'site_id,patient_id,image_id,laterality,view,age,cancer,biopsy,invasive,BIRADS,implant,density,machine_id,'
    'difficult_negative_case'
)
_TEST = 'site_id,patient_id,image_id,laterality,view,age,implant,machine_id,prediction_id'
_FIRST_PATIENT, _FIRST_IMAGE = 70_001, 2_147_480_001
Pixels = npt.NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Image:
    """One image of the download.

    Args:
        view: Of the phantom.
        machine: Of its site.
        cells: Of its row, by column; those of both tables.
        stored: Pixels as the file holds them.
        elements: What its header says otherwise; ``None`` leaves an element out.
        has_file: Whether there is one; so ``has_row``.
        kept: Share of the bytes of the file.
        part: ``'train'`` or ``'test'``.
    """

    view: PhantomView
    machine: Vendor
    cells: Mapping[str, str]
    stored: Pixels
    elements: Mapping[str, Any] = field(default_factory=dict)
    has_file: bool = True
    has_row: bool = True
    kept: float = 1.0
    part: str = 'train'

    @property
    def path(self) -> str:
        """Relative to the download."""
        return f'{self.part}_images/{self.cells["patient_id"]}/{self.cells["image_id"]}.dcm'


def dress(out: Path, exams: Sequence[PhantomExam], seed: int) -> tuple[Planted, ...]:
    """Write the download.

    Args:
        out: The folder of the tables.
        exams: As many as give an image per fault, and one more for the test.
        seed: Not used: nothing is drawn.

    Returns:
        Every planted fault, in the order of :data:`FAULTS`.

    Raises:
        MammoError: If there are fewer images than faults.
    """
    out, images = Path(out), images_of(exams)
    for image in images:
        path = out / image.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if image.has_file:
            write_rsna(path, image.stored, image.machine, image.cells, image.elements)
            content = path.read_bytes()
            path.write_bytes(content[: int(image.kept * len(content))])
    told = [image for image in images if image.has_row]
    _write_table(out / 'train.csv', _TRAIN, (image.cells for image in told if image.part == 'train'))
    _write_table(out / 'test.csv', _TEST, (image.cells for image in told if image.part == 'test'))
    breasts = sorted({image.cells['prediction_id'] for image in told if image.part == 'test'})
    _write_table(out / 'sample_submission.csv', 'prediction_id,cancer', ({'prediction_id': x} for x in breasts))
    return tuple(
        Planted(x.path, fault.name, fault.status, fault.says) for x, fault in zip(images, FAULTS, strict=False)
    )


def images_of(exams: Sequence[PhantomExam]) -> list[Image]:
    """Every image of the download; the first of them have the faults, the last exam is the test.

    Raises:
        MammoError: If there are fewer images than faults.
    """
    images = [_image(exam, view, i) for exam in exams for i, view in enumerate(exam.views)]
    last = len(images) - len(exams[-1].views)
    return [*plant(images[:last], FAULTS), *(replace(image, part='test') for image in images[last:])]


def _image(exam: PhantomExam, view: PhantomView, number: int) -> Image:
    machine, patient = (SITE_2, SITE_1)[exam.index % 2], str(_FIRST_PATIENT + exam.index)
    cells = {
        'patient_id': patient,
        'image_id': str(_FIRST_IMAGE + 10 * exam.index + number),
        'laterality': str(view.laterality),
        'view': str(view.view),
        'implant': '0',
        'machine_id': machine.model_name,
        'prediction_id': f'{patient}_{view.laterality}',
        **_diagnosis(exam, view),
    }
    return Image(view, machine, cells, voi.store(view.image, machine))


def _diagnosis(exam: PhantomExam, view: PhantomView) -> dict[str, str]:
    """Labels of the breast as its site writes them: site 2 gives no density, and no BI-RADS but 0."""
    labels = exam.labels(view.laterality)
    cancer, biopsied = labels['cancer'] == 1, labels['birads'] != '1'
    cells = {
        'age': f'{labels["age"]}',
        'cancer': str(int(cancer)),
        'biopsy': str(int(biopsied)),
        'invasive': str(int(cancer and exam.index % 3 > 0)),
        'difficult_negative_case': str(biopsied and not cancer),
    }
    if exam.index % 2 == 0:
        return {'site_id': '2', **cells, 'BIRADS': '0' if biopsied else '', 'density': ''}
    cells['age'] += '.0'
    return {'site_id': '1', **cells, 'BIRADS': '0.0' if biopsied else '1.0', 'density': str(labels['density'])}


def _said(**cells: str) -> Callable[[Image], Image]:
    """The image with other cells in its row."""
    return lambda image: replace(image, cells={**image.cells, **cells})


def _header(**elements: Any) -> Callable[[Image], Image]:
    """The image with other elements in its header."""
    return lambda image: replace(image, elements=elements)


def _made_by(machine: Vendor, **changes: Any) -> Callable[[Image], Image]:
    """The image as this machine stores it."""
    maker = replace(machine, **changes)
    return lambda image: replace(image, machine=maker, stored=voi.store(image.view.image, maker))


def _exceeding(machine: Vendor, declared: int) -> Callable[[Image], Image]:
    """The image of a machine whose header declares other bits than it stores."""
    made = _made_by(machine)
    return lambda image: replace(made(image), elements={'BitsStored': declared, 'HighBit': declared - 1})


def _pixels(change: Callable[[Pixels], Pixels]) -> Callable[[Image], Image]:
    return lambda image: replace(image, stored=change(image.stored))


FAULTS: tuple[Fault[Image], ...] = (
    Fault('all pixels zero', 'quarantined', 'black', _pixels(lambda x: 0 * x)),
    Fault('JPEG 2000 exceeds BitsStored', 'mended', 'bit_depth', _exceeding(SITE_2, 10)),
    Fault('JPEG Lossless exceeds BitsStored', 'mended', 'bit_depth', _exceeding(SITE_1, 10)),
    Fault('window of another depth', 'mended', 'bit_depth a window', _pixels(lambda x: x // 16)),
    Fault('view AT', 'accepted', 'special view', _said(view='AT')),
    Fault('view ML', 'accepted', '', _said(view='ML')),
    Fault('view LM', 'accepted', '', _said(view='LM')),
    Fault('view LMO', 'accepted', '', _said(view='LMO')),
    Fault('two windows', 'accepted', '', _header(WindowCenter=[2048, 900], WindowWidth=[4096, 500])),
    Fault('no window', 'accepted', '', _header(WindowCenter=None, WindowWidth=None)),
    Fault('SIGMOID', 'accepted', '', _made_by(SITE_2, voi='sigmoid')),
    Fault('16 bits', 'accepted', '', _made_by(SITE_1, bits_stored=16)),
    Fault('10 bits', 'accepted', '', _made_by(SITE_2, bits_stored=10)),
    Fault('MONOCHROME1 in JPEG 2000', 'accepted', '', _made_by(SITE_2, inverted=True)),
    Fault('implant', 'accepted', 'implant', _said(implant='1')),
    Fault('no age', 'accepted', '', _said(age='')),
    Fault('unknown view', 'quarantined', 'view: found XCCL; expected one of', _said(view='XCCL')),
    Fault('unknown BIRADS', 'quarantined', 'BIRADS: found 4; expected one of', _said(BIRADS='4')),
    Fault(
        'invasive without cancer',
        'quarantined',
        'invasive: found 1; expected 0, because cancer is 0',
        _said(cancer='0', invasive='1'),
    ),
    Fault('no image', 'quarantined', 'no such file', lambda x: replace(x, has_file=False)),
    Fault('no row', 'quarantined', 'no row for', lambda x: replace(x, has_row=False)),
    Fault('cut off', 'quarantined', 'cut off', lambda x: replace(x, kept=0.6)),
)


def _write_table(path: Path, header: str, rows: Iterable[Mapping[str, str]]) -> None:
    lines = [','.join(row.get(name, '0.0') for name in header.split(',')) for row in rows]
    path.write_text('\n'.join([header, *lines]) + '\n')
