"""The folder of a prepared set: what it must not be, and when it holds a set."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mmmammo.prepare.recorded import FACTS, facts_of
from mmmammo.prepare.splits import SPLITS
from mmmammo.structures import MammoError

IMAGES, INDEX, STATE = 'images', 'annotations', '.prepare'


def require_own_folder(out: Path) -> None:
    """Refuse a folder whose images or annotations somebody else has made: they would be replaced or deleted.

    Args:
        out: The set; need not exist.

    Raises:
        MammoError: If there are such and it is no set, which has ``.prepare`` from its start, or ``prepare.json``.
    """
    if (out / STATE).is_dir() or isinstance(facts_of(out / FACTS), dict):
        return
    for name in (IMAGES, INDEX):
        if (out / name).is_dir() and any((out / name).iterdir()):
            raise MammoError(
                out,
                field='--out',
                found=f'{name}/ with files that are not of a prepared set',
                expected='a new folder, or a prepared set',
                remedy='choose another --out',
            )


def require_outside(out: Path, inside: Path, name: str) -> None:
    """Keep what a command writes from being what it reads the next time.

    Args:
        out: What ``--out`` names.
        inside: What is read.
        name: What the command calls that.

    Raises:
        MammoError: If the one lies in the other.
    """
    if out.resolve().is_relative_to(inside.resolve()):
        raise MammoError(
            out,
            field='--out',
            found=f'a folder inside of {name}, {inside}',
            expected='a folder of its own',
            remedy='choose another --out',
        )


def require_no_source(out: Path, files: Iterable[Path]) -> None:
    """Refuse to prepare the images of a set into that set itself, which would replace them.

    Args:
        out: The set.
        files: What is read.

    Raises:
        MammoError: If one of them lies in the set's own ``images``.
    """
    images = (out / IMAGES).resolve()
    for folder in {path.parent for path in files}:
        if folder.resolve().is_relative_to(images):
            raise MammoError(
                folder,
                field='--raw',
                found=f'files in the images of --out, {out}',
                expected='sources that are not what is written',
                remedy='choose another --out',
            )


def take_down(out: Path) -> None:
    """Remove what makes the folder a set: nobody is to take for one what is no longer one, or not yet."""
    for name in (FACTS, *(f'{INDEX}/{split}.json' for split in SPLITS)):
        (out / name).unlink(missing_ok=True)
