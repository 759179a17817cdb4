"""DDSM of the University of South Florida, film scans of 2,620 cases; or its copy in PNG files, Mini-DDSM.

::

    cases/{normals,cancers,benigns,benign_without_callbacks}/<volume>/case3013/
        B-3013-1.ics                              the case; see ddsm_ics
        B_3013_1.LEFT_CC.LJPEG                    a view; LEFT_CC.LJPEG.1 beside or instead of it, where it was decoded
        B_3013_1.LEFT_CC.OVERLAY                  its abnormalities, of those that have any; see ddsm_overlay
        TAPE_B_3013_1.COMB.16_PGM                 not read

    MINI-DDSM-Complete-PNG-16/{Normal,Benign,Cancer}/0001/
        A-0001-1.ics  A_0001_1.LEFT_CC.png  A_0001_1.LEFT_CC.OVERLAY  A_0001_1.LEFT_CC_Mask.png

A case is an exam, and the woman of one case is the patient. ``cancer`` is of the breast: 1 if an abnormality in one of
its views is proven malignant, unknown if one is unproven, else 0. Nobody says which abnormality of CC is which of MLO,
so there are no lesion ids. Outlines of Mini-DDSM are in pixels of the original scan, and are scaled to its images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmmammo.sources.ddsm_ics import Case, Sequence, ics_error, read_ics
from mmmammo.sources.ddsm_overlay import CATEGORIES, Abnormality, read_overlay
from mmmammo.sources.listing import link_refusal, linked_folders, list_files, missing_file, missing_row, written_name
from mmmammo.sources.protocol import CountCheck, SourceOption, chosen
from mmmammo.structures import FilmScan, ImageRecord, Laterality, MammoError, Policy, Problem, View

__all__ = ['CATEGORIES', 'OPTIONS', 'POLICIES', 'count_checks', 'count_skipped', 'list_records']

OPTIONS: tuple[SourceOption, ...] = ()
POLICIES: Mapping[Problem, Policy] = {Problem.BURNED_IN: Policy.MEND}

_SUFFIXES = ('.LJPEG.1', '.LJPEG', '.png')  # the first that is there is read
_NOT_ANNOUNCED = 'an OVERLAY file is used of which the .ics says that there is none'
_PNG_SIZE = slice(16, 24)
_PUBLISHED = {'normals': 695, 'cancers': 914, 'benigns': 870, 'benign_without_callbacks': 141}


@dataclass(frozen=True, eq=False)
class _Folder:
    """A case folder.

    Args:
        ics: Its description.
        case: What that says; or what is wrong with it.
        images: Of the folder, by name without the extension, such as ``B_3013_1.LEFT_CC``.
        overlays: Likewise.
        copies: Other files that describe this case, which are not read.
    """

    ics: Path
    case: Case | MammoError
    images: Mapping[str, Path]
    overlays: Mapping[str, Path]
    copies: tuple[Path, ...] = ()


def list_records(raw: Path, **options: str) -> Iterator[ImageRecord]:
    """Every view of every case, and every image of which no case tells, in the order of their names.

    Args:
        raw: The folder ``cases``, any part of it, or a folder above it; or one of Mini-DDSM.
        **options: None.

    Raises:
        MammoError: If there is no ``.ics`` file.
    """
    chosen(options, OPTIONS)
    raw = Path(raw)
    files = list_files(raw)
    folders = _folders(raw, files)
    records = [record for folder in folders for record in _records(raw, folder)]
    known = {(record.path.parent, _stem(record.path)) for record in records}
    for folder in folders:
        if isinstance(folder.case, MammoError):
            told = [path for stem, path in folder.images.items() if (path.parent, stem) not in known] or [folder.ics]
            records += [replace(_unknown(raw, path), refused=folder.case) for path in told]
            known |= {(path.parent, _stem(path)) for path in told}
    records += [_unknown(raw, path) for path in files if _stem(path) and (path.parent, _stem(path)) not in known]
    root = raw.resolve()
    records += [replace(_unknown(raw, path), refused=link_refusal(path, root)) for path in linked_folders(raw)]
    yield from sorted(records, key=lambda record: record.relative_path)


def count_skipped(raw: Path) -> int:
    """Files that are neither read nor images: overviews, masks, second copies of a view."""
    raw = Path(raw)
    files = list_files(raw)
    read = {path for record in list_records(raw) for path in record.files}
    described = {path for path in files if path.suffix.lower() in ('.ics', '.overlay')}
    return len(files) - len(described.union(read.intersection(files)))


def count_checks(raw: Path, **options: str) -> tuple[CountCheck, ...]:
    """Cases beside the published numbers (from memory), and lines of ``.ics`` files that are not read."""
    raw = Path(raw)
    folders = _folders(raw, list_files(raw))
    parts = Counter(part for folder in folders for part in _PUBLISHED if part in folder.ics.parts)
    checks = [
        CountCheck(f'cases, {part}', parts[part], number, _partly(parts[part], number))
        for part, number in _PUBLISHED.items()
        if parts
    ]
    unknown = Counter(word for f in folders if isinstance(f.case, Case) for word in f.case.unknown)
    return (*checks, *(CountCheck(f'lines of .ics not read: {word}', n, None) for word, n in sorted(unknown.items())))


def _partly(found: int, published: int) -> str:
    return '' if found == published else 'not everything was downloaded'


def _folders(raw: Path, files: tuple[Path, ...]) -> list[_Folder]:
    cases = [path for path in files if path.suffix.lower() == '.ics']
    if not cases:
        remedy = 'point --raw at the folder cases, or at one of Mini-DDSM'
        raise MammoError(raw, field='cases', found='no .ics file', expected='one per case folder', remedy=remedy)
    images: dict[Path, dict[str, Path]] = {}
    overlays: dict[Path, dict[str, Path]] = {}
    root = raw.resolve()
    for path in files:
        if path.suffix == '.OVERLAY':
            overlays.setdefault(path.parent, {})[path.stem] = path
        elif stem := _stem(path):
            known = images.setdefault(path.parent, {})
            known[stem] = min(path, known.get(stem, path), key=_rank)
    folders = [(ics.parent, ics) for ics in cases]
    return _one_per_case(
        _Folder(ics, _case(ics, root), images.get(folder, {}), overlays.get(folder, {})) for folder, ics in folders
    )


def _one_per_case(folders: Iterable[_Folder]) -> list[_Folder]:
    """Joined where several files of a folder describe one case, as browsers make them; the one of its name is read."""
    cases: dict[tuple[Path, str], list[_Folder]] = {}
    for folder in sorted(folders, key=lambda folder: folder.ics):
        name = folder.case.name if isinstance(folder.case, Case) else folder.ics.name
        cases.setdefault((folder.ics.parent, name), []).append(folder)
    joined = []
    for (_, name), same in cases.items():
        used, *others = sorted(same, key=lambda folder: folder.ics.stem != name)
        joined.append(replace(used, copies=tuple(other.ics for other in others)))
    return joined


def _case(ics: Path, root: Path) -> Case | MammoError:
    try:
        return link_refusal(ics, root) or read_ics(ics)
    except MammoError as err:
        return err


def _stem(path: Path) -> str:
    """Name of the view that a file holds; '' for one that is no view."""
    name = next((path.name.removesuffix(suffix) for suffix in _SUFFIXES if path.name.endswith(suffix)), '')
    return '' if '_Mask' in name else name


def _rank(path: Path) -> int:
    return next(i for i, suffix in enumerate(_SUFFIXES) if path.name.endswith(suffix))


def _records(raw: Path, folder: _Folder) -> Iterator[ImageRecord]:
    """Of one case; none where its description cannot be read."""
    case = folder.case
    if isinstance(case, MammoError):
        return
    for path in folder.copies:
        found, expected = f'the case of {folder.ics.name} once more', 'one .ics per case'
        twice = MammoError(path, field='filename', found=found, expected=expected, remedy='leave one of them there')
        yield replace(_unknown(raw, path), refused=twice)
    said = {sequence.name: _abnormalities(case, sequence, folder, raw.resolve()) for sequence in case.sequences}
    for sequence in case.sequences:
        yield _record(raw, folder, case, sequence, said)


_Said = tuple[tuple[Abnormality, ...], tuple[str, ...]] | MammoError
"""What the overlay of a view says and what had to be put right; or what is wrong with it."""


def _abnormalities(case: Case, sequence: Sequence, folder: _Folder, root: Path) -> _Said:
    """An overlay that is announced and missing refuses the view: it would pass for one without findings.

    So does one that must not be opened: complaints about it would tell what is in it.
    """
    stem = _file_stem(case, sequence)
    overlay = folder.overlays.get(stem)
    if overlay is None:
        absent = ics_error(
            folder.ics, sequence.name, f'OVERLAY, and no file {stem}.OVERLAY', 'the file, or NON_OVERLAY'
        )
        return absent if sequence.has_overlay else ((), ())
    if refused := link_refusal(overlay, root):
        return refused
    try:
        abnormalities = read_overlay(overlay)
    except MammoError as err:
        return err
    return abnormalities, () if sequence.has_overlay else (_NOT_ANNOUNCED,)


def _record(raw: Path, folder: _Folder, case: Case, sequence: Sequence, said: Mapping[str, _Said]) -> ImageRecord:
    stem, own = _file_stem(case, sequence), said[sequence.name]
    path = folder.images.get(stem, folder.ics.parent / f'{stem}{_SUFFIXES[1]}')
    name = written_name(path, raw)
    found, notes = ((), ()) if isinstance(own, MammoError) else own
    refused = own if isinstance(own, MammoError) else link_refusal(path, raw.resolve())
    if stem not in folder.images:
        refused = missing_file(name, folder.ics, 1 + case.sequences.index(sequence))
    shape, film = sequence.shape, replace(case.film, shape=sequence.shape)
    if path.suffix == '.png':  # a copy of another size, whose grey values are no longer those of the scanner
        shape, film, case = (None if refused else _png_shape(path)) or shape, FilmScan(), replace(case, notes=())
    scale = shape[1] / sequence.shape[1], shape[0] / sequence.shape[0]
    return ImageRecord(
        path,
        name,
        exam_id=case.name,
        patient_id=case.patient,
        laterality=sequence.laterality,
        view=sequence.view,
        findings=tuple(finding for abnormality in found for finding in abnormality.findings(scale)),
        labels={**case.labels, **_cancer(sequence.laterality, said)},
        refused=refused,
        pixel_spacing_mm=sequence.pixel_mm / scale[1],
        film=film,
        notes=(*case.notes, *notes),
    )


def _file_stem(case: Case, sequence: Sequence) -> str:
    """Hyphens in the name of the case, underscores in those of its images."""
    return f'{case.name.replace("-", "_")}.{sequence.name}'


def _cancer(side: Laterality, said: Mapping[str, _Said]) -> dict[str, Any]:
    """Of the breast, from all of its views; nothing where one of them cannot be read."""
    views = [found for name, found in said.items() if Laterality.parse(name[0]) is side]
    read = [view for view in views if not isinstance(view, MammoError)]
    pathologies = {abnormality.pathology for found, _ in read for abnormality in found}
    if 'MALIGNANT' in pathologies:
        return {'cancer': 1}
    return {} if 'UNPROVEN' in pathologies or len(read) < len(views) else {'cancer': 0}


def _png_shape(path: Path) -> tuple[int, int] | None:
    """(h, w) from the header; a file without a readable one is judged when it is prepared."""
    try:
        with path.open('rb') as file:
            size = file.read(_PNG_SIZE.stop)[_PNG_SIZE]
    except OSError:
        return None
    width, height = int.from_bytes(size[:4], 'big'), int.from_bytes(size[4:], 'big')
    return (height, width) if height and width else None


def _unknown(raw: Path, path: Path) -> ImageRecord:
    """The record of an image of which no case tells."""
    name, exam = written_name(path, raw), path.name.partition('.')[0].replace('_', '-')
    refused = missing_row(name, path.parent / f'{exam}.ics', _stem(path))
    patient = exam.rpartition('-')[0] or exam
    return ImageRecord(path, name, exam, patient, Laterality.UNKNOWN, View.UNKNOWN, refused=refused)
