"""CBIS-DDSM, the curated subset of DDSM: scanned films with outlined masses and calcifications.

::

    <raw>/mass_case_description_train_set.csv, …        in the folder, anywhere below, or up to two folders above it
    <raw>/CBIS-DDSM/<case>/<study>/<series>/*.dcm       in any of the layouts of mmmammo.sources.cbis_ddsm_layouts
    <raw>/jpeg/<series>/*.jpg                           or the JPEG version of Kaggle, with its tables in csv/

* One record per full image. Mask and cut-out of each abnormality go with it unread: the tables often exchange the two.
* An exam is a patient: nothing else says which views were read together.
* A view with masses and calcifications is two files, one per type, each with the outlines of its type only. Both are
  images of the exam (repeats of one view), and their label ``cancer`` is that of the view: any malignant abnormality.
* ``lesion_id`` follows the abnormality's number, which goes on over both views of a breast though nobody promises it:
  breasts with ``1, 3`` in one view and ``1, 4`` in the other occur, and descriptions of equal numbers agree about as
  often as those of a breast's only abnormality.
* The official split is kept. With ``abnormality=both`` a patient who is in either test set is in test with all images,
  because the split of each type leaks into that of the other.
* Files that no row names are refused, each with its reason; the other type's are left out and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmammo.sources.cbis_ddsm_counts import check_files, check_tables, moved_patients
from mmmammo.sources.cbis_ddsm_layouts import Series, Tree, by_folder
from mmmammo.sources.cbis_ddsm_tables import (
    PARTS,
    Abnormality,
    Part,
    Place,
    case_of,
    image_place,
    parse,
    patient_of,
    places_of,
    read_part,
    tables_missing,
)
from mmmammo.sources.listing import link_refusal, list_files, may_be_image, own_file, place_refusal, written_name
from mmmammo.sources.protocol import CountCheck, SourceOption, chosen
from mmmammo.sources.tables import Row, Table
from mmmammo.structures import (
    FilmScan,
    ImageRecord,
    Laterality,
    MammoError,
    MaskedFinding,
    Policy,
    Problem,
    View,
)

CATEGORIES: tuple[str, ...] = ('mass', 'calcification')
OPTIONS: tuple[SourceOption, ...] = (
    SourceOption('abnormality', ('mass', 'calc', 'both'), 'mass', 'images with masses, with calcifications, or both'),
)
POLICIES: Mapping[Problem, Policy] = {Problem.BURNED_IN: Policy.MEND}

_KINDS = {'mass': ('mass',), 'calc': ('calc',), 'both': ('mass', 'calc')}


def list_records(raw: Path, **options: str) -> Iterator[ImageRecord]:
    """Every full image that the tables name, and every file that none names.

    Args:
        raw: The download.
        **options: ``abnormality``, see ``OPTIONS``.

    Raises:
        MammoError: If there is no such folder, a table is missing or wrong, or no file of the download is there.
    """
    download = _open(Path(raw), options)
    claimed = set(filter(None, map(download.tree.find, download.places)))
    if not claimed:
        raise _no_files(download)
    records = [*_records(download, _images(download)), *_beyond(download, claimed)]
    yield from sorted(records, key=lambda record: record.relative_path)


def count_skipped(raw: Path) -> int:
    """Files whose names say that they are no images, the case-description tables apart."""
    tables = {part.file_name for part in PARTS}
    return sum(not may_be_image(path.name) and path.name not in tables for path in list_files(raw))


def count_checks(raw: Path, **options: str) -> tuple[CountCheck, ...]:
    """Counts of the tables and of the files that they name, beside the published ones."""
    download = _open(Path(raw), options)
    found = [path for path in map(download.tree.find, download.places) if path is not None]
    is_jpeg = any(path.suffix.lower() in ('.jpg', '.jpeg') for path in found)
    checks = list(check_tables(download.tables))
    checks.append(check_files(download.kinds, len(found), len(download.places), is_jpeg))
    others = sum(_is_of_others(series, download.kinds) for _, series in download.tree.files())
    if others:
        checks.append(
            CountCheck('files of the other type', others, None, 'prepare with --abnormality both to use them')
        )
    return tuple(checks)


@dataclass(frozen=True, eq=False)
class _Download:
    """Tables of the wanted types, every file that they name, where the files are, and links that are not followed."""

    raw: Path
    tables: Mapping[Part, Table]
    places: Collection[Place]
    tree: Tree
    links: Mapping[Path, MammoError]

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.kind for part in self.tables))

    def path(self, place: Place) -> Path:
        """Of a file that is there, and what the table says of one that is not."""
        return self.tree.find(place) or self.raw / place.text

    def refusal(self, places: Iterable[Place]) -> MammoError | None:
        """Why one of these files must not be read: a link is not of the tree, but lies where the table has it."""
        paths = (self.raw / place.text for place in places if not self.tree.find(place))
        return next(filter(None, (place_refusal(path, self.raw.resolve()) for path in paths)), None)


@dataclass(frozen=True, eq=False)
class _Image:
    """The rows of one full image."""

    part: Part
    place: Place
    rows: Sequence[Row]

    @property
    def patient(self) -> str:
        return patient_of(self.place.case)

    def abnormalities(self) -> list[Abnormality]:
        """The rows read.

        Raises:
            MammoError: If one is wrong, or two contradict each other.
        """
        found = [parse(row, self.part) for row in self.rows]
        seen: set[int] = set()
        for row, abnormality in zip(self.rows, found, strict=True):
            if abnormality.number in seen:
                raise row.error('abnormality id', abnormality.number, 'each abnormality of an image once')
            if abnormality.density != found[0].density:
                raise row.error(self.part.density_column, abnormality.density, 'one density in all rows of an image')
            seen.add(abnormality.number)
        return found


def _open(raw: Path, options: Mapping[str, str]) -> _Download:
    root, files = raw.resolve(), list_files(raw)
    links = {path: refused for path in files if (refused := link_refusal(path, root))}
    if linked := [refused for path, refused in links.items() if path.name in {part.file_name for part in PARTS}]:
        raise linked[0]
    folders = by_folder(path for path in files if path not in links)
    kinds = _KINDS[chosen(options, OPTIONS)['abnormality']]
    tables = _read_tables(raw, folders, [part for part in PARTS if part.kind in kinds])
    places = {place for table in tables.values() for row in table.rows for place in places_of(row)}
    return _Download(raw, tables, places, Tree(folders, Counter(place.series for place in places)), links)


def _read_tables(raw: Path, folders: Mapping[Path, Sequence[str]], parts: Sequence[Part]) -> dict[Part, Table]:
    """The tables, each from the uppermost folder that has it."""
    above = raw.absolute().parents[:2]
    below = sorted(folders, key=lambda folder: (len(folder.parts), folder))
    found = {}
    for part in parts:
        here = [folder / part.file_name for folder in below if part.file_name in folders[folder]]
        there = [path for path in (folder / part.file_name for folder in above) if path.is_file()]
        found[part] = next(iter(here), None) or next((own_file(path, path.parent) for path in there), None)
    missing = [part.file_name for part, path in found.items() if path is None]
    if missing:
        raise tables_missing(raw, missing)
    return {part: read_part(path, part) for part, path in found.items() if path is not None}


def _images(download: _Download) -> list[_Image]:
    rows: dict[tuple[Part, Place], list[Row]] = {}
    for part, table in download.tables.items():
        for row in table.rows:
            rows.setdefault((part, image_place(row)), []).append(row)
    return [_Image(part, place, group) for (part, place), group in rows.items()]


def _records(download: _Download, images: Sequence[_Image]) -> Iterator[ImageRecord]:
    """A record per full image; one whose rows or file are wrong says so."""
    moved = moved_patients(download.tables) if len(download.kinds) > 1 else set()
    read: list[tuple[_Image, list[Abnormality]]] = []
    for image in images:
        try:
            read.append((image, image.abnormalities()))
        except MammoError as err:
            yield _refused(download, image, err)
    malignant = {_view(found[0]) for _, found in read if any(x.pathology == 'malignant' for x in found)}
    for image, found in read:
        yield _record(download, image, found, _view(found[0]) in malignant, image.patient in moved)


def _record(
    download: _Download, image: _Image, found: Sequence[Abnormality], has_cancer: bool, is_moved: bool
) -> ImageRecord:
    first, path = found[0], download.tree.find(image.place)
    places = [place for abnormality in found for place in (abnormality.mask, abnormality.crop)]
    moved = f'split: {image.part.split} in the table, but the patient is in the test set of the other type'
    return ImageRecord(
        path=path or download.path(image.place),
        relative_path=_relative(download, path) if path else image.place.text,
        exam_id=first.patient,
        patient_id=first.patient,
        laterality=first.laterality,
        view=first.view,
        masked=tuple(_masked(download, image.part, x) for x in found),
        labels={'cancer': int(has_cancer)} | ({'density': first.density} if first.density else {}),
        split='test' if is_moved else image.part.split,
        refused=download.refusal(places) if path else _missing(image.place),
        film=FilmScan(),
        notes=(moved,) if is_moved and image.part.split != 'test' else (),
    )


def _masked(download: _Download, part: Part, found: Abnormality) -> MaskedFinding:
    side = 'LEFT' if found.laterality == 'L' else 'RIGHT'
    return MaskedFinding(
        files=(download.path(found.mask), download.path(found.crop)),
        category=part.category,
        lesion_id=f'{found.patient}_{side}_{part.kind}_{found.number}',
        pathology=found.pathology,
        birads=found.birads,
        attributes=found.attributes,
    )


def _refused(download: _Download, image: _Image, err: MammoError) -> ImageRecord:
    """An image with a row that cannot be used: its other rows would not be all that is in it."""
    path, places = download.tree.find(image.place), map(places_of, image.rows)
    return ImageRecord(
        path=path or download.path(image.place),
        relative_path=_relative(download, path) if path else image.place.text,
        exam_id=image.patient,
        patient_id=image.patient,
        refused=err,
        masked=tuple(MaskedFinding(tuple(map(download.path, rest)), image.part.category) for _, *rest in places),
    )


def _beyond(download: _Download, claimed: Container[Path]) -> Iterator[ImageRecord]:
    """Records of files that no row names, and of links, all refused."""
    for path, refused in download.links.items():
        if may_be_image(path.name):
            yield _unlisted(download, path, '', refused)
    for path, series in download.tree.files():
        if path not in claimed and not _is_of_others(series, download.kinds):
            yield _unlisted(download, path, series.case, _no_row(download, path))


def _unlisted(download: _Download, path: Path, case: str, refused: MammoError) -> ImageRecord:
    patient = patient_of(case) if case else 'unlisted'
    return ImageRecord(path, _relative(download, path), patient, patient, refused=refused)


def _no_row(download: _Download, path: Path) -> MammoError:
    return MammoError(
        path,
        field='tables',
        found=f'no row of {" or ".join(part.file_name for part in download.tables)} that names this file',
        expected='one copy of the files that the tables name',
        remedy='none is needed if it is a copy or of another collection; else download the tables again',
        problem=Problem.TABLES,
    )


def _is_of_others(series: Series, kinds: Collection[str]) -> bool:
    """Whether a series is of the type of abnormality that was not asked for."""
    part = case_of(series.case)
    return part is not None and part.kind not in kinds


def _view(found: Abnormality) -> tuple[str, Laterality, View]:
    return found.patient, found.laterality, found.view


def _relative(download: _Download, path: Path) -> str:
    return written_name(path, download.raw)


def _missing(place: Place) -> MammoError:
    return MammoError(
        place.text,
        field='file',
        found='nothing at its place',
        expected='the full image that the table names, in any of the known layouts',
        remedy='download the series again; none is needed if you took a part of the collection only',
        problem=Problem.UNREADABLE,
    )


def _no_files(download: _Download) -> MammoError:
    return MammoError(
        download.raw,
        field='files',
        found='none that the tables name',
        expected='the folders of the collection (CBIS-DDSM/<case>/<study>/<series>/*.dcm, or jpeg/<series>/*.jpg)',
        remedy='check --raw; links to folders are not followed, so name the folder itself (tables are found up to two '
        'folders above it)',
    )
