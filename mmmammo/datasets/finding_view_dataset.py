"""Whole views with their findings, numbered as a classifier of patches numbers its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmmammo.datasets.mammogram_dataset import MammogramDataset, Record
from mmmammo.registry import DATASETS
from mmmammo.structures import MammoError, PreparedImage


@DATASETS.register_module()
class FindingViewDataset(MammogramDataset):
    """The images of a prepared set, with class numbers by a list of names instead of the file's own order.

    What :class:`~mmmammo.datasets.PatchDataset` is for patches, this is for the views that its classifier is slid over.

    Args:
        ann_file: Index of one split, relative to ``data_root``.
        classes: Names of the findings, in the order of the classifier's outputs; more than the file has, if need be.
        **kwargs: As :class:`MammogramDataset`.

    Raises:
        MammoError: If the file has a category that is not among the classes.
    """

    def __init__(self, ann_file: str, classes: Sequence[str], **kwargs: Any) -> None:
        self.classes = tuple(classes)
        super().__init__(ann_file, **kwargs)

    def _agreed_classes(self, in_file: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in in_file if name not in self.classes]
        if unknown:
            raise MammoError(
                self.ann_file,
                field='categories',
                found=', '.join(unknown),
                expected=f'some of the classes, {", ".join(self.classes)}',
                remedy='prepare the set with --only, or give the classes that the classifier was trained with',
            )
        return self.classes

    def _record(self, image: PreparedImage, label_of: Mapping[str, int]) -> Record:
        return super()._record(image, {name: label for label, name in enumerate(self.classes)})
