"""Everything that is reported of detections, from one pass over the matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mmmammo.evaluation.functional import (
    FROCCurve,
    FROCResult,
    ImageRecords,
    Interval,
    Matches,
    SubgroupRow,
    at_level,
    auc,
    bootstrap_ci,
    count_false_positives_on,
    froc_interval,
    froc_result,
    froc_threshold_at,
    match_images,
)
from mmmammo.evaluation.summary.average_precision import average_precision_numbers
from mmmammo.evaluation.summary.detection_settings import DetectionSettings
from mmmammo.evaluation.summary.detection_subgroups import detection_subgroups
from mmmammo.evaluation.summary.numbers import Number, by_key, with_interval
from mmmammo.io.detection_files import DetectionSet
from mmmammo.structures import ImagePrediction, MammoError

LEVEL_WORDS = {
    'lesion': 'lesions (all views of an exam together)',
    'image': 'images with a lesion',
    'breast': 'breasts with a lesion',
    'exam': 'exams with a lesion (cases)',
    'patient': 'patients with a lesion',
}
BAND_POINTS: npt.NDArray[np.float64] = np.linspace(0, 4, 41, dtype=np.float64)
"""Where the band around the FROC curve is computed."""


@dataclass(frozen=True, eq=False)
class DetectionSummary:
    """What is known of a run.

    Args:
        data: Truth and detections.
        settings: The protocol.
        matches: The fate of every detection.
        froc: Per lesion box.
        band: Interval of the recall at :data:`BAND_POINTS`; ``None`` without intervals.
        numbers: Key -> result.
        subgroups: Rows of all subgroup tables.
        threshold: Score at the operating point of the pictures: the lowest that costs no more than ``operating_fps``.
        exam_labels: Exam -> whether it has a lesion.
        exam_scores: Exam -> highest score of its detections.
    """

    data: DetectionSet
    settings: DetectionSettings
    matches: Matches
    froc: FROCResult
    band: Interval | None
    numbers: dict[str, Number]
    subgroups: list[SubgroupRow]
    threshold: float
    exam_labels: dict[str, bool] = field(default_factory=dict)
    exam_scores: dict[str, float] = field(default_factory=dict)

    @property
    def headline(self) -> Number:
        """Recall at the operating point."""
        return self.numbers[recall_key('froc', self.settings.operating_fps)]


def summarise_detections(data: DetectionSet, settings: DetectionSettings | None = None) -> DetectionSummary:
    """Judge, count, read, resample.

    Raises:
        MammoError: If an argument is out of range or a distance lacks the spacing it needs.
    """
    settings = settings or DetectionSettings()
    images, patients = data.images, patients_of(data.images)
    matches = count_false_positives_on(match_images(images, **settings.rules), settings.false_positive_images)
    fps = settings.all_fps
    result = froc_result(matches, fps)
    points = [*fps, *BAND_POINTS.tolist()]
    interval = None
    if settings.bootstrap:
        interval = froc_interval(matches, patients, points, settings.bootstrap, settings.seed)
    labels, scores = exam_scores(images)
    numbers = _froc_numbers('froc', 'lesions', result, _picked(interval, [*range(len(fps)), -1]), counts_of(images))
    numbers += _level_numbers(images, matches, settings, fps)
    numbers += average_precision_numbers(data, settings)
    numbers.append(_exam_auc(images, labels, scores, settings))
    return DetectionSummary(
        data=data,
        settings=settings,
        matches=matches,
        froc=result,
        band=_picked(interval, list(range(len(fps), len(points)))),
        numbers=by_key(numbers),
        subgroups=detection_subgroups(data, matches, settings),
        threshold=froc_threshold_at(
            FROCCurve(result.fps_per_image, result.recall, result.thresholds), settings.operating_fps
        ),
        exam_labels=labels,
        exam_scores=scores,
    )


def recall_key(prefix: str, fps: float) -> str:
    """``'froc/recall@1.00'``."""
    return f'{prefix}/recall@{fps:.2f}'


def per_image(fps: float) -> str:
    """An FPI in words."""
    return f'{fps:g} false positive{"" if fps == 1 else "s"} per image'


def counts_of(images: Sequence[ImagePrediction]) -> dict[str, int]:
    """What stands behind a number of these images."""
    return {
        'images': len(images),
        'exams': len({image.exam_id for image in images}),
        'patients': len({image.patient_id for image in images}),
        'lesions': sum(len(image.gt_boxes) for image in images),
    }


def patients_of(images: Sequence[ImagePrediction]) -> list[str]:
    """Patient of each image.

    Raises:
        MammoError: If there is no image.
    """
    if not images:
        raise MammoError(
            'detections', field='images', found='none', expected='at least one', remedy='give a set that has images'
        )
    return [image.patient_id for image in images]


def exam_scores(images: Sequence[ImagePrediction]) -> tuple[dict[str, bool], dict[str, float]]:
    """Of each exam, whether it has a lesion and its highest score; 0 without a detection."""
    labels: dict[str, bool] = {}
    scores: dict[str, float] = {}
    for image in images:
        labels[image.exam_id] = labels.get(image.exam_id, False) or len(image.gt_boxes) > 0
        scores[image.exam_id] = max(scores.get(image.exam_id, 0.0), float(image.scores.max(initial=0.0)))
    return labels, scores


def _froc_numbers(
    prefix: str, what: str, result: FROCResult, interval: Interval | None, counts: dict[str, int]
) -> list[Number]:
    """Recall at each FPI and the area, with their intervals."""
    counts = counts | {'units': result.n_lesions}
    read = [
        Number(recall_key(prefix, fps), f'Share of {what} found at {per_image(fps)}', recall, counts, result.reason)
        for fps, recall in result.recall_at.items()
    ]
    words = f'Area under the FROC curve of {what}, up to {per_image(result.fauc_limit)}'
    return with_interval([*read, Number(f'{prefix}/fauc', words, result.fauc, counts, result.reason)], interval)


def _level_numbers(
    images: Sequence[ImagePrediction], matches: Matches, settings: DetectionSettings, fps: tuple[float, ...]
) -> list[Number]:
    """The same per lesion over views, image, breast, exam and patient."""
    records, counts, patients = ImageRecords.of_predictions(images), counts_of(images), patients_of(images)
    numbers = []
    for level, words in LEVEL_WORDS.items():
        if level == 'lesion' and records.lesion_ids is None and len(matches.lesion_image):
            reason = 'the truth does not say which boxes show one lesion'
            undefined = _undefined_level(fps, counts, reason)
            if settings.bootstrap:
                undefined = [number.with_bounds(np.nan, np.nan, number.level) for number in undefined]
            numbers += undefined
            continue
        units = at_level(matches, records, level) if len(matches.lesion_image) else matches
        interval = None
        if settings.bootstrap:
            interval = froc_interval(units, patients, fps, settings.bootstrap, settings.seed)
        numbers += _froc_numbers(f'froc/{level}', words, froc_result(units, fps), interval, counts)
    return numbers


def _undefined_level(fps: tuple[float, ...], counts: dict[str, int], reason: str) -> list[Number]:
    nan = np.full(1, np.nan)
    nothing = FROCResult(nan, nan, nan, dict.fromkeys(fps, np.nan), np.nan, counts['images'], 0, 0, reason)
    return _froc_numbers('froc/lesion', LEVEL_WORDS['lesion'], nothing, None, counts)


def _exam_auc(
    images: Sequence[ImagePrediction], labels: dict[str, bool], scores: dict[str, float], settings: DetectionSettings
) -> Number:
    """Whether an exam's highest score tells exams with a lesion from those without."""
    truth, score = np.array(list(labels.values()), dtype=int), np.array(list(scores.values()))
    value = auc(truth, score)
    words = "Area under the ROC curve of exams, scored by each exam's highest detection"
    counts = counts_of(images) | {'units': len(truth), 'positives': int(truth.sum())}
    number = Number('exam/auc', words, float(value), counts, value.reason)
    if not settings.bootstrap:
        return number
    patient = {image.exam_id: image.patient_id for image in images}
    groups = [patient[exam] for exam in labels]
    interval = bootstrap_ci(lambda rows: auc(truth[rows], score[rows]), groups, settings.bootstrap, seed=settings.seed)
    return with_interval([number], interval)[0]


def _picked(interval: Interval | None, places: list[int]) -> Interval | None:
    """Some entries of an interval."""
    if interval is None:
        return None
    picked = {name: getattr(interval, name)[places] for name in ('estimate', 'low', 'high', 'n_undefined')}
    return Interval(
        **picked,
        level=interval.level,
        n_groups=interval.n_groups,
        n_replicates=interval.n_replicates,
        reason=interval.reason,
    )
