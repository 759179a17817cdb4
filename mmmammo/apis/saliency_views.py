"""Where an Attention model looked, in the images that are worth a look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate

from mmmammo.io.score_tables import read_score_table
from mmmammo.models import AttentionClassifier
from mmmammo.models.attention import top_pixels
from mmmammo.structures import Affine
from mmmammo.visualization.saliency_panel import SaliencyView, WindowPicture, draw_window_picture

KINDS = ('both', 'positive', 'negative')
NUM_PICTURES = 8
"""Of a report."""


def look(model: AttentionClassifier, sample: dict[str, Any], name: str, score: float | None = None) -> SaliencyView:
    """One image as the model sees it.

    Args:
        model: In evaluation mode.
        sample: Of a test set packed by ``mmmammo.PackAttentionView``.
        name: Of the exam.
        score: What the picture says of the image; by default what the model says now.
    """
    data = model.data_preprocessor(pseudo_collate([sample]))
    gradients = model.look(data['overview']).gradients
    with torch.no_grad():
        (judged,) = model(**data, mode='predict')
    width = gradients.shape[2]
    flat = top_pixels(gradients, model.share)[0].cpu().numpy()
    points = np.stack([flat % width, flat // width], axis=-1) + 0.5
    score = judged.pred_score[-1].item() if score is None else score
    truth = judged.get('gt_instances')
    cancer = ' (cancer)' if int(judged.gt_label[0]) else ''
    return SaliencyView(
        title=f'{name} {judged.laterality} {judged.view}: {score:.2f}{cancer}',
        image=sample['inputs'][0].numpy(),
        pixels=Affine(judged.overview_affine).inverse().points(points),
        centre=judged.attention_centre,
        roi=judged.roi,
        lesions=np.empty((0, 4)) if truth is None else truth.bboxes.cpu().numpy(),
    )


def choose_images(
    labels: Sequence[int], count: int, kind: str = 'both', scores: Sequence[float] | None = None
) -> list[int]:
    """Indices of images of a kind, positive ones first; of both kinds, half of each.

    Args:
        labels: (n,) 0 or 1.
        count: At most so many.
        kind: One of :data:`KINDS`.
        scores: (n,) the most suspicious come first; without, the first ones.
    """
    order = np.arange(len(labels)) if scores is None else np.argsort(-np.asarray(scores, dtype=float), kind='stable')
    sorted_labels = np.asarray(labels)[order]
    wanted = {'both': (1, 0), 'positive': (1,), 'negative': (0,)}[kind]
    each = -(-count // len(wanted))
    return [int(i) for label in wanted for i in order[sorted_labels == label][:each]][:count]


def exam_names(records: Sequence[dict[str, Any]], *, show_exam_ids: bool = False) -> dict[str, str]:
    """Exam id -> its name in pictures: a running number in the order of the image ids, as the gallery of a report has.

    Args:
        records: Of all images of a set.
        show_exam_ids: Name exams by their ids.
    """
    exams = dict.fromkeys(record['exam_id'] for record in sorted(records, key=lambda record: record['img_id']))
    return {exam: exam if show_exam_ids else f'Exam {number}' for number, exam in enumerate(exams, start=1)}


def window_pictures(
    model: AttentionClassifier, dataset: Any, scores: Path | None, *, show_exam_ids: bool, count: int = NUM_PICTURES
) -> list[WindowPicture]:
    """Pictures for a report: the most suspicious images with cancer and without; one image is in memory at a time.

    Args:
        model: That was tested.
        dataset: It was tested on, with labels.
        scores: ``scores.csv`` of the test; without, the first images are taken.
        show_exam_ids: Name exams by their ids instead of running numbers.
        count: At most so many.
    """
    records = [dataset.get_data_info(i) for i in range(len(dataset))]
    said: list[float | None] = [None] * len(records)
    if scores is not None:
        table = read_score_table(scores, strict=True)
        by_id = dict(zip(table.ids, table.scores[:, -1].tolist(), strict=True))
        said = [by_id[str(record['img_id'])] for record in records]
    names = exam_names(records, show_exam_ids=show_exam_ids)
    chosen = choose_images([record['gt_label'] for record in records], count, scores=said if scores else None)
    model.eval()
    views = (look(model, dataset[i], names[records[i]['exam_id']], said[i]) for i in chosen)
    return [draw_window_picture(view) for view in views]
