"""The patches of paper 1: around every finding, and from normal views."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from mmengine.logging import MMLogger

from mmmammo.datasets.mammogram_dataset import MammogramDataset, Record, require_prepared
from mmmammo.io.exam_index import read_index
from mmmammo.registry import DATASETS
from mmmammo.structures import MammoError, PreparedImage

NO_FINDING = 'no_finding'
"""Name of the output that says so, where a model has one; and of patches from normal views in counts."""


@DATASETS.register_module()
class PatchDataset(MammogramDataset):
    """Patches of a prepared set with several labels each, for the classifier of paper 1.

    A sample is a *proposal*: its record names a view and the box that a patch is to be drawn around, or none for a
    patch of a normal view. The pipeline draws it anew each time::

        OpenView -> SamplePatch -> CutPatch -> augmentations -> PackView

    Findings of equal boxes are one box with several categories, as VinDr-Mammo has them. Normal are the views without
    any finding.

    Args:
        ann_file: Index of one split, relative to ``data_root``.
        classes: Names of the outputs, in order; by default those of the file. Findings of other categories are an
            error; a class without an example is not: its name is in the log, and its output learns to be 0.
        no_finding: Add a last class :data:`NO_FINDING`. The paper has none, although its second table counts one, and
            less than half of a per cent of its patches seem to be without any class above the threshold.
        proposals: Samples per box; 10 in the paper.
        normals: Samples per normal view.
        sizes_from: Index, relative to ``data_root``, of whose boxes normal patches take their sizes: that of the
            training set; by default this file.
        cache: Folder of decoded views, relative to ``data_root``; see :mod:`mmmammo.datasets.view_store`. ``None``
            decodes the view anew for every patch.
        **kwargs: As :class:`MammogramDataset`.

    Raises:
        MammoError: As :class:`MammogramDataset` (a box outside its view among them), and if a category is not among
            the classes, a number makes no sense, or there is nothing to draw.
    """

    def __init__(
        self,
        ann_file: str,
        classes: Sequence[str] | None = None,
        no_finding: bool = False,
        proposals: int = 10,
        normals: int = 1,
        sizes_from: str | None = None,
        cache: str | None = 'decoded_views',
        **kwargs: Any,
    ) -> None:
        if proposals < 1 or normals < 0:
            raise _error(ann_file, 'proposals, normals', (proposals, normals), 'at least 1 and at least 0')
        self.asked_classes = None if classes is None else tuple(classes)
        self.no_finding = no_finding
        self.proposals = proposals
        self.normals = normals
        self.sizes_from = sizes_from
        self.cache = cache
        self.sizes: npt.NDArray[np.float64] = np.zeros((0, 2))
        super().__init__(ann_file, **kwargs)

    def load_data_list(self) -> list[Record]:
        """Read the index; one record per proposal, those of normal views last."""
        views = super().load_data_list()
        self.sizes = self._sizes(views)
        records = self._proposals(views)
        if not records:
            raise _error(self.ann_file, 'patches', 'no finding, and no normal view', 'either')
        self._tell_absent(records)
        return records

    def get_data_info(self, idx: int) -> Record:
        """The record, with the sizes that all share."""
        record: Record = super().get_data_info(idx)
        return record | {'patch_sizes': self.sizes}

    def get_cat_ids(self, idx: int) -> list[int]:
        """Classes of the box that a sample is drawn around; empty for a normal one."""
        return list(self.get_data_info(idx)['source_labels'])

    def sample_weights(self) -> npt.NDArray[np.float64]:
        """(n,) weight of each sample: the greatest 1 / n_class over its classes, normal patches being one of them.

        With one class each, all classes that occur are drawn equally often.
        """
        classes = [tuple(self.get_cat_ids(i)) or (NO_FINDING,) for i in range(len(self))]
        counts = Counter(name for names in classes for name in names)
        return np.array([max(1 / counts[name] for name in names) for names in classes])

    def __repr__(self) -> str:
        """Counts of proposals per class."""
        head = f'{type(self).__name__}({self.ann_file}'
        if not self._fully_initialized:
            return f'{head}, not loaded yet)'
        counts = Counter(label for i in range(len(self)) for label in self.get_cat_ids(i))
        parts = [f'{name} {counts[label]}' for label, name in enumerate(self._finding_classes)]
        normal = sum(not self.get_cat_ids(i) for i in range(len(self)))
        return f'{head}, {len(self)} patches: {", ".join(parts)}, round no finding {normal})'

    def _proposals(self, views: Sequence[Record]) -> list[Record]:
        findings = [self._proposal(view, i, k) for view in views for i in range(_count(view)) for k in self._drawn]
        normal = [self._proposal(view, None, k) for view in views if not _count(view) for k in range(self.normals)]
        if normal and not len(self.sizes):
            raise _error(self.ann_file, 'boxes', 'none', 'some, for the sizes of normal patches; see sizes_from')
        return findings + normal

    @property
    def _finding_classes(self) -> tuple[str, ...]:
        classes: tuple[str, ...] = self.metainfo['classes']
        return classes[:-1] if self.no_finding else classes

    @property
    def _drawn(self) -> range:
        return range(self.proposals)

    def _agreed_classes(self, in_file: tuple[str, ...]) -> tuple[str, ...]:
        classes = in_file if self.asked_classes is None else self.asked_classes
        return (*classes, NO_FINDING) if self.no_finding else classes

    def _record(self, image: PreparedImage, label_of: Mapping[str, int]) -> Record:
        """What the proposals of a view share; without landmarks, which no patch has a use for."""
        record = super()._record(image, label_of)
        boxes, labels = self._boxes(image)
        shared = {
            'landmarks': None,
            'patch_boxes': boxes,
            'patch_box_labels': labels,
            'has_no_finding_output': self.no_finding,
            'cache': None if self.cache is None else str(Path(self.data_root or '', self.cache)),
        }
        return record | shared

    def _boxes(self, image: PreparedImage) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
        """(m, 4) boxes and (m, c) multi-hot categories."""
        classes = self._finding_classes
        where = f'{self.ann_file}, image {image.file_name}'
        merged: dict[tuple[float, ...], list[float]] = {}
        for finding in image.findings:
            if finding.category not in classes:
                raise _error(where, 'category', finding.category, f'one of the classes, {", ".join(classes)}')
            hot = merged.setdefault(finding.bbox, [0.0] * len(classes))
            hot[classes.index(finding.category)] = 1.0
        boxes = np.array(list(merged), dtype=np.float64).reshape(-1, 4)
        return boxes, np.array(list(merged.values()), dtype=np.float32).reshape(-1, len(classes))

    def _sizes(self, views: Iterable[Record]) -> npt.NDArray[np.float64]:
        """(k, 2) widths and heights of the boxes of ``sizes_from``."""
        if self.sizes_from is None:
            return _sizes_of([view['patch_boxes'] for view in views])
        path = Path(self.data_root or '', self.sizes_from)
        require_prepared(path, self.data_root)
        return _sizes_of([self._boxes(image)[0] for image in read_index(path).images])

    def _proposal(self, view: Record, source: int | None, number: int) -> Record:
        labels = [] if source is None else np.flatnonzero(view['patch_box_labels'][source]).tolist()
        box = [] if source is None else view['patch_boxes'][source].tolist()
        name = 'normal' if source is None else f'box{source}'
        mine = {
            'img_id': f'{view["img_id"]}-{name}-{number}',
            'patch_source': source,
            'patch_seed': [view['img_id'], 0 if source is None else source + 1, number],
            'source_labels': labels,
            # what counts and samplers of detection sets look at
            'instances': [{'bbox': box, 'bbox_label': label, 'ignore_flag': 0} for label in labels],
        }
        return view | mine

    def _tell_absent(self, records: Sequence[Record]) -> None:
        present = {label for record in records for label in record['source_labels']}
        absent = [name for label, name in enumerate(self._finding_classes) if label not in present]
        if absent:
            MMLogger.get_current_instance().warning(f'{self.ann_file} has no example of {", ".join(absent)}')


def _sizes_of(boxes: Sequence[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    every = np.concatenate([np.zeros((0, 4)), *boxes])
    sizes: npt.NDArray[np.float64] = every[:, 2:] - every[:, :2]
    return sizes


def _count(view: Record) -> int:
    return len(view['patch_boxes'])


def _error(where: str, field: str, found: object, expected: str) -> MammoError:
    return MammoError(
        where, field=field, found=found, expected=expected, remedy='correct the config, or prepare the set again'
    )
