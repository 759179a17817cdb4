"""Which detections of the CC and the MLO view of a breast are one lesion: by place, size and learned likeness."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmcv.ops import roi_align
from mmdet.structures import DetDataSample
from torch import Tensor

from mmmammo.anatomy import GeometricPrior, assign_pairs, node_log_odds, pair_log_odds
from mmmammo.models.layers.exam_context import meta_of, pair_samples
from mmmammo.registry import MODELS
from mmmammo.structures import STANDARD_VIEWS, LesionPair, MammoError

_ROI_SIZE = 7
_IMAGES_COUNT_AS = 4


class BatchFeatures(NamedTuple):
    """What a network sees in a batch.

    Args:
        levels: Feature levels, (B, C, H, W) each.
        input_shape: (H, W) of the padded batch.
    """

    levels: Sequence[Tensor]
    input_shape: tuple[int, int]

    def at(self, stride: int) -> Tensor:
        """The first level with so many input pixels per pixel.

        Raises:
            MammoError: If there is none.
        """
        wanted = tuple(-(-length // stride) for length in self.input_shape)
        shapes = [tuple(level.shape[2:]) for level in self.levels]
        if wanted not in shapes:
            raise MammoError(
                'LesionMatcher',
                field='stride',
                found=f'levels of {shapes} pixels for an input of {self.input_shape}',
                expected=f'one of {wanted}, which is stride {stride}',
                remedy='set stride to that of a level of the neck',
            )
        return self.levels[shapes.index(wanted)]


@MODELS.register_module()
class LesionMatcher:
    """Pairs the detections of the two views of each breast and writes ``lesion_pairs`` into the data samples.

    The odds that two detections are one lesion come from their places and sizes
    (:mod:`mmmammo.anatomy.lesion_matching`); a model adds the likeness of its features there: ``appearance`` times the
    cosine of how their means over either box differ from the mean of the images, after what is common to all detections
    of the exam is taken off; zero counts as four more of these, so that two detections that differ from the images in
    the same way are never less likely one lesion than by geometry alone, even if the exam has no others. A view without
    landmarks has no pairs, and detections of different classes are none. Of repeats each is paired with the best one of
    the other projection.

    Args:
        prior: File of ``tools/build_geometric_prior.py``, or a loaded one: places at which lesions were seen in both
            views count for a pair.
        min_score: Pairs of a lower probability are none.
        score_thr: Weaker detections are not paired.
        appearance: Log odds that features alike add; 0 for geometry alone.
        stride: Input pixels per pixel of the feature level that is looked at. Which one that is, its shape tells.

    Raises:
        MammoError: If the prior cannot be read or is of another corner mode than 'midpoint', or when called with
            features none of which has this stride.
    """

    def __init__(
        self,
        prior: GeometricPrior | str | Path | None = None,
        min_score: float = 0.5,
        score_thr: float = 0.1,
        appearance: float = 1.0,
        stride: int = 8,
    ) -> None:
        if isinstance(prior, str | Path):
            prior = GeometricPrior.load(prior)
        if prior is not None:
            prior.require_corner_mode('midpoint')  # as pair_log_odds lays its nodes
        self.nodes = None if prior is None else node_log_odds(prior)
        self.min_score = min_score
        self.score_thr = score_thr
        self.appearance = appearance
        self.stride = stride

    def __call__(
        self,
        samples: Sequence[DetDataSample],
        features: BatchFeatures | None = None,
    ) -> None:
        """Pair the detections of a batch.

        Args:
            samples: With ``pred_instances`` in prepared pixels, as predicted with ``rescale=True``. Each gets
                ``lesion_pairs``, the :class:`~mmmammo.structures.LesionPair` that begin in it.
            features: If there is a network that has some.
        """
        chosen = [np.flatnonzero(_array(s.pred_instances.scores) >= self.score_thr) for s in samples]
        boxes = [_array(s.pred_instances.bboxes)[kept] for s, kept in zip(samples, chosen, strict=True)]
        labels = [_array(s.pred_instances.labels)[kept] for s, kept in zip(samples, chosen, strict=True)]
        looks = None
        if features is not None and self.appearance != 0:
            looks = self._looks(samples, boxes, features.at(self.stride))
        pairs: list[list[LesionPair]] = [[] for _ in samples]
        for cc, mlo in self._view_pairs(samples):
            odds = self._log_odds(samples, boxes, looks, cc, mlo)
            odds[labels[cc][:, None] != labels[mlo]] = -np.inf
            for i, j, score in assign_pairs(odds, self.min_score):
                ids = (meta_of(samples[cc], 'img_id'), meta_of(samples[mlo], 'img_id'))
                pairs[cc].append(LesionPair(ids[0], int(chosen[cc][i]), ids[1], int(chosen[mlo][j]), score))
        for sample, of_sample in zip(samples, pairs, strict=True):
            sample.set_field(tuple(of_sample), 'lesion_pairs')

    def _log_odds(
        self,
        samples: Sequence[DetDataSample],
        boxes: Sequence[np.ndarray],
        looks: Sequence[np.ndarray] | None,
        cc: int,
        mlo: int,
    ) -> np.ndarray:
        """(n, m) of the detections of one CC and one MLO view."""
        landmarks = [meta_of(samples[i], 'landmarks') for i in (cc, mlo)]
        odds = pair_log_odds(boxes[cc], boxes[mlo], *landmarks, self.nodes)
        return odds if looks is None else odds + self.appearance * (looks[cc] @ looks[mlo].T)

    @staticmethod
    def _view_pairs(samples: Sequence[DetDataSample]) -> list[tuple[int, int]]:
        """(CC, MLO) images of one breast that both have landmarks."""
        has_landmarks = [meta_of(sample, 'landmarks') is not None for sample in samples]
        ipsilateral, _ = pair_samples(samples, has_landmarks)
        found = set()
        for image, partner in enumerate(ipsilateral.tolist()):
            if partner >= 0 and has_landmarks[image] and has_landmarks[partner]:
                is_cc = meta_of(samples[image], 'view') == STANDARD_VIEWS[0]
                found.add((image, partner) if is_cc else (partner, image))
        return sorted(found)

    def _looks(self, samples: Sequence[DetDataSample], boxes: Sequence[np.ndarray], level: Tensor) -> list[np.ndarray]:
        """Unit vectors of what the network sees in each box, as (n, C) per image."""
        scales = [np.tile(sample.metainfo.get('scale_factor', (1, 1)), 2) for sample in samples]
        seen = box_means(level, [at * scale for at, scale in zip(boxes, scales, strict=True)], self.stride)
        exams = [f'{s.metainfo.get("exam_slot", 0)}/{meta_of(s, "exam_id")}' for s in samples]
        exam = np.unique(exams, return_inverse=True)[1]
        counts = [len(at) for at in boxes]
        of_box = np.repeat(exam, counts)
        sums, images = _sums(self._image_means(samples, level), exam, len(samples))
        directions = _units(seen - (sums / np.maximum(images, 1)[:, None])[of_box])
        sums, detections = _sums(directions, of_box, len(samples))
        common = sums / (detections + _IMAGES_COUNT_AS)[:, None]
        return np.split(_units(directions - common[of_box]), np.cumsum(counts)[:-1])

    def _image_means(self, samples: Sequence[DetDataSample], level: Tensor) -> np.ndarray:
        """(B, C), without the padding."""
        whole = tuple(length * self.stride for length in level.shape[2:])
        shapes = [sample.metainfo.get('img_shape', whole)[:2] for sample in samples]
        cut = [level[i, :, : -(-h // self.stride), : -(-w // self.stride)] for i, (h, w) in enumerate(shapes)]
        return np.stack([_array(image.float().mean((1, 2))) for image in cut])


def box_means(level: Tensor, boxes: Sequence[np.ndarray], stride: int) -> np.ndarray:
    """Means of a feature level over boxes.

    Args:
        level: (B, C, H, W).
        boxes: (n, 4) per image, xyxy in network-input pixels.
        stride: Input pixels per pixel of the level.

    Returns:
        (sum of n, C).
    """
    rois = torch.from_numpy(np.concatenate([np.insert(at, 0, image, axis=1) for image, at in enumerate(boxes)]))
    if not len(rois):
        return np.zeros((0, level.shape[1]))  # a GPU starts no kernel for nothing
    level = level.float().contiguous()  # roi_align takes no other layout
    seen = roi_align(level, rois.to(level), _ROI_SIZE, 1 / stride, 2, 'avg', True).mean((2, 3))
    return seen.double().cpu().numpy()


def _units(vectors: np.ndarray) -> np.ndarray:
    """Rows at length one; 0 where nothing is left."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def _sums(vectors: np.ndarray, groups: np.ndarray, num_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum of the rows of each group, and how many there are."""
    sums = np.zeros((num_groups, vectors.shape[1]))
    np.add.at(sums, groups, vectors)
    return sums, np.bincount(groups, minlength=num_groups)


def _array(values: Tensor) -> np.ndarray:
    return getattr(values, 'tensor', values).detach().double().cpu().numpy()
