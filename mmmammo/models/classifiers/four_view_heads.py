"""What is said of the features of four views: breasts, as NYU's model has it, or the exam."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.nn import functional as F

from mmmammo.models.classifiers.four_views import SIDES, FourViews
from mmmammo.registry import MODELS
from mmmammo.structures import STANDARD_VIEWS, MammoError

BREAST_CLASSES = ('benign', 'malignant')


@MODELS.register_module()
class BreastHead(BaseModule):
    """Benign and malignant findings of either breast, from each projection by itself, and their mean.

    Per projection: left and right feature side by side -> linear, ReLU -> four outputs of two, in the order left
    benign, right benign, left malignant, right malignant; a log-softmax over each two. The score of a breast is the
    mean probability of the projections that show it.

    The loss is the mean negative log-likelihood over projections, breasts and classes, of images that are there and
    labels that are known; 0 with zero gradient where there are none.

    Args:
        in_channels: Of one image's feature.
        hidden_channels: 512 in the paper.
        reported: Classes that become ``pred_score`` (and ``gt_score``), in this order; the malignant alone by default,
            which is the paper's score of a breast.

    Raises:
        MammoError: If a class is unknown.
    """

    def __init__(
        self, in_channels: int = 256, hidden_channels: int = 512, reported: Sequence[str] = BREAST_CLASSES[1:]
    ) -> None:
        super().__init__()
        if not reported or not set(reported) <= set(BREAST_CLASSES):
            raise MammoError(
                'BreastHead',
                field='reported',
                found=tuple(reported),
                expected=f'some of {BREAST_CLASSES}',
                remedy='correct the config',
            )
        self.reported = [BREAST_CLASSES.index(name) for name in reported]
        outputs = 2 * len(SIDES) * len(BREAST_CLASSES)
        self.branches = nn.ModuleDict(
            {
                view.value: nn.Sequential(
                    nn.Linear(len(SIDES) * in_channels, hidden_channels), nn.ReLU(), nn.Linear(hidden_channels, outputs)
                )
                for view in STANDARD_VIEWS
            }
        )

    def forward(self, feats: Tensor) -> Tensor:
        """Log-probabilities.

        Args:
            feats: (exams, views, sides, c).

        Returns:
            (exams, views, sides, classes, 2); the last axis is (absent, present).
        """
        out = [self.branches[view.value](feats[:, i].flatten(1)) for i, view in enumerate(STANDARD_VIEWS)]
        logits = torch.stack(out, dim=1).unflatten(-1, (len(BREAST_CLASSES), len(SIDES), 2))
        return logits.transpose(2, 3).log_softmax(dim=-1)

    def loss(self, feats: Tensor, views: FourViews, data_samples: Sequence[DataSample]) -> dict[str, Tensor]:
        """Negative log-likelihood; see the class.

        Args:
            feats: (exams, views, sides, c).
            views: Which image is what.
            data_samples: Per image, with ``gt_score`` (classes,) of its breast: 0, 1, or nan where unknown.
        """
        labels = views.by_breast(breast_labels(data_samples, feats))[:, None].expand(-1, len(STANDARD_VIEWS), -1, -1)
        counted = views.present.to(feats.device)[..., None] & ~labels.isnan()
        chosen = labels.nan_to_num().long()[..., None]
        each = -self(feats).gather(-1, chosen)[..., 0]
        return {'loss_cls': (each * counted).sum() / counted.sum().clamp_min(1)}

    def scores(self, feats: Tensor, views: FourViews) -> Tensor:
        """(exams, sides, classes) mean probabilities; nan for a breast that no image shows."""
        there = views.present.to(feats.device)[..., None]
        return (self(feats)[..., 1].exp() * there).sum(dim=1) / there.sum(dim=1)

    def predict(self, scores: Tensor, views: FourViews, data_samples: Sequence[DataSample]) -> list[DataSample]:
        """Give every image's sample the scores of its breast.

        Args:
            scores: As :meth:`scores` gives them.
            views: Which image is what.
            data_samples: Per image.
        """
        for sample, found in zip(data_samples, views.of_breasts(scores), strict=True):
            sample.set_metainfo({'num_classes': len(self.reported)})
            truth = sample.get('gt_score')
            if truth is not None:
                sample.pop('gt_score')
                known = truth[self.reported]
                if not known.isnan().any():  # a metric would take nan for no
                    sample.set_gt_score(known)
            sample.set_pred_score(found[self.reported])
        return list(data_samples)


@MODELS.register_module()
class ExamHead(BaseModule):
    """Cancer in the exam, from all four features: the "Adapted" model of paper 4.

    The paper says that NYU's head was replaced. Ours: the features side by side -> linear, ReLU -> two outputs, with a
    cross-entropy. A missing image is a zero feature.

    Args:
        in_channels: Of one image's feature.
        hidden_channels: Of the layer between.
    """

    scored_unit = 'exam'
    """All its images have one score."""

    def __init__(self, in_channels: int = 256, hidden_channels: int = 512) -> None:
        super().__init__()
        places = len(STANDARD_VIEWS) * len(SIDES)
        self.layers = nn.Sequential(
            nn.Linear(places * in_channels, hidden_channels), nn.ReLU(), nn.Linear(hidden_channels, 2)
        )

    def forward(self, feats: Tensor) -> Tensor:
        """(exams, 2) logits from (exams, views, sides, c)."""
        logits: Tensor = self.layers(feats.flatten(1))
        return logits

    def loss(self, feats: Tensor, views: FourViews, data_samples: Sequence[DataSample]) -> dict[str, Tensor]:
        """Cross-entropy of exams.

        Args:
            feats: (exams, views, sides, c).
            views: Which image is what.
            data_samples: Per image, with ``gt_label`` of its exam.
        """
        labels = torch.zeros(views.num_exams, dtype=torch.long)
        for exam, sample in zip(views.exam.tolist(), data_samples, strict=True):
            labels[exam] = int(_labelled(sample, 'gt_label'))
        return {'loss_cls': F.cross_entropy(self(feats), labels.to(feats.device))}

    def scores(self, feats: Tensor, views: FourViews) -> Tensor:
        """(exams, 2) probabilities."""
        return self(feats).softmax(dim=1)

    def predict(self, scores: Tensor, views: FourViews, data_samples: Sequence[DataSample]) -> list[DataSample]:
        """Give every image's sample the scores of its exam.

        Args:
            scores: As :meth:`scores` gives them.
            views: Which image is what.
            data_samples: Per image.
        """
        for sample, found in zip(data_samples, scores[views.exam.to(scores.device)], strict=True):
            sample.set_pred_score(found)
        return list(data_samples)


def breast_labels(data_samples: Sequence[DataSample], like: Tensor) -> Tensor:
    """(n, classes) ``gt_score`` of the samples, where ``like`` is.

    Raises:
        MammoError: If a sample has none, or one of another length.
    """
    labels = [_labelled(sample, 'gt_score') for sample in data_samples]
    for sample, found in zip(data_samples, labels, strict=True):
        if len(found) != len(BREAST_CLASSES):
            raise _error(sample, 'gt_score', f'{len(found)} entries', f'{len(BREAST_CLASSES)}: {BREAST_CLASSES}')
    return torch.stack(labels).to(like)


def _labelled(sample: DataSample, key: str) -> Tensor:
    found = sample.get(key)
    if found is None:
        raise _error(sample, key, 'nothing', 'a label')
    return found


def _error(sample: DataSample, field: str, found: str, expected: str) -> MammoError:
    return MammoError(
        f'image {sample.get("img_path", "")}',
        field=field,
        found=found,
        expected=expected,
        remedy='give mmmammo.FourViewDataset `breasts` for a BreastHead, `exam` for an ExamHead',
    )
