"""Which exams of a run are worth a look, by one stated rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import Matches
from mmmammo.structures import ImagePrediction

RULE = (
    'Exams are chosen by rule, not by hand. Missed lesions: exams in which a lesion has no detection, those with the '
    'highest-scoring false positive first. Worst false positives: of the exams left, those with the highest-scoring '
    'false positive. Best hits: of the exams left, those with every lesion found, the highest-scoring hit first. An '
    'exam is shown once.'
)


@dataclass
class ExamSummary:
    """One exam at an operating point.

    Args:
        exam_id: Its id.
        images: Indices of its images in the run.
        lesions: Annotated lesions, counted per view.
        found: Of these, found.
        best_hit: Highest score of a hit; -inf without one.
        worst_false_positive: Highest score of a false positive; -inf without one.
    """

    exam_id: str
    images: list[int] = field(default_factory=list)
    lesions: int = 0
    found: int = 0
    best_hit: float = -np.inf
    worst_false_positive: float = -np.inf


def summarise_exams(images: Sequence[ImagePrediction], matches: Matches, threshold: float) -> list[ExamSummary]:
    """Count per exam, in the order of the run; an image without exam id is an exam of its own.

    Args:
        images: The run.
        matches: Of these images, in this order.
        threshold: Detections with at least this score count.
    """
    hits = _best_score(matches, matches.is_true_positive, threshold)
    misses = _best_score(matches, matches.is_false_positive, threshold)
    found_images = matches.image[matches.is_true_positive & (matches.scores >= threshold)]
    found = np.bincount(found_images, minlength=len(images))
    exams: dict[str, ExamSummary] = {}
    for i, image in enumerate(images):
        key = image.exam_id or f'image {image.image_id}'
        exam = exams.setdefault(key, ExamSummary(key))
        exam.images.append(i)
        exam.lesions += len(image.gt_boxes)
        exam.found += int(found[i])
        exam.best_hit = max(exam.best_hit, float(hits[i]))
        exam.worst_false_positive = max(exam.worst_false_positive, float(misses[i]))
    return list(exams.values())


def choose_exams(exams: Sequence[ExamSummary], per_group: int = 3) -> dict[str, list[ExamSummary]]:
    """Apply :data:`RULE`; the groups are always the same three, possibly empty."""
    shown: set[str] = set()

    def pick(fits: Callable[[ExamSummary], bool], rank: Callable[[ExamSummary], float]) -> list[ExamSummary]:
        rest = [exam for exam in exams if exam.exam_id not in shown and fits(exam)]
        chosen = sorted(rest, key=rank, reverse=True)[:per_group]
        shown.update(exam.exam_id for exam in chosen)
        return chosen

    return {
        'Missed lesions': pick(lambda e: e.found < e.lesions, lambda e: e.worst_false_positive),
        'Worst false positives': pick(lambda e: e.worst_false_positive > -np.inf, lambda e: e.worst_false_positive),
        'Best hits': pick(lambda e: 0 < e.lesions == e.found, lambda e: e.best_hit),
    }


def _best_score(matches: Matches, which: npt.NDArray[np.bool_], threshold: float) -> npt.NDArray[np.float64]:
    """(num_images,) highest score among some detections of each image; -inf without one."""
    best = np.full(matches.num_images, -np.inf)
    kept = which & (matches.scores >= threshold)
    np.maximum.at(best, matches.image[kept], matches.scores[kept])
    return best
