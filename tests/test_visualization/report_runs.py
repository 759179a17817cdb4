"""A run small enough to check by hand, as files."""

import numpy as np

from mmmammo.evaluation.summary import DetectionSettings, summarise_detections
from mmmammo.io import write_png16
from mmmammo.io.detection_files import read_detection_set
from mmmammo.io.predictions import write_predictions
from mmmammo.structures import ImagePrediction
from mmmammo.visualization import GallerySettings, write_detection_report

LESION = np.array([[20.0, 20, 40, 40]])
NOWHERE = np.array([[50.0, 60, 60, 80]])


def image(image_id, exam, boxes=(), scores=(), lesions=(), side='L', view='CC'):
    boxes, lesions = np.reshape(boxes, (-1, 4)), np.reshape(lesions, (-1, 4))
    return ImagePrediction(
        image_id,
        f'{exam}/{side}{view}.png',
        80,
        100,
        f'EXAM-{exam}',
        f'PATIENT-{exam}',
        side,
        view,
        boxes,
        np.array(scores, dtype=float),
        np.zeros(len(boxes), int),
        lesions,
        np.zeros(len(lesions), int),
    )


def run_of_four():
    """A hit, a miss with a false positive, a false positive in a healthy exam, nothing at all."""
    return [
        image(1, 'hit', [LESION], [0.9], LESION),
        image(2, 'miss', [NOWHERE], [0.6], LESION),
        image(3, 'false', [NOWHERE], [0.8], side='R'),
        image(4, 'quiet', view='MLO'),
    ]


def write_run(folder, images=None, name='predictions.json'):
    """The predictions file and its images; returns the file."""
    images = run_of_four() if images is None else images
    for record in images:
        path = folder / 'images' / record.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png16(path, np.linspace(0, 1, 8000, dtype=np.float32).reshape(100, 80))
    write_predictions(folder / name, images, ['mass'])
    return folder / name


def write_heatmap(folder, record):
    """A heatmap that is strong at the lower right."""
    path = folder / 'heatmaps' / record.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png16(path, np.linspace(0, 1, 2000, dtype=np.float32).reshape(50, 40))
    return folder / 'heatmaps'


def build(folder, bootstrap=20, gallery=None, **options):
    """Predictions to page; returns what was written."""
    summary = summarise_detections(
        read_detection_set(folder / 'predictions.json'), DetectionSettings(bootstrap=bootstrap)
    )
    gallery = gallery or GallerySettings(folder / 'images')
    return write_detection_report(summary, folder / 'out', gallery=gallery, **options)
