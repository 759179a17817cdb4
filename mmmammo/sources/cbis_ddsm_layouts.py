"""Where the files of CBIS-DDSM lie, in each of the trees that its users have on their disks.

::

    A  <case>/<StudyUID>/<SeriesUID>/000000.dcm                                      as in the tables; or 1-1.dcm
    B  <case>/10-04-2016-DDSM-30104/1-full mammogram images-14172/000000.dcm         five last digits of the UIDs
    C  <case>/07-20-2016-DDSM-NA-74994/1.000000-full mammogram images-24515/1-1.dcm  likewise
    D  anywhere/<SeriesUID>/00000001.dcm, or in folders of any name                  what the REST interface gave
       jpeg/<SeriesUID>/1-036.jpg                                                    the JPEG version of Kaggle

A folder is known by the UID that is its name, by the digits at the end of its name and its parent's, by the row that
``metadata.csv`` or ``dicom_info.csv`` has for it, or at last by the headers of its files.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mmmammo.io import MammogramError
from mmmammo.io.dicom_file import HEAD_LENGTH, looks_like_dicom, open_dicom
from mmmammo.io.elements import number, text
from mmmammo.sources.cbis_ddsm_tables import Place, case_of
from mmmammo.sources.listing import may_be_image
from mmmammo.structures import MammoError

LISTINGS = ('metadata.csv', 'dicom_info.csv')
_JPEG = ('.jpg', '.jpeg')
_DIGITS = re.compile(r'.*-(\d{5})')
_UID = re.compile(r'\d+(\.\d+){5,}')

Folders = Mapping[Path, Sequence[str]]
Key = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Series:
    """The files of one DICOM series.

    Args:
        files: Sorted.
        key: ``(SeriesUID,)`` or ``(case, study digits, series digits)``; empty if nothing says which series it is.
        case: Case folder, where that is known; else ''.
    """

    files: tuple[Path, ...]
    key: Key
    case: str = ''

    def numbered(self, count: int) -> dict[int, Path]:
        """The files by their number in the series, from 0.

        Args:
            count: How many files the tables name of the series; the names matter only where one is missing.
        """
        numbers = [_file_number(path) for path in self.files]
        if len(self.files) == count or None in numbers or len(set(numbers)) < len(numbers):
            return dict(enumerate(self.files))
        return {number: path for number, path in zip(numbers, self.files, strict=True) if number is not None}


def by_folder(files: Iterable[Path]) -> dict[Path, list[str]]:
    """Names of files by their folder, in the order of the files."""
    found: dict[Path, list[str]] = {}
    for path in files:
        found.setdefault(path.parent, []).append(path.name)
    return found


class Tree:
    """Every series below a folder.

    Args:
        folders: From :func:`by_folder`.
        counts: Number of files that the tables name, by series UID.
    """

    def __init__(self, folders: Folders, counts: Mapping[str, int]) -> None:
        self._counts = counts
        self._series: dict[Key, list[Series]] = {}
        pending = []
        for folder, names in folders.items():
            series = self._named(folder, tuple(folder / name for name in names if may_be_image(name)))
            if series.files and series.key and (series.case or series.key[0] in counts):
                self._add(series)
            elif series.files:
                pending.append((folder, series))
        listed = _read_listings(folders, counts) if pending else {}
        for folder, series in pending:
            for found in _looked_up(series, listed.get(folder)):
                self._add(found)

    def find(self, place: Place) -> Path | None:
        """The file that a table names, or ``None`` if it is not there."""
        for key in ((place.series,), (place.case, place.study[-5:], place.series[-5:])):
            if key in self._series:
                # Of two copies DICOM is better than JPEG; the others are beyond what the tables name.
                copy = min(self._series[key], key=lambda series: (_is_jpeg(series.files[0]), series.files[0]))
                return copy.numbered(self._counts.get(place.series, 0)).get(place.number)
        return None

    def files(self) -> Iterator[tuple[Path, Series]]:
        """Every image file, with its series."""
        for copies in self._series.values():
            for series in copies:
                yield from ((path, series) for path in series.files)

    def _named(self, folder: Path, files: tuple[Path, ...]) -> Series:
        """What a folder's name and those above it say about its files."""
        case = next((name for name in (folder.name, *(p.name for p in folder.parents[:2])) if case_of(name)), '')
        study, series = _DIGITS.fullmatch(folder.parent.name), _DIGITS.fullmatch(folder.name)
        if folder.name in self._counts or _UID.fullmatch(folder.name):
            return Series(files, (folder.name,), case)
        if study and series and case_of(folder.parent.parent.name):
            return Series(files, (case, study[1], series[1]), case)
        return Series(files, (), case)

    def _add(self, series: Series) -> None:
        self._series.setdefault(series.key, []).append(series)


def _file_number(path: Path) -> int | None:
    """``000000``, ``1-1``, ``00000001`` and ``1-036.jpg`` are the first file of a series."""
    if match := re.fullmatch(r'(\d+)-(\d+)', path.stem):
        return int(match[1] if _is_jpeg(path) else match[2]) - 1
    if not path.stem.isdecimal():
        return None
    return int(path.stem) - (len(path.stem) == 8)


def _is_jpeg(path: Path) -> bool:
    return path.suffix.lower() in _JPEG


def _looked_up(series: Series, listed: tuple[str, str] | None) -> Iterator[Series]:
    """The series in a folder whose name does not say which and of what, by a listing or else by the headers."""
    if listed is not None:
        uid, case = listed
        yield Series(series.files, series.key or (uid,), series.case or case)
        return
    groups: dict[tuple[Key, str], list[tuple[float, Path]]] = {}
    for path in series.files:
        uid, patient, position = _header(path)
        key, case = ((uid,) if uid else series.key), patient if case_of(patient) else series.case
        groups.setdefault((key, case), []).append((position, path))
    for (key, case), numbered in groups.items():
        yield Series(tuple(path for _, path in sorted(numbered)), key, case)


def _header(path: Path) -> tuple[str, str, float]:
    """SeriesInstanceUID, PatientID (the case folder) and InstanceNumber; nothing where there is no such header."""
    try:
        with path.open('rb') as file:
            if not looks_like_dicom(file.read(HEAD_LENGTH)):
                return '', '', 0
        header = open_dicom(path, with_pixels=False)
    except (OSError, MammogramError):
        return '', '', 0
    return (
        text(header, 'SeriesInstanceUID') or '',
        text(header, 'PatientID') or '',
        number(header, 'InstanceNumber') or 0,
    )


def _read_listings(folders: Folders, known: Collection[str]) -> dict[Path, tuple[str, str]]:
    """Series UID and case by folder, as ``metadata.csv`` and ``dicom_info.csv`` say."""
    found: dict[Path, tuple[str, str]] = {}
    for folder, names in folders.items():
        for name in LISTINGS:
            for place, uid, case in _listed_places(folder / name, known) if name in names else ():
                found |= {path: (uid, case) for path in _possible_folders(folder, place) if path in folders}
    return found


def _listed_places(path: Path, known: Collection[str]) -> Iterator[tuple[PurePosixPath, str, str]]:
    """Folder, series UID and case of every row.

    Cells are known by their content, not by their column: retrievers have written rows shifted against the header.

    Raises:
        MammoError: If the file cannot be read.
    """
    try:
        rows = list(csv.reader(path.read_text(encoding='utf-8', errors='replace').splitlines()))
    except (OSError, csv.Error) as err:
        remedy = 'download it again, or delete it: the headers of the files say the same'
        raise MammoError(path, field='table', found=err, expected='comma-separated rows', remedy=remedy) from err
    for row in rows:
        cells = [cell.strip().replace('\\', '/') for cell in row]
        case = next((cell for cell in cells if case_of(cell)), '')
        for place in (PurePosixPath(cell) for cell in cells if 'CBIS-DDSM/' in cell):
            folder = place.parent if place.suffix.lower() in (*_JPEG, '.dcm') else place
            uids = [word for word in (folder.name, *cells) if _UID.fullmatch(word)]
            if uids:
                yield folder, next((uid for uid in uids if uid in known), uids[0]), case


def _possible_folders(listing: Path, place: PurePosixPath) -> Iterator[Path]:
    """Where a listed folder may be: below the listing's folder or the one above, with or without ``CBIS-DDSM``."""
    inside = place.parts[place.parts.index('CBIS-DDSM') :] if 'CBIS-DDSM' in place.parts else place.parts
    for top in (listing, listing.parent):
        yield top.joinpath(*inside)
        yield top.joinpath(*inside[1:])
