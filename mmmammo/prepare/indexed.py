"""Images of a prepared set where files of exams are asked for: taken as they are, not prepared a second time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mmmammo.io import read_png16
from mmmammo.io.exam_index import read_index
from mmmammo.prepare.folder import IMAGES
from mmmammo.prepare.image import Prepared
from mmmammo.prepare.quality import ACCEPTED, QualityRow, read_quality
from mmmammo.sources.listing import place_refusal
from mmmammo.structures import ImageRecord, MammoError, PreparedImage


@dataclass(frozen=True, eq=False, kw_only=True)
class IndexedRecord(ImageRecord):
    """A file of a prepared set.

    Args:
        image: What the annotation file says of it.
        quality: What ``quality.csv`` says of the file that it was made of.
    """

    image: PreparedImage
    quality: QualityRow

    def read(self) -> Prepared:
        """Pixels and annotation, as :func:`prepare_image` gave them.

        Raises:
            MammoError: If the file is absent, no grey PNG, not of the size that the annotation file says, or not of
                the set's own folder.
        """
        if self.refused is not None:
            raise self.refused
        pixels = read_png16(self.path)
        if pixels.shape != (self.image.height, self.image.width):
            raise MammoError(
                self.path,
                field='image size (h, w)',
                found=pixels.shape,
                expected=f'({self.image.height}, {self.image.width}), as its annotation file says',
                remedy='prepare the set again: images and annotations are not of one run',
            )
        return Prepared(pixels, self.image, self.quality)


def list_index(path: Path) -> list[ImageRecord]:
    """The images of an annotation file, under the names of the files that they were made of.

    Args:
        path: ``<set>/annotations/<split>.json``.

    Raises:
        MammoError: If it is absent or no index of a prepared set, or has no image, or ``quality.csv`` beside is wrong.
    """
    images = read_index(path).images
    if not images:
        expected, remedy = 'at least one', 'choose another split'
        raise MammoError(path, field='images', found='none', expected=expected, remedy=remedy)
    root = path.resolve().parents[1]
    own = (root / IMAGES).resolve()  # the whole folder may be a link
    rows = read_quality(root / 'quality.csv') if (root / 'quality.csv').is_file() else {}
    found = [_row_of(image, rows) for image in images]
    count = Counter(row.path for row in found)  # names of files of merged sets need not tell them apart
    return [
        _record(root, own, image, row if count[row.path] == 1 else replace(row, path=image.file_name))
        for image, row in zip(images, found, strict=True)
    ]


def _record(root: Path, own: Path, image: PreparedImage, row: QualityRow) -> IndexedRecord:
    path = root / IMAGES / image.file_name
    return IndexedRecord(
        path=path,
        relative_path=row.path,
        exam_id=image.exam_id,
        patient_id=image.patient_id,
        laterality=image.laterality,
        view=image.view,
        image=image,
        quality=row,
        refused=place_refusal(path, own),
    )


def _row_of(image: PreparedImage, rows: Mapping[str, QualityRow]) -> QualityRow:
    """The row of an image's file; in merged sets the name of the set stands before files and exams."""
    path = image.source.get('path') or image.file_name
    for name in (path, f'{image.exam_id.partition("/")[0]}/{path}'):
        if name in rows and rows[name].exam_id == image.exam_id:
            return rows[name]
    return _without_table(image, path)


def _without_table(image: PreparedImage, path: str) -> QualityRow:
    """The part of a row that the annotation file knows; of the size only how far the source was used."""
    corners = image.affine.inverse().boxes(np.array([[0.0, 0.0, image.width, image.height]]))
    columns, rows = np.rint(corners[0, 2:]).astype(int).tolist()
    return QualityRow(
        path,
        ACCEPTED,
        exam_id=image.exam_id,
        laterality=image.laterality,
        view=image.view,
        rows=rows,
        columns=columns,
        pixel_spacing_mm=image.pixel_spacing_mm,
        landmark_confidence=None if image.landmarks is None else image.landmarks.confidence,
    )
