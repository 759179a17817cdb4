"""What every detection metric needs: boxes, scores and labels of each image as small arrays on the CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.anatomy import rescored
from mmmammo.evaluation.functional import CrossViewWeights
from mmmammo.evaluation.metrics.gathered_metric import GatheredMetric, require
from mmmammo.io.predictions import IDENTITY_KEYS
from mmmammo.structures import ImagePrediction, MammoError


class DetectionMetric(GatheredMetric):
    """Base of metrics that compare ``pred_instances`` with ``gt_instances``, both in prepared pixels.

    Subclasses fill :meth:`score`. ``ignored_instances``, where present, are regions in which detections do not count.

    Args:
        score_thr: Detections below this score are left out.
        cross_view: File of ``tools/fit_cross_view.py``: every detection is scored anew by the other views of its exam,
            whether or not the model saw them together. Samples then need ``exam_id`` and ``landmarks``.
        **kwargs: See :class:`GatheredMetric`.
    """

    def __init__(self, score_thr: float = 0.0, cross_view: str | Path | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.score_thr = score_thr
        self.cross_view = None if cross_view is None else CrossViewWeights.load(cross_view)

    def record(self, sample: Mapping[str, Any]) -> ImagePrediction:
        """Boxes, scores and labels of one image; its landmarks too if other views are to be asked.

        Raises:
            MammoError: If the sample lacks what is asked for.
        """
        image = image_prediction(sample)
        if self.cross_view is None:
            return image.above(self.score_thr)
        for key in ('exam_id', 'landmarks'):
            if key not in sample:
                raise MammoError(
                    f'data sample {sample.get("img_path", image.image_id)}',
                    field=key,
                    found='nothing',
                    expected='present, to find the same place in the other views',
                    remedy='use mmmammo.PackMammogram in the test pipeline, or drop cross_view',
                )
        return replace(image, landmarks=sample['landmarks'])

    def completed(self, images: list[ImagePrediction]) -> list[ImagePrediction]:
        """The images after their exams are together: detections scored anew, if so wanted."""
        if self.cross_view is None:
            return images
        return [image.above(self.score_thr) for image in rescored(images, self.cross_view.apply)]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The class list of the data set's boxes: its ``box_classes``, if it has classes of images besides.

        Raises:
            MammoError: If the data set has none.
        """
        meta = self.dataset_meta or {}
        names = meta.get('box_classes') or meta.get('classes')
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
    require(sample, 'img_id', "add 'img_id' to the meta_keys of the test pipeline's PackDetInputs")
    require(sample, 'gt_instances', 'add LoadAnnotations, after Resize, to the test pipeline')
    require(sample, 'pred_instances', 'the model must return predictions (mode="predict")')
    height, width = sample.get('ori_shape', (0, 0))[:2]
    given = {key: str(sample[key]) for key in IDENTITY_KEYS if sample.get(key) is not None}
    given |= {'file_name': str(sample.get('img_path', '')), 'width': int(width), 'height': int(height)}
    spacing = sample.get('pixel_spacing_mm')
    found, truth, ignored = (sample.get(f'{kind}_instances') or {} for kind in ('pred', 'gt', 'ignored'))
    lesion_ids = tuple(sample.get('lesion_ids') or ())
    # those of a training pipeline, whose transforms drop findings, are of no use here
    given['gt_lesion_ids'] = lesion_ids if any(lesion_ids) and len(lesion_ids) == len(_boxes(truth)) else ()
    return ImagePrediction(
        image_id=int(sample['img_id']),
        **given,
        pixel_spacing_mm=None if spacing is None else float(spacing),
        boxes=_inside(_boxes(found), width, height),
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


def _boxes(instances: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    boxes = instances.get('bboxes', np.empty((0, 4)))
    return _array(getattr(boxes, 'tensor', boxes), np.float64).reshape(-1, 4)


def _inside(boxes: npt.NDArray[np.float64], width: int, height: int) -> npt.NDArray[np.float64]:
    """Cut at the border of the image, where its size is known: YOLO's heads do not do it themselves."""
    return np.clip(boxes, 0, (width, height, width, height)) if width and height else boxes


def _labels(instances: Mapping[str, Any]) -> npt.NDArray[np.int64]:
    return _array(instances.get('labels', np.empty(0)), np.int64)


def _array(values: Any, dtype: type) -> npt.NDArray[Any]:
    if hasattr(values, 'detach'):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=dtype)
