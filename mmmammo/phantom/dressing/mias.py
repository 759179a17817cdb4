"""The phantom as mini-MIAS: square 8-bit PGM files of the MLO views, and ``Info.txt``.

Every fault has an image of its own, in the order of :data:`FAULTS`; the other images are as they should be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.phantom.dressing.planted import Planted
from mmmammo.phantom.dressing.planting import Fault, plant
from mmmammo.phantom.exam import PhantomExam, PhantomView
from mmmammo.structures import Affine, Finding, View

FOLDER = 'all-mias'
_SIDE = 1024
_KINDS = {'mass': 'CIRC', 'calcification': 'CALC', 'distortion': 'ARCH', 'asymmetry': 'ASYM'}
_TISSUES = {'A': 'F', 'B': 'G', 'C': 'D', 'D': 'D'}
_TEXT = """This file lists the images of a set that looks like mini-MIAS. No line of it is of that set.

1st column: reference number, such as mdb001; the files are mdb001.pgm and so on.
2nd column: F, G or D. 3rd column: class. 4th column: B or M. Then x, y and radius, from the bottom left.

"""


@dataclass(frozen=True, eq=False)
class Image:
    """One image of the download.

    Args:
        view: Of the phantom.
        reference: Such as ``mdb001``.
        lines: Of ``Info.txt``, without the reference.
        side: Of the square file, in pixels; ``None`` if there is no file.
    """

    view: PhantomView
    reference: str
    lines: tuple[str, ...]
    side: int | None = _SIDE

    @property
    def path(self) -> str:
        """Relative to the download; a line without a file does not know the folder."""
        return f'{self.reference}.pgm' if self.side is None else f'{FOLDER}/{self.reference}.pgm'


def dress(out: Path, exams: Sequence[PhantomExam], seed: int) -> tuple[Planted, ...]:
    """Write the download.

    Args:
        out: Where ``all-mias`` goes.
        exams: As many as give an MLO view per fault.
        seed: Of nothing here: MIAS has numbers only.

    Returns:
        Every planted fault, in the order of :data:`FAULTS`.

    Raises:
        MammoError: If there are fewer MLO views than faults.
    """
    images = images_of(exams)
    folder = Path(out) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for image in images:
        if image.side is not None:
            _write_pgm(folder.parent / image.path, _square(image.view.image, image.side))
    lines = [f'{image.reference} {line}' for image in images for line in image.lines]
    (folder / 'Info.txt').write_text(_TEXT + '\n'.join(lines) + '\n')
    for name in ('README', 'Licence'):
        (folder / name).write_text('invented\n')
    faulty = zip(images, FAULTS, strict=False)
    return tuple(Planted(image.path, fault.name, fault.status, fault.says) for image, fault in faulty)


def images_of(exams: Sequence[PhantomExam]) -> list[Image]:
    """Every image of the download; the first of them have the faults.

    Raises:
        MammoError: If there are fewer images than faults.
    """
    return plant(
        [
            _image(exam, view, f'mdb{2 * number + (2 if view.laterality == "L" else 1):03d}')
            for number, exam in enumerate(exams)
            for view in sorted(exam.views, key=lambda view: view.laterality, reverse=True)
            if view.view is View.MLO
        ],
        FAULTS,
    )


def into_square(view: PhantomView) -> Affine:
    """Pixel of the file from pixel of the phantom: enlarged, and in the middle between black margins."""
    height, width = view.image.shape
    return Affine.translation((_SIDE - width * _SIDE / height) / 2, 0) @ Affine.scaling(_SIDE / height)


def _image(exam: PhantomExam, view: PhantomView, reference: str) -> Image:
    tissue = _TISSUES[str(exam.labels(view.laterality)['density'])]
    lines = tuple(f'{tissue} {_line(view, finding)}' for finding in view.findings)
    return Image(view, reference, lines or (f'{tissue} NORM ',))


def _line(view: PhantomView, finding: Finding) -> str:
    x1, y1, x2, y2 = into_square(view).boxes(finding.bbox).tolist()
    severity = 'M' if finding.pathology == 'malignant' else 'B'
    x, y, radius = int((x1 + x2) / 2), _SIDE - 1 - int((y1 + y2) / 2), round(max(x2 - x1, y2 - y1) / 2)
    return f'{_KINDS[finding.category]} {severity} {x} {y} {radius}'


def _said(image: Image, *lines: str) -> Image:
    """With these lines in place of its own."""
    return replace(image, lines=tuple(f'{image.lines[0].split()[0]} {line}' for line in lines))


FAULTS: tuple[Fault[Image], ...] = (
    Fault('two findings', 'accepted', '', lambda x: _said(x, 'CIRC B 477 533 30', 'SPIC M 500 468 26')),
    Fault(
        'NOTE 3',
        'mended',
        'calcification without coordinates (*NOTE 3*)',
        lambda x: _said(x, 'CALC M *NOTE 3*'),
    ),
    Fault('no coordinates', 'mended', 'mass without coordinates', lambda x: _said(x, 'CIRC B')),
    Fault('circle over the border', 'mended', 'over the border', lambda x: _said(x, 'MISC B 515 10 40')),
    Fault('unknown class', 'quarantined', 'class: found LUMP; expected one of', lambda x: _said(x, 'LUMP B 500 500 9')),
    Fault('no severity', 'quarantined', 'severity: found nothing', lambda x: _said(x, 'CIRC 500 500 20')),
    Fault('no radius', 'quarantined', 'expected tissue, class,', lambda x: _said(x, 'CIRC B 500 500')),
    Fault(
        'normal and not',
        'quarantined',
        'class: found NORM and a finding',
        lambda x: _said(x, 'NORM', 'CIRC B 500 500 20'),
    ),
    Fault('full resolution', 'quarantined', 'size: found 300 x 300', lambda x: replace(x, side=300)),
    Fault('no line', 'quarantined', 'no row for mdb', lambda x: replace(x, lines=())),
    Fault('no image', 'quarantined', 'no such file', lambda x: replace(x, side=None)),
)


def _square(image: npt.NDArray[np.float32], side: int) -> npt.NDArray[np.uint8]:
    width = round(image.shape[1] * side / image.shape[0])
    resized = cv2.resize(image, (width, side), interpolation=cv2.INTER_LINEAR)
    left = (side - width) // 2
    square = np.pad(resized, ((0, 0), (left, side - width - left)))
    return np.asarray(np.rint(square * 255), dtype=np.uint8)


def _write_pgm(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    height, width = pixels.shape
    path.write_bytes(f'P5\n# invented\n{width} {height}\n255\n'.encode() + pixels.tobytes())
