"""The ``.ics`` file of a DDSM case: who scanned which views of it, and how large they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmmammo.io.elements import shortened
from mmmammo.structures import FilmScan, Laterality, MammoError, View

_SEQUENCE = re.compile(
    r'(?P<side>LEFT|RIGHT)_(?P<view>CC|MLO)\s+LINES\s+(?P<rows>\d{1,6})\s+PIXELS_PER_LINE\s+(?P<columns>\d{1,6})\s+'
    r'BITS_PER_PIXEL\s+(?P<bits>\d{1,6})\s+RESOLUTION\s+(?P<microns>\d{1,6}(?:\.\d{1,6})?)\s+(?P<overlay>OVERLAY|NON_OVERLAY)'
)
_VIEW = re.compile(r'(LEFT|RIGHT)_\w+\s')
_FILE_NAME = re.compile(r'([A-D])-(\d{1,6})-(\d{1,3})')
_KNOWN = {'ics_version', 'filename', 'DATE_OF_STUDY', 'PATIENT_AGE', 'FILM', 'FILM_TYPE', 'DENSITY'}
_KNOWN |= {'DATE_DIGITIZED', 'DIGITIZER', 'SEQUENCE', 'SELECTED'}
_CURVES = {
    ('A', 'DBA'): 'dba-mgh',
    ('A', 'HOWTEK'): 'howtek-mgh',
    ('B', 'LUMISYS'): 'lumisys-wfu',
    ('C', 'LUMISYS'): 'lumisys-wfu',
    ('D', 'HOWTEK'): 'howtek-ismd',
}
_DENSITIES = {'1': 'A', '2': 'B', '3': 'C', '4': 'D'}
_LARGEST = 2**16


@dataclass(frozen=True)
class Sequence:
    """One view of a case.

    Args:
        name: Such as ``LEFT_CC``.
        shape: (h, w) of the scan.
        pixel_mm: Of the scan.
        has_overlay: Whether it says that the view has abnormalities.
    """

    name: str
    shape: tuple[int, int]
    pixel_mm: float
    has_overlay: bool

    @property
    def laterality(self) -> Laterality:
        """Side of the breast."""
        return Laterality.parse(self.name[0])

    @property
    def view(self) -> View:
        """Projection."""
        return View.parse(self.name.rpartition('_')[2])


@dataclass(frozen=True)
class Case:
    """One case.

    Args:
        name: Such as ``B-3013-1``.
        patient: Such as ``B-3013``.
        film: What is known of the scanner.
        labels: Of all of its images.
        sequences: Its views.
        unknown: Words that begin lines which are not read.
        notes: What is to be told about all of its images.
    """

    name: str
    patient: str
    film: FilmScan
    labels: dict[str, Any]
    sequences: tuple[Sequence, ...]
    unknown: tuple[str, ...]
    notes: tuple[str, ...]


def read_ics(path: Path) -> Case:
    """Read the description of a case; dates are not read.

    Raises:
        MammoError: If it has no name or no views, or a line that it must have is not as published.
    """
    lines = [line.strip() for line in read_lines(path)]
    values = dict(line.partition(' ')[::2] for line in lines if line and not _VIEW.match(line))
    match = _FILE_NAME.fullmatch(values.get('filename', '').strip())
    if match is None:
        raise ics_error(path, 'filename', values.get('filename') or 'nothing', 'a name such as B-3013-1')
    sequences = tuple(_sequence(path, number, line) for number, line in enumerate(lines, 1) if _VIEW.match(line))
    names = [sequence.name for sequence in sequences]
    if not names or len(set(names)) < len(names):
        raise ics_error(path, 'views', ', '.join(names) or 'none', 'each view once')
    digitizer = values.get('DIGITIZER', '').split()
    curve = _CURVES.get((match[1], digitizer[0])) if digitizer else None
    unknown = f'no curve of optical density for {" ".join(digitizer[:1]) or "no scanner"} of hospital {match[1]}'
    return Case(
        name=match[0],
        patient=f'{match[1]}-{match[2]}',
        film=FilmScan(digitizer=curve),
        labels=_labels(path, values, ' '.join(digitizer)),
        sequences=sequences,
        unknown=tuple(sorted(values.keys() - _KNOWN)),
        notes=() if curve else (f'{unknown}: shown by its grey values',),
    )


def read_lines(path: Path) -> list[str]:
    """Lines of a small text of any line ends.

    Raises:
        MammoError: If it cannot be read, or is no text of that size.
    """
    try:
        content = path.read_bytes() if path.is_file() else b''
    except OSError as err:
        raise ics_error(path, 'file', (err.strerror or str(err)).lower(), 'a readable file') from err
    if b'\0' in content or not content or len(content) > 64 * _LARGEST:
        raise ics_error(path, 'content', f'{len(content)} bytes that are no text of its kind', 'a text')
    return content.decode('latin-1').splitlines()


def _sequence(path: Path, number: int, line: str) -> Sequence:
    match = _SEQUENCE.fullmatch(line)
    expected = 'VIEW LINES n PIXELS_PER_LINE n BITS_PER_PIXEL n RESOLUTION n OVERLAY or NON_OVERLAY'
    if match is None:
        raise ics_error(path, f'line {number}', shortened(line), expected)
    rows, columns, microns = int(match['rows']), int(match['columns']), float(match['microns'])
    if not (0 < rows < _LARGEST and 0 < columns < _LARGEST and microns > 0):
        raise ics_error(path, f'line {number}', shortened(line), 'a size and a resolution greater than 0')
    return Sequence(f'{match["side"]}_{match["view"]}', (rows, columns), microns / 1000, match['overlay'] == 'OVERLAY')


def _labels(path: Path, values: dict[str, str], digitizer: str) -> dict[str, Any]:
    """Age, density and scanner; 0 stands for a density or age that nobody knows."""
    labels: dict[str, Any] = {'machine': digitizer} if digitizer else {}
    age, density = values.get('PATIENT_AGE', '').strip(), values.get('DENSITY', '').strip()
    if age and not (age.isdecimal() and len(age) < 4):
        raise ics_error(path, 'PATIENT_AGE', shortened(age), 'a number of years')
    if density and density not in {'0', *_DENSITIES}:
        raise ics_error(path, 'DENSITY', shortened(density), '1 to 4, or 0')
    if age and int(age) > 0:
        labels['age'] = float(age)
    if density in _DENSITIES:
        labels |= {'density': _DENSITIES[density], 'density_source': density}
    return labels


def ics_error(path: Path, field: str, found: object, expected: str) -> MammoError:
    """The complaint about a text of a case."""
    return MammoError(
        path, field=f'{path.name}, {field}', found=found, expected=expected, remedy='copy or download the file again'
    )
