"""Rules that choose a threshold from all there are. Of equally good ones the highest is taken: the fewest calls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mmmammo.evaluation.functional.froc import FROCResult
from mmmammo.evaluation.functional.inputs import FloatArray
from mmmammo.evaluation.functional.labelled_scores import option
from mmmammo.evaluation.functional.probabilistic_f1 import RSNA_THRESHOLDS
from mmmammo.evaluation.functional.threshold_sweep import ThresholdSweep
from mmmammo.structures import MammoError

_BEST: dict[str, Callable[[ThresholdSweep], FloatArray]] = {
    'max_f1': lambda sweep: sweep.f_score(),
    'max_pf1': lambda sweep: sweep.f_score(),
    'youden': lambda sweep: sweep.sensitivity + sweep.specificity - 1,
}
_HELD = ('sensitivity', 'specificity')
THRESHOLD_RULES = (*_BEST, *_HELD)
"""How a threshold of row scores is chosen.

``'max_f1'``: greatest F1. ``'max_pf1'``: greatest pF1 of hard calls ``p > t`` over paper 2's 100 thresholds.
``'youden'``: greatest sensitivity + specificity - 1. ``'sensitivity'`` and ``'specificity'``: at least the target, and
then as much as possible of the other.
"""
FROC_THRESHOLD_RULES = ('max_f1', 'fps_per_image', 'sensitivity')
"""How a threshold of detections is chosen: greatest F1 of lesions (paper 3), at most the target's FPI, or at least the
target's share of lesions found."""


def best_threshold(sweep: ThresholdSweep, rule: str, target: float | None) -> float:
    """The threshold that a rule picks among those of a sweep with both classes.

    Args:
        sweep: All thresholds.
        rule: One of ``THRESHOLD_RULES``.
        target: What ``'sensitivity'`` or ``'specificity'`` must reach; ``None`` for the other rules.

    Raises:
        MammoError: On an unknown rule, a missing or superfluous target, or if only calling nothing would do.
    """
    where = 'operating point'
    option(where, 'rule', repr(rule), f'one of {THRESHOLD_RULES}', good=rule in THRESHOLD_RULES)
    if rule in _HELD:
        good = target is not None and 0 < target <= 1
        option(where, 'target', target, f'the {rule} to reach, in (0, 1]', good=good)
        return _usable(_held(sweep, rule, target or 0.0), f'one with a {rule} of at least {target}')
    option(where, 'target', target, f'none: {rule!r} has no target', good=target is None)
    if rule == 'max_pf1':  # ``p > t`` is ``p >= the next number after t``
        sweep = sweep.at(np.append(np.inf, np.nextafter(RSNA_THRESHOLDS[::-1], np.inf)))
    best = int(np.argmax(_BEST[rule](sweep)))
    return _usable(float(sweep.thresholds[best]), f'one that is better than no call by {rule!r}')


def best_froc_threshold(result: FROCResult, rule: str, target: float | None) -> float:
    """The same for detections; see ``FROC_THRESHOLD_RULES``.

    Raises:
        MammoError: As :func:`best_threshold`.
    """
    where = 'operating point'
    option(where, 'rule', repr(rule), f'one of {FROC_THRESHOLD_RULES}', good=rule in FROC_THRESHOLD_RULES)
    if rule == 'max_f1':
        option(where, 'target', target, "none: 'max_f1' has no target", good=target is None)
        counted = f'false positives of {result.n_fp_images} images'
        option(where, 'FROC', counted, f'of all {result.n_images}', good=counts_all_images(result))
        return _usable(float(result.thresholds[int(np.argmax(lesion_f1(result)))]), 'one with a lesion found')
    if rule == 'sensitivity':
        good = target is not None and 0 < target <= 1
        option(where, 'target', target, 'the share of lesions to find, in (0, 1]', good=good)
        reached = result.recall >= (target or 0.0)
        threshold = result.thresholds[int(np.argmax(reached))] if reached.any() else np.inf
        return _usable(float(threshold), f'one that finds {target} of the lesions')
    option(where, 'target', target, 'false positives per image, 0 or more', good=target is not None and target >= 0)
    affordable = result.fps_per_image <= (target or 0.0)
    found = result.recall == result.recall[affordable][-1]  # the fewest false positives for that recall
    return _usable(
        float(result.thresholds[int(np.argmax(found))]), f'one that finds a lesion at {target} FP per image or fewer'
    )


def lesion_f1(result: FROCResult) -> FloatArray:
    """(t,) F1 of detections: lesions found, missed and false positives at each threshold of a FROC curve.

    Nan without lesions, and where false positives were counted on some of the images only: it needs all of them.
    """
    if not counts_all_images(result):
        return np.full_like(result.recall, np.nan)
    found = result.recall * result.n_lesions
    f1: FloatArray = 2 * found / (found + result.n_lesions + result.fps_per_image * result.n_images)
    return f1


def counts_all_images(result: FROCResult) -> bool:
    """Whether false positives were counted on every image, so that a precision can be told."""
    return result.n_fp_images in (0, result.n_images)


def _held(sweep: ThresholdSweep, rule: str, target: float) -> float:
    if rule == 'sensitivity':
        return float(sweep.thresholds[int(np.argmax(sweep.sensitivity >= target))])
    affordable = sweep.specificity >= target
    most = sweep.true_positives[affordable][-1]
    return float(sweep.thresholds[int(np.argmax(sweep.true_positives == most))])


def _usable(threshold: float, wanted: str) -> float:
    if np.isfinite(threshold):
        return threshold
    raise MammoError(
        'operating point',
        field='threshold',
        found='only one that calls nothing',
        expected=wanted,
        remedy='relax the target, or look at the ROC or FROC curve: the scores do not allow it',
    )
