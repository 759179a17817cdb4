"""A prepared set, image by image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from mmdet.datasets import BaseDetDataset

from mmmammo.datasets.fold_part import FoldPart
from mmmammo.io.exam_index import PreparedSet, check_patient_disjoint, read_index
from mmmammo.registry import DATASETS
from mmmammo.structures import STANDARD_VIEWS, Finding, MammoError, PreparedImage, View

Record = dict[str, Any]

FILTER_KEYS = ('filter_empty_gt',)


@DATASETS.register_module()
class MammogramDataset(BaseDetDataset):
    """The images of a prepared set, for detectors that look at one image at a time.

    The set is what ``tools/prepare_dataset.py`` writes::

        data_root
        ├── annotations
        │   ├── train.json
        │   ├── val.json
        │   └── test.json
        └── images
            └── <exam>
                └── <image>.png     16-bit, chest wall on the left

    Images come sorted by exam, side and view. Every record has the keys of mmdet (``img_path``, ``img_id``, ``height``,
    ``width``, ``instances``) and ``exam_id``, ``patient_id``, ``laterality``, ``view``, ``quality``,
    ``pixel_spacing_mm``, ``affine``, ``labels`` and ``landmarks``; see docs/conventions.md.

    Args:
        ann_file: Index of one split, relative to ``data_root``.
        data_root: The prepared set.
        data_prefix: Where images lie, relative to ``data_root``.
        metainfo: May hold ``classes``. They are read from the file by default; given ones must equal the file's, in
            order, because labels are positions in this list.
        disjoint_from: Further index files whose patients must not occur in this one.
        filter_cfg: ``dict(filter_empty_gt=True)`` leaves out, at training, what has no findings. Kept by default:
            most screening images have none.
        folds: Takes, instead of the images of ``ann_file``, those of one part of one fold of a cross-validation; the
            arguments of :class:`~mmmammo.datasets.fold_part.FoldPart`, which ``tools/crossval.py`` writes.
        **kwargs: The rest of mmengine's ``BaseDataset``: ``pipeline``, ``test_mode``, ``indices``, ``lazy_init``, …

    Raises:
        MammoError: If the set is missing, its classes are others than asked for, it shares a patient with a set of
            ``disjoint_from``, or nothing is left of it.
    """

    def __init__(
        self,
        ann_file: str,
        data_root: str = '',
        data_prefix: Mapping[str, str] | None = None,
        metainfo: Mapping[str, Any] | None = None,
        disjoint_from: Sequence[str] = (),
        filter_cfg: Mapping[str, bool] | None = None,
        folds: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.disjoint_from = tuple(disjoint_from)
        self.folds = FoldPart.of(folds) if folds is not None else None
        _check_filter(filter_cfg or {})
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix=dict(data_prefix or {'img': 'images'}),
            metainfo=metainfo,
            filter_cfg=dict(filter_cfg or {}),
            **kwargs,
        )

    def load_data_list(self) -> list[Record]:
        """Read the index; one record per image."""
        prepared = self.read_images()
        self._metainfo['classes'] = self._agreed_classes(prepared.categories)
        self._check_disjoint()
        label_of = {name: label for label, name in enumerate(prepared.categories)}
        return [self._record(image, label_of) for image in sorted(prepared.images, key=reading_order)]

    def read_images(self) -> PreparedSet:
        """The images of the split, or of the part of a fold, as the prepared set describes them."""
        files = [self._path(name) for name in self.folds.pool] if self.folds else [self.ann_file]
        for path in (self.data_prefix['img'], *files):
            require_prepared(path, self.data_root)
        sets = [read_index(path) for path in files]
        if self.folds is None:
            return sets[0]
        for path, other in zip(files[1:], sets[1:], strict=True):
            _require_same_classes(path, other, files[0], sets[0])
        images = tuple(image for prepared in sets for image in prepared.images)
        _require_distinct(self.folds.pool, [image.image_id for image in images])
        return PreparedSet(self.folds.select(images), sets[0].categories, sets[0].info)

    def filter_data(self) -> list[Record]:
        """Apply ``filter_cfg`` to training data.

        Raises:
            MammoError: If nothing is left.
        """
        records = self.data_list
        if self.filter_cfg.get('filter_empty_gt', False) and not self.test_mode:
            records = [record for record in records if _num_findings(record)]
        if not self.data_list:
            raise MammoError(
                self.ann_file,
                field='images',
                found='none, or none with what the config asks of them',
                expected='at least one',
                remedy='look at labels and classes of the set; or prepare it of more patients, or with other splits '
                '(--split-fractions)',
            )
        if not records:
            raise MammoError(
                self.ann_file,
                field='images',
                found=f'none of {len(self.data_list)} left with filter_cfg={self.filter_cfg}',
                expected='at least one',
                remedy='train on a set with findings, or drop filter_cfg',
            )
        return records

    def has_findings(self) -> npt.NDArray[np.bool_]:
        """Whether each sample has any finding, (n,) bool; what balanced sampling asks for."""
        return np.array([_num_findings(self.get_data_info(i)) > 0 for i in range(len(self))], dtype=bool)

    def iter_images(self) -> Iterator[Record]:
        """Walk through the records of all images, without pixels."""
        return (self.get_data_info(i) for i in range(len(self)))

    def __repr__(self) -> str:
        """Counts per view and class."""
        head = f'{type(self).__name__}({self.ann_file}'
        if not self._fully_initialized:
            return f'{head}, not loaded yet)'
        images, findings = _count(self.iter_images())
        lines = [f'{head}, {len(self)} samples)']
        for view in sorted(images):
            counts = (f'{name} {findings[view, label]}' for label, name in enumerate(self.metainfo['classes']))
            lines.append(f'  {view}: {images[view]} images; {", ".join(counts)}')
        return '\n'.join(lines)

    def _agreed_classes(self, in_file: tuple[str, ...]) -> tuple[str, ...]:
        asked = self._metainfo.get('classes')
        if asked is not None and tuple(asked) != in_file:
            raise MammoError(
                self.ann_file,
                field='categories',
                found=in_file,
                expected=f'the classes of the config, {tuple(asked)}, in this order',
                remedy="correct metainfo['classes'], or leave it out to take the file's",
            )
        return in_file

    def _check_disjoint(self) -> None:
        pool = [self._path(name) for name in self.folds.pool] if self.folds else [self.ann_file]
        others = [path for path in map(self._path, self.disjoint_from) if not self.folds or path not in pool]
        for path in others:
            require_prepared(path, self.data_root)
        check_patient_disjoint([*pool, *others])

    def _path(self, name: str) -> str:
        return str(Path(self.data_root or '', name))

    def _record(self, image: PreparedImage, label_of: Mapping[str, int]) -> Record:
        record = image_record(image, str(Path(self.data_prefix['img'], image.file_name)))
        return record | {'instances': [_instance(finding, label_of) for finding in image.findings]}


def require_prepared(path: str | Path, data_root: str | Path) -> None:
    """Refuse a prepared set that is not there.

    Args:
        path: A file or folder of the set.
        data_root: The set, for the message.

    Raises:
        MammoError: Naming the command that makes it.
    """
    if not Path(path).exists():
        raise MammoError(
            path,
            field='prepared set',
            found='no such file or folder',
            expected='what the prepare command writes',
            remedy=f'python tools/prepare_dataset.py SOURCE --raw DIR --out {data_root or "DATA_ROOT"} '
            '(SOURCE phantom needs no --raw; data/README.md lists the others); if the set is there, run from the '
            'repository root, or name it: --cfg-options data_root=DIR',
        )


def image_record(image: PreparedImage, img_path: str) -> Record:
    """What a pipeline is given about an image, but for its findings.

    Args:
        image: A prepared image.
        img_path: Where its pixels lie.
    """
    landmarks = image.landmarks
    return {
        'img_path': img_path,
        'img_id': image.image_id,
        'height': image.height,
        'width': image.width,
        'exam_id': image.exam_id,
        'patient_id': image.patient_id,
        'laterality': image.laterality.value,
        'view': image.view.value,
        'quality': image.quality,
        'pixel_spacing_mm': image.pixel_spacing_mm,
        'affine': image.affine.matrix,
        'labels': dict(image.labels),
        'landmarks': landmarks,
    }


def _require_same_classes(path: str, other: PreparedSet, first_path: str, first: PreparedSet) -> None:
    if other.categories != first.categories:
        raise MammoError(
            path,
            field='categories',
            found=other.categories,
            expected=f'those of {first_path}, {first.categories}',
            remedy='pool files of one prepared set',
        )


def _require_distinct(names: Sequence[str], ids: Sequence[int]) -> None:
    """Ids that two files share would make one image of two wherever images are told apart by them."""
    if len(set(ids)) < len(ids):
        repeated = next(image_id for image_id, count in Counter(ids).items() if count > 1)
        raise MammoError(
            ', '.join(names),
            field='images: id',
            found=f'{repeated} more than once',
            expected='ids that no two images of the pooled files share',
            remedy='prepare the splits as one set: its files share no id',
        )


def _instance(finding: Finding, label_of: Mapping[str, int]) -> Record:
    x1, y1, x2, y2 = finding.bbox
    outlines = [np.asarray(polygon).ravel().tolist() for polygon in finding.polygons]
    return {
        'bbox': [x1, y1, x2, y2],
        'bbox_label': label_of[finding.category],
        'mask': outlines or [[x1, y1, x2, y1, x2, y2, x1, y2]],
        'ignore_flag': 0,
        'lesion_id': finding.lesion_id,
    }


def reading_order(image: PreparedImage) -> tuple[str, str, int, str, int]:
    """Exam, side, CC before MLO before the rest, and the id for repeats."""
    view: View = image.view
    rank = STANDARD_VIEWS.index(view) if view in STANDARD_VIEWS else len(STANDARD_VIEWS)
    return image.exam_id, image.laterality.value, rank, view.value, image.image_id


def _num_findings(record: Record) -> int:
    """Of an image, or of all images of an exam."""
    return sum(len(image['instances']) for image in record.get('images', [record]))


def _count(images: Iterator[Record]) -> tuple[Counter[str], Counter[tuple[str, int]]]:
    num_images: Counter[str] = Counter()
    num_findings: Counter[tuple[str, int]] = Counter()
    for image in images:
        num_images[image['view']] += 1
        num_findings.update((image['view'], instance['bbox_label']) for instance in image['instances'])
    return num_images, num_findings


def _check_filter(filter_cfg: Mapping[str, bool]) -> None:
    unknown = sorted(set(filter_cfg) - set(FILTER_KEYS))
    if unknown:
        raise MammoError(
            'filter_cfg', field='keys', found=unknown, expected=f'only {FILTER_KEYS}', remedy='correct the config'
        )
