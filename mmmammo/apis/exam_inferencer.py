"""A folder of exams to detections in source pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmmammo.apis.cross_view import rescore_samples
from mmmammo.apis.exam_files import panel_of
from mmmammo.apis.exam_stream import ExamStream
from mmmammo.apis.lesion_letters import with_pairs
from mmmammo.apis.malignancy import MalignancyClassifier
from mmmammo.apis.results import ExamResult, FloatArray, ImageResult
from mmmammo.apis.run_results import gives_boxes, tested_set
from mmmammo.apis.runs import for_testing, load_config, skip_masks
from mmmammo.datasets import FindingViewDataset, ViewClassificationDataset
from mmmammo.datasets.mammogram_dataset import image_record
from mmmammo.engine.inference import speed_up
from mmmammo.engine.precision import use_bfloat16
from mmmammo.evaluation.functional import CrossViewWeights
from mmmammo.models.detectors.multi_view import MultiViewMixin
from mmmammo.models.lesion_matcher import LesionMatcher
from mmmammo.models.necks import AnatomyGraphNeck
from mmmammo.prepare import Prepared, PreparedExam, PrepareOptions, QualityRow, recorded_options
from mmmammo.registry import DATASETS, INFERENCERS
from mmmammo.structures import Affine, CrossViewEvidence, LesionPair, MammoError

BATCH = 4
"""Images that a model of single views is given at once."""


@INFERENCERS.register_module()
class ExamInferencer(ExamStream[ExamResult]):
    """Runs a trained detector on exams as they lie on a user's disk.

    It is called on a folder, on files, or on the annotation file of a prepared set (:func:`list_inputs`). Files are
    grouped into exams and prepared as a dataset is (:func:`mmmammo.prepare.prepare_image`), all views of an exam go
    through the model together, and boxes come back in the pixels of the files. A file that cannot be used is
    reported with its reason and the rest goes on. One exam is in memory at a time, and what workers have prepared.

    Example:
        >>> infer = ExamInferencer('configs/agrcnn_phantom.py', 'work_dirs/agrcnn_phantom/epoch_3.pth')
        >>> for exam in infer.stream('my_exams'):
        ...     print(exam.exam_id, exam.score, exam.missing_views)

    Args:
        config: Config file of the model.
        checkpoint: Its weights; they must know their classes, as those of ``tools/train.py`` do.
        device: ``'cuda:0'``, ``'cpu'``, …; by default the best there is.
        score_thr: Detections below are left out.
        second_stage: Config and checkpoint of a classifier of patches, which then judges how likely each detection is
            malignant; see :class:`mmmammo.apis.MalignancyClassifier`.
        bfloat16: Compute backbone and neck in bfloat16: quicker on a GPU and on CPUs that know it, scores differ in
            the third decimal.
        cross_view: File of ``tools/fit_cross_view.py``: detections are scored anew by the other views of their exam.
        options: How files are prepared. By default those of a classifier as the prepared set of its config was, and
            with a second stage as its set was, which then must be there; else those of a detector cut to the breast, at
            their own resolution.
        cfg_options: Dotted keys of the config to override.

    Raises:
        MammoError: If a file is missing, the model gives scores only, a checkpoint is not its config's, or there is no
            such device.
    """

    def __init__(
        self,
        config: str | Path,
        checkpoint: str | Path,
        device: str | None = None,
        score_thr: float = 0.05,
        second_stage: tuple[str | Path, str | Path] | None = None,
        bfloat16: bool = False,
        cross_view: str | Path | None = None,
        options: PrepareOptions | None = None,
        cfg_options: Mapping[str, Any] | None = None,
    ) -> None:
        self.cross_view = None if cross_view is None else CrossViewWeights.load(cross_view)
        cfg = for_testing(load_config(config, cfg_options))
        init_default_scope(cfg.default_scope)
        _require_boxes(cfg)
        super().__init__(cfg, checkpoint, device, options or _options(cfg, second_stage))
        self.score_thr = score_thr
        skip_masks(self.model)
        speed_up(self.model)
        if bfloat16:
            use_bfloat16(self.model)
        self._graphs = [module for module in self.model.modules() if isinstance(module, AnatomyGraphNeck)]
        for graph in self._graphs:
            graph.store_attention = True
        self.matcher = getattr(self.model, 'lesion_matcher', None) or LesionMatcher()
        if self.cross_view is None:  # else scores change after a model has matched; weak ends of pairs go later
            self.matcher.score_thr = score_thr
        where = next(self.model.parameters()).device
        self.judge = None if second_stage is None else MalignancyClassifier(*second_stage, device=where)

    def infer_prepared(self, exam: PreparedExam) -> ExamResult:
        """The result of an exam whose files are prepared; those that the model's pipeline refuses are rejected too."""
        taken, refused = self.packed(exam.views)
        rejected = (*exam.rejected, *refused)
        if not taken:
            return self.nothing_of(exam.exam_id, rejected)
        views = [view for view, _ in taken]
        for graph in self._graphs:
            graph.attention = None
        at_once = len(taken) if isinstance(self.model, MultiViewMixin) else BATCH
        samples = self.forward_in_batches([data for _, data in taken], at_once)
        for sample, view in zip(samples, views, strict=True):
            # the matcher asks for it, and classifiers pack none
            sample.set_metainfo(_anatomy(view) | sample.metainfo)
        if self.cross_view is not None:
            rescore_samples(samples, self.cross_view)
        attention = next((graph.attention for graph in self._graphs if graph.attention is not None), None)
        images = self.postprocess(samples, views, attention)
        if 'lesion_pairs' not in samples[0]:  # a single-view model: geometry alone
            self.matcher(samples)
        images, pairs = with_pairs(images, self._pairs(samples))
        return ExamResult(exam.exam_id, tuple(images), rejected, pairs)

    def nothing_of(self, exam_id: str, rejected: Sequence[QualityRow]) -> ExamResult:
        """A result without images."""
        return ExamResult(exam_id, (), tuple(rejected))

    def postprocess(
        self, preds: Sequence[DetDataSample], views: Sequence[Prepared], attention: torch.Tensor | None = None
    ) -> list[ImageResult]:
        """Take boxes back to the source, and nodes and attention to the prepared image."""
        return [
            self._image_result(sample, view, None if attention is None else attention[i])
            for i, (sample, view) in enumerate(zip(preds, views, strict=True))
        ]

    def visualize(self, inputs: list[Any], preds: Any, show: bool = False, **kwargs: Any) -> list[np.ndarray]:
        """One panel per exam, (h, w, 3) RGB."""
        return [panel_of(exam) for exam in preds]

    def _kept(self, sample: DetDataSample) -> torch.Tensor:
        """Indices of the detections that are told of, best first."""
        scores = sample.pred_instances.scores
        order = scores.argsort(descending=True, stable=True)
        return order[scores[order] >= self.score_thr]

    def _pairs(self, samples: Sequence[DetDataSample]) -> list[LesionPair]:
        """The matcher's pairs of detections that are told of, with places among the samples and their detections."""
        place = {sample.img_id: i for i, sample in enumerate(samples)}  # a view that the pipeline refuses has a number
        kept = [{old: new for new, old in enumerate(self._kept(sample).tolist())} for sample in samples]
        told = []
        for pair in (pair for sample in samples for pair in sample.lesion_pairs):
            first, second = place[pair.image_id], place[pair.other_image_id]
            ends = kept[first].get(pair.detection), kept[second].get(pair.other_detection)
            if None not in ends:
                moved = {'image_id': first, 'other_image_id': second}
                told.append(replace(pair, detection=ends[0], other_detection=ends[1], **moved))
        return told

    def _image_result(self, sample: DetDataSample, view: Prepared, attention: torch.Tensor | None) -> ImageResult:
        found = sample.pred_instances[self._kept(sample)].cpu()
        boxes = found.bboxes.double().numpy()
        nodes = sample.metainfo.get('nodes')
        return ImageResult(
            prepared=view,
            boxes=_to_source(boxes, view),
            scores=found.scores.double().numpy(),
            labels=found.labels.numpy(),
            nodes=None if nodes is None else _to_prepared(sample).points(nodes),
            attention=None if attention is None or nodes is None else _cut(attention, sample, self._stride),
            malignancy=None if self.judge is None else self.judge(view.pixels, boxes),
            heatmap=sample.get('class_heatmaps'),
            evidence=None if self.cross_view is None else _evidence(found),
        )

    @property
    def _stride(self) -> int:
        return int(self._graphs[0].strides[0])


def _options(cfg: Config, second_stage: tuple[str | Path, str | Path] | None) -> PrepareOptions:
    """How a config's files are prepared where nobody says.

    A detector resizes what it is given; a classifier, of images or of patches, knows one size of pixels only.
    """
    kind = DATASETS.get(tested_set(cfg).type) or object
    if issubclass(kind, ViewClassificationDataset | FindingViewDataset):
        return recorded_options(tested_set(cfg).data_root)
    if second_stage is not None:
        return recorded_options(tested_set(load_config(second_stage[0])).data_root)
    return PrepareOptions()


def _require_boxes(cfg: Config) -> None:
    """Refuse a classifier that gives scores only."""
    if gives_boxes(cfg):
        return
    raise MammoError(
        cfg.filename or 'config',
        field='model',
        found=cfg.model.type,
        expected='a detector, or a classifier that gives boxes or heatmaps',
        remedy='for scores use ScoreInferencer, as tools/infer.py does',
    )


def _anatomy(view: Prepared) -> dict[str, Any]:
    record = image_record(view.image, '')
    return {key: record[key] for key in ('quality', 'landmarks')}


def _evidence(found: InstanceData) -> CrossViewEvidence:
    columns = (found.detector_scores, found.ipsilateral, found.contralateral)
    return CrossViewEvidence(*(column.double().numpy() for column in columns))


def _to_source(boxes: FloatArray, view: Prepared) -> FloatArray:
    rows, columns = view.quality.rows, view.quality.columns
    return np.clip(view.image.affine.inverse().boxes(boxes), 0, (columns, rows, columns, rows))


def _to_prepared(sample: DetDataSample) -> Affine:
    matrix = sample.metainfo.get('homography_matrix')
    return Affine.identity() if matrix is None else Affine(matrix).inverse()


def _cut(attention: torch.Tensor, sample: DetDataSample, stride: int) -> np.ndarray:
    """The part of a padded map that the image covers."""
    height, width = sample.img_shape[:2]
    return attention[: -(-height // stride), : -(-width // stride)].numpy()
