"""The predictions file: what a model said about a set of images, beside the truth.

The file is plain COCO ground truth with one more list, ``detections``, which by itself is a COCO result list. Images
carry the keys of the prepared set that evaluation needs (``exam_id``, ``patient_id``, ``laterality``, ``view``,
``pixel_spacing_mm``), annotations their ``lesion_id`` where the source links views.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.io.intake import load_json
from mmmammo.io.whole_files import written_whole
from mmmammo.structures import ImagePrediction, MammoError

FORMAT = 'mmmammo-predictions-1'
_REMEDY = 'write the file with mmmammo.PredictionDump (tools/test.py does), do not edit it'
IDENTITY_KEYS = ('file_name', 'width', 'height', 'exam_id', 'patient_id', 'laterality', 'view')


def write_predictions(path: str | Path, images: Sequence[ImagePrediction], categories: Sequence[str]) -> None:
    """Write one run, whole or not at all; see the module's docstring for the format.

    Args:
        path: JSON file; its folder is made.
        images: One record per image.
        categories: Class list; the label ``i`` gets COCO's category id ``i + 1``.
    """
    annotations: list[dict[str, Any]] = []
    for image in images:
        for boxes, labels, lesion_ids, crowd in (
            (image.gt_boxes, image.gt_labels, image.gt_lesion_ids, 0),
            (image.ignored_boxes, image.ignored_labels, (), 1),
        ):
            names = lesion_ids or [''] * len(boxes)
            for entry, lesion_id in zip(_coco_boxes(image.image_id, boxes, labels), names, strict=True):
                area = entry['bbox'][2] * entry['bbox'][3]
                linked = {'lesion_id': lesion_id} if lesion_id else {}
                annotations.append({'id': len(annotations) + 1, **entry, 'area': area, 'iscrowd': crowd} | linked)
    document = {
        'info': {'format': FORMAT, 'categories': list(categories)},
        'images': [
            {'id': image.image_id} | {key: getattr(image, key) for key in (*IDENTITY_KEYS, 'pixel_spacing_mm')}
            for image in images
        ],
        'categories': [{'id': i, 'name': name} for i, name in enumerate(categories, start=1)],
        'annotations': annotations,
        'detections': [
            entry | {'score': score}
            for image in images
            for entry, score in zip(
                _coco_boxes(image.image_id, image.boxes, image.labels), image.scores.tolist(), strict=True
            )
        ],
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        file.write(json.dumps(document) + '\n')


def read_predictions(path: str | Path) -> tuple[list[ImagePrediction], tuple[str, ...]]:
    """Read what :func:`write_predictions` wrote.

    Returns:
        The images in the order of the file, and the class list.

    Raises:
        MammoError: If the file is absent, no JSON, of another format, or names an unknown image.
    """
    document = _load(Path(path))
    names = {category['id']: i for i, category in enumerate(document['categories'])}
    boxes = {image['id']: _Boxes() for image in document['images']}
    for key in ('annotations', 'detections'):
        for row, entry in enumerate(document[key]):
            if entry.get('image_id') not in boxes or entry.get('category_id') not in names:
                raise MammoError(
                    path,
                    field=f'{key}[{row}]',
                    found=entry,
                    expected='an image and a category of the file',
                    remedy=_REMEDY,
                )
            boxes[entry['image_id']].add(entry, names[entry['category_id']])
    images = [
        ImagePrediction(
            image['id'],
            pixel_spacing_mm=image.get('pixel_spacing_mm'),
            **{key: image[key] for key in IDENTITY_KEYS} | boxes[image['id']].arrays(),
        )
        for image in document['images']
    ]
    return images, tuple(category['name'] for category in document['categories'])


class _Boxes:
    """Boxes of one image while its file is read."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[list[float], int, float]]] = defaultdict(list)
        self.lesion_ids: list[str] = []

    def add(self, entry: Mapping[str, Any], label: int) -> None:
        x, y, w, h = entry['bbox']
        kind = '' if 'score' in entry else 'ignored_' if entry['iscrowd'] else 'gt_'
        self.rows[kind].append(([x, y, x + w, y + h], label, entry.get('score', 0.0)))
        if kind == 'gt_':
            self.lesion_ids.append(entry.get('lesion_id') or '')

    def arrays(self) -> dict[str, Any]:
        out: dict[str, Any] = {'scores': np.array([score for _, _, score in self.rows['']], dtype=float)}
        out['gt_lesion_ids'] = tuple(self.lesion_ids) if any(self.lesion_ids) else ()
        for kind in ('', 'gt_', 'ignored_'):
            out[f'{kind}boxes'] = np.array([box for box, _, _ in self.rows[kind]], dtype=float).reshape(-1, 4)
            out[f'{kind}labels'] = np.array([label for _, label, _ in self.rows[kind]], dtype=np.int64)
        return out


def _coco_boxes(image_id: int, boxes: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    size = boxes[:, 2:] - boxes[:, :2]
    xywh = np.concatenate([boxes[:, :2], size], axis=1).astype(float).tolist()
    return [
        {'image_id': image_id, 'category_id': label + 1, 'bbox': box}
        for box, label in zip(xywh, labels.tolist(), strict=True)
    ]


def _load(path: Path) -> dict[str, Any]:
    document = load_json(path, 'a predictions file', _REMEDY)
    found = document.get('info', {}).get('format') if isinstance(document, dict) else type(document).__name__
    if found != FORMAT:
        raise MammoError(path, field='info.format', found=repr(found), expected=repr(FORMAT), remedy=_REMEDY)
    for key in ('images', 'categories', 'annotations', 'detections'):
        if not isinstance(document.get(key), list):
            raise MammoError(path, field=key, found=document.get(key), expected='a list', remedy=_REMEDY)
    return dict(document)
