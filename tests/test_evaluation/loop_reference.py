"""FROC by plain loops, as one would write it first; slow and literal, shared by tests."""

import numpy as np


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def centre_inside(a, b):
    x, y = (a[0] + a[2]) / 2, (a[1] + a[3]) / 2
    return b[0] <= x <= b[2] and b[1] <= y <= b[3]


def outcomes(boxes, scores, lesions, iou_thr=0.2, matching='iou', duplicates='false_positive'):
    """``(score, 'hit' | 'miss' | 'ignored')`` of each detection of one image, greedily by score."""
    taken, result = set(), []
    for i in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        hits = [
            j
            for j in range(len(lesions))
            if (iou(boxes[i], lesions[j]) > iou_thr if matching == 'iou' else centre_inside(boxes[i], lesions[j]))
        ]
        free = [j for j in hits if j not in taken]
        if free:
            taken.add(max(free, key=lambda j: (iou(boxes[i], lesions[j]), j)))
            result.append((scores[i], 'hit'))
        else:
            result.append((scores[i], 'ignored' if hits and duplicates == 'ignore' else 'miss'))
    return result


def froc_points(detections, ground_truths, **rules):
    """``(threshold, fps per image, recall)`` at every distinct score, from the highest down."""
    fates = []
    for (boxes, scores), lesions in zip(detections, ground_truths, strict=True):
        fates += outcomes(boxes, scores, lesions, **rules)
    num_lesions = sum(len(lesions) for lesions in ground_truths)
    points = [(np.inf, 0.0, 0.0)]
    for threshold in sorted({score for _, scores in detections for score in scores}, reverse=True):
        kept = [fate for score, fate in fates if score >= threshold]
        points.append((threshold, kept.count('miss') / len(ground_truths), kept.count('hit') / num_lesions))
    return points
