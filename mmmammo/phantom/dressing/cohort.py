"""The phantom as a screening programme's folder: images as DICOM and PNG, ``cohort.csv`` and ``annotations.csv``.

An exam whose phantom has a malignant finding is a screening cancer, of every third such exam an interval one. Readers
score from 1 to 5, high where there is cancer, less so where it is an interval one. Every fault has an image of its own,
in the order of :data:`FAULTS`. What is wrong with the table refuses all of it, and is not planted here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from mmmammo.phantom.dressing.plain_dicom import write_plain
from mmmammo.phantom.dressing.planted import Planted
from mmmammo.phantom.dressing.planting import Fault, plant
from mmmammo.phantom.exam import PhantomExam, PhantomView
from mmmammo.phantom.rng import stream
from mmmammo.structures import Laterality

COLUMNS = (
    'file',
    'exam_id',
    'patient_id',
    'laterality',
    'view',
    'outcome',
    'reader1',
    'reader2',
    'age',
    'date',
    'fold',
)
BOX_COLUMNS = ('file', 'category', 'x1', 'y1', 'x2', 'y2', 'lesion_id', 'pathology')
_SUFFIXES = ('.dcm', '.png', '.dcm', '.png')
_SCORES = {'none': (1, 1, 1, 1, 1, 2), 'interval': (1, 1, 2, 3), 'screening': (2, 3, 4, 5)}
_FOLDS = 10


@dataclass(frozen=True, eq=False)
class Image:
    """One image of the folder.

    Args:
        view: Of the phantom.
        cells: Of its row, by column.
        has_file: Whether the file is there; so ``has_row``.
        leads: What the file is a link to; ``None`` if it is none.
    """

    view: PhantomView
    cells: Mapping[str, object]
    has_file: bool = True
    has_row: bool = True
    leads: str | None = None

    @property
    def path(self) -> str:
        """Relative to the folder."""
        return str(self.cells['file'])


def dress(out: Path, exams: Sequence[PhantomExam], seed: int) -> tuple[Planted, ...]:
    """Write the folder.

    Args:
        out: The folder.
        exams: As many as give an image per fault.
        seed: Of the readers' scores.

    Returns:
        Every planted fault, in the order of :data:`FAULTS`.

    Raises:
        MammoError: If there are fewer images than faults.
    """
    out, images = Path(out), images_of(exams, seed)
    for image in images:
        if image.has_file:
            _write(out / image.path, image)
    _write_table(out / 'cohort.csv', COLUMNS, (image.cells for image in images if image.has_row))
    _write_table(out / 'annotations.csv', BOX_COLUMNS, (row for image in images for row in _boxes(image)))
    (out / 'protocol.txt').write_text('invented\n')
    faulty = zip(images, FAULTS, strict=False)
    return tuple(Planted(image.path, fault.name, fault.status, fault.says) for image, fault in faulty)


def images_of(exams: Sequence[PhantomExam], seed: int) -> list[Image]:
    """Every image of the folder; the first of them have the faults.

    Raises:
        MammoError: If there are fewer images than faults.
    """
    outcomes = _outcomes(exams)
    return plant([image for exam in exams for image in _images(exam, outcomes, seed)], FAULTS)


def _outcomes(exams: Sequence[PhantomExam]) -> dict[tuple[str, Laterality], str]:
    """By exam and side; of the exams with cancer every third is an interval cancer."""
    sides = (Laterality.LEFT, Laterality.RIGHT)
    ill = [exam.exam_id for exam in exams if any(exam.labels(side)['cancer'] for side in sides)]
    kind = {exam_id: 'interval' if i % 3 == 2 else 'screening' for i, exam_id in enumerate(ill)}
    return {
        (exam.exam_id, side): kind[exam.exam_id] if exam.labels(side)['cancer'] else 'none'
        for exam in exams
        for side in sides
    }


def _images(exam: PhantomExam, outcomes: Mapping[tuple[str, Laterality], str], seed: int) -> list[Image]:
    rng = stream(seed, exam.index, 'readers')
    scores = {
        side: rng.choice(_SCORES[outcomes[exam.exam_id, side]], size=2) for side in (Laterality.LEFT, Laterality.RIGHT)
    }
    return [
        Image(
            view,
            {
                'file': f'{exam.exam_id}/{view.name}{_SUFFIXES[position]}',
                'exam_id': exam.exam_id,
                'patient_id': exam.patient_id,
                'laterality': str(view.laterality),
                'view': str(view.view),
                'outcome': outcomes[exam.exam_id, view.laterality],
                'reader1': int(scores[view.laterality][0]),
                'reader2': int(scores[view.laterality][1]),
                'age': exam.woman.age,
                'date': 2010 + exam.index % 8,
                'fold': exam.index % _FOLDS,
            },
        )
        for position, view in enumerate(exam.views)
    ]


FAULTS: tuple[Fault[Image], ...] = (
    Fault('no file', 'quarantined', 'no such file', lambda x: replace(x, has_file=False)),
    Fault('no row', 'quarantined', 'no row for', lambda x: replace(x, has_row=False)),
    Fault('link out', 'quarantined', 'leads out of the folder', lambda x: replace(x, leads='/')),
    Fault('link to nothing', 'quarantined', 'leads nowhere', lambda x: replace(x, leads='nothing.png')),
    Fault(
        'side and view in the file only',
        'accepted',
        '',
        lambda x: replace(x, cells={**x.cells, 'laterality': '', 'view': ''}),
    ),
    Fault('no scores', 'accepted', '', lambda x: replace(x, cells={**x.cells, 'reader1': '', 'reader2': ''})),
)


def _boxes(image: Image) -> Iterator[dict[str, object]]:
    """A row for every finding of an image."""
    for finding in image.view.findings:
        corners = dict(zip(('x1', 'y1', 'x2', 'y2'), finding.bbox, strict=True))
        said = {'category': finding.category, 'lesion_id': finding.lesion_id, 'pathology': finding.pathology}
        yield {'file': image.path, **corners, **said}


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _write(path: Path, image: Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if image.leads is not None:
        path.symlink_to(image.leads)
    elif path.suffix == '.dcm':
        sides = {'ImageLaterality': str(image.view.laterality), 'ViewPosition': str(image.view.view)}
        write_plain(path, image.view.image, 12, {**sides, 'WindowCenter': '2048', 'WindowWidth': '4096'})
    else:
        cv2.imwrite(str(path), np.rint(image.view.image * 65535).astype(np.uint16))
