"""A detector that mirrors with its image has the same AP and ATD on mirrored images."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmdet.datasets.transforms import RandomFlip
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.evaluator import Evaluator
from tiny_dino import DIM, batch, tiny_dino

from mmmammo.evaluation.functional import AVG8_IOUS
from mmmammo.evaluation.metrics import APMetric, ATDMetric

HEIGHT, WIDTH, CELL = 64, 48, 8
IMAGES = 12


def cells(images, shift=0.0):
    """What a transformer tells the head: a query per cell of the image, that looks at nothing but its cell.

    The anchor is the cell; the box that the next layer makes of it is as large and where the brightness in the cell is.

    Args:
        images: (n, 1, h, w).
        shift: Boxes go to the right by this share of the width, which does not mirror.
    """
    n, (rows, columns) = len(images), (HEIGHT // CELL, WIDTH // CELL)
    y, x = torch.meshgrid(*((torch.arange(side) + 0.5) / side for side in (HEIGHT, WIDTH)), indexing='ij')
    weight = images**2
    mean, *moments = (F.avg_pool2d(weight * m, CELL).flatten(1) for m in (torch.ones_like(x), x, y, x * x, y * y))
    cx, cy, xx, yy = (moment / mean for moment in moments)
    sides = [(12 * (square - centre**2).clamp_min(1e-6)).sqrt() for square, centre in ((xx, cx), (yy, cy))]
    boxes = torch.stack([cx + shift, cy, *sides], dim=-1)
    centres = torch.stack([F.avg_pool2d(m[None, None], CELL).flatten() for m in (x, y)], dim=-1)
    anchors = torch.cat([centres, torch.tensor([1 / columns, 1 / rows]).expand(rows * columns, 2)], dim=-1)
    return {
        'hidden_states': mean.log()[None, :, :, None].expand(2, n, rows * columns, DIM),
        'references': [anchors.expand(n, -1, -1), boxes, boxes],
    }


@pytest.fixture(scope='module')
def detector():
    """MammoDINO, whose features and transformer are the cells, and whose regressors change no box."""
    model = tiny_dino(test_cfg={'max_per_img': 20, 'match_anchors': True}).eval()
    for branch in model.bbox_head.reg_branches:
        torch.nn.init.zeros_(branch[-1].weight)
        torch.nn.init.zeros_(branch[-1].bias)
    for branch in model.bbox_head.cls_branches:
        torch.nn.init.constant_(branch.weight, 1 / DIM)
    model.extract_feat = lambda images: images
    return model


def lesions_and_images():
    """Per image up to three bright boxes of 4 to 9 px on dark noise; those that cross cells are hard to find."""
    rng = np.random.default_rng(4)
    made = []
    for count in rng.integers(0, 4, IMAGES):
        image = 0.05 * rng.random((HEIGHT, WIDTH), dtype=np.float32)
        corner = np.array([WIDTH, HEIGHT]) * rng.uniform(0.05, 0.75, (count, 2))
        boxes = np.concatenate([corner, corner + rng.uniform(4, 9, (count, 2))], axis=1).round().astype(np.float32)
        for x1, y1, x2, y2 in boxes.astype(int):
            image[y1:y2, x1:x2] = rng.uniform(0.4, 1)
        made.append({'img': image, 'img_shape': image.shape, 'gt_bboxes': HorizontalBoxes(boxes)})
    return made


def run(model, flip, shift=0.0):
    """Detections of each image, and what the metrics say of them."""
    mirror = RandomFlip(prob=1.0 if flip else 0.0)
    made = [mirror(results) for results in lesions_and_images()]
    images = torch.from_numpy(np.stack([results['img'] for results in made]))[:, None]
    _, samples = batch([results['gt_bboxes'].tensor.tolist() for results in made], (HEIGHT, WIDTH))
    model.forward_transformer = lambda features, _: cells(features, shift)
    with torch.no_grad():
        samples = model(images, samples, mode='predict')
    evaluator = Evaluator([APMetric(iou_thrs=AVG8_IOUS), ATDMetric(k=(1, 3, 100))])
    evaluator.dataset_meta = {'classes': ('mass',)}
    evaluator.process(data_samples=samples)
    return [sample.pred_instances for sample in samples], evaluator.evaluate(len(samples))


def test_mirrored_images_give_mirrored_boxes_and_the_same_numbers(detector):
    (found, numbers), (mirrored, numbers_of_mirrored) = (run(detector, flip) for flip in (False, True))
    for plain, other in zip(found, mirrored, strict=True):
        x1, y1, x2, y2 = plain.bboxes.unbind(-1)
        torch.testing.assert_close(other.bboxes, torch.stack([WIDTH - x2, y1, WIDTH - x1, y2], -1), rtol=0, atol=0.02)
        torch.testing.assert_close(other.scores, plain.scores)
    assert numbers == pytest.approx(numbers_of_mirrored, abs=1e-4)
    assert 0.9 > numbers['ap/0.20'] > numbers['ap/0.60'] > 0.05 and numbers['atd/1'] > numbers['atd/100'] > 0.05


def test_a_detector_that_leans_to_one_side_is_told_by_its_numbers(detector):
    (_, numbers), (_, mirrored) = (run(detector, flip, shift=2 / WIDTH) for flip in (False, True))
    assert numbers['ap/n_lesions'] == mirrored['ap/n_lesions'] and numbers['atd/100'] != mirrored['atd/100']
    assert abs(numbers['ap/mean8_0.20-0.90'] - mirrored['ap/mean8_0.20-0.90']) > 1e-3
