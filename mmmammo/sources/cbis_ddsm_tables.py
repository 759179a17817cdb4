"""The four case-description tables of CBIS-DDSM: one row per abnormality of an image.

The text of a cell may end in a line break (every ``ROI mask file path`` of masses, every ``cropped image file path`` of
calcifications), which is stripped. ``N/A`` is an empty cell, and 0 means unknown for density and subtlety.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmmammo.sources.tables import Row, Table, read_table
from mmmammo.structures import Laterality, MammoError, View

_CASE = re.compile(r'(Mass|Calc)-(Training|Test)_(P_\d{5})_(LEFT|RIGHT)_(CC|MLO)(?:_(\d+))?')
_UID = r'\d+(?:\.\d+)*'  # never '..', as these are names of folders
_PLACE = re.compile(rf'(?P<case>{_CASE.pattern})/(?P<study>{_UID})/(?P<series>{_UID})/0*(?P<number>\d{{1,9}})\.dcm')
_PATIENT = re.compile(r'P_\d{5}')
_TOKENS = {
    'mass shape': 'ROUND OVAL LOBULATED IRREGULAR ARCHITECTURAL_DISTORTION LYMPH_NODE ASYMMETRIC_BREAST_TISSUE '
    'FOCAL_ASYMMETRIC_DENSITY',
    'mass margins': 'CIRCUMSCRIBED MICROLOBULATED OBSCURED ILL_DEFINED SPICULATED',
    'calc type': 'PLEOMORPHIC AMORPHOUS PUNCTATE LUCENT_CENTER LUCENT_CENTERED VASCULAR FINE_LINEAR_BRANCHING COARSE '
    'ROUND_AND_REGULAR EGGSHELL DYSTROPHIC LARGE_RODLIKE SKIN MILK_OF_CALCIUM',
    'calc distribution': 'CLUSTERED LINEAR SEGMENTAL REGIONAL DIFFUSELY_SCATTERED',
}
_DENSITIES = {'0': None, '1': 'A', '2': 'B', '3': 'C', '4': 'D'}
_SUBTLETIES = {'0': None} | {str(value): value for value in range(1, 6)}
_ASSESSMENTS = {str(value): str(value) for value in range(6)}
_SIDES = {'LEFT': Laterality.LEFT, 'RIGHT': Laterality.RIGHT}
_VIEWS = {'CC': View.CC, 'MLO': View.MLO}
_PATHOLOGIES = {'MALIGNANT': 'malignant', 'BENIGN': 'benign', 'BENIGN_WITHOUT_CALLBACK': 'benign'}
_IMAGE, _CROP, _MASK = 'image file path', 'cropped image file path', 'ROI mask file path'


@dataclass(frozen=True)
class Part:
    """One of the four tables.

    Args:
        kind: ``'mass'`` or ``'calc'``, as in its name.
        split: ``'train'`` or ``'test'``.
    """

    kind: str
    split: str

    @property
    def file_name(self) -> str:
        """Of the table."""
        return f'{self.kind}_case_description_{self.split}_set.csv'

    @property
    def category(self) -> str:
        """Of the findings; also its word in the column ``abnormality type``."""
        return {'mass': 'mass', 'calc': 'calcification'}[self.kind]

    @property
    def folder(self) -> str:
        """How the names of its case folders begin."""
        return f'{self.kind.capitalize()}-{ {"train": "Training", "test": "Test"}[self.split] }'

    @property
    def descriptors(self) -> dict[str, str]:
        """Name of the attribute by column that describes what an abnormality looks like."""
        if self.kind == 'mass':
            return {'mass shape': 'shape', 'mass margins': 'margins'}
        return {'calc type': 'type', 'calc distribution': 'distribution'}

    @property
    def density_column(self) -> str:
        """Which the two kinds of tables spell differently."""
        return 'breast_density' if self.kind == 'mass' else 'breast density'


PARTS = tuple(Part(kind, split) for kind in ('mass', 'calc') for split in ('train', 'test'))


@dataclass(frozen=True)
class Place:
    """A path column: ``<case folder>/<StudyInstanceUID>/<SeriesInstanceUID>/<00000N>.dcm``.

    Args:
        case: Folder of the image, or of one of its abnormalities.
        study: UID.
        series: UID.
        number: Of the file in its series, from 0.
    """

    case: str
    study: str
    series: str
    number: int

    @property
    def text(self) -> str:
        """As the table has it."""
        return f'{self.case}/{self.study}/{self.series}/{self.number:06}.dcm'


@dataclass(frozen=True, eq=False)
class Abnormality:
    """What a row says.

    Args:
        number: Of the abnormality; the same in every view of the breast.
        mask: Where the outline should be.
        crop: Where the cut-out should be.
        density: ``'A'`` to ``'D'``, or ``None``.
        birads: The assessment as written; ``'0'`` is an assessment (incomplete), not a gap.
        pathology: ``'malignant'`` or ``'benign'``.
        attributes: Shape and margins, or type and distribution; subtlety; ``pathology_source``, the word of the table.
    """

    patient: str
    laterality: Laterality
    view: View
    number: int
    mask: Place
    crop: Place
    density: str | None
    birads: str
    pathology: str
    attributes: Mapping[str, object]


def case_of(name: str) -> Part | None:
    """The table whose case folder this is, or ``None`` for any other name."""
    match = _CASE.fullmatch(name)
    return next(part for part in PARTS if name.startswith(f'{part.folder}_')) if match else None


def patient_of(case: str) -> str:
    """Patient of a case folder."""
    match = _PATIENT.search(case)
    return match[0] if match else case


def read_part(path: Path, part: Part) -> Table:
    """Read one of the tables.

    Raises:
        MammoError: If it is no such table.
    """
    columns = (
        'patient_id',
        part.density_column,
        'left or right breast',
        'image view',
        'abnormality id',
        'abnormality type',
        *part.descriptors,
        'assessment',
        'pathology',
        'subtlety',
        _IMAGE,
        _CROP,
        _MASK,
    )
    return read_table(path, columns, absent=('', 'nan', 'n/a'))


def image_place(row: Row) -> Place:
    """Where the full image of a row should be.

    Raises:
        MammoError: If the path has another form: then nothing is known about the row.
    """
    return _place(row, _IMAGE)


def places_of(row: Row) -> tuple[Place, ...]:
    """Every file that a row names, but for paths of another form, with which :func:`parse` has no patience."""
    matches = [_PLACE.fullmatch(row.text(column, '')) for column in (_IMAGE, _CROP, _MASK)]
    return tuple(_place_of(match) for match in matches if match)


def parse(row: Row, part: Part) -> Abnormality:
    """Read a row, and see that it agrees with itself.

    Raises:
        MammoError: For a value that is none of the published ones, or a path of another case.
    """
    row.choice('abnormality type', {part.category: part.category})
    abnormality = Abnormality(
        patient=row.text('patient_id'),
        laterality=row.choice('left or right breast', _SIDES),
        view=row.choice('image view', _VIEWS),
        number=row.integer('abnormality id'),
        mask=_place(row, _MASK),
        crop=_place(row, _CROP),
        density=row.choice(part.density_column, _DENSITIES, None),
        birads=row.choice('assessment', _ASSESSMENTS),
        pathology=row.choice('pathology', _PATHOLOGIES),
        attributes=_attributes(row, part),
    )
    _check_cases(row, part, abnormality)
    return abnormality


def _attributes(row: Row, part: Part) -> dict[str, object]:
    found: dict[str, object] = {name: _description(row, column) for column, name in part.descriptors.items()}
    found['subtlety'] = row.choice('subtlety', _SUBTLETIES, None)
    found['pathology_source'] = row.text('pathology')
    return {name: value for name, value in found.items() if value is not None}


def _description(row: Row, column: str) -> str | None:
    """Words joined by ``-`` in any order, some of them twice, as they stand."""
    text = row.text(column, None)
    known = _TOKENS[column].split()
    if text is not None and (unknown := sorted(set(text.split('-')) - set(known))):
        raise row.error(column, ', '.join(unknown), f'words out of {", ".join(known)}')
    return text


def _place(row: Row, column: str) -> Place:
    match = _PLACE.fullmatch(row.text(column))
    if match is None:
        expected = 'case folder, study UID, series UID and file, as in the published table'
        raise row.error(column, row.text(column), expected)
    return _place_of(match)


def _place_of(match: re.Match[str]) -> Place:
    return Place(match['case'], match['study'], match['series'], int(match['number']))


def _check_cases(row: Row, part: Part, found: Abnormality) -> None:
    side, view = row.text('left or right breast'), row.text('image view')
    image = f'{part.folder}_{found.patient}_{side}_{view}'
    places = {_IMAGE: (_place(row, _IMAGE), image)}
    places |= {name: (place, f'{image}_{found.number}') for name, place in ((_CROP, found.crop), (_MASK, found.mask))}
    for column, (place, expected) in places.items():
        if place.case != expected:
            raise row.error(column, place.case, f'{expected}, as the other columns say')


def tables_missing(raw: Path, names: list[str]) -> MammoError:
    """The complaint about a download without its tables."""
    return MammoError(
        raw,
        field='tables',
        found=f'no {", ".join(names)}',
        expected='the case-description tables in this folder, or up to two folders above it',
        remedy='take the four CSV files from the page of the collection (doi.org/10.7937/K9/TCIA.2016.7O02S9CY) and '
        'put them beside the folder CBIS-DDSM',
    )
