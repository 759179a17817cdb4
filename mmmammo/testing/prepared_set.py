"""A tiny prepared set: geometry one can check by hand, written in the real format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mmmammo.io import write_png16
from mmmammo.io.exam_index import PreparedSet, write_index
from mmmammo.structures import Affine, BreastLandmarks, Finding, Laterality, PreparedImage, View

CATEGORIES = ('mass', 'calcification')
FOUR_VIEWS = (('L', 'CC'), ('L', 'MLO'), ('R', 'CC'), ('R', 'MLO'))
SPACING_MM = 0.5

_CONTOUR_POINTS = 60
_MARGIN = 0.06
_LESION_RADIUS = 0.05


def make_prepared_set(
    root: Path,
    num_exams: Mapping[str, int] | None = None,
    size: tuple[int, int] = (128, 104),
    seed: int = 0,
    views: Sequence[tuple[str, str]] = FOUR_VIEWS,
    positive_every: int = 2,
) -> Path:
    """Write a prepared set of ellipse-shaped breasts with bright discs as lesions.

    Each patient has one exam. Every ``positive_every``-th exam, the first included, has one lesion in its first
    breast, at the same depth behind the nipple in both views of it; the rest has none. Nipple, contour and pectoral
    line are exact. Right breasts are marked as mirrored from their source, as a real set has them.

    Args:
        root: Folder to write to; created.
        num_exams: Exams per split; ``{'train': 4, 'val': 2, 'test': 2}`` by default.
        size: (h, w) of every image.
        seed: Decides texture, and place and class of the lesions.
        views: (laterality, view) of the images of each exam, repeats allowed.
        positive_every: See above.

    Returns:
        ``root``.
    """
    generator = np.random.default_rng(seed)
    image_id = 0
    for split, count in (num_exams or {'train': 4, 'val': 2, 'test': 2}).items():
        images: list[PreparedImage] = []
        for number in range(count):
            exam_id = f'{split}_{number:03d}'
            lesion = _draw_lesion(generator) if number % positive_every == 0 else None
            for laterality, view in views:
                image_id += 1
                in_this = lesion if laterality == views[0][0] else None
                images.append(_write_image(root, image_id, exam_id, laterality, view, size, in_this, generator))
        info = {'format': 'mmmammo-1', 'split': split, 'source': 'testing', 'classes': list(CATEGORIES)}
        write_index(root / 'annotations' / f'{split}.json', PreparedSet(tuple(images), CATEGORIES, info))
    return root


def ellipse_landmarks(size: tuple[int, int], view: str) -> BreastLandmarks:
    """Exact landmarks of the breast that :func:`make_prepared_set` draws.

    A half ellipse with its flat side on the left image edge and the nipple at its tip. In a CC view the pectoral line
    is that edge, in any other a slanted line through the upper left.
    """
    height, width = size
    tip, half = width * (1 - 2 * _MARGIN), height * (0.5 - _MARGIN)
    angles = np.linspace(-np.pi / 2, np.pi / 2, _CONTOUR_POINTS + 1)
    contour = np.stack([tip * np.cos(angles), height / 2 + half * np.sin(angles)], axis=-1)
    top, bottom = height / 2 - half, height / 2 + half
    chest = [(0.0, top), (0.0, bottom)] if view == 'CC' else [(0.3 * width, 0.0), (0.0, 0.6 * height)]
    return BreastLandmarks(
        contour=contour,
        nipple=np.array([tip, height / 2]),
        pectoral_line=np.array(chest),
        found_by=dict.fromkeys(('contour', 'nipple', 'pectoral_line'), 'manual'),
    )


def _draw_lesion(generator: np.random.Generator) -> tuple[float, float, str]:
    """Depth behind the nipple and height above it, both as shares of the image, and a class."""
    depth, rise = generator.uniform(0.25, 0.5), generator.uniform(-0.15, 0.15)
    return float(depth), float(rise), CATEGORIES[int(generator.integers(len(CATEGORIES)))]


def _write_image(
    root: Path,
    image_id: int,
    exam_id: str,
    laterality: str,
    view: str,
    size: tuple[int, int],
    lesion: tuple[float, float, str] | None,
    generator: np.random.Generator,
) -> PreparedImage:
    height, width = size
    landmarks = ellipse_landmarks(size, view)
    finding = None if lesion is None else _finding(size, landmarks.nipple, lesion, f'{exam_id}_{laterality}')
    file_name = f'{exam_id}/{laterality}_{view}_{image_id}.png'
    path = root / 'images' / file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png16(path, _draw(size, landmarks, finding, generator))
    return PreparedImage(
        image_id=image_id,
        file_name=file_name,
        width=width,
        height=height,
        exam_id=exam_id,
        patient_id=f'patient_{exam_id}',
        laterality=Laterality(laterality),
        view=View(view),
        affine=Affine.mirror(width) if laterality == 'R' else Affine.identity(),
        pixel_spacing_mm=SPACING_MM,
        landmarks=landmarks,
        labels={'cancer': int(finding is not None)},
        source={'path': file_name.replace('.png', '.dcm'), 'sha256': '0' * 64},
        findings=() if finding is None else (finding,),
    )


def _finding(
    size: tuple[int, int], nipple: npt.NDArray[np.float64], lesion: tuple[float, float, str], lesion_id: str
) -> Finding:
    height, width = size
    depth, rise, category = lesion
    radius = _LESION_RADIUS * height
    x, y = nipple[0] - depth * width, nipple[1] - rise * height
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    outline = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=-1)
    bbox = (x - radius, y - radius, x + radius, y + radius)
    return Finding(bbox=bbox, category=category, lesion_id=lesion_id, pathology='malignant', polygons=(outline,))


def _draw(
    size: tuple[int, int], landmarks: BreastLandmarks, finding: Finding | None, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    height, width = size
    y, x = np.mgrid[:height, :width] + 0.5
    tip = landmarks.nipple[0]
    half = (landmarks.contour[:, 1].max() - landmarks.contour[:, 1].min()) / 2
    inside = (x / tip) ** 2 + ((y - height / 2) / half) ** 2 <= 1
    image = np.where(inside, 0.3 + 0.1 * generator.random(size), 0.0)
    if finding is not None:
        x1, y1, x2, y2 = finding.bbox
        radius = (x2 - x1) / 2
        image[np.hypot(x - (x1 + x2) / 2, y - (y1 + y2) / 2) <= radius] = 0.9
    return image
