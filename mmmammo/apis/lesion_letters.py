"""One letter per lesion of an exam, for people to find its detections in both views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from string import ascii_uppercase

from mmmammo.apis.results import ImageResult
from mmmammo.structures import LesionPair


def with_pairs(
    images: Sequence[ImageResult], pairs: Sequence[LesionPair]
) -> tuple[tuple[ImageResult, ...], tuple[LesionPair, ...]]:
    """Write the letters of the lesions into the results of the images.

    Args:
        images: Of one exam.
        pairs: Of their detections, image ids being indices into ``images``.

    Returns:
        The images with ``lesions``, and the pairs, the surest first. A detection that is in two pairs, of a view and
        of its repeat, brings all of their detections under one letter.
    """
    ordered = tuple(sorted(pairs, key=lambda p: (-p.score, p.image_id, p.detection)))
    letters: dict[tuple[int, int], str] = {}
    for pair in ordered:
        ends = ((pair.image_id, pair.detection), (pair.other_image_id, pair.other_detection))
        known = [letters[end] for end in ends if end in letters]
        name = known[0] if known else letter(len(letters))
        letters = {end: name if given in known else given for end, given in letters.items()} | dict.fromkeys(ends, name)
    letters = _from_a(letters)
    named = (
        replace(image, lesions=tuple(letters.get((i, j), '') for j in range(len(image.scores))))
        for i, image in enumerate(images)
    )
    return tuple(named), ordered


def _from_a(letters: dict[tuple[int, int], str]) -> dict[tuple[int, int], str]:
    """Close the gaps: the first lesion is A, the second B."""
    names = {given: letter(number) for number, given in enumerate(dict.fromkeys(letters.values()))}
    return {end: names[given] for end, given in letters.items()}


def letter(number: int) -> str:
    """A, B, …, Z, A1, B1 and so on."""
    turn, place = divmod(number, len(ascii_uppercase))
    return ascii_uppercase[place] + (str(turn) if turn else '')
