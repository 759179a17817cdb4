"""What a threshold or a calibration was chosen on, so that it is not reported on the same rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mmmammo.evaluation.functional.labelled_scores import unique_ids
from mmmammo.structures import MammoError

T = TypeVar('T')


@dataclass(frozen=True)
class SplitRecord:
    """A split, by name and by its rows.

    Args:
        name: ``'train'``, ``'val'``, ``'test'`` or any other.
        ids_sha256: Digest of the sorted ids of its rows.
        n: Rows.
        unit: What a row is: ``'image'``, ``'breast'``, ``'exam'``; '' where nobody said.
    """

    name: str
    ids_sha256: str
    n: int
    unit: str = ''

    @classmethod
    def of(cls, name: str, ids: Sequence[Any]) -> SplitRecord:
        """The record of these rows; their order does not matter.

        Raises:
            MammoError: If an id occurs twice.
        """
        names = sorted(unique_ids(f'split {name!r}', ids))
        text = json.dumps(names, ensure_ascii=False)
        return cls(name, hashlib.sha256(text.encode()).hexdigest(), len(names))

    def require_other(self, split: str, ids: Sequence[Any], *, allow_same_split: bool = False) -> SplitRecord:
        """Refuse rows that this one was chosen on.

        Args:
            split: Name of the split to report on.
            ids: Of its rows.
            allow_same_split: Report all the same, knowing that the numbers flatter.

        Returns:
            The record of the split to report on.

        Raises:
            MammoError: If the names are equal, or the rows are under whatever name.
        """
        other = SplitRecord.of(split, ids)
        same_rows = other.ids_sha256 == self.ids_sha256
        if (same_rows or split == self.name) and not allow_same_split:
            what = f'the same {self.n} rows' if same_rows else 'another set of rows under the same name'
            raise MammoError(
                f'split {split!r}',
                field='split',
                found=f'{what}, chosen on split {self.name!r}',
                expected='a split other than the one chosen on',
                remedy='choose on validation rows and report on test rows, or ask for allow_same_split by name',
            )
        return other


def save_json(path: str | Path, document: Mapping[str, Any]) -> None:
    """Write a small document that people may read; its folder is made.

    Args:
        path: The file.
        document: Plain values. Floats keep every digit.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(document, indent=2, allow_nan=False) + '\n', encoding='utf-8')


def load_json(path: str | Path, file_format: str, build: Callable[[dict[str, Any]], T]) -> T:
    """Read what :func:`save_json` wrote.

    Args:
        path: The file.
        file_format: What its ``format`` must say.
        build: Makes the object of the other entries.

    Raises:
        MammoError: If the file is absent, no JSON, of another format or incomplete.
    """
    remedy = f'give a file of format {file_format!r} as it was saved'
    try:
        document = json.loads(Path(path).read_text(encoding='utf-8'))
    except FileNotFoundError as err:
        raise MammoError(path, field='file', found='nothing', expected='a saved file', remedy=remedy) from err
    except IsADirectoryError as err:
        raise MammoError(path, field='file', found='a folder', expected='a saved file', remedy=remedy) from err
    except (ValueError, RecursionError) as err:
        raise MammoError(path, field='content', found=str(err), expected='JSON', remedy=remedy) from err
    found = document.pop('format', None) if isinstance(document, dict) else type(document).__name__
    if found != file_format:
        raise MammoError(path, field='format', found=repr(found), expected=repr(file_format), remedy=remedy)
    try:
        return build(document)
    except (KeyError, TypeError) as err:
        raise MammoError(path, field='entries', found=str(err), expected='all of them', remedy=remedy) from err
