"""Average precision by pycocotools, shared by tests."""

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

ANY_SIZE = {'all': (0, 1e5)}


def entries(per_image, **more):
    """COCO entries of xyxy boxes; the area is that of the box."""
    return [
        {'image_id': i, 'category_id': 1, 'bbox': [*box[:2], *(box[2:] - box[:2])]}
        | {'area': float((box[2:] - box[:2]).prod())}
        | more
        for i, boxes in enumerate(per_image)
        for box in boxes
    ]


def coco_average_precision(detections, ground_truths, ignored, iou_thrs, sizes=ANY_SIZE):
    """(sizes, IoUs); a size is the least and the greatest root of a box's area."""
    truth = entries(ground_truths, iscrowd=0) + entries(ignored, iscrowd=1)
    coco = COCO()
    coco.dataset = {
        'info': {},
        'images': [{'id': i} for i in range(len(ground_truths))],
        'categories': [{'id': 1, 'name': 'mass'}],
        'annotations': [{'id': k, **entry} for k, entry in enumerate(truth, start=1)],
    }
    coco.createIndex()
    found = entries([boxes for boxes, _ in detections])
    for entry, score in zip(found, np.concatenate([scores for _, scores in detections]), strict=True):
        entry['score'] = float(score)
    evaluation = COCOeval(coco, coco.loadRes(found), 'bbox')
    evaluation.params.iouThrs = np.array(iou_thrs)
    evaluation.params.areaRng = [[low**2, high**2] for low, high in sizes.values()]
    evaluation.params.areaRngLbl = list(sizes)
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation.eval['precision'][:, :, 0, :, -1].mean(axis=1).T
