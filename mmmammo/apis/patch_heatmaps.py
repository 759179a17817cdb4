"""Heatmaps of NYU's patch classifier, beside the images of a prepared set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from mmengine.config import Config
from torch import Tensor, nn

from mmmammo.datasets.transforms import LoadMammogram, NYUWindow
from mmmammo.engine.nyu_weights import PATCH_CLASSES
from mmmammo.io import write_png16
from mmmammo.models.classifiers.four_view_heads import BREAST_CLASSES
from mmmammo.preprocessing.nyu_crop import NYUCrop
from mmmammo.preprocessing.nyu_window import standardised
from mmmammo.preprocessing.overlapping_windows import PATCH_SIZE, STRIDE, mean_of_windows, window_starts
from mmmammo.registry import DATASETS
from mmmammo.structures import MammoError

Maps = npt.NDArray[np.float32]


@torch.inference_mode()
def patch_heatmaps(
    model: nn.Module,
    image: npt.NDArray[np.float32],
    crop: NYUCrop,
    stride: int = STRIDE,
    window: int = PATCH_SIZE,
    batch_size: int = 32,
    seed: int = 0,
) -> Maps:
    """What a patch classifier says of every place.

    The crop is standardised as a whole and looked at in overlapping windows, copied to three channels; a pixel has the
    mean probability of the windows that cover it. A crop smaller than a window is padded right and below.

    Args:
        model: Classifier with ``PATCH_CLASSES``, as mmpretrain's ``ImageClassifier``; in evaluation mode.
        image: (h, w) that faces right.
        crop: Of its breast.
        stride: Largest distance of windows.
        window: Side of a window.
        batch_size: Windows at a time.
        seed: Of where the strides are one shorter.

    Returns:
        (2, h, w) of ``BREAST_CLASSES``, the order of the model's channels; zero outside of the crop.
    """
    cut = standardised(crop.cut(image))
    padded = np.pad(cut, [(0, max(window - side, 0)) for side in cut.shape])
    generator = np.random.default_rng(seed)
    rows, columns = (window_starts(side, window, stride, generator) for side in padded.shape)
    device = next(model.parameters()).device
    views = torch.from_numpy(np.ascontiguousarray(padded)).to(device).unfold(0, window, 1).unfold(1, window, 1)
    places = [(y, x) for y in rows for x in columns]
    scores = [
        _probabilities(model, torch.stack([views[place] for place in places[i : i + batch_size]]))
        for i in range(0, len(places), batch_size)
    ]
    values = torch.cat(scores).cpu().numpy().reshape(len(rows), len(columns), -1)
    means = mean_of_windows(values, rows, columns, window, padded.shape)
    chosen = means[[PATCH_CLASSES.index(name) for name in BREAST_CLASSES], : cut.shape[0], : cut.shape[1]]
    top, bottom, left, right = crop.window
    maps = np.zeros((len(BREAST_CLASSES), *image.shape), dtype=np.float32)
    maps[:, top:bottom, left:right] = np.clip(chosen, 0, 1)
    return maps


def _probabilities(model: nn.Module, windows: Tensor) -> Tensor:
    logits: Tensor = model(windows[:, None].repeat(1, 3, 1, 1), mode='tensor')
    return logits.float().softmax(dim=1)


def missing_heatmaps(cfg: Config, splits: Sequence[str] = ('train', 'val', 'test')) -> list[Mapping[str, Any]]:
    """Records of the images of a config that have no heatmaps yet, each image once.

    Args:
        cfg: With :class:`~mmmammo.datasets.FourViewDataset`.
        splits: Whose images.

    Raises:
        MammoError: If its data set is of another type.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for split in splits:
        dataset = DATASETS.build(dict(cfg[f'{split}_dataloader'].dataset))
        for record in dataset.iter_images():
            if 'heatmap_paths' not in record:
                raise _error(cfg, type(dataset).__name__, 'mmmammo.FourViewDataset')
            if not all(Path(path).is_file() for path in record['heatmap_paths']):
                found[record['img_path']] = record
    return list(found.values())


def write_heatmaps(
    model: nn.Module, records: Sequence[Mapping[str, Any]], step: NYUWindow, **options: Any
) -> Iterator[MammoError | None]:
    """Write the heatmaps of images, one after the other; a file that is there is whole.

    Args:
        model: See :func:`patch_heatmaps`.
        records: Of images.
        step: Of the config, that cuts them; its crop is used.
        **options: Of :func:`patch_heatmaps`.

    Yields:
        Per image why it could not be done, or ``None``.
    """
    load = LoadMammogram()
    for record in records:
        try:
            results = load(dict(record))
            image, crop = step.crop(results)
            maps = patch_heatmaps(model, image, crop, **options)
            for path, heatmap in zip(record['heatmap_paths'], maps, strict=True):
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                write_png16(path, heatmap)
        except MammoError as err:
            yield err
        else:
            yield None


def window_step(cfg: Config) -> NYUWindow:
    """The step of the test pipeline that finds the breast.

    Raises:
        MammoError: If there is none.
    """
    for step in cfg.test_dataloader.dataset.pipeline:
        if step.type == 'mmmammo.NYUWindow':
            return NYUWindow(**{key: value for key, value in step.items() if key != 'type'})
    raise _error(cfg, 'a test pipeline without mmmammo.NYUWindow', 'one with it')


def _error(cfg: Config, found: str, expected: str) -> MammoError:
    remedy = 'give a config such as configs/nyu/nyu_pretrained_heatmaps_cohort.py'
    return MammoError(cfg.filename or 'config', field='data', found=found, expected=expected, remedy=remedy)
