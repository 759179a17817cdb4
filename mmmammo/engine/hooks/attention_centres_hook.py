"""Before an Attention model trains: where its locator looks in every training image."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.dist import all_gather_object, get_dist_info, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader, Subset

from mmmammo.datasets import CohortDataset
from mmmammo.io.attention_centres import DECIMALS, read_centres, write_centres
from mmmammo.models import AttentionClassifier
from mmmammo.registry import HOOKS
from mmmammo.structures import MammoError

FILE_NAME = 'attention_centres.json'
_CHUNK = 1024


@HOOKS.register_module()
class AttentionCentresHook(Hook):
    """Gives the training set of an :class:`~mmmammo.models.AttentionClassifier` the centres of attention.

    The locator is frozen, so each image has one centre, found once: a forward and a backward pass per image that some
    epoch draws. They lie in ``<work_dir>/attention_centres.json``, keyed by a digest of the locator's weights and of
    what it is shown, images included: a resumed run reads them, to the digit those that it had; another locator's, or
    those of other images, are not used. The file grows while it is made.

    Args:
        pipeline: From a record to ``overview``, ending in ``mmmammo.PackAttentionView``; that of the test.
        batch_size: Images per pass.
        num_workers: Of the loader.

    Raises:
        MammoError: If model or training set are of another kind.
    """

    def __init__(self, pipeline: Sequence[Mapping[str, Any]], batch_size: int = 8, num_workers: int = 0) -> None:
        self.pipeline = list(pipeline)
        self.batch_size = batch_size
        self.num_workers = num_workers

    def before_train(self, runner: Runner) -> None:
        """Read or find the centres, and hand them to the training set before workers are forked."""
        model = getattr(runner.model, 'module', runner.model)
        loader = runner.train_dataloader
        _check(model, loader.dataset)
        path, key = Path(runner.work_dir, FILE_NAME), self.key(model, loader.dataset)
        centres = read_centres(path, key) if path.is_file() else {}
        wanted = drawn_images(loader.sampler, len(loader.dataset), runner.max_epochs)
        ids = {index: loader.dataset.get_data_info(index)['img_id'] for index in wanted}
        missing = [index for index in wanted if ids[index] not in centres]
        runner.logger.info(f'Centres of attention: {len(wanted)} images are trained on, {len(missing)} without: {path}')
        for start in range(0, len(missing), _CHUNK):
            centres |= self._find(model, loader.dataset, missing[start : start + _CHUNK])
            if is_main_process():
                write_centres(path, key, centres)
        loader.dataset.attention_centres = centres

    def key(self, model: AttentionClassifier, dataset: CohortDataset) -> str:
        """What the centres depend on."""
        facts = Path(dataset.data_root or '', 'prepare.json')  # written anew whenever images are prepared again
        digest = hashlib.sha256(repr((self.pipeline, model.share)).encode())
        digest.update(facts.read_bytes() if facts.is_file() else b'')
        for record in dataset.iter_images():  # of another set the same ids may be other images
            said = [record[key] for key in ('img_id', 'exam_id', 'laterality', 'view', 'height', 'width')]
            digest.update(repr((said, record['affine'].tolist())).encode())
        for name, tensor in sorted(model.locator.state_dict().items()):
            digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def _find(self, model: AttentionClassifier, dataset: CohortDataset, indices: Sequence[int]) -> dict[int, Any]:
        """Each process takes its share; all get all."""
        rank, world = get_dist_info()
        seen = copy.copy(dataset)
        seen.pipeline = Compose(copy.deepcopy(self.pipeline))
        loader = DataLoader(
            Subset(seen, indices[rank::world]),
            batch_size=self.batch_size,
            num_workers=self.num_workers,
            collate_fn=pseudo_collate,
            generator=torch.Generator(),  # the run's own random numbers stay as they are
        )
        was_training = model.training
        model.eval()
        found: dict[int, Any] = {}
        for batch in loader:
            data = model.data_preprocessor(batch)
            points = model.attend(model.look(data['overview']), [s.overview_affine for s in data['data_samples']])
            ids = (int(sample.img_id) for sample in data['data_samples'])
            found |= dict(zip(ids, map(tuple, points.round(DECIMALS).tolist()), strict=True))
        model.train(was_training)
        return {image: point for part in all_gather_object(found) for image, point in part.items()}


def drawn_images(sampler: Any, num_images: int, epochs: int) -> list[int]:
    """Indices that a sampler will draw; all, if it does not tell."""
    if not hasattr(sampler, 'epoch_indices'):
        return list(range(num_images))
    return sorted({index for epoch in range(epochs) for index in sampler.epoch_indices(epoch)})


def _check(model: nn.Module, dataset: Any) -> None:
    for what, found, expected in (('model', model, AttentionClassifier), ('training set', dataset, CohortDataset)):
        if not isinstance(found, expected):
            raise MammoError(
                'AttentionCentresHook',
                field=what,
                found=type(found).__name__,
                expected=f'mmmammo.{expected.__name__}',
                remedy='take the hook out of this config',
            )
