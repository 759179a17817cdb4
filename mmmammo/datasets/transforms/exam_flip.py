"""Transforms of a whole exam: a list of image records, before any pixel is read."""

from __future__ import annotations

from typing import Any

from mmcv.transforms import BaseTransform

from mmmammo.datasets.transforms.randomness import call_generator, checked_probability
from mmmammo.datasets.transforms.tracking import current_affine
from mmmammo.registry import TRANSFORMS
from mmmammo.structures import Affine, Laterality

Record = dict[str, Any]


def swap_side(record: Record) -> Record:
    """The record with the other laterality; an unknown side stays unknown."""
    return {**record, 'laterality': Laterality(record['laterality']).other.value}


def mirror_pixels(record: Record) -> Record:
    """The record of the left-right mirrored image: boxes, masks and the matrix that moves the landmarks.

    The pixels follow when :class:`LoadMammogram` reads ``mirrored``. Landmarks and ``affine`` stay those of the
    prepared file; ``homography_matrix`` takes the former to mirrored pixels.
    """
    mirror = Affine.mirror(record['width'])
    instances = [
        {
            **instance,
            'bbox': mirror.boxes(instance['bbox']).tolist(),
            'mask': [_mirror_polygon(mirror, polygon) for polygon in instance['mask']],
        }
        for instance in record['instances']
    ]
    return {
        **record,
        'instances': instances,
        'homography_matrix': (mirror @ current_affine(record)).matrix,
        'mirrored': not record.get('mirrored', False),
    }


def _mirror_polygon(mirror: Affine, polygon: list[float]) -> list[float]:
    points = [polygon[i : i + 2] for i in range(0, len(polygon), 2)]
    flat: list[float] = mirror.points(points).ravel().tolist()
    return flat


@TRANSFORMS.register_module()
class ExamFlip(BaseTransform):
    """Mirror the woman: her left breast becomes her right one, in every view of the exam together.

    A mirrored left breast looks like a right one. In a prepared set each right breast has already been mirrored so
    that the chest wall is on the left; the mirror image of an exam, prepared in its turn, therefore has the very same
    pixels with the two sides exchanged. So the default exchanges ``L`` and ``R`` and touches no pixel: the pairing of
    views stays what it was, and only what depends on the side (not on the picture) sees something new. A flip of
    single images, in contrast, would set a view against partners that do not show its mirror image.

    With ``mirror_pixels`` every image is mirrored as well, with its boxes, masks and landmarks. Its chest wall is then
    on the right, which prepared images never have; use it to make a model indifferent to orientation. For training
    only: boxes then lie in mirrored pixels.

    Required Keys (of every record in the list):

    - laterality
    - instances, width (with ``mirror_pixels``)

    Modified Keys:

    - laterality
    - instances, homography_matrix, mirrored (with ``mirror_pixels``)

    Args:
        prob: Chance that an exam is mirrored.
        mirror_pixels: Whether the pixels are mirrored, too.
    """

    def __init__(self, prob: float = 0.5, mirror_pixels: bool = False) -> None:
        self.prob = checked_probability('ExamFlip', prob)
        self.mirror_pixels = mirror_pixels

    def transform(self, results: list[Record]) -> list[Record]:
        """Return the records of the mirrored exam, or of the exam as it is."""
        if call_generator().random() >= self.prob:
            return results
        flipped = [swap_side(record) for record in results]
        return [mirror_pixels(record) for record in flipped] if self.mirror_pixels else flipped

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob}, mirror_pixels={self.mirror_pixels})'


@TRANSFORMS.register_module()
class ExamViewDropout(BaseTransform):
    """Leave out views at training, so that a model learns to do without a partner. One view always stays.

    Args:
        prob: Chance of each view to be left out, independently.
    """

    def __init__(self, prob: float = 0.1) -> None:
        self.prob = checked_probability('ExamViewDropout', prob)

    def transform(self, results: list[Record]) -> list[Record]:
        """Return the records that stay, in their order."""
        generator = call_generator()
        kept = [record for record in results if generator.random() >= self.prob]
        return kept or [results[int(generator.integers(len(results)))]]

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob})'
