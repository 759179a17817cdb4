"""The phantom as EMBED Open Data: exams of women in folders of numbers, and two tables from which all else has to come.

Every fault has an exam of its own, in the order of :data:`FAULTS`; the other exams are as they should be. The shapes
and letters are those of the authors' legend.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmmammo.phantom.dressing.plain_dicom import made_uid, write_plain
from mmmammo.phantom.dressing.planted import Planted
from mmmammo.phantom.dressing.planting import Fault, plant
from mmmammo.phantom.exam import PhantomExam, PhantomView
from mmmammo.structures import Laterality

METADATA = 'tables/EMBED_OpenData_metadata_reduced.csv'
CLINICAL = 'tables/EMBED_OpenData_clinical.csv'
_METADATA_COLUMNS = (
    'empi_anon,acc_anon,study_date_anon,StudyDescription,SeriesDescription,FinalImageType,ImageLateralityFinal,'
    'ViewPosition,spot_mag,anon_dicom_path,num_roi,ROI_coords,SRC_DST,match_level'
)
_CLINICAL_COLUMNS = (
    'empi_anon,acc_anon,study_date_anon,desc,tissueden,asses,numfind,side,total_L_find,total_R_find,massshape,'
    'massmargin,massdens,calcfind,calcdistri,bside,path_severity,RACE_DESC,ETHNIC_GROUP_DESC,age_at_study'
)
_LETTERS = {'1': 'N', '2': 'B', '5': 'A'}
_SHAPES = {'mass': 'X', 'distortion': 'A', 'asymmetry': 'S', 'focal_asymmetry': 'F', 'global_asymmetry': 'B'}
Cells = Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Image:
    """One image of the download.

    Args:
        view: Of the phantom.
        cells: Its row of the table of images.
        has_file: Whether there is one.
        has_row: Whether the table names it.
    """

    view: PhantomView
    cells: Cells
    has_file: bool = True
    has_row: bool = True

    @property
    def path(self) -> str:
        """Relative to the download."""
        return self.cells['anon_dicom_path'].removeprefix('./')


@dataclass(frozen=True, eq=False)
class Exam:
    """One exam of the download.

    Args:
        images: That the tables or the disk have.
        rows: Of the clinical table.
        at_fault: Paths of the images that the fault of this exam concerns.
    """

    images: tuple[Image, ...]
    rows: tuple[Cells, ...]
    at_fault: tuple[str, ...] = ()


def dress(out: Path, exams: Sequence[PhantomExam], seed: int) -> tuple[Planted, ...]:
    """Write the download.

    Args:
        out: The folder above ``images`` and ``tables``.
        exams: As many as there are faults.
        seed: Of the UIDs.

    Returns:
        Every planted fault, in the order of :data:`FAULTS`.

    Raises:
        MammoError: If there are fewer exams than faults.
    """
    out, dressed = Path(out), exams_of(exams, seed)
    images = [image for exam in dressed for image in exam.images]
    for image in images:
        if image.has_file:
            write_plain(out / image.path, image.view.image, 12, _elements(image))
    _write_table(out / METADATA, _METADATA_COLUMNS, [image.cells for image in images if image.has_row])
    _write_table(out / CLINICAL, _CLINICAL_COLUMNS, [row for exam in dressed for row in exam.rows])
    (out / 'tables/AWS_Open_Data_Clinical_Legend.csv').write_text('Header in export,Discription,Code,Meaning\n')
    faulty = zip(dressed, FAULTS, strict=False)
    return tuple(
        Planted(path, fault.name, fault.status, fault.says) for exam, fault in faulty for path in exam.at_fault
    )


def exams_of(exams: Sequence[PhantomExam], seed: int) -> list[Exam]:
    """Every exam of the download; the first of them have the faults.

    Raises:
        MammoError: If there are fewer exams than faults.
    """
    return plant([_exam(exam, seed) for exam in exams], FAULTS)


def _exam(exam: PhantomExam, seed: int) -> Exam:
    ids = {'empi_anon': str(60_000_000 + exam.index), 'acc_anon': str(4_932_273_561_626_000 + exam.index)}
    ids['study_date_anon'] = f'2014-{1 + exam.index % 12:02d}-17'
    study = made_uid('embed', seed, exam.exam_id)
    images = tuple(_image(view, ids, f'./images/cohort_1/{ids["empi_anon"]}/{study}') for view in exam.views)
    rows = [row for side in (Laterality.LEFT, Laterality.RIGHT) for row in _rows(exam, side, ids)]
    return Exam(images, tuple({**row, 'numfind': str(i)} for i, row in enumerate(rows, start=1)))


def _image(view: PhantomView, ids: Cells, folder: str) -> Image:
    series, name = (made_uid(folder, view.name, word) for word in ('series', 'image'))
    boxes = [[finding.bbox[i] for i in (1, 0, 3, 2)] for finding in view.findings]
    cells = {
        **ids,
        'StudyDescription': 'MG Screening Bilateral',
        'FinalImageType': '2D',
        'ImageLateralityFinal': str(view.laterality),
        'ViewPosition': str(view.view),
        'spot_mag': '0',
        'anon_dicom_path': f'{folder}/{series}/{name}.dcm',
        'num_roi': str(len(boxes)),
        'ROI_coords': str([[round(x) for x in box] for box in boxes]) if boxes else '()',
        'match_level': str([1] * len(boxes)),
    }
    return Image(view, cells)


def _rows(exam: PhantomExam, side: Laterality, ids: Cells) -> list[dict[str, str]]:
    """One row per lesion of a breast, or one that says that there is none."""
    labels = exam.labels(side)
    common = {
        **ids,
        'desc': 'MG Screening Bilateral',
        'tissueden': f'{"ABCD".index(str(labels["density"])) + 1}.0',
        'side': str(side),
        'RACE_DESC': 'Not Recorded',
        'ETHNIC_GROUP_DESC': 'Unreported, Unknown, Unavailable',
        'age_at_study': f'{labels["age"]}.5',
    }
    found = [placed.lesion for placed in exam.lesions if placed.laterality is side and placed.decoy is None]
    told = [
        {
            'asses': 'A' if lesion.pathology == 'malignant' else 'B',
            'massshape': _SHAPES.get(lesion.category, ''),
            'calcfind': 'I' if lesion.category == 'calcification' else '',
            'bside': str(side),
            'path_severity': '0.0' if lesion.pathology == 'malignant' else '4.0',
        }
        for lesion in found
    ]
    return [{**common, **row} for row in told or [{'asses': _LETTERS[str(labels['birads'])]}]]


def _first(exam: Exam, **cells: str) -> Exam:
    """With other cells in the row of the first image, which is then at fault."""
    image = replace(exam.images[0], cells={**exam.images[0].cells, **cells})
    return replace(exam, images=(image, *exam.images[1:]), at_fault=(image.path,))


def _left(exam: Exam, **cells: str) -> Exam:
    """With other cells in the rows of the left breast, whose images are then at fault."""
    rows = tuple({**row, **cells} if row['side'] == 'L' else row for row in exam.rows)
    paths = tuple(image.path for image in exam.images if image.cells['ImageLateralityFinal'] == 'L')
    return replace(exam, rows=rows, at_fault=paths)


def _boxed(exam: Exam, box: Callable[[int, int], Sequence[float]]) -> Exam:
    """With one box, ymin, xmin, ymax, xmax, on the first image, whose height and width make it."""
    corners = [round(x) for x in box(*exam.images[0].view.image.shape)]
    return _first(exam, num_roi='1', ROI_coords=str([corners]), match_level='[1]')


def _beside(height: int, width: int) -> Sequence[float]:
    """Where the chest wall of a left breast, which points right, would be if it were a right one."""
    return 0.5 * height, 0.93 * width, 0.54 * height, 0.98 * width


def _without(exam: Exam, **what: bool) -> Exam:
    image = replace(exam.images[0], **what)
    return replace(exam, images=(image, *exam.images[1:]), at_fault=(image.path,))


FAULTS: tuple[Fault[Exam], ...] = (
    Fault('box of the mirrored image', 'mended', 'mirrored', lambda x: _boxed(x, _beside)),
    Fault('synthetic image', 'quarantined', 'synthetic 2D', lambda x: _first(x, FinalImageType='cview')),
    Fault('spot compression', 'quarantined', 'spot or magnification', lambda x: _first(x, spot_mag='1.0')),
    Fault('screen capture', 'quarantined', 'found ROI_SSC', lambda x: _first(x, FinalImageType='ROI_SSC')),
    Fault('boxes that are not counted', 'quarantined', 'as many as there are', lambda x: _first(x, num_roi='7')),
    Fault('boxes that are no list', 'quarantined', 'lists of four numbers', lambda x: _first(x, ROI_coords='12 to 40')),
    Fault(
        'box that lacks a corner',
        'quarantined',
        'lists of four numbers',
        lambda x: _first(x, num_roi='1', ROI_coords='[[1, 2]]'),
    ),
    Fault('no side', 'quarantined', 'ImageLateralityFinal', lambda x: _first(x, ImageLateralityFinal='')),
    Fault('no row', 'quarantined', 'no row for', lambda x: _without(x, has_row=False)),
    Fault('no image', 'quarantined', 'no such file', lambda x: _without(x, has_file=False)),
    Fault('unknown assessment', 'quarantined', 'asses: found Z', lambda x: _left(x, asses='Z')),
    Fault(
        'unknown severity', 'quarantined', 'path_severity: found 9', lambda x: _left(x, bside='L', path_severity='9')
    ),
)


def _elements(image: Image) -> Mapping[str, object]:
    """What the headers say beside the pixels; the patient is the number of the tables."""
    spacing = f'{image.view.projection.spacing_mm:.6g}'
    return {
        'PatientID': image.cells['empi_anon'],
        'PatientSex': 'F',
        'StudyInstanceUID': image.path.split('/')[-3],
        'ImageType': ['DERIVED', 'PRIMARY'],
        'Manufacturer': 'HOLOGIC, Inc.',
        'ImageLaterality': str(image.view.laterality),
        'ViewPosition': str(image.view.view),
        'ImagerPixelSpacing': [spacing, spacing],
        'WindowCenter': '2048',
        'WindowWidth': '4096',
    }


def _write_table(path: Path, header: str, rows: Iterable[Cells]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, header.split(','), restval='', lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)
