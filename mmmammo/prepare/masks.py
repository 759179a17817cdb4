"""From masks and cut-outs, in files of their own, to findings of an image.

Which file is which is told by its content alone: a mask has about the size of the image and two values, a cut-out is a
smaller grey image. Tables and names confuse the two too often to be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from skimage.measure import find_contours

from mmmammo.io import MammogramError, read_mammogram
from mmmammo.prepare.gate.decisions import Fault
from mmmammo.prepare.template import locate
from mmmammo.structures import Finding, ImageRecord, MammoError, MaskedFinding, Polygon, Problem

FloatImage = npt.NDArray[np.floating]

_BLACK, _WHITE = 0.1, 0.9  # of the brightest value: JPEG leaves noise around both
_MOST_BETWEEN = 0.02  # of the pixels of a mask
_MOST_MARKED = 0.5  # of the image
_OTHER_SIZE = 2.0  # a mask was drawn on an image of at most so many times this size, or as small a part of it
_SPECK = 0.1  # parts of a mask smaller than this share of its largest one are slips of the drawing
_SIMPLIFY_PX = 0.4  # less than the half pixel by which an outline cuts a corner


@dataclass(frozen=True, eq=False)
class Outlined:
    """Findings of an image, and what had to be put right to have them.

    Args:
        findings: In source pixels; those the source has itself first.
        faults: Of the files of the findings, each with what was done about it.
    """

    findings: tuple[Finding, ...]
    faults: tuple[Fault, ...] = ()


def outline_findings(record: ImageRecord, pixels: FloatImage) -> Outlined:
    """All findings of a record, those of its masks included.

    A mask of another size than the image is stretched to it. Where there is no mask that can be used, the cut-out is
    looked for in the image, and the finding is the box of its place; ``attributes['outline']`` says so.

    Args:
        record: Of the image.
        pixels: (h, w), the image as it was read.

    Raises:
        MammoError: If neither mask nor cut-out of a finding can be used: an image of which a finding is not known
            would teach that there is none.
    """
    found = [_finding(record, masked, pixels) for masked in record.masked]
    faults = tuple(fault for _, fault in found if fault is not None)
    return Outlined((*record.findings, *(finding for finding, _ in found)), faults)


def outlines_of(mask: npt.NDArray[np.bool_]) -> tuple[tuple[float, float, float, float], tuple[Polygon, ...]]:
    """Box and outer outlines of what a mask marks; holes are filled, specks left out.

    Args:
        mask: (h, w), at least one pixel of it true.

    Returns:
        The box (x1, y1, x2, y2), exactly around the pixels, and a polygon per part, the largest first.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    parts = [int(i) + 1 for i in np.argsort(-areas, kind='stable') if areas[i] >= _SPECK * areas.max()]
    x, y, w, h = stats[parts, :4].T
    box = (float(x.min()), float(y.min()), float((x + w).max()), float((y + h).max()))
    return box, tuple(_polygon(labels, part, stats[part]) for part in parts)


def _polygon(labels: npt.NDArray[np.int32], part: int, stats: npt.NDArray[np.int32]) -> Polygon:
    """The outline between the pixels of a part and those around it."""
    x, y, w, h = (int(v) for v in stats[:4])
    inside = np.pad(labels[y : y + h, x : x + w] == part, 1).astype(np.float32)
    outer = max(find_contours(inside, 0.5, fully_connected='high'), key=lambda line: float(np.ptp(line, axis=0).prod()))
    points = outer[:-1, ::-1].astype(np.float32)  # half a pixel outside of the centres, in padded indices
    simple = cv2.approxPolyDP(points, _SIMPLIFY_PX, True)[:, 0].astype(np.float64)
    return np.asarray((simple if len(simple) > 2 else points) + (x - 0.5, y - 0.5))


def _finding(record: ImageRecord, masked: MaskedFinding, pixels: FloatImage) -> tuple[Finding, Fault | None]:
    """The finding, and what was wrong with its files."""
    images, complaints = _read_files(masked)
    mask = next((image for image in images if is_mask(image, pixels.shape)), None)
    if mask is not None:
        marked = mask > 0.5 * mask.max()
        if marked.mean() <= _MOST_MARKED:
            fault = None if mask.shape == pixels.shape else _other_size(masked, mask.shape, pixels.shape)
            return _made(masked, *outlines_of(_fitted(marked, pixels.shape))), fault
        complaints.append(f'a mask that marks {marked.mean():.0%} of the image')
    crops = [image for image in images if image is not mask]
    place = next(filter(None, (locate(crop, pixels) for crop in crops)), None)
    if place is None:
        complaints += ['a cut-out that is not found in the image'] * bool(crops)
        raise _no_outline(record, masked, complaints)
    box = (place.x, place.y, place.x + place.width, place.y + place.height)
    fault = _fault(
        masked,
        f'no mask ({"; ".join(complaints) or "no file with two values and the size of the image"})',
        f'box of the cut-out, found in the image with correlation {place.correlation:.2f}',
    )
    return _made(masked, box, (), outline='box of the cut-out'), fault


def _read_files(masked: MaskedFinding) -> tuple[list[npt.NDArray[np.float32]], list[str]]:
    """What can be read, and what is said about the rest."""
    images, complaints = [], []
    for path in dict.fromkeys(masked.files):
        try:
            images.append(read_mammogram(path).pixels)
        except MammogramError as err:
            complaints.append(f'{path.name}: {err.found}')
    return images, complaints


def is_mask(image: FloatImage, shape: Sequence[int]) -> bool:
    """Whether an image has two values, up to noise, and about the size of another image.

    Args:
        image: (h, w).
        shape: (h, w) of the image that it may be a mask of.
    """
    ratios = np.divide(image.shape, shape)
    if ratios.max() > _OTHER_SIZE or ratios.min() < 1 / _OTHER_SIZE:
        return False
    peak = float(image.max())
    between = np.count_nonzero((image > _BLACK * peak) & (image < _WHITE * peak))
    return peak > 0 and between <= _MOST_BETWEEN * image.size


def _fitted(marked: npt.NDArray[np.bool_], shape: Sequence[int]) -> npt.NDArray[np.bool_]:
    if marked.shape == tuple(shape):
        return marked
    size = (shape[1], shape[0])
    return cv2.resize(marked.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT).astype(bool)


def _other_size(masked: MaskedFinding, mask: Sequence[int], image: Sequence[int]) -> Fault:
    found = f'a mask of {mask[0]} x {mask[1]} pixels for an image of {image[0]} x {image[1]}'
    return _fault(masked, found, 'stretched to the image')


def _fault(masked: MaskedFinding, found: str, mended: str) -> Fault:
    return Fault(
        Problem.ANNOTATION,
        f'outline of {_name(masked)}',
        f'({_name(masked)}) with {found}',
        'a mask of the size of the image',
        'download the series of mask and cut-out again; the published one may have this fault',
        mended,
    )


def _name(masked: MaskedFinding) -> str:
    return masked.lesion_id or masked.category


def _made(
    masked: MaskedFinding, box: tuple[float, float, float, float], polygons: tuple[Polygon, ...], **attributes: str
) -> Finding:
    return Finding(
        bbox=box,
        category=masked.category,
        lesion_id=masked.lesion_id,
        pathology=masked.pathology,
        birads=masked.birads,
        polygons=polygons,
        attributes={**masked.attributes, **attributes},
    )


def _no_outline(record: ImageRecord, masked: MaskedFinding, complaints: Sequence[str]) -> MammoError:
    return MammoError(
        record.relative_path,
        field=f'outline of {_name(masked)}',
        found='; '.join(complaints),
        expected='a mask of the image, or a cut-out of it',
        remedy='download the series of mask and cut-out again; without them the place of the finding is not known',
        problem=Problem.ANNOTATION,
    )
