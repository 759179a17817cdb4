"""Views that are read in parts: decoded once, kept beside the set, mapped into memory.

A PNG cannot be read in part, and to equalise a patch as the whole view is equalised, all of the view has to be counted.
So the first who needs a view writes its pixels as they are, and the tables of its equalisations, to a folder; every
other patch reads its own pixels only. The folder takes about 2 bytes a pixel and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.io import read_png16
from mmmammo.io.whole_files import written_whole
from mmmammo.preprocessing.clahe import TileMappings
from mmmammo.preprocessing.fusion import Fusion, ViewFusion
from mmmammo.structures import MammoError

_OPEN_VIEWS = 32
_WHITE = np.float32(65535)


@dataclass(frozen=True, eq=False)
class StoredView:
    """One view.

    Args:
        pixels: (h, w) uint16 over the full scale, in memory or mapped.
        fusion: How it becomes three channels.
    """

    pixels: npt.NDArray[np.uint16]
    fusion: ViewFusion

    def read(self, box: tuple[int, int, int, int]) -> npt.NDArray[np.float32]:
        """The fused pixels of a box (x1, y1, x2, y2), (h, w, 3) in [0, 1]; black outside of the view's frame."""
        x1, y1, x2, y2 = box
        left, top, right, bottom = self.fusion.frame
        out = np.zeros((y2 - y1, x2 - x1, 3), dtype=np.float32)
        columns, rows = slice(max(x1, left), min(x2, right)), slice(max(y1, top), min(y2, bottom))
        if columns.start < columns.stop and rows.start < rows.stop:
            part = self.pixels[rows, columns].astype(np.float32) / _WHITE
            inside = np.s_[rows.start - y1 : rows.stop - y1, columns.start - x1 : columns.stop - x1]
            out[inside] = self.fusion.apply(part, rows.start, columns.start)
        return out


class ViewStore:
    """Opens views of prepared sets.

    Args:
        fusion: How a view becomes three channels.
    """

    def __init__(self, fusion: Fusion) -> None:
        self.fusion = fusion
        self._open: OrderedDict[tuple[str, str], StoredView] = OrderedDict()

    def view(self, path: str, folder: str | None = None) -> StoredView:
        """A view; its pixels are read when they are asked for.

        Args:
            path: Prepared PNG.
            folder: Where decoded views are kept, made if need be; ``None`` decodes the file and keeps nothing.

        Raises:
            MammoError: If the file is no prepared image, or the folder cannot be written.
        """
        if folder is None:
            return _decode(path, self.fusion)
        key = (path, folder)
        if key not in self._open:
            self._open[key] = self._kept(path, Path(folder))
            if len(self._open) > _OPEN_VIEWS:
                self._open.popitem(last=False)
        self._open.move_to_end(key)
        return self._open[key]

    def _kept(self, path: str, folder: Path) -> StoredView:
        pixels, facts = (folder / f'{self._digest(path, folder)}{suffix}' for suffix in ('.npy', '.npz'))
        if not facts.is_file():  # written last: where it is, both are whole
            view = _decode(path, self.fusion)
            try:
                folder.mkdir(parents=True, exist_ok=True)
                with written_whole(pixels, 'wb') as file:
                    np.save(file, view.pixels)
                with written_whole(facts, 'wb') as file:
                    np.savez(file, **_to_arrays(view.fusion))
            except OSError as err:
                remedy = 'make room, or set cache=None in the dataset: every patch then decodes its view'
                raise MammoError(
                    folder, field='decoded views', found=err, expected='a folder to write to', remedy=remedy
                ) from err
        with np.load(facts) as arrays:
            return StoredView(np.load(pixels, mmap_mode='r'), _from_arrays(arrays))

    def _digest(self, path: str, folder: Path) -> str:
        """Changes with the file and with the settings, and not when the whole set is moved."""
        try:
            status = os.stat(path)
        except OSError as err:
            raise MammoError(path, field='image', found=err, expected='a file', remedy='prepare the set again') from err
        said = (os.path.relpath(path, folder), status.st_size, status.st_mtime_ns, asdict(self.fusion))
        return hashlib.sha256(repr(said).encode()).hexdigest()[:24]


def _decode(path: str, fusion: Fusion) -> StoredView:
    image = read_png16(path)
    pixels = np.rint(image * _WHITE).astype(np.uint16)
    return StoredView(pixels, fusion.of(pixels.astype(np.float32) / _WHITE))


def _to_arrays(fusion: ViewFusion) -> dict[str, Any]:
    return {
        'shape': np.array(fusion.shape),
        'range': np.array([fusion.low, fusion.high]),
        'frame': np.array(fusion.frame),
        'coarse': fusion.coarse.tables,
        'fine': fusion.fine.tables,
        'breast': fusion.breast,
        'factor': np.array(fusion.factor),
    }


def _from_arrays(arrays: Any) -> ViewFusion:
    height, width = arrays['shape'].tolist()
    low, high = arrays['range'].tolist()
    x1, y1, x2, y2 = arrays['frame'].tolist()
    coarse, fine = (TileMappings(arrays[name], (height, width)) for name in ('coarse', 'fine'))
    return ViewFusion(
        (height, width), low, high, (x1, y1, x2, y2), coarse, fine, arrays['breast'], int(arrays['factor'])
    )
