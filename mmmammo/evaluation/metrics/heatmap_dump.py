"""Keep the heatmaps, for the report."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.logging import MMLogger

from mmmammo.evaluation.metrics.gathered_metric import GatheredMetric, require
from mmmammo.io import write_heatmap, write_heatmap_pictures, write_png16
from mmmammo.registry import METRICS
from mmmammo.structures import Affine, MammoError


@dataclass(frozen=True)
class WrittenHeatmap:
    """Which image has one."""

    image_id: int


@METRICS.register_module()
class HeatmapDump(GatheredMetric):
    """Write the heatmap of every image that has one as a grey 16-bit PNG, as the report and tools/evaluate.py read it.

    The file is named as the image, 1 is white, and it covers the whole image at whatever size the map has. Where there
    is one map per class (``class_heatmaps``), it is the strongest of them; beside it then lie ``<image>.npz`` with all
    maps (:func:`mmmammo.io.write_heatmap`) and ``<image>_<class>.png`` for each class.

    Args:
        path: Folder to write to.
        images_root: Folder that image files are named relative to.
        **kwargs: See :class:`GatheredMetric`.

    Raises:
        MammoError: If an image lies outside of ``images_root``, or a heatmap is no picture in [0, 1].
    """

    default_prefix = 'heatmaps'

    def __init__(self, path: str | Path, images_root: str | Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.path = Path(path)
        self.images_root = Path(images_root)

    def record(self, sample: Mapping[str, Any]) -> WrittenHeatmap:
        """Write one, where there is one."""
        image_id = int(require(sample, 'img_id', 'add it to the meta_keys of the packing transform'))
        heatmap = sample.get('heatmap')
        if heatmap is None:
            return WrittenHeatmap(-1)
        target = (self.path / self._name(sample)).with_suffix('.png')
        target.parent.mkdir(parents=True, exist_ok=True)
        write_png16(target, heatmap.cpu().numpy())
        self._write_classes(sample, target.with_suffix(''))
        return WrittenHeatmap(image_id)

    def score(self, images: list[WrittenHeatmap]) -> dict[str, float]:
        """Count."""
        count = sum(image.image_id >= 0 for image in images)
        if count:
            MMLogger.get_current_instance().info(f'heatmaps of {count} images: {self.path}')
        return {'n_images': count}

    def _write_classes(self, sample: Mapping[str, Any], stem: Path) -> None:
        heatmaps = sample.get('class_heatmaps')
        if heatmaps is None:
            return
        classes = self.dataset_meta['classes']
        affine = sample.get('affine')
        write_heatmap(stem, heatmaps, classes, None if affine is None else Affine(affine))
        write_heatmap_pictures(stem, heatmaps, classes)

    def _name(self, sample: Mapping[str, Any]) -> str:
        name = os.path.relpath(require(sample, 'img_path', 'add it to the meta_keys'), self.images_root)
        if name.startswith('..'):
            raise MammoError(
                sample['img_path'],
                field='image',
                found='a file elsewhere',
                expected=f'one in {self.images_root}',
                remedy='correct images_root',
            )
        return name
