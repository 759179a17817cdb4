"""Images with a dot under the nipple point."""

import cv2
import numpy as np
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import PolygonMasks

from mmmammo.testing.prepared_set import ellipse_landmarks

SIZE = (160, 130)


def dot_at(point, size=SIZE, sigma=2.0):
    """A soft bright dot around a point, 1 at its centre."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    return np.exp(-((x - point[0]) ** 2 + (y - point[1]) ** 2) / (2 * sigma**2)).astype(np.float32)


def centre_of(image):
    """Centre of mass in continuous coordinates."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    weight = np.where(image > 0.2 * image.max(), image, 0)
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


def dotted_results(view='CC', box=(30.0, 50.0, 60.0, 90.0), polygons=True):
    """Results of a pipeline after loading: dot at the nipple, one lesion that fills its box."""
    landmarks = ellipse_landmarks(SIZE, view)
    x1, y1, x2, y2 = box
    results = {
        'img': dot_at(landmarks.nipple),
        'img_shape': SIZE,
        'ori_shape': SIZE,
        'landmarks': landmarks,
        'view': view,
        'gt_bboxes': HorizontalBoxes(np.array([box], dtype=np.float32)),
        'gt_bboxes_labels': np.array([1]),
        'gt_ignore_flags': np.array([False]),
    }
    if polygons:
        outline = np.array([x1, y1, x2, y1, x2, y2, x1, y2])
        results['gt_masks'] = PolygonMasks([[outline]], *SIZE)
    return results


def mask_box(mask):
    """xyxy around the set pixels of a mask."""
    x, y, w, h = cv2.boundingRect(np.ascontiguousarray(mask, dtype=np.uint8))
    return np.array([x, y, x + w, y + h])
