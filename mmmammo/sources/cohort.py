"""The exams of a screening programme: a folder of images and a table of outcomes and readers' scores.

::

    <raw>/cohort.csv         one row per image, see mmmammo.sources.cohort_table
    <raw>/annotations.csv    optional: boxes, one row per finding; the columns FINDING_COLUMNS of
                             mmmammo.sources.annotations_csv
    <raw>/…                  the images, anywhere below; the tables give their paths

``labels`` has what models of image labels are trained and judged by: ``outcome`` and ``cancer`` of
the breast, ``exam_outcome``, the two readers' scores of the breast, ``fold``. Names of files and the ids of the table
go into the prepared set as they are: they must not name anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mmmammo.sources.annotations_csv import FILE_NAME as BOXES
from mmmammo.sources.annotations_csv import FINDING_COLUMNS, ImageAnnotation, read_annotations
from mmmammo.sources.cohort_table import FILE_NAME, CohortImage, read_cohort
from mmmammo.sources.listing import (
    link_refusal,
    list_files,
    may_be_image,
    missing_file,
    missing_row,
    own_file,
    written_name,
)
from mmmammo.sources.protocol import CountCheck, SourceOption, chosen
from mmmammo.structures import ImageRecord, MammoError, Policy, Problem

CATEGORIES: tuple[str, ...] = ('cancer', 'mass', 'calcification', 'distortion', 'asymmetry')
"""``cancer`` is for boxes that say where it is and not what it looks like."""
OPTIONS: tuple[SourceOption, ...] = ()
POLICIES: Mapping[Problem, Policy] = {}


def list_records(raw: Path, **options: str) -> Iterator[ImageRecord]:
    """Every row of the table, and every file without one, in the order of their names.

    Args:
        raw: The folder with ``cohort.csv``.
        **options: None.

    Raises:
        MammoError: If ``cohort.csv`` is missing, or either table wrong anywhere; see
            :func:`mmmammo.sources.cohort_table.read_cohort` and
            :func:`mmmammo.sources.annotations_csv.read_annotations`.
    """
    chosen(options, OPTIONS)
    raw = Path(raw)
    files = {written_name(path, raw): path for path in list_files(raw)}
    table, boxes = raw / FILE_NAME, raw / BOXES
    images = {image.file: image for image in read_cohort(own_file(table, raw))}
    said = read_annotations(own_file(boxes, raw), images.keys() | files.keys(), CATEGORIES, FINDING_COLUMNS)
    silent = ImageAnnotation()
    records = [_record(raw, image, files.get(name), said.get(name, silent)) for name, image in images.items()]
    records += [_extra(path, name, table) for name, path in files.items() if _is_extra(name, images)]
    yield from sorted(records, key=lambda record: record.relative_path)


def count_skipped(raw: Path) -> int:
    """Files whose names say that they are no images, the tables not counted."""
    names = [path.name for path in list_files(Path(raw)) if not may_be_image(path.name)]
    return len(names) - sum((Path(raw) / table).is_file() for table in (FILE_NAME, BOXES))


def count_checks(raw: Path, **options: str) -> tuple[CountCheck, ...]:
    """None: nobody has published what lies in a folder of one's own."""
    return ()


def _is_extra(name: str, images: Mapping[str, CohortImage]) -> bool:
    return name not in images and may_be_image(name.rpartition('/')[2])


def _record(raw: Path, image: CohortImage, path: Path | None, said: ImageAnnotation) -> ImageRecord:
    place = raw / image.file
    return ImageRecord(
        place,
        image.file,
        exam_id=image.exam_id,
        patient_id=image.patient_id,
        laterality=image.laterality,
        view=image.view,
        findings=said.findings,
        labels=image.labels,
        split=image.split,
        refused=_refusal(raw, image, path),
    )


def _refusal(raw: Path, image: CohortImage, path: Path | None) -> MammoError | None:
    """Why the file must or can not be opened; one below a link to a folder was not listed."""
    if path is not None:
        return link_refusal(path, raw.resolve())
    way = [raw / image.file, *(raw / folder for folder in Path(image.file).parents)][:-1]
    links = (link_refusal(place, raw.resolve()) for place in way)
    return next(filter(None, links), missing_file(image.file, raw / FILE_NAME, image.position))


def _extra(path: Path, name: str, table: Path) -> ImageRecord:
    """A file that the table does not know; whose it is, nobody says."""
    nobody = f'no-row-{name}'
    return ImageRecord(path, name, exam_id=nobody, patient_id=nobody, refused=missing_row(name, table, name))
