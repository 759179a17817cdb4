"""From a view to a patch of it: open the view, choose where, cut it out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from mmcv.transforms import BaseTransform

from mmmammo.datasets.patch_sampling import PatchSampling, fit_inside, patch_labels
from mmmammo.datasets.transforms.randomness import call_generator
from mmmammo.datasets.view_store import StoredView, ViewStore
from mmmammo.preprocessing.fusion import Fusion
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import MammoError

_TRIES = 50


@TRANSFORMS.register_module()
class OpenView(BaseTransform):
    """Open a view of a prepared set without reading its pixels; see :class:`~mmmammo.datasets.view_store.ViewStore`.

    Required Keys:

    - img_path, height, width
    - cache (folder of decoded views, or None; set by :class:`~mmmammo.datasets.PatchDataset`)

    Added Keys:

    - stored_view

    Args:
        **fusion: See :class:`~mmmammo.preprocessing.fusion.Fusion`; the same as at inference.

    Raises:
        MammoError: If the file is missing, or its size is not that of the annotation file.
    """

    def __init__(self, **fusion: Any) -> None:
        self.store = ViewStore(Fusion(**fusion))

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the view."""
        view = self.store.view(results['img_path'], results.get('cache'))
        expected = (results['height'], results['width'])
        if view.pixels.shape != expected:
            raise MammoError(
                results['img_path'],
                field='image size (h, w)',
                found=view.pixels.shape,
                expected=f'{expected}, as its annotation file says',
                remedy='prepare the set again: images and annotations are not of one run',
            )
        results['stored_view'] = view
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.store.fusion})'


@TRANSFORMS.register_module()
class SamplePatch(BaseTransform):
    """Choose a patch: around its finding, or around a random point of the breast for a normal one.

    A normal patch takes the size of a finding of the training set in place of its own, and is drawn again, up to
    50 times, while less than ``least_breast`` of it is breast; then the best one is kept. A window is a square of its
    side that holds the centre of its finding, or has a random point of the breast in its middle.

    Required Keys:

    - stored_view
    - patch_boxes ((m, 4)), patch_box_labels ((m, c)), patch_source (box number, or None)
    - patch_sizes ((k, 2), for normal patches)
    - patch_seed (integers, with ``fixed``)
    - has_no_finding_output (whether a last label says that there is none of the others)
    - patch_window (optional: side in prepared pixels of a window; set by :class:`~mmmammo.datasets.WindowDataset`)

    Added Keys:

    - patch (x1, y1, x2, y2), in prepared pixels, within the view
    - gt_score ((c,) multi-hot)

    Args:
        area: See :class:`~mmmammo.datasets.patch_sampling.PatchSampling`.
        aspect: Likewise.
        jitter: Likewise.
        least_breast: See above.
        fixed: Draw the same patch every time, for testing.
    """

    def __init__(
        self,
        area: Sequence[float] = (0.05, 5.0),
        aspect: Sequence[float] = (0.33, 1.66),
        jitter: float = 50.0,
        least_breast: float = 0.5,
        fixed: bool = False,
    ) -> None:
        self.sampling = PatchSampling((area[0], area[1]), (aspect[0], aspect[1]), jitter)
        self.least_breast = least_breast
        self.fixed = fixed

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the patch and its labels."""
        rng = np.random.default_rng(results['patch_seed']) if self.fixed else call_generator()
        boxes = np.asarray(results['patch_boxes'], dtype=np.float64).reshape(-1, 4)
        source, view = results['patch_source'], results['stored_view']
        if 'patch_window' in results:
            centre = view.fusion.breast_point(rng) if source is None else _centre(boxes[source])
            patch = _window(centre, results['patch_window'], view.fusion.frame, rng, held=source is not None)
        elif source is None:
            patch = self._normal(view, np.asarray(results['patch_sizes'], dtype=np.float64), rng)
        else:
            patch = fit_inside(self._around(boxes[source], rng), view.fusion.frame)
        labels = patch_labels(patch, boxes, results['patch_box_labels'], source)
        if results['has_no_finding_output']:
            labels = np.append(labels, np.float32(not labels.any()))
        results['patch'], results['gt_score'] = patch, labels
        return results

    def _around(self, box: npt.NDArray[np.float64], rng: np.random.Generator) -> tuple[float, float, float, float]:
        x1, y1, x2, y2 = box.tolist()
        return self.sampling.draw(_centre(box), (x2 - x1, y2 - y1), rng)

    def _normal(
        self, view: StoredView, sizes: npt.NDArray[np.float64], rng: np.random.Generator
    ) -> tuple[int, int, int, int]:
        best, most = view.fusion.frame, -1.0
        for _ in range(_TRIES):
            width, height = sizes[rng.integers(len(sizes))].tolist()
            drawn = self.sampling.draw(view.fusion.breast_point(rng), (width, height), rng)
            patch = fit_inside(drawn, view.fusion.frame)
            share = view.fusion.breast_share(patch)
            if share > most:
                best, most = patch, share
            if most >= self.least_breast:
                break
        return best

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.sampling}, least_breast={self.least_breast}, fixed={self.fixed})'


def _centre(box: npt.NDArray[np.float64]) -> tuple[float, float]:
    x1, y1, x2, y2 = box.tolist()
    return (x1 + x2) / 2, (y1 + y2) / 2


def _window(
    point: tuple[float, float], side: int, frame: tuple[int, int, int, int], rng: np.random.Generator, held: bool
) -> tuple[int, int, int, int]:
    """With a point in its middle, or anywhere in it where the point is to be ``held``."""
    left, top = (value - side * (rng.uniform() if held else 0.5) for value in point)
    return fit_inside((left, top, left + side, top + side), frame)


@TRANSFORMS.register_module()
class CutPatch(BaseTransform):
    """Read a patch and bring it to the size of a window; its aspect is given up, as in paper 1.

    Required Keys:

    - stored_view, patch

    Added Keys:

    - img ((side, side, 3) float32 in [0, 1], side = size + 2 context)
    - img_shape, ori_shape

    Args:
        size: Pixels of the patch, either side.
        context: Further pixels on every side, in the scale of the resized patch. They show what surrounds the patch,
            black beyond the view; a head with ``cells=size // 32`` judges the patch alone.
        rotation: Greatest angle in degrees, uniform in both directions. What turns in at the corners is read, too.

    Raises:
        MammoError: If a number makes no sense.
    """

    def __init__(self, size: int, context: int = 0, rotation: float = 0.0) -> None:
        if not (size > 0 and context >= 0 and 0 <= rotation <= 45):
            raise MammoError(
                'CutPatch',
                field='size, context, rotation',
                found=(size, context, rotation),
                expected='a size above 0, a context of at least 0, a rotation in [0, 45]',
                remedy='correct them in the config',
            )
        self.size = size
        self.context = context
        self.rotation = rotation

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the image."""
        angle = float(call_generator().uniform(-self.rotation, self.rotation)) if self.rotation else 0.0
        side = self.size + 2 * self.context
        turn = math.radians(abs(angle))
        margin = math.ceil(side / 2 * (math.cos(turn) + math.sin(turn) - 1))
        image = self._read(results['stored_view'], results['patch'], self.context + margin)
        results['img'] = _turned(image, angle)[margin : margin + side, margin : margin + side]
        results['img_shape'] = results['ori_shape'] = (side, side)
        return results

    def _read(self, view: StoredView, patch: tuple[int, int, int, int], around: int) -> npt.NDArray[np.float32]:
        """The patch with so many resized pixels on every side."""
        x1, y1, x2, y2 = patch
        right, down = (math.ceil(around * length / self.size) for length in (x2 - x1, y2 - y1))
        part = view.read((x1 - right, y1 - down, x2 + right, y2 + down))
        # sides are rounded to whole pixels of the view: resize by the exact factor, then take the middle
        sides = [round(whole * self.size / own) for whole, own in ((part.shape[1], x2 - x1), (part.shape[0], y2 - y1))]
        left, top = ((length - self.size) // 2 - around for length in sides)
        resized = resize_to(part, (sides[0], sides[1]))
        return resized[top : top + self.size + 2 * around, left : left + self.size + 2 * around]

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size}, context={self.context}, rotation={self.rotation})'


def resize_to(image: npt.NDArray[np.float32], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Resize to (width, height): by area where it shrinks, linearly where it grows, each axis for itself.

    OpenCV's area interpolation is one only if both axes shrink; a patch often is too wide and too low.
    """
    smaller = (min(size[0], image.shape[1]), min(size[1], image.shape[0]))
    shrunk = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, size, interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _turned(image: npt.NDArray[np.float32], angle: float) -> npt.NDArray[np.float32]:
    if angle == 0:
        return image
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR), dtype=np.float32)
