"""Which files of a folder are one exam: by study, by folder, or by what their names have in common."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mmmammo.io import parse_view_name
from mmmammo.structures import Laterality, MammogramMeta, View

_NOBODY = {'', 'ANON', 'ANONYMOUS', 'ANONYMIZED', 'ANONYMISED', 'NONE', 'UNKNOWN', 'REMOVED', '0'}
_NOTHING = (Laterality.UNKNOWN, View.UNKNOWN)
MOST_IMAGES = 16
"""In a folder whose files are taken for one exam though neither header nor name says what they show."""
MOST_REPEATS = 4
"""Images of one side and view in a folder that is taken for one exam though names tell them apart behind the view."""


@dataclass(frozen=True, eq=False)
class FolderFile:
    """What a file says without its pixels.

    Args:
        path: The file.
        name: Relative to the raw folder.
        meta: ``None`` if it cannot be read.
        laterality: From the header, else from the name.
        view: Likewise.
        is_folder: Whether it is a link to a folder.
    """

    path: Path
    name: str
    meta: MammogramMeta | None
    laterality: Laterality
    view: View
    is_folder: bool = False

    @property
    def study(self) -> tuple[str, str] | None:
        """StudyInstanceUID with PatientID, because careless de-identification gives one UID to everybody."""
        if self.meta is None or not self.meta.study_uid:
            return None
        return self.meta.study_uid, self.meta.patient_id or ''

    @property
    def somebody(self) -> str:
        """PatientID; '' where it says nothing, as after a careless de-identification."""
        name = (self.meta.patient_id or '').strip() if self.meta is not None else ''
        return '' if name.upper() in _NOBODY else name

    @property
    def shows(self) -> tuple[Laterality, View]:
        """Side and view."""
        return self.laterality, self.view

    @property
    def folder(self) -> PurePosixPath:
        """Where it lies, above folders that are named after a side or view only."""
        folder = PurePosixPath(self.name) if self.is_folder else PurePosixPath(self.name).parent
        while folder.name and all(parse_view_name(word) != _NOTHING for word in _words(folder.name)):
            folder = folder.parent
        return folder


class Place(NamedTuple):
    """The folder of an exam, and what tells exams of one folder apart."""

    folder: str
    part: str

    @property
    def levels(self) -> list[str]:
        """Both, without the raw folder itself and nothing."""
        return [level for level in self if level not in ('', '.')]


def exam_places(files: Sequence[FolderFile]) -> list[Place]:
    """Where the exam of each file is: that of its study, else its folder, or a part of that.

    Args:
        files: All of the raw folder; what one is depends on the others.
    """
    folders: dict[tuple[str, str], set[str]] = {}
    for file in files:
        if file.study is not None:
            folders.setdefault(file.study, set()).add(file.folder.as_posix())
    shared = _studies_of_many(files)
    homes = {study: os.path.commonpath(of_study) or '.' for study, of_study in folders.items() if study not in shared}
    crowded = Counter(homes.values())
    part_of = _PartOfFolder(files)
    places = []
    for file in files:
        if file.study in homes:
            folder = homes[file.study]
            part = digest('study', '/'.join(file.study)) if crowded[folder] > 1 else ''
        else:
            folder, part = file.folder.as_posix(), part_of(file) if file.study is None else ''
        places.append(Place(folder, part))
    return places


def exam_names(places: Sequence[Place], raw_name: str) -> dict[Place, str]:
    """One for each place: its levels joined, with a digest where other levels give the same (``p/1``, ``p-1``)."""
    joined = {place: '-'.join(place.levels) or raw_name for place in places}
    count = Counter(joined.values())
    for place, name in joined.items():
        if count[name] > 1 and len(place.levels) > 1:
            joined[place] = f'{name}-{digest("place", "/".join(place.levels))}'
    return joined


def _studies_of_many(files: Sequence[FolderFile]) -> set[tuple[str, str]]:
    """Studies without patient that are many, to which a careless de-identification gave one UID.

    So are those of which two folders of several images show the same side and view; series folders of one study do not.
    """
    seen: dict[tuple[str, str], dict[str, list[tuple[Laterality, View]]]] = {}
    for file in files:
        if file.study is not None and not file.somebody:
            seen.setdefault(file.study, {}).setdefault(file.folder.as_posix(), []).append(file.shows)
    found = set()
    for study, folders in seen.items():
        shown = Counter(view for views in folders.values() if len(views) > 1 for view in set(views) - {_NOTHING})
        if max(shown.values(), default=0) > 1:
            found.add(study)
    return found


class _PartOfFolder:
    """Which exam of its folder a file without study is; '' where the folder is one exam."""

    def __init__(self, files: Sequence[FolderFile]) -> None:
        files = [file for file in files if file.study is None]
        self._by_prefix, self._by_suffix = _folders_of_many(files), _folders_of_suffixes(files)
        self._unnamed = _folders_of_unnamed(files)
        patients: dict[str, set[str]] = {}
        for file in files:
            patients.setdefault(file.folder.as_posix(), set()).add(file.somebody)
        self._of_patients = {folder for folder, ids in patients.items() if len(ids - {''}) > 1}

    def __call__(self, file: FolderFile) -> str:
        folder, stem = file.folder.as_posix(), PurePosixPath(file.name).stem
        if folder in self._unnamed and file.shows == _NOTHING:
            part = stem
        elif folder in self._by_suffix:
            part = _around(stem)[1]
        else:
            part = _around(stem)[0] if folder in self._by_prefix else ''
        if folder in self._of_patients and file.somebody:
            part = '-'.join(filter(None, (part, digest('patient', file.somebody))))
        return part


def _folders_of_many(files: Sequence[FolderFile]) -> set[str]:
    """Folders whose name prefixes mean exams.

    They do in the raw folder itself, and where a side and view occurs with two of them: ``0_L-CC`` and ``1_L-CC``.
    """
    seen: dict[tuple[str, Laterality, View], str] = {}
    folders = {'.'}
    for file in files:
        if file.shows != _NOTHING:
            key, prefix = (file.folder.as_posix(), *file.shows), _around(PurePosixPath(file.name).stem)[0]
            if seen.setdefault(key, prefix) != prefix:
                folders.add(key[0])
    return folders


def _folders_of_suffixes(files: Sequence[FolderFile]) -> set[str]:
    """Folders whose files begin with side and view, and are of more exams than one: ``L_CC_000``, ``R_CC_000``, ….

    They are where a side and view occurs oftener than an exam has it, and in the raw folder itself where every suffix
    occurs with several sides and views.
    """
    suffixes: dict[str, dict[tuple[Laterality, View], set[str]]] = {}
    for file in files:
        before, after = _around(PurePosixPath(file.name).stem)
        views = suffixes.setdefault(file.folder.as_posix(), {})
        views.setdefault(_NOTHING if before else file.shows, set()).add(after)
    found = set()
    for folder, views in suffixes.items():
        if _NOTHING in views:
            continue
        count = Counter(suffix for of_view in views.values() for suffix in of_view)
        is_flat = folder == '.' and '' not in count and len(count) > 1 and min(count.values()) > 1
        if is_flat or max(map(len, views.values())) > MOST_REPEATS:
            found.add(folder)
    return found


def _folders_of_unnamed(files: Sequence[FolderFile]) -> set[str]:
    """Folders of more images than an exam has that say neither study nor side nor view; each is an exam of its own."""
    held = Counter(file.folder.as_posix() for file in files if file.shows == _NOTHING)
    return {folder for folder, count in held.items() if count > MOST_IMAGES}


def _around(stem: str) -> tuple[str, str]:
    """What stands before and behind side and view in a name: ``'0', 'benign'`` of ``0_R-CC_benign``; or ''."""
    words = _words(stem)
    named = [i for i, word in enumerate(words) if parse_view_name(word) != _NOTHING]
    return ('-'.join(words[: named[0]]), '-'.join(words[named[-1] + 1 :])) if named else ('', '')


def _words(name: str) -> list[str]:
    return [word for word in re.split(r'[\W_]+', name) if word]


def digest(kind: str, text: str) -> str:
    """A name in place of a text: ``patient-1f2e…``."""
    return f'{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}'
