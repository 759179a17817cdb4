"""No training on a set that has nothing to learn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mmdet.models.detectors import BaseDetector
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmmammo.datasets import MammogramDataset, ViewClassificationDataset
from mmmammo.registry import HOOKS
from mmmammo.structures import MammoError


@HOOKS.register_module()
class TrainingTruthHook(Hook):
    """Refuses to train a detector without a single box, and a classifier on labels that are all the same.

    Several public sets come without boxes: on them a detector would learn in silence to find nothing, and a classifier
    that asks whether there is a finding to say no. ``tools/train.py`` adds it to every run.

    Raises:
        MammoError: Saying what is missing, and what to do.
    """

    def before_train(self, runner: Runner) -> None:
        """Check the training set."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        datasets = list(_innermost(runner.train_dataloader.dataset))
        if datasets and all(isinstance(dataset, ViewClassificationDataset) for dataset in datasets):
            _require_two_labels(datasets)
        elif all(isinstance(dataset, MammogramDataset) for dataset in datasets) and isinstance(model, BaseDetector):
            _require_box(datasets)


def _innermost(dataset: Any) -> Iterator[Any]:
    """What mmengine's wrappers (repeated, concatenated, balanced) are of."""
    inner = [*getattr(dataset, 'datasets', ()), *([dataset.dataset] if hasattr(dataset, 'dataset') else [])]
    for one in inner:
        yield from _innermost(one)
    if not inner:
        yield dataset


def _require_box(datasets: Sequence[MammogramDataset]) -> None:
    if not any(dataset.has_findings().any() for dataset in datasets):
        raise MammoError(
            ', '.join(dataset.ann_file for dataset in datasets),
            field='annotations',
            found=f'no box in {sum(map(len, datasets))} samples',
            expected='at least one, to train a detector',
            remedy='prepare a source that has boxes (data/README.md says which do; a cohort needs annotations.csv), '
            'and with --only a category that occurs',
        )


def _require_two_labels(datasets: Sequence[ViewClassificationDataset]) -> None:
    records = (record for dataset in datasets for record in dataset.iter_images())
    labels = (record.get('gt_label', record.get('gt_score')) for record in records)
    found = {tuple(label) if isinstance(label, list) else label for label in labels}
    if len(found) < 2:
        keys = ', '.join(datasets[0].rule.keys)
        raise MammoError(
            ', '.join(dataset.ann_file for dataset in datasets),
            field=f'labels {keys}',
            found=f'{", ".join(map(str, found))} for all {sum(map(len, datasets))} samples',
            expected='at least two different labels, to train a classifier',
            remedy="ask for another label of the set (the dataset's labels), or prepare a source that has this one: "
            'has_finding needs boxes (data/README.md says which sources have them)',
        )
