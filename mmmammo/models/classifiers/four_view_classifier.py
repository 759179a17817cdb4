"""An exam of four views, judged by one column per projection: NYU's model and what is adapted from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.model import ModuleDict  # hands init_weights on, as torch's does not
from mmengine.runner import CheckpointLoader
from mmpretrain.models.classifiers import BaseClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from mmmammo.models.classifiers.four_views import SIDES, FourViews
from mmmammo.registry import MODELS
from mmmammo.structures import STANDARD_VIEWS, MammoError

_COLUMNS = 'columns.'


@MODELS.register_module()
class FourViewClassifier(BaseClassifier):
    """The view-wise model of Wu et al. (IEEE TMI 2020).

    ::

        L-CC,  R-CC  -> column of CC  -> mean over places -> (2, c) --+
                                                                      +-> head -> scores
        L-MLO, R-MLO -> column of MLO -> mean over places -> (2, c) --+

    Left and right share a column. All images face right (as prepared ones do), those of a projection have one size.
    A missing image contributes nothing: its feature is zero, with zero gradient, and what a head says of a breast
    comes from the projections that show it. Other projections and repeats are refused; the data set drops them.

    Predictions: every image's data sample gets ``pred_score`` of its breast, or of its exam where the head knows none.

    Args:
        backbone: Of each column; its last feature is averaged over all places.
        head: :class:`~mmmammo.models.classifiers.BreastHead` or :class:`~mmmammo.models.classifiers.ExamHead`.
        noise: Standard deviation of Gaussian noise on the inputs while training.
        frozen: Keep the columns as they are: no gradient, and no batch statistics.
        data_preprocessor: By default one that only moves tensors, for images differ in size.
        columns_from: Checkpoint of another model of this type whose columns a training begins with.
        init_cfg: Initial weights of all the rest.
    """

    def __init__(
        self,
        backbone: Mapping[str, Any],
        head: Mapping[str, Any],
        noise: float = 0.01,
        frozen: bool = False,
        data_preprocessor: Mapping[str, Any] | None = None,
        columns_from: str | None = None,
        init_cfg: Any = None,
    ) -> None:
        preprocessor = dict(data_preprocessor or {'type': 'mmengine.BaseDataPreprocessor'})
        super().__init__(init_cfg=init_cfg, data_preprocessor=preprocessor)
        self.columns = ModuleDict({view.value: MODELS.build(dict(backbone)) for view in STANDARD_VIEWS})
        self.head = MODELS.build(dict(head))
        self.noise = noise
        self.frozen = frozen
        self.columns_from = columns_from
        self.columns.requires_grad_(not frozen)

    def init_weights(self) -> None:
        """Initialise, then load the columns.

        Raises:
            MammoError: If there is no such checkpoint, or it has other columns, or none.
        """
        super().init_weights()
        if self.columns_from is None:
            return
        if not Path(self.columns_from).is_file():
            raise self._no_columns('no such file')
        loaded = CheckpointLoader.load_checkpoint(self.columns_from, map_location='cpu')
        weights = loaded.get('state_dict', loaded)
        columns = {name.removeprefix(_COLUMNS): value for name, value in weights.items() if name.startswith(_COLUMNS)}
        try:
            self.columns.load_state_dict(columns)
        except RuntimeError as err:
            raise self._no_columns(f'{len(columns)} tensors of columns that do not fit') from err

    def _no_columns(self, found: str) -> MammoError:
        return MammoError(
            str(self.columns_from),
            field='columns_from',
            found=found,
            expected=f'a checkpoint with the {len(self.columns.state_dict())} tensors of the columns of this config',
            remedy="train the config that it comes from, or convert NYU's weights with tools/convert/nyu_weights.py",
        )

    def train(self, mode: bool = True) -> FourViewClassifier:
        """Frozen columns stay in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.columns.eval()
        return self

    def forward(
        self, inputs: Sequence[Tensor], data_samples: Sequence[DataSample] | None = None, mode: str = 'tensor'
    ) -> Any:
        """Losses or predictions of a batch of exams.

        Args:
            inputs: Per image (c, h, w), or (crops, c, h, w) for the mean over test-time crops.
            data_samples: Per image, see :meth:`FourViews.of`.
            mode: ``'loss'``, ``'predict'``, or ``'tensor'`` for the features (exams, views, sides, c).

        Raises:
            MammoError: If there are no data samples, which say what the images are, or the sizes do not fit.
        """
        if not data_samples:
            raise _error('data_samples', 'none', 'one per image: they say which view it is')
        views = FourViews.of(data_samples)
        if mode == 'loss':
            losses: dict[str, Tensor] = self.head.loss(self.extract_feat(inputs, views), views, data_samples)
            return losses | {'loss_cls': losses['loss_cls'] + self._nothing_of_unused(views)}
        crops = _crops(inputs)
        if mode == 'predict':
            scores = [self.head.scores(self.extract_feat(crop, views), views) for crop in crops]
            return self.head.predict(torch.stack(scores).mean(dim=0), views, data_samples)
        return torch.stack([self.extract_feat(crop, views) for crop in crops]).mean(dim=0)

    def extract_feat(self, inputs: Sequence[Tensor], views: FourViews) -> Tensor:
        """(exams, views, sides, c) mean features; zero where an image is missing.

        Args:
            inputs: Per image (c, h, w).
            views: Which image is what.
        """
        out = None
        for number, view in enumerate(STANDARD_VIEWS):
            chosen = (views.view == number).nonzero().flatten().tolist()
            if not chosen:
                continue
            pooled = self._column(view, [inputs[i] for i in chosen])
            if out is None:
                out = pooled.new_zeros(views.num_exams, len(STANDARD_VIEWS), len(SIDES), pooled.shape[-1])
            at = (views.exam[chosen].to(out.device), torch.full_like(views.exam[chosen], number).to(out.device))
            out = out.index_put((*at, views.side[chosen].to(out.device)), pooled)
        return out

    def _nothing_of_unused(self, views: FourViews) -> Tensor | float:
        """0 with zero gradient for a column without images in a batch, which distributed training waits for."""
        unused = [view for number, view in enumerate(STANDARD_VIEWS) if not (views.view == number).any()]
        return sum((0 * p.sum() for view in unused for p in self.columns[view].parameters() if p.requires_grad), 0.0)

    def _column(self, view: str, images: Sequence[Tensor]) -> Tensor:
        """(n, c) mean features of the images of one projection."""
        if len({image.shape for image in images}) > 1:
            found = ', '.join(sorted({str(tuple(image.shape)) for image in images}))
            raise _error('inputs', f'{view} images of shapes {found}', 'one size per projection: cut with NYUWindow')
        batch = torch.stack(list(images))
        if self.training and self.noise:
            batch = batch + self.noise * torch.randn_like(batch)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return self.columns[view](batch)[-1].mean(dim=(2, 3))


def _crops(inputs: Sequence[Tensor]) -> list[list[Tensor]]:
    """The images of each crop."""
    if inputs[0].dim() == 3:
        return [list(inputs)]
    counts = {len(image) for image in inputs}
    if len(counts) > 1 or 0 in counts:
        raise _error('inputs', f'{sorted(counts)} crops of different images', 'as many of each')
    return [[image[k] for image in inputs] for k in range(len(inputs[0]))]


def _error(field: str, found: str, expected: str) -> MammoError:
    return MammoError(
        'FourViewClassifier', field=field, found=found, expected=expected, remedy='correct the pipeline of the config'
    )
