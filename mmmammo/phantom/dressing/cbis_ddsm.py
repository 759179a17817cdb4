"""The phantom as CBIS-DDSM, in each of its layouts: scanned films, masks, cut-outs, and the four tables.

Every view is an image with masses: where it shows none, a harmless place is outlined, as the collection has them.
Calcifications are in images of their own. The exams take turns: three are in the training sets, the fourth in the test
sets; the first woman is in the test set of calcifications too. Every fault has an image of its own, in the order of
:data:`FAULTS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.phantom.dressing.cbis_ddsm_files import (
    CROP,
    FULL,
    LAYOUTS,
    MASK,
    File,
    table_folder,
    write_case_table,
    write_files,
)
from mmmammo.phantom.dressing.film_look import (
    SIDES,
    as_film,
    black_frame,
    expose_edge,
    stick_label,
    stick_tape,
    without_marker,
)
from mmmammo.phantom.dressing.planted import Planted
from mmmammo.phantom.dressing.planting import Fault, plant
from mmmammo.phantom.exam import PhantomExam, PhantomView
from mmmammo.structures import Finding, MammoError

Mask = npt.NDArray[np.bool_]

_MARGIN = 8  # pixels of a cut-out around the lesion
_SHAPES = {'mass': 'OVAL', 'distortion': 'ARCHITECTURAL_DISTORTION', 'asymmetry': 'FOCAL_ASYMMETRIC_DENSITY'}
_PATHS = ('image file path', 'cropped image file path', 'ROI mask file path')
_COLUMNS = {
    'mass': ('breast_density', 'mass shape', 'mass margins'),
    'calc': ('breast density', 'calc type', 'calc distribution'),
}


@dataclass(frozen=True, eq=False)
class Lesion:
    """An abnormality of an image.

    Args:
        number: Its abnormality id.
        mask: (h, w) of the image.
        pathology: As the table says it; so ``looks`` (two columns), ``assessment`` and ``subtlety``.
        is_swapped: Whether the files of mask and cut-out have each other's content.
        is_apart: Whether each of them has a series and a study of its own.
        mask_size: Of the mask's file, where it is not the image's: (h, w).
        has_mask: Whether there is a file; so ``has_crop``.
        mask_keeps: How many bytes of the mask's file there are.
    """

    number: int
    mask: Mask
    pathology: str
    looks: tuple[str, str]
    assessment: str = '4'
    subtlety: str = '3'
    is_swapped: bool = False
    is_apart: bool = False
    mask_size: tuple[int, int] | None = None
    has_mask: bool = True
    has_crop: bool = True
    mask_keeps: int | None = None

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Around the mask, (x1, y1, x2, y2)."""
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

    @property
    def crop_box(self) -> tuple[int, int, int, int]:
        """Of the cut-out."""
        x1, y1, x2, y2 = self.box
        height, width = self.mask.shape
        return max(x1 - _MARGIN, 0), max(y1 - _MARGIN, 0), min(x2 + _MARGIN, width), min(y2 + _MARGIN, height)


@dataclass(frozen=True, eq=False)
class Image:
    """One full image and its rows.

    Args:
        kind: ``'mass'`` or ``'calc'``.
        split: ``'train'`` or ``'test'``.
        patient: Such as ``P_90001``.
        side: ``'LEFT'`` or ``'RIGHT'``.
        view: ``'CC'`` or ``'MLO'``.
        film: (h, w) float32 in [0, 1].
        lesions: In the table's order.
        density: As the table says it.
        has_file: Whether the full image is there.
        keeps: How many of its bytes, of DICOM and of JPEG.
    """

    kind: str
    split: str
    patient: str
    side: str
    view: str
    film: npt.NDArray[np.float32]
    lesions: tuple[Lesion, ...]
    density: str = '2'
    has_file: bool = True
    keeps: tuple[int, int] | None = None

    @property
    def case(self) -> str:
        """Its case folder."""
        split = {'train': 'Training', 'test': 'Test'}[self.split]
        return f'{self.kind.capitalize()}-{split}_{self.patient}_{self.side}_{self.view}'

    @property
    def stored(self) -> npt.NDArray[np.uint16]:
        """The film in 16 bits."""
        return np.asarray(np.rint(self.film * 65535), dtype=np.uint16)

    def full(self, layout: str) -> File:
        """The file of the image."""
        keeps = None if self.keeps is None else self.keeps[layout == 'kaggle']
        return File(self.case, f'{self.case} study', f'{self.case} series', 0, 1, FULL, self.stored, keeps)

    def path(self, layout: str) -> str:
        """Of its row in ``quality.csv``."""
        full = self.full(layout)
        return full.path(layout) if self.has_file else full.in_table


def dress(out: Path, exams: Sequence[PhantomExam], seed: int, layout: str = 'A') -> tuple[Planted, ...]:
    """Write the download.

    Args:
        out: Folder, made if need be.
        exams: Five at least, of all views.
        seed: Of grain.
        layout: One of ``'A'``, ``'B'``, ``'C'``, ``'D'`` and ``'kaggle'``.

    Returns:
        Every planted fault of the images with masses, and a file that no table names.

    Raises:
        MammoError: If there is no such layout, or there are fewer views than faults.
    """
    if layout not in LAYOUTS:
        raise MammoError(
            'dress', field='layout', found=layout, expected=f'one of {", ".join(LAYOUTS)}', remedy='correct it'
        )
    images = images_of(exams, seed)
    files = [file for image in images for file in _files(image, layout)]
    files.append(replace(images[-1].full(layout), case='Mass-Training_P_99999_LEFT_CC', study='x', series='unlisted'))
    write_files(Path(out), files, layout)
    for kind in _COLUMNS:
        for split in ('train', 'test'):
            rows = [row for image in images if (image.kind, image.split) == (kind, split) for row in _rows(image)]
            path = Path(out) / table_folder(layout) / f'{kind}_case_description_{split}_set.csv'
            write_case_table(path, _header(kind), rows, layout)
    with_fault = zip(images, FAULTS, strict=False)
    planted = [Planted(image.path(layout), fault.name, fault.status, fault.says) for image, fault in with_fault]
    return *planted, Planted(files[-1].path(layout), 'unlisted case folder', 'quarantined', 'no row of mass_case')


def images_of(exams: Sequence[PhantomExam], seed: int) -> list[Image]:
    """Every full image of the download; the first of them, which show masses, have the faults.

    Raises:
        MammoError: If there are fewer images than faults.
    """
    rng = np.random.default_rng(seed)
    made: dict[str, list[Image]] = {'mass': [], 'calc': []}
    for number, exam in enumerate(exams):
        for view in exam.views:
            film = as_film(without_marker(view), rng)
            for kind, images in made.items():
                lesions = _lesions(exam, view, kind)
                split = 'test' if number % 4 == 3 or (kind, number) == ('calc', 0) else 'train'
                density = str('ABCD'.index(exam.woman.density) + 1)
                patient, side = f'P_{90001 + number}', {'L': 'LEFT', 'R': 'RIGHT'}[view.laterality]
                if lesions:
                    images.append(Image(kind, split, patient, side, str(view.view), film, lesions, density))
    return plant(made['mass'], FAULTS) + made['calc']


def _lesions(exam: PhantomExam, view: PhantomView, kind: str) -> tuple[Lesion, ...]:
    """The findings of a view that belong to a kind; a harmless one where there would be none."""
    names = [x.lesion_id for x in exam.lesions if x.laterality is view.laterality]
    findings = [f for f in view.findings if (f.category == 'calcification') == (kind == 'calc')]
    if findings:
        return tuple(_lesion(f, names.index(f.lesion_id) + 1, view.image.shape) for f in findings)
    # The first woman has a harmless one of either kind, so that some views are in both tables.
    is_invented = kind == 'mass' or exam.index == 0
    return (_harmless(view, kind),) if is_invented else ()


def _lesion(finding: Finding, number: int, shape: Sequence[int]) -> Lesion:
    mask = np.zeros(shape, dtype=np.uint8)
    for polygon in finding.polygons:
        cv2.fillPoly(mask, [np.rint(polygon - 0.5).astype(np.int32)], 1)
    if finding.category == 'calcification':
        looks = ('PLEOMORPHIC', 'CLUSTERED')
    else:
        looks = (_SHAPES[finding.category], 'SPICULATED' if finding.pathology == 'malignant' else 'CIRCUMSCRIBED')
    return Lesion(number, mask > 0, str(finding.pathology).upper(), looks, str(finding.birads))


def _harmless(view: PhantomView, kind: str, number: int = 1, offset: int = 0) -> Lesion:
    """An oval in the middle of the gland that nobody was called back for."""
    rows, columns = np.nonzero(view.gland_region)
    middle = (int(np.median(columns)), int(np.median(rows)) + offset)
    mask = cv2.ellipse(np.zeros(view.image.shape, np.uint8), middle, (10, 7), 30, 0, 360, 1, cv2.FILLED)
    looks = ('OVAL', 'CIRCUMSCRIBED') if kind == 'mass' else ('LUCENT_CENTERED', 'N/A')
    return Lesion(number, mask > 0, 'BENIGN_WITHOUT_CALLBACK', looks, '2')


def _files(image: Image, layout: str) -> list[File]:
    full = image.full(layout)
    return [full] * image.has_file + [file for lesion in image.lesions for file in _lesion_files(image, lesion)]


def _lesion_files(image: Image, lesion: Lesion) -> list[File]:
    """Cut-out and mask, those that are there."""
    crop, mask = _places(image, lesion)
    x1, y1, x2, y2 = lesion.crop_box
    marked = lesion.mask.astype(np.uint8) * 255
    if lesion.mask_size is not None:
        marked = cv2.resize(marked, lesion.mask_size[::-1], interpolation=cv2.INTER_NEAREST)
    contents: tuple[Any, Any] = (image.stored[y1:y2, x1:x2], marked)
    crop = replace(crop, pixels=contents[lesion.is_swapped])
    mask = replace(mask, pixels=contents[not lesion.is_swapped], keeps=lesion.mask_keeps)
    return [crop] * lesion.has_crop + [mask] * lesion.has_mask


def _places(image: Image, lesion: Lesion) -> tuple[File, File]:
    """Files of cut-out and mask as the table numbers them, without their pixels."""
    case = f'{image.case}_{lesion.number}'
    nothing = np.zeros((1, 1), dtype=np.uint8)
    if lesion.is_apart:
        crop = File(case, f'{case} study of crop', f'{case} crop', 0, 1, CROP, nothing)
        return crop, replace(crop, study=f'{case} study', series=f'{case} mask', description=MASK)
    first = File(case, f'{case} study', f'{case} series', 0, 2, MASK, nothing)
    second = replace(first, number=1)
    return (first, second) if image.kind == 'mass' else (second, first)


def _header(kind: str) -> tuple[str, ...]:
    density, *looks = _COLUMNS[kind]
    names = ('patient_id', density, 'left or right breast', 'image view', 'abnormality id', 'abnormality type')
    return (*names, *looks, 'assessment', 'pathology', 'subtlety', *_PATHS)


def _rows(image: Image) -> list[list[str]]:
    """Of its table; one of the path columns ends in a line break."""
    word = {'mass': 'mass', 'calc': 'calcification'}[image.kind]
    rows = []
    for lesion in image.lesions:
        crop, mask = (place.in_table for place in _places(image, lesion))
        paths = [crop, f'{mask}\n'] if image.kind == 'mass' else [f'{crop}\n', mask]
        said = [image.patient, image.density, image.side, image.view, str(lesion.number), word, *lesion.looks]
        rows.append([*said, lesion.assessment, lesion.pathology, lesion.subtlety, image.full('A').in_table, *paths])
    return rows


def _first(image: Image, **changes: Any) -> Image:
    """With another first lesion."""
    return replace(image, lesions=(replace(image.lesions[0], **changes), *image.lesions[1:]))


def _alone(image: Image, **changes: Any) -> Image:
    """With the first lesion only, and that another."""
    return _first(replace(image, lesions=image.lesions[:1]), **changes)


def _mirrored(image: Image) -> Image:
    lesions = tuple(replace(lesion, mask=lesion.mask[:, ::-1].copy()) for lesion in image.lesions)
    return replace(image, film=np.ascontiguousarray(image.film[:, ::-1]), lesions=lesions)


def _with_second(image: Image) -> Image:
    """With a lesion of another pathology above the first."""
    first = replace(image.lesions[0], pathology='BENIGN')
    moved = np.roll(first.mask, -round(0.1 * len(first.mask)), axis=0)
    second = replace(first, number=first.number + 1, mask=moved, pathology='MALIGNANT')
    return replace(image, lesions=(first, second))


def _labelled(image: Image) -> Image:
    """With a label and tape in the air, opposite to the chest wall."""
    height, width = image.film.shape
    x = 0.8 * width if image.side == 'LEFT' else 0.2 * width
    film = stick_label(image.film, (x, 0.06 * height), (0.3 * width, 0.08 * height), image.view, 6)
    return replace(image, film=stick_tape(film, (x, 0.97 * height), (0.4 * width, 0.05 * height), -8))


def _with_edges(image: Image) -> Image:
    film = image.film
    for side in SIDES:
        film = expose_edge(film, side, (3, 5))
    return replace(image, film=film)


FAULTS: tuple[Fault[Image], ...] = (
    Fault('swapped files', 'accepted', '', lambda x: _alone(x, is_swapped=True)),
    Fault('separate folders', 'accepted', '', lambda x: _alone(x, is_apart=True)),
    Fault('separate folders, swapped', 'accepted', '', lambda x: _alone(x, is_apart=True, is_swapped=True)),
    Fault('mask of another size', 'mended', 'stretched to the image', lambda x: _alone(x, mask_size=(288, 224))),
    Fault('no mask', 'mended', 'box of the cut-out', lambda x: _alone(x, has_mask=False)),
    Fault('no cut-out', 'accepted', '', lambda x: _alone(x, has_crop=False)),
    Fault('neither', 'quarantined', 'outline of', lambda x: _alone(x, has_mask=False, has_crop=False)),
    Fault('mask cut off', 'mended', 'box of the cut-out', lambda x: _alone(x, mask_keeps=300)),
    Fault('mirrored', 'mended', 'chest wall is on the', _mirrored),
    Fault('no image', 'quarantined', 'nothing at its place', lambda x: replace(x, has_file=False)),
    Fault('image cut off', 'quarantined', 'the file again', lambda x: replace(x, keeps=(20000, 300))),
    Fault('density 0', 'accepted', '', lambda x: replace(x, density='0')),
    Fault('subtlety 0', 'accepted', '', lambda x: _first(x, subtlety='0')),
    Fault('margins N/A', 'accepted', '', lambda x: _first(x, looks=('IRREGULAR-ARCHITECTURAL_DISTORTION', 'N/A'))),
    Fault('mixed pathology', 'accepted', '', _with_second),
    Fault('unknown shape', 'quarantined', 'mass shape: found SQUARE', lambda x: _first(x, looks=('SQUARE', 'N/A'))),
    Fault('label and tape', 'mended', '2 labels or tape', _labelled),
    Fault('white edges', 'mended', 'white edge at the left, top, right, bottom', _with_edges),
    Fault('black frame', 'mended', 'black frame', lambda x: replace(x, film=black_frame(x.film, 4))),
)
"""What is planted, one in each image from the first on."""
