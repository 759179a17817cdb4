"""What every detection metric needs: small arrays per image, gathered from all processes, each image once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from mmengine.dist import get_world_size
from mmengine.evaluator import BaseMetric

from mmmammo.io.predictions import IDENTITY_KEYS
from mmmammo.structures import ImagePrediction, MammoError


class DetectionMetric(BaseMetric):
    """Base of metrics that compare ``pred_instances`` with ``gt_instances``, both in prepared pixels.

    Subclasses fill :meth:`score`. ``ignored_instances``, where present, are regions in which detections do not count.

    A data set of exams yields several images per item, so the ``size`` that MMEngine passes (the length of the data
    set) counts something else, and processes may hold different numbers of images; ``BaseMetric`` would silently
    cut the results to that size. Here each process hands over one parcel with all it has, and images that a sampler
    repeated to even out the processes are dropped by their ``img_id``.

    Args:
        score_thr: Detections below this score are left out.
        collect_device: See ``BaseMetric``.
        prefix: See ``BaseMetric``.
        collect_dir: See ``BaseMetric``.
    """

    def __init__(
        self,
        score_thr: float = 0.0,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        self.score_thr = score_thr

    @abstractmethod
    def score(self, images: list[ImagePrediction]) -> dict[str, float]:
        """Turn the images, in order of their id, into named numbers. The names must not depend on the data."""

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep boxes, scores and labels of each image as small arrays on the CPU.

        Args:
            data_batch: Not used.
            data_samples: Data samples as dicts, as MMEngine's evaluator passes them.

        Raises:
            MammoError: If a sample lacks its id, its truth or its predictions.
        """
        self.results.extend(image_prediction(sample).above(self.score_thr) for sample in data_samples)

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather and score; ``size`` is ignored, see the class."""
        self.results = [list(self.results)]
        return super().evaluate(get_world_size())

    def compute_metrics(self, results: list[list[ImagePrediction]]) -> dict[str, float]:
        """Drop repeats and score.

        Raises:
            MammoError: If no image was processed.
        """
        images = {image.image_id: image for parcel in results for image in parcel}
        if not images:
            raise MammoError(
                type(self).__name__,
                field='images',
                found='none',
                expected='at least one',
                remedy='look whether the dataloader of this metric is empty',
            )
        return self.score([images[image_id] for image_id in sorted(images)])

    @property
    def class_names(self) -> tuple[str, ...]:
        """The class list of the data set.

        Raises:
            MammoError: If the data set has none.
        """
        names = (self.dataset_meta or {}).get('classes')
        if not names:
            raise MammoError(
                type(self).__name__,
                field="dataset_meta['classes']",
                found=names,
                expected='the class list',
                remedy='give the dataset metainfo=dict(classes=(…,))',
            )
        return tuple(names)


def image_prediction(sample: Mapping[str, Any]) -> ImagePrediction:
    """The record of one data sample.

    Raises:
        MammoError: If the sample lacks its id, its truth or its predictions.
    """
    _require(sample, 'img_id', "add 'img_id' to the meta_keys of the test pipeline's PackDetInputs")
    _require(sample, 'gt_instances', 'add LoadAnnotations, after Resize, to the test pipeline')
    _require(sample, 'pred_instances', 'the model must return predictions (mode="predict")')
    height, width = sample.get('ori_shape', (0, 0))[:2]
    given = {key: str(sample[key]) for key in IDENTITY_KEYS if sample.get(key) is not None}
    given |= {'file_name': str(sample.get('img_path', '')), 'width': int(width), 'height': int(height)}
    spacing = sample.get('pixel_spacing_mm')
    found, truth, ignored = (sample.get(f'{kind}_instances') or {} for kind in ('pred', 'gt', 'ignored'))
    return ImagePrediction(
        image_id=int(sample['img_id']),
        **given,
        pixel_spacing_mm=None if spacing is None else float(spacing),
        boxes=_boxes(found),
        scores=_array(found['scores'], np.float64),
        labels=_labels(found),
        gt_boxes=_boxes(truth),
        gt_labels=_labels(truth),
        ignored_boxes=_boxes(ignored),
        ignored_labels=_labels(ignored),
    )


def unique_keys(keys: list[str], numbers: Sequence[float]) -> list[str]:
    """The keys, if two decimals tell them apart.

    Raises:
        MammoError: If not.
    """
    if len(set(keys)) < len(keys):
        raise MammoError(
            'metric',
            field='list of numbers',
            found=list(numbers),
            expected='distinct at two decimals',
            remedy='thin it',
        )
    return keys


def _require(sample: Mapping[str, Any], key: str, remedy: str) -> None:
    if sample.get(key) is None:
        where = f'data sample {sample.get("img_path", sample.get("img_id", ""))}'
        raise MammoError(where, field=key, found='nothing', expected='present', remedy=remedy)


def _boxes(instances: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    boxes = instances.get('bboxes', np.empty((0, 4)))
    return _array(getattr(boxes, 'tensor', boxes), np.float64).reshape(-1, 4)


def _labels(instances: Mapping[str, Any]) -> npt.NDArray[np.int64]:
    return _array(instances.get('labels', np.empty(0)), np.int64)


def _array(values: Any, dtype: type) -> npt.NDArray[Any]:
    if hasattr(values, 'detach'):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=dtype)
