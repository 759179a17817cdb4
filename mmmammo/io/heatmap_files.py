"""Heatmaps as files: arrays with their place in the source, and grey pictures."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.io.array_tables import UNREADABLE, require_true_sizes
from mmmammo.io.limits import LARGEST
from mmmammo.io.png16 import write_png16
from mmmammo.structures import Affine, Heatmap, MammoError

_NAMES = ('values', 'classes', 'affine', 'cell', 'origin', 'shape')


@dataclass(frozen=True, eq=False)
class StoredHeatmap:
    """What a file holds.

    Args:
        heatmap: In prepared pixels.
        classes: Its names.
        source_from_cell: Pixels of the source image from cells; of the prepared one where the source is unknown.
    """

    heatmap: Heatmap
    classes: tuple[str, ...]
    source_from_cell: Affine


def write_heatmap(
    path: str | Path, heatmap: Heatmap, classes: Sequence[str], prepared_from_source: Affine | None = None
) -> None:
    """Write ``<path>.npz`` with ``values`` (classes, rows, columns), ``classes`` and ``affine``.

    ``affine`` (3, 3) takes cells to pixels of the source image, x first: cell (row i, column j) covers
    ``[j, j + 1) x [i, i + 1)``. ``cell``, ``origin`` and ``shape`` are those of the
    heatmap. NumPy alone reads the file.

    Args:
        path: With or without ``.npz``, or the image's own with ``.png``; its folder is made.
        heatmap: In prepared pixels.
        classes: One name per map.
        prepared_from_source: Of the prepared image; without it ``affine`` ends at prepared pixels.

    Raises:
        MammoError: If there is another number of names.
    """
    path = Path(path)
    stem = path.stem if path.suffix in ('.npz', '.png') else path.name  # names of DICOM files have dots of their own
    path = path.with_name(f'{stem}.npz')
    _require_names(path, heatmap, classes)
    cell_to_prepared = heatmap.image_from_cell
    affine = cell_to_prepared if prepared_from_source is None else prepared_from_source.inverse() @ cell_to_prepared
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    np.savez_compressed(
        content,
        values=heatmap.values.astype(np.float32),
        classes=np.array(list(classes), dtype=np.str_),
        affine=affine.matrix,
        cell=np.float64(heatmap.cell),
        origin=np.array(heatmap.origin, dtype=np.float64),
        shape=np.array(heatmap.shape, dtype=np.int64),
    )
    path.write_bytes(content.getvalue())


def read_heatmap(path: str | Path) -> StoredHeatmap:
    """Read what :func:`write_heatmap` wrote.

    Raises:
        MammoError: If it is not such a file.
    """
    path = Path(path)
    try:
        require_true_sizes(path)
        with np.load(path, allow_pickle=False) as arrays:
            return _stored({name: arrays[name] for name in _NAMES})
    except UNREADABLE as err:
        raise MammoError(
            path,
            field='heatmap',
            found=f'{type(err).__name__}: {err}',
            expected='a .npz file of mmmammo.io.write_heatmap',
            remedy='make the heatmaps again',
        ) from err


def _stored(found: Mapping[str, npt.NDArray[Any]]) -> StoredHeatmap:
    height, width = found['shape'].tolist()
    if height * width > LARGEST:
        raise ValueError(f'an image of {height} x {width} pixels')
    x, y = found['origin'].tolist()
    heatmap = Heatmap(found['values'], float(found['cell']), (height, width), (x, y))
    return StoredHeatmap(heatmap, tuple(found['classes'].tolist()), Affine(found['affine']))


def write_heatmap_pictures(stem: str | Path, heatmap: Heatmap, classes: Sequence[str]) -> list[Path]:
    """Write each class as ``<stem>_<class>.png``, 16 bits of grey at the size of the prepared image; white is 1.

    Raises:
        MammoError: If there is another number of names.
    """
    stem = Path(stem)
    _require_names(stem, heatmap, classes)
    stem.parent.mkdir(parents=True, exist_ok=True)
    names = [re.sub(r'[^\w-]+', '_', name) for name in classes]
    paths = [stem.with_name(f'{stem.name}_{name}.png') for name in names]
    for path, values in zip(paths, heatmap.values, strict=True):
        write_png16(path, heatmap.at_pixels(values))
    return paths


def _require_names(path: Path, heatmap: Heatmap, classes: Sequence[str]) -> None:
    if len(classes) != len(heatmap.values):
        raise MammoError(
            path,
            field='classes',
            found=f'{len(classes)} names of {len(heatmap.values)} maps',
            expected='one name per map',
            remedy='pass the names of the findings',
        )
