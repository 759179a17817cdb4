"""The phantom as DDSM: a folder per case, with its ``.ics``, lossless JPEG or raw values, and chain codes.

Every fault has a case of its own, in the order of :data:`FAULTS`; it concerns one view of that case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from mmmammo.io.film_scan import CURVES, DENSITIES
from mmmammo.phantom.dressing.film_look import as_film, without_marker
from mmmammo.phantom.dressing.planted import Planted
from mmmammo.phantom.dressing.planting import Fault, plant
from mmmammo.phantom.exam import PhantomExam, PhantomView
from mmmammo.phantom.jpeg_lossless import encode_jpeg_lossless
from mmmammo.structures import Finding

SCANNERS = {
    'A': ('DBA SCANNER', 'dba-mgh', 16, 42),
    'B': ('LUMISYS LASER', 'lumisys-wfu', 12, 50),
    'C': ('LUMISYS LASER', 'lumisys-wfu', 12, 50),
    'D': ('HOWTEK 960', 'howtek-ismd', 12, 43.5),
}
"""By letter of the hospital: scanner, its curve, bits, and microns of a pixel."""

_STEP_CODES = {(0, -1): 0, (1, -1): 1, (1, 0): 2, (1, 1): 3, (0, 1): 4, (-1, 1): 5, (-1, 0): 6, (-1, -1): 7}
_KINDS = {
    'mass': 'MASS SHAPE IRREGULAR MARGINS SPICULATED',
    'distortion': 'MASS SHAPE ARCHITECTURAL_DISTORTION MARGINS N/A',
    'asymmetry': 'MASS SHAPE FOCAL_ASYMMETRIC_DENSITY MARGINS ILL_DEFINED',
    'calcification': 'CALCIFICATION TYPE PLEOMORPHIC DISTRIBUTION CLUSTERED',
}


@dataclass(frozen=True, eq=False)
class Case:
    """One case; what is said of a fault's view holds for the first one.

    Args:
        exam: Of the phantom.
        letter: Of the hospital.
        number: Of the case.
        digitizer: As the ``.ics`` has it.
        raw: Whether the views were decoded already.
        overlays: Text by name of the view.
        announced: Views of which the ``.ics`` says that they have an overlay.
        missing: Names of files that are not there.
        cut: Names of files of which only a part is there.
        said: Replacements in the ``.ics``.
    """

    exam: PhantomExam
    letter: str
    number: int
    digitizer: str
    raw: bool
    overlays: dict[str, str]
    announced: frozenset[str]
    missing: frozenset[str] = frozenset()
    cut: frozenset[str] = frozenset()
    said: dict[str, str] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """Begins the names of its images."""
        return f'{self.letter}_{self.number}_1'

    @property
    def folder(self) -> str:
        """Relative to the download."""
        sick = any(lesion.pathology == 'malignant' for view in self.exam.views for lesion in view.findings)
        part, volume = ('cancers', 'cancer') if sick else ('benigns', 'benign') if self.overlays else ('normals',) * 2
        return f'cases/{part}/{volume.removesuffix("s")}_01/case{self.number}'

    @property
    def first(self) -> str:
        """Name of the view that a fault concerns: one with an abnormality if there is any."""
        return min(self.overlays, default='LEFT_CC')

    def path(self, name: str) -> str:
        """Of a view, relative to the download."""
        return f'{self.folder}/{self.stem}.{name}.LJPEG{".1" * self.raw}'


def dress(out: Path, exams: Sequence[PhantomExam], seed: int) -> tuple[Planted, ...]:
    """Write the download.

    Args:
        out: Where ``cases`` goes.
        exams: As many as there are faults, with findings in those that need some; the others are written as they are.
        seed: Of the grain of the films.

    Returns:
        Every planted fault, in the order of :data:`FAULTS`.

    Raises:
        MammoError: If there are too few exams.
    """
    cases = cases_of(exams)
    for case in cases:
        _write(Path(out), case, np.random.default_rng([seed, case.number]))
    faulty = zip(cases, FAULTS, strict=False)
    return tuple(Planted(case.path(case.first), fault.name, fault.status, fault.says) for case, fault in faulty)


def cases_of(exams: Sequence[PhantomExam]) -> list[Case]:
    """Every case, those with faults first.

    Raises:
        MammoError: If there are fewer exams than faults, or fewer with findings than faults of overlays.
    """
    cases = [_case(exam, number) for number, exam in enumerate(exams)]
    sick = plant([case for case in cases if case.overlays], _OF_OVERLAYS)
    others = sick[len(_OF_OVERLAYS) :] + [case for case in cases if not case.overlays]
    return sick[: len(_OF_OVERLAYS)] + plant(others, _OF_FILES)


def view_name(view: PhantomView) -> str:
    """As DDSM names it."""
    return f'{"LEFT" if view.laterality == "L" else "RIGHT"}_{view.view}'


def outline_of(finding: Finding) -> npt.NDArray[np.int64]:
    """(n, 2) columns and rows of the pixels along the outline of a finding, each a step from the one before."""
    polygon = finding.polygons[0] if finding.polygons else _corners(finding.bbox)
    low = np.floor(polygon.min(axis=0)).astype(int) - 1
    filled = np.zeros((np.ceil(polygon.max(axis=0)).astype(int) - low + 2)[::-1], dtype=np.uint8)
    cv2.fillPoly(filled, [np.round(polygon - low - 0.5).astype(np.int32)], 1)
    found, _ = cv2.findContours(filled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return max(found, key=len)[:, 0].astype(np.int64) + low


def _corners(bbox: tuple[float, float, float, float]) -> npt.NDArray[np.float64]:
    x1, y1, x2, y2 = bbox
    return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])


def _case(exam: PhantomExam, number: int) -> Case:
    letter = 'ABCD'[number % 4]
    overlays = {view_name(view): _overlay(view.findings) for view in exam.views if view.findings}
    return Case(exam, letter, 3001 + number, SCANNERS[letter][0], number % 5 == 3, overlays, frozenset(overlays))


def _overlay(findings: Sequence[Finding]) -> str:
    parts = [f'TOTAL_ABNORMALITIES {len(findings)}\n']
    for number, finding in enumerate(findings, 1):
        pathology = 'MALIGNANT' if finding.pathology == 'malignant' else 'BENIGN'
        outline = outline_of(finding)
        parts.append(
            f'ABNORMALITY {number}\nLESION_TYPE {_KINDS[finding.category]}\nASSESSMENT 4\nSUBTLETY 3\n'
            f'PATHOLOGY {pathology}\nTOTAL_OUTLINES 1\nBOUNDARY\n{_chain(outline)}\n'
        )
    return ''.join(parts)


def _chain(outline: npt.NDArray[np.int64]) -> str:
    """Start and steps, back to the start."""
    steps = np.diff(np.vstack([outline, outline[:1]]), axis=0)
    codes = ' '.join(str(_STEP_CODES[dx, dy]) for dx, dy in steps.tolist() if (dx, dy) != (0, 0))
    return f'{outline[0, 0]} {outline[0, 1]} {codes} #'


def _write(out: Path, case: Case, rng: np.random.Generator) -> None:
    folder = out / case.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f'{case.stem.replace("_", "-")}.ics').write_text(_ics(case))
    (folder / f'TAPE_{case.stem}.COMB.16_PGM').write_text('an overview\n')
    for view in case.exam.views:
        name = view_name(view)
        path = out / case.path(name)
        if path.name.removeprefix(f'{case.stem}.') not in case.missing:
            content = _content(case, grey_values(case, as_film(without_marker(view), rng)))
            path.write_bytes(content[: len(content) // 2] if name in case.cut else content)
    for name, text in case.overlays.items():
        if f'{name}.OVERLAY' not in case.missing:
            (folder / f'{case.stem}.{name}.OVERLAY').write_text(text)


def grey_values(case: Case, film: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """What the scanner makes of a film that shows these display values."""
    _, curve, bits, _ = SCANNERS[case.letter]
    grey = np.arange(2**bits)
    clear, black = DENSITIES
    falling = CURVES[curve](grey.astype(np.float64))
    wanted = black - (black - clear) * film.astype(np.float64)
    return np.interp(-wanted, -falling, grey).round().astype(np.uint16)


def _content(case: Case, grey: npt.NDArray[np.uint16]) -> bytes:
    return grey.astype('>u2').tobytes() if case.raw else encode_jpeg_lossless(grey, SCANNERS[case.letter][2])


def _ics(case: Case) -> str:
    _, _, bits, microns = SCANNERS[case.letter]
    density = 1 + 'ABCD'.index(str(case.exam.labels(case.exam.views[0].laterality)['density']))
    head = (
        f'ics_version 1.0\nfilename {case.stem.replace("_", "-")}\nDATE_OF_STUDY 0 0 1995\n'
        f'PATIENT_AGE {case.exam.woman.age}\nFILM \nFILM_TYPE REGULAR\nDENSITY {density}\nDATE_DIGITIZED 14 7 1998\n'
        f'DIGITIZER {case.digitizer}\nSEQUENCE\n'
    )
    lines = [
        f'{view_name(view)} LINES {view.image.shape[0]} PIXELS_PER_LINE {view.image.shape[1]} BITS_PER_PIXEL {bits} '
        f'RESOLUTION {microns} {"OVERLAY" if view_name(view) in case.announced else "NON_OVERLAY"}\n'
        for view in case.exam.views
    ]
    text = head + ''.join(lines)
    for old, new in case.said.items():
        text = text.replace(old, new, 1)
    return text


def _overlay_with(case: Case, old: str, new: str) -> Case:
    """With other words in the overlay of the first view."""
    return replace(case, overlays={**case.overlays, case.first: case.overlays[case.first].replace(old, new, 1)})


def _two_types(case: Case) -> Case:
    calc = f'LESION_TYPE {_KINDS["calcification"]}\nLESION_TYPE {_KINDS["mass"]}\nASSESSMENT'
    head, _, rest = case.overlays[case.first].partition('LESION_TYPE')
    text = head + calc + rest.partition('ASSESSMENT')[2]
    return replace(case, overlays={**case.overlays, case.first: text})


_OF_OVERLAYS: tuple[Fault[Case], ...] = (
    Fault('two lesion types', 'accepted', '', _two_types),
    Fault(
        'unproven',
        'accepted',
        '',
        lambda x: _overlay_with(_overlay_with(x, 'PATHOLOGY MALIGNANT', 'PATHOLOGY UNPROVEN'), 'BENIGN', 'UNPROVEN'),
    ),
    Fault(
        'overlay not announced',
        'mended',
        'an OVERLAY file is used of which the .ics says',
        lambda x: replace(x, announced=x.announced - {x.first}),
    ),
    Fault(
        'no overlay',
        'quarantined',
        'OVERLAY, and no file',
        lambda x: replace(x, missing=frozenset({f'{x.first}.OVERLAY'})),
    ),
    Fault('chain cut off', 'quarantined', 'then #', lambda x: _overlay_with(x, ' #', '')),
    Fault(
        'unknown lesion type',
        'quarantined',
        'LESION_TYPE: found LUMP; expected one of',
        lambda x: _overlay_with(_overlay_with(x, 'TYPE MASS', 'TYPE LUMP'), 'TYPE CALCIFICATION', 'TYPE LUMP'),
    ),
)
_OF_FILES: tuple[Fault[Case], ...] = (
    Fault(
        'no image',
        'quarantined',
        'no such file',
        lambda x: replace(x, missing=frozenset({f'{x.first}.LJPEG{".1" * x.raw}'})),
    ),
    Fault('image cut off', 'quarantined', 'jpeg -d -s', lambda x: replace(x, raw=False, cut=frozenset({x.first}))),
    Fault(
        'raw file cut off', 'quarantined', 'pixels of 16 bits', lambda x: replace(x, raw=True, cut=frozenset({x.first}))
    ),
)
FAULTS = _OF_OVERLAYS + _OF_FILES
