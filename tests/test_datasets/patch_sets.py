"""Prepared sets of any findings, on one kind of view."""

import numpy as np

from mmmammo.io import write_png16
from mmmammo.io.exam_index import PreparedSet, write_index
from mmmammo.structures import Affine, Finding, Laterality, PreparedImage, View

CLASSES = ('mass', 'calcification', 'asymmetry')
SIZE = (160, 120)


def breast(size=SIZE, seed=0):
    """A textured half ellipse, its chest wall on the left."""
    height, width = size
    y, x = np.mgrid[:height, :width] + 0.5
    inside = (x / (0.8 * width)) ** 2 + ((y - height / 2) / (0.45 * height)) ** 2 < 1
    return np.where(inside, 0.2 + 0.6 * np.random.default_rng(seed).random(size), 0.0)


def write_set(root, views, categories=CLASSES, split='train', size=SIZE):
    """Write one image per list of ``(category, box)`` or ``(category, box, attributes)``."""
    images = []
    for number, findings in enumerate(views, start=1):
        name = f'{split}_{number}/L_CC.png'
        path = root / 'images' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png16(path, breast(size, number))
        images.append(
            PreparedImage(
                image_id=number,
                file_name=name,
                width=size[1],
                height=size[0],
                exam_id=f'{split}_{number}',
                patient_id=f'{split}_{number}',
                laterality=Laterality.LEFT,
                view=View.CC,
                affine=Affine.identity(),
                findings=tuple(Finding(bbox=tuple(map(float, box)), category=name) for name, box in findings),
            )
        )
    info = {'format': 'mmmammo-1', 'split': split, 'source': 'testing', 'classes': list(categories)}
    write_index(root / 'annotations' / f'{split}.json', PreparedSet(tuple(images), tuple(categories), info))
    return root
