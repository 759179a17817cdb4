"""The exams of a run that are worth a look, view by view, with marks and heatmaps that a page can switch on and off."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib import colormaps

from mmmammo.evaluation.functional import Matches
from mmmammo.io import read_heatmap, read_png16
from mmmammo.io.coco_entries import inside
from mmmammo.structures import ImagePrediction, MammoError
from mmmammo.visualization.case_selection import ExamSummary, choose_exams, summarise_exams
from mmmammo.visualization.exam_panel import PanelView, arrange
from mmmammo.visualization.figures import data_uri
from mmmammo.visualization.heatmap_figure import draw_heatmaps
from mmmammo.visualization.overlay import REGION_COLOURS, REGION_OPACITY, to_rgb
from mmmammo.visualization.region_map import region_map

KINDS = {'hit': 'hit', 'false': 'false positive', 'found': 'lesion, found', 'missed': 'lesion, missed'}
"""Class on the page -> words."""


@dataclass(frozen=True)
class GallerySettings:
    """Which exams are shown, and how.

    Args:
        images_root: Folder that file names are relative to; ``None`` for no pictures.
        heatmaps: Folder with a grey 8- or 16-bit PNG per image, named as the image; white is the strongest. An image
            without one is shown without. Where maps of single findings lie beside it
            (:func:`mmmammo.io.write_heatmap`), the highest are shown in colour with a bar, of views with a mark.
        regions: Without ``heatmaps``, show the high-risk regions that the detections make
            (:func:`~mmmammo.visualization.region_map`).
        exams_per_group: At most so many exams of each kind.
        show_exam_ids: Show exam ids as they are, instead of running numbers.
        side: Longest side of a view in pixels.
    """

    images_root: Path | None = None
    heatmaps: Path | None = None
    regions: bool = False
    exams_per_group: int = 6
    show_exam_ids: bool = False
    side: int = 640

    @property
    def heat_words(self) -> str:
        """What the coloured layer is called; empty if there is none."""
        if self.heatmaps is not None:
            return 'heatmaps'
        return 'high-risk regions' if self.regions else ''


@dataclass(frozen=True)
class Mark:
    """A box in the pixels of its view as it is hung.

    Args:
        kind: One of :data:`KINDS`.
        x: Left.
        y: Top.
        width: Of the box.
        height: Of the box.
        score: ``None`` for lesions.
    """

    kind: str
    x: float
    y: float
    width: float
    height: float
    score: float | None = None

    @property
    def words(self) -> str:
        """For those who do not see the box."""
        return KINDS[self.kind] + ('' if self.score is None else f', score {self.score:.2f}')


@dataclass(frozen=True)
class GalleryView:
    """One view as it is hung: chest walls of the two sides towards the middle.

    Args:
        name: Side and projection.
        width: Of the coordinates of the marks.
        height: Likewise.
        image: Address of the grey picture.
        heatmap: Address of the coloured, half-transparent heatmap, or ``None``.
        marks: Detections and lesions.
        findings: Address of a picture of the maps of single findings, or ``None``.
    """

    name: str
    width: int
    height: int
    image: str
    heatmap: str | None
    marks: tuple[Mark, ...]
    findings: str | None = None

    @property
    def words(self) -> str:
        """What the picture shows."""
        counts = [(words, sum(mark.kind == kind for mark in self.marks)) for kind, words in KINDS.items()]
        said = [f'{n} {words}{"s" if n > 1 and words in ("hit", "false positive") else ""}' for words, n in counts if n]
        return f'{self.name}: {"; ".join(said) or "no mark"}'


@dataclass(frozen=True)
class GalleryExam:
    """An exam.

    Args:
        label: Its name on the page.
        summary: Its counts.
        rows: Right and left, CC above MLO, then other views; ``None`` where a view is missing.
    """

    label: str
    summary: ExamSummary
    rows: tuple[tuple[GalleryView | None, GalleryView | None], ...]


def make_gallery(
    images: Sequence[ImagePrediction], matches: Matches, threshold: float, settings: GallerySettings
) -> dict[str, list[GalleryExam]]:
    """The chosen exams by group; see :data:`~mmmammo.visualization.case_selection.RULE`.

    Args:
        images: The run.
        matches: Of these images, in this order.
        threshold: Detections with at least this score are shown and count.
        settings: What to show. Without ``images_root`` the groups are empty.

    Raises:
        MammoError: If an image that is to be shown is absent, or a heatmap cannot be read.
    """
    exams = summarise_exams(images, matches, threshold)
    numbers = {exam.exam_id: i for i, exam in enumerate(exams, start=1)}
    per_group = 0 if settings.images_root is None else settings.exams_per_group
    marks = _Marks(images, matches, threshold)
    return {
        name: [
            GalleryExam(
                label=exam.exam_id if settings.show_exam_ids else f'Exam {numbers[exam.exam_id]}',
                summary=exam,
                rows=_rows(images, exam, marks, settings),
            )
            for exam in chosen
        ]
        for name, chosen in choose_exams(exams, per_group).items()
    }


class _Marks:
    """Boxes of each image with their fate at a threshold."""

    def __init__(self, images: Sequence[ImagePrediction], matches: Matches, threshold: float) -> None:
        kept = (matches.scores >= threshold) & ~matches.ignored
        self.hit = dict(zip(matches.detection[kept].tolist(), matches.lesion[kept].tolist(), strict=True))
        self.found = {lesion for lesion in self.hit.values() if lesion >= 0}
        self.first_box = np.cumsum([0, *(len(image.boxes) for image in images)])
        self.first_lesion = np.cumsum([0, *(len(image.gt_boxes) for image in images)])

    def of(self, index: int, image: ImagePrediction) -> list[tuple[str, npt.NDArray[np.float64], float | None]]:
        """``(kind, box, score)``; lesions first, so that detections lie on top."""
        marks: list[tuple[str, npt.NDArray[np.float64], float | None]] = []
        for i, box in enumerate(image.gt_boxes):
            marks.append(('found' if self.first_lesion[index] + i in self.found else 'missed', box, None))
        for i, (box, score) in enumerate(zip(image.boxes, image.scores, strict=True)):
            lesion = self.hit.get(int(self.first_box[index] + i))
            if lesion is not None:
                marks.append(('hit' if lesion >= 0 else 'false', box, float(score)))
        return marks


def _rows(
    images: Sequence[ImagePrediction], exam: ExamSummary, marks: _Marks, settings: GallerySettings
) -> tuple[tuple[GalleryView | None, GalleryView | None], ...]:
    drawn: dict[int, GalleryView] = {}
    panels = []
    for index in exam.images:
        image = images[index]
        pixels = read_png16(_file_below(Path(settings.images_root or '.'), image))
        panel = PanelView(pixels, image.laterality, image.view)
        panels.append(panel)
        drawn[id(panel)] = _view(panel, image, marks.of(index, image), settings)
    hung = [row for row in arrange(panels) if row != (None, None)]
    return tuple((_of(drawn, right), _of(drawn, left)) for right, left in hung)


def _file_below(folder: Path, image: ImagePrediction) -> Path:
    """The file of an image in one of the folders that were named.

    Raises:
        MammoError: If its name leads out of it: the page would hold a picture that nobody meant to show.
    """
    try:
        return folder / inside(image.file_name)
    except ValueError as err:
        found, expected = f'{image.file_name!r:.200}', 'a path below the folder of the images'
        where, remedy = f'image {image.image_id}', 'correct the ground truth'
        raise MammoError(where, field='file_name', found=found, expected=expected, remedy=remedy) from err


def _of(drawn: dict[int, GalleryView], panel: PanelView | None) -> GalleryView | None:
    return None if panel is None else drawn[id(panel)]


def _view(
    panel: PanelView,
    image: ImagePrediction,
    marks: Sequence[tuple[str, npt.NDArray[np.float64], float | None]],
    settings: GallerySettings,
) -> GalleryView:
    height, width = image.height or panel.image.shape[0], image.width or panel.image.shape[1]
    mirrored = panel.is_hung_mirrored
    scale = min(1.0, settings.side / max(panel.image.shape))
    size = tuple(max(1, round(length * scale)) for length in panel.image.shape[::-1])
    grey = _hung(cv2.resize(panel.image, size, interpolation=cv2.INTER_AREA), mirrored)
    heat = _heatmap(image, size, (width, height), settings)
    side = panel.laterality if panel.laterality in ('L', 'R') else 'side unknown'
    return GalleryView(
        name=f'{side} {panel.view}',
        width=width,
        height=height,
        image=data_uri('image/jpeg', _encoded('.jpg', to_rgb(grey)[..., ::-1])),
        heatmap=None if heat is None else data_uri('image/png', _encoded('.png', _hung(heat, mirrored))),
        marks=tuple(_mark(kind, box, score, width if mirrored else None) for kind, box, score in marks),
        findings=_finding_maps(panel.image, image, marks, settings) if marks else None,
    )


def _finding_maps(
    pixels: npt.NDArray[np.floating],
    image: ImagePrediction,
    marks: Sequence[tuple[str, npt.NDArray[np.float64], float | None]],
    settings: GallerySettings,
) -> str | None:
    """The highest maps of single findings over the view as it is prepared, with their bar; where there are such."""
    path = None if settings.heatmaps is None else _file_below(settings.heatmaps, image).with_suffix('.npz')
    if path is None or not path.is_file():
        return None
    stored = read_heatmap(path)
    figure = draw_heatmaps(
        pixels,
        stored.heatmap,
        stored.classes,
        boxes=[box for _, box, score in marks if score is not None],
        scores=[score for _, _, score in marks if score is not None],
        gt_boxes=[box for _, box, score in marks if score is None],
    )
    content = io.BytesIO()
    figure.savefig(content, format='jpeg', dpi=80)
    return data_uri('image/jpeg', content.getvalue())


def _mark(kind: str, box: npt.NDArray[np.float64], score: float | None, mirror_width: int | None) -> Mark:
    x1, y1, x2, y2 = (round(float(value), 2) for value in box)
    left = x1 if mirror_width is None else round(mirror_width - x2, 2)
    return Mark(kind, left, y1, round(x2 - x1, 2), round(y2 - y1, 2), score)


def _heatmap(
    image: ImagePrediction, size: tuple[int, ...], extent: tuple[int, int], settings: GallerySettings
) -> npt.NDArray[np.uint8] | None:
    """(h, w, 4) BGRA; the stronger, the less transparent."""
    if settings.heatmaps is not None:
        values = _read_heatmap(image, size, settings.heatmaps)
    else:
        values = _regions(image, size, extent) if settings.regions else None
    if values is None:
        return None
    colours = colormaps[REGION_COLOURS](values)[..., 2::-1]
    return (np.dstack([colours, REGION_OPACITY * values]) * 255).round().astype(np.uint8)


def _read_heatmap(image: ImagePrediction, size: tuple[int, ...], folder: Path) -> npt.NDArray[np.float32] | None:
    path = _file_below(folder, image).with_suffix('.png')
    if not path.is_file():
        return None
    return np.clip(cv2.resize(read_png16(path), size, interpolation=cv2.INTER_LINEAR), 0, 1)


def _regions(image: ImagePrediction, size: tuple[int, ...], extent: tuple[int, int]) -> npt.NDArray[np.float32]:
    scale = np.tile(np.array(size) / extent, 2)
    return region_map(image.boxes * scale, image.scores, (size[1], size[0]))


def _hung(pixels: npt.NDArray[np.generic], mirrored: bool) -> npt.NDArray[np.generic]:
    return np.ascontiguousarray(pixels[:, ::-1]) if mirrored else pixels


def _encoded(kind: str, pixels: npt.NDArray[np.generic]) -> bytes:
    done, content = cv2.imencode(kind, pixels, [cv2.IMWRITE_JPEG_QUALITY, 86] if kind == '.jpg' else [])
    if not done:
        raise MammoError('gallery', field='picture', found=pixels.shape, expected='an image', remedy='check the file')
    return bytes(content)
