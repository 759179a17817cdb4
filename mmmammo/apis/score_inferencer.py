"""A folder of exams to scores of images, breasts and exams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample
from torch import nn

from mmmammo.apis.exam_stream import ExamStream
from mmmammo.apis.frozen import Frozen
from mmmammo.apis.run_results import tested_set
from mmmammo.apis.runs import for_testing, load_config
from mmmammo.apis.score_results import ExamScores, FloatArray, ImageScores
from mmmammo.apis.score_rules import columns_of_scores, names_of_scores, rule_of_model, unit_of_scores
from mmmammo.datasets import ExamDataset, FourViewDataset, ViewClassificationDataset
from mmmammo.datasets.four_view_dataset import four_views
from mmmammo.datasets.mammogram_dataset import image_record, reading_order
from mmmammo.datasets.transforms.nyu_window import LoadPatchHeatmaps
from mmmammo.engine.fast_layers import use_fast_layers
from mmmammo.evaluation.functional import exam_scores
from mmmammo.evaluation.functional.aggregation import breast_scores
from mmmammo.evaluation.functional.recalibration import NEAREST_TO_CERTAIN, log_odds
from mmmammo.evaluation.metrics.classification_metric import TableColumns
from mmmammo.evaluation.metrics.classifier_samples import scores_of_sample
from mmmammo.evaluation.summary.exam_rules import SCALE, ExamRule
from mmmammo.models.classifiers.flip_average import FlipAverage
from mmmammo.prepare import Prepared, PreparedExam, PrepareOptions, QualityRow, recorded_options
from mmmammo.prepare.exams import rejected_row
from mmmammo.registry import DATASETS, INFERENCERS, TRANSFORMS
from mmmammo.structures import Laterality, MammoError

_NO_PLACE = 'not one of the four standard views, or a repeat: the model has a place for one image of each'


@INFERENCERS.register_module()
class ScoreInferencer(ExamStream[ExamScores]):
    """Runs a trained classifier on exams as they lie on a user's disk; nobody need know what they show.

    It is called on a folder, on files, or on the annotation file of a prepared set (:func:`list_inputs`). Files are
    grouped into exams and prepared as the model's training set was. The model gets what is a sample to it, an image or
    an exam with its views; scores of breasts and exams are put together as the config's metrics do it. A file that
    cannot be used is reported with its reason and the rest goes on. One exam is in memory at a time, and what workers
    have prepared.

    Example:
        >>> score = ScoreInferencer('configs/holistic_phantom.py', 'work_dirs/holistic_phantom/epoch_60.pth')
        >>> for exam in score.stream('my_exams'):
        ...     print(exam.exam_id, exam.exam, exam.breasts)

    Args:
        config: Config file of the model.
        checkpoint: Its weights; they must know their classes, as those of ``tools/train.py`` do.
        device: ``'cuda:0'``, ``'cpu'``, …; by default the best there is.
        options: How files are prepared; by default as the prepared set of the config was, which then must be there.
        frozen: Calibration and threshold of images, of models with one score.
        cfg_options: Dotted keys of the config to override.
        flip: Take the mean over each image and its mirror image, as ``tools/test.py --tta`` does.

    Raises:
        MammoError: If a file is missing, the model is no classifier of views or exams, a checkpoint is not its
            config's, there is no such device, or nothing says how files are to be prepared.
    """

    def __init__(
        self,
        config: str | Path,
        checkpoint: str | Path,
        device: str | None = None,
        options: PrepareOptions | None = None,
        frozen: Frozen | None = None,
        cfg_options: Mapping[str, Any] | None = None,
        flip: bool = False,
    ) -> None:
        cfg = for_testing(load_config(config, cfg_options))
        init_default_scope(cfg.default_scope)
        self.dataset = _kind_of_set(cfg)
        _require_pixels_only(cfg)
        super().__init__(cfg, checkpoint, device, options or recorded_options(tested_set(cfg).data_root))
        use_fast_layers(self.model)
        self.classes = _told_classes(self.model, self.classes)
        self.frozen = frozen or Frozen()
        self.frozen.require_unit(unit_of_scores(self.model))
        self._looks = FlipAverage(self.model) if flip else self.model
        self.columns: TableColumns | None = None  # known once the model has said something
        self.rule: ExamRule | None = None
        self._nearest = NEAREST_TO_CERTAIN  # that a probability may come to 0 and 1

    def infer_prepared(self, exam: PreparedExam) -> ExamScores:
        """The scores of a prepared exam; views without a place in the model are in ``rejected``, too."""
        chosen, left_out = self._chosen(exam.views)
        taken, refused = self.packed(chosen)
        # one by one, if it judges images: some models need gigabytes for each
        at_once = max(len(taken), 1) if issubclass(self.dataset, ExamDataset) else 1
        samples = self.forward_in_batches([data for _, data in taken], at_once)
        images = self._counted(self.postprocess(samples, [view for view, _ in taken]))
        names = () if self.columns is None else names_of_scores(self.columns, self.classes)
        rows = (*exam.rejected, *left_out, *refused)
        return ExamScores(exam.exam_id, names, tuple(images), *self._put_together(images), rows)

    @torch.no_grad()
    def forward(self, inputs: dict[str, Any] | tuple[Any, ...], **kwargs: Any) -> list[DataSample]:
        """What the model says of a batch, looking once or twice."""
        return list(self._looks.test_step(inputs))

    def nothing_of(self, exam_id: str, rejected: Sequence[QualityRow]) -> ExamScores:
        """Scores of no image."""
        names = () if self.columns is None else names_of_scores(self.columns, self.classes)
        return ExamScores(exam_id, names, (), *self._put_together([]), tuple(rejected))

    def postprocess(self, preds: Sequence[DataSample], views: Sequence[Prepared], **kwargs: Any) -> list[ImageScores]:
        """The scores that are told of, and windows in the pixels of the files."""
        if preds and self.columns is None:
            self.columns = columns_of_scores(self.cfg, len(scores_of_sample(preds[0])))
            self.rule = rule_of_model(self.model, self.cfg, self.columns)
            if preds[0].pred_score.dtype == torch.float64:
                self._nearest = float(np.finfo(np.float64).eps)
        return [self._image_scores(sample, view) for sample, view in zip(preds, views, strict=True)]

    def _image_scores(self, sample: DataSample, view: Prepared) -> ImageScores:
        outputs = () if self.columns is None else self.columns.outputs
        scores = self.frozen.probabilities(scores_of_sample(sample)[list(outputs)])
        return ImageScores(view, scores, _window(sample, view), called=self.frozen.called(scores))

    def visualize(self, inputs: list[Any], preds: Any, show: bool = False, **kwargs: Any) -> list[np.ndarray]:
        """None: see :func:`mmmammo.apis.score_files.score_panel`."""
        return []

    def _chosen(self, views: Sequence[Prepared]) -> tuple[list[Prepared], list[QualityRow]]:
        """The views that the model has a place for, in reading order, and the others with the reason."""
        views = sorted(views, key=lambda view: reading_order(view.image))
        if not issubclass(self.dataset, FourViewDataset):
            return views, []
        kept = _one_of_each(views)
        rows = [view.quality for i, view in enumerate(views) if i not in kept]
        return [views[i] for i in kept], [rejected_row(row.path, row.exam_id, _NO_PLACE) for row in rows]

    def _counted(self, images: list[ImageScores]) -> list[ImageScores]:
        """Which images count in the scores of breasts and exams.

        Those of known side; of a sum, which grows with every image, one of each standard view, as in paper 4's exams.
        All, where the model gives the exam one score.
        """
        if self.rule is None or self.rule.single == 'exam':
            return images
        one_of_each = _one_of_each([image.prepared for image in images])
        return [
            replace(image, counts=i in one_of_each if self.rule.breast == 'sum' else _has_side(image.prepared))
            for i, image in enumerate(images)
        ]

    def _put_together(self, images: Sequence[ImageScores]) -> tuple[dict[str, FloatArray], FloatArray | None]:
        """Scores of breasts, and of the exam."""
        counted = [image for image in images if image.counts]
        if not counted or self.rule is None:
            return {}, None
        if self.rule.single == 'exam':
            return {}, counted[0].scores
        sides = [image.prepared.image.laterality.value for image in counted]
        table = np.stack([image.scores for image in counted])
        columns = [_log_odds(column, self._nearest) if self.rule.scale == SCALE else column for column in table.T]
        exam = ['exam'] * len(sides)
        of_breasts = [breast_scores(column, exam, sides, self.rule.breast) for column in columns]
        breasts = {side: np.array([one.scores[i] for one in of_breasts]) for i, side in enumerate(sorted(set(sides)))}
        whole = [exam_scores(column, exam, sides, self.rule.breast, self.rule.exam).scores[0] for column in columns]
        return breasts, np.array(whole)


def _kind_of_set(cfg: Config) -> type:
    """The data set's class, if it is one of views or exams with labels."""
    kind = DATASETS.get(tested_set(cfg).type)
    if kind is not None and issubclass(kind, ViewClassificationDataset | FourViewDataset):
        return kind
    raise MammoError(
        cfg.filename or 'config',
        field='test_dataloader.dataset.type',
        found=tested_set(cfg).type,
        expected='a set of labelled views or exams',
        remedy='give tools/infer.py a detector, a classifier of views or exams, or, of a patch classifier, the config '
        'that slides it (configs/patch/…_sliding.py); malignancy_… is for --malignancy beside a detector',
    )


def _told_classes(model: nn.Module, classes: tuple[str, ...]) -> tuple[str, ...]:
    """The classes of the outputs of a head that tells of some only."""
    told = getattr(getattr(model, 'head', None), 'reported', None)
    return classes if told is None else tuple(classes[i] for i in told)


def _require_pixels_only(cfg: Config) -> None:
    """Refuse models that need more of an image than its pixels."""
    kinds = [TRANSFORMS.get(step.type) for step in tested_set(cfg).pipeline]
    if LoadPatchHeatmaps in kinds:
        raise MammoError(
            cfg.filename or 'config',
            field='test_dataloader.dataset.pipeline',
            found='LoadPatchHeatmaps',
            expected='a model of pixels alone',
            remedy='use the image-only config (configs/nyu_pretrained_cohort.py), or prepare the exams, run '
            'tools/patch_heatmaps.py on them and then tools/test.py',
        )


def _one_of_each(views: Sequence[Prepared]) -> list[int]:
    """Indices of the images that :func:`four_views` keeps."""
    records = [image_record(view.image, '') | {'place': i} for i, view in enumerate(views)]
    return [record['place'] for record in four_views(records)]


def _has_side(view: Prepared) -> bool:
    return view.image.laterality is not Laterality.UNKNOWN


def _log_odds(probabilities: FloatArray, nearest: float) -> FloatArray:
    """The same of a probability whatever stands beside it, so that exams of several calls can be ranked."""
    return log_odds(np.clip(probabilities, nearest, 1 - nearest))


def _window(sample: DataSample, view: Prepared) -> FloatArray | None:
    """Where an Attention model looked, in source pixels."""
    if 'roi' not in sample:
        return None
    window: FloatArray = view.image.affine.inverse().boxes(np.asarray(sample.roi, dtype=float)[None])[0]
    return window
