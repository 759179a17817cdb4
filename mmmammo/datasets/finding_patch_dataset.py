"""The findings of a prepared set, one by one, with what pathology said of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmmammo.datasets.mammogram_dataset import MammogramDataset, Record
from mmmammo.registry import DATASETS
from mmmammo.structures import MammoError, PreparedImage

PATHOLOGIES = ('benign', 'malignant')
"""The classes, in the order of their labels."""


@DATASETS.register_module()
class FindingPatchDataset(MammogramDataset):
    """The findings of a prepared set whose pathology is known, for classifiers of patches.

    A record is that of the image, with ``bbox`` (x1, y1, x2, y2) in its pixels, ``gt_label`` (0 benign, 1 malignant),
    ``lesion_id`` and ``category``; :class:`~mmmammo.datasets.transforms.CropFinding` cuts the patch out. Findings of
    unknown pathology are left out. A lesion seen in two views is two samples, always of one split.

    Args:
        ann_file: Index of one split, relative to ``data_root``.
        **kwargs: As :class:`MammogramDataset`.

    Raises:
        MammoError: As :class:`MammogramDataset`, and if no finding has a pathology.
    """

    def load_data_list(self) -> list[Record]:
        """Read the index; one record per finding."""
        records = [finding for image in super().load_data_list() for finding in image.pop('findings')]
        if not records:
            raise MammoError(
                self.ann_file,
                field='pathology',
                found='no finding that has one',
                expected=f'some findings with {" or ".join(PATHOLOGIES)}',
                remedy='use a source that knows it (cbis_ddsm, cmmd, inbreast, ddsm, mias, phantom)',
            )
        self._metainfo['classes'] = PATHOLOGIES
        return records

    def _record(self, image: PreparedImage, label_of: Mapping[str, int]) -> Record:
        """The record of an image, with those of its findings."""
        record = super()._record(image, label_of)
        known = [finding for finding in image.findings if finding.pathology in PATHOLOGIES]
        return record | {'findings': [_finding_record(record, finding) for finding in known]}


def _finding_record(image: Record, finding: Any) -> Record:
    label = PATHOLOGIES.index(finding.pathology)
    mine = {
        'bbox': list(finding.bbox),
        'gt_label': label,
        'lesion_id': finding.lesion_id,
        'category': finding.category,
        # what counts and samplers of detection sets look at
        'instances': [{'bbox': list(finding.bbox), 'bbox_label': label, 'ignore_flag': 0}],
    }
    return image | mine
