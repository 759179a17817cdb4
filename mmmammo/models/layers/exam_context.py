"""What a graph neck must know about a batch: where each image's nodes are, and which images are its partners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from torch import Tensor

from mmmammo.structures import MASK_STRIDE, STANDARD_VIEWS, MammoError, pair_views


class Partners(NamedTuple):
    """One partner per image of a batch.

    Args:
        index: (B,) index into the batch; 0 where there is none.
        present: (B,) bool.
    """

    index: Tensor
    present: Tensor

    @classmethod
    def from_index(cls, index: np.ndarray, device: torch.device) -> Partners:
        """Partners as :func:`mmmammo.structures.pair_views` gives them, -1 where there is none."""
        tensor = torch.from_numpy(index).to(device)
        return cls(tensor.clamp(min=0), tensor >= 0)

    def dropped(self, probability: float) -> Partners:
        """The same with each link cut with this probability, as view dropout in training does."""
        kept = torch.rand(self.present.shape, device=self.present.device) >= probability
        return Partners(self.index, self.present & kept)


@dataclass(frozen=True, eq=False)
class ExamLinks:
    """Who is whose partner among the B images of one batch.

    Args:
        ipsilateral: The other projection of the same breast.
        contralateral: The same projection of the other breast.
        input_shape: (H, W) of the padded batch.
    """

    ipsilateral: Partners
    contralateral: Partners
    input_shape: tuple[int, int]

    def dropped(self, probability: float) -> Self:
        """The same after view dropout. Drawn once per forward pass, so that all parts of a neck see the same links."""
        if probability == 0:
            return self
        cut = [partners.dropped(probability) for partners in (self.ipsilateral, self.contralateral)]
        return replace(self, ipsilateral=cut[0], contralateral=cut[1])


@dataclass(frozen=True, eq=False)
class ExamContext(ExamLinks):
    """Nodes, breasts and partners of the B images of one batch; N is the larger of the two node counts.

    An image that has no nodes (no landmarks, or not a standard projection) neither has nor is a partner.

    Args:
        nodes: (B, N, 2) float, (x, y) in network-input pixels; rows beyond a view's own count are 0.
        node_mask: (B, N) bool, the rows that are nodes.
        projection: (B,) int64, index into ``STANDARD_VIEWS`` (0 CC, 1 MLO); 0 for an image without nodes.
        breast_mask: (B, ceil(H / 4), ceil(W / 4)) bool, breast pixels of images that have nodes.
        ipsilateral: As in :class:`ExamLinks`.
        contralateral: Likewise.
        input_shape: Likewise.
    """

    nodes: Tensor
    node_mask: Tensor
    projection: Tensor
    breast_mask: Tensor

    @classmethod
    def from_data_samples(
        cls,
        data_samples: Sequence[DetDataSample],
        num_nodes: tuple[int, int],
        input_shape: tuple[int, int],
        device: torch.device,
    ) -> ExamContext:
        """Read the metainfo of a batch.

        Args:
            data_samples: One per image, with ``exam_id``, ``laterality``, ``view``, ``quality``, ``nodes``,
                ``breast_mask`` and ``img_shape``; if they have ``exam_slot``, exams of different slots are kept apart.
            num_nodes: (CC, MLO).
            input_shape: (H, W) of the padded batch.
            device: Where the tensors go.

        Raises:
            MammoError: If a key is missing, or nodes or mask do not fit the view, the image or ``num_nodes``.
        """
        counts = dict(zip(STANDARD_VIEWS, num_nodes, strict=True))
        nodes = np.zeros((len(data_samples), max(num_nodes), 2), dtype=np.float32)
        node_mask = np.zeros(nodes.shape[:2], dtype=bool)
        breast_mask = np.zeros((len(data_samples), *_mask_shape(input_shape)), dtype=bool)
        for i, sample in enumerate(data_samples):
            found = _nodes_of(sample, counts.get(meta_of(sample, 'view'), 0))
            if found is not None:
                nodes[i, : len(found)] = found
                node_mask[i, : len(found)] = True
                mask = _breast_of(sample)
                breast_mask[i, : mask.shape[0], : mask.shape[1]] = mask
        ipsilateral, contralateral = _partners(data_samples, node_mask.any(axis=1))
        projection = [int(meta_of(s, 'view') == STANDARD_VIEWS[1]) for s in data_samples]
        return cls(
            nodes=torch.from_numpy(nodes).to(device),
            node_mask=torch.from_numpy(node_mask).to(device),
            projection=torch.tensor(projection, device=device),
            breast_mask=torch.from_numpy(breast_mask).to(device),
            ipsilateral=Partners.from_index(ipsilateral, device),
            contralateral=Partners.from_index(contralateral, device),
            input_shape=input_shape,
        )

    def breast_mask_at(self, stride: int) -> Tensor:
        """(B, ceil(H / stride), ceil(W / stride)) bool: pixels of a feature level with any breast in them."""
        if stride == MASK_STRIDE:
            return self.breast_mask
        window = stride // MASK_STRIDE
        pooled = F.max_pool2d(self.breast_mask[:, None].float(), window, stride=window, ceil_mode=True)
        return pooled[:, 0] > 0


class ExamContextReader:
    """Mixin for a module that reads the exam context of the forward pass it runs in."""

    num_nodes: tuple[int, int]
    _context: ExamContext | None = None

    def read_context(
        self, data_samples: Sequence[DetDataSample], input_shape: tuple[int, int], device: torch.device
    ) -> ExamContext:
        """What this module must know about a batch; one that needs something else than nodes overrides this.

        Args:
            data_samples: One per image.
            input_shape: (H, W) of the padded batch.
            device: Where the tensors go.
        """
        return ExamContext.from_data_samples(data_samples, self.num_nodes, input_shape, device)

    @contextmanager
    def given(self, context: ExamContext) -> Iterator[None]:
        """Hold ``context`` for the duration of a ``with`` block, whatever happens in it."""
        before, self._context = self._context, context
        try:
            yield
        finally:
            self._context = before

    def losses(self, data_samples: Sequence[DetDataSample]) -> dict[str, Tensor]:
        """What this module itself is told by the truth of the batch that it has just seen in training; here nothing.

        Args:
            data_samples: One per image, with ``gt_instances``.
        """
        return {}

    @property
    def context(self) -> ExamContext:
        """The context of the running forward pass.

        Raises:
            MammoError: If there is none.
        """
        if self._context is None:
            raise MammoError(
                type(self).__name__,
                field='exam context',
                found='none',
                expected='a detector that gives one to its necks, called with data samples',
                remedy="use type='mmmammo.AGRCNN', or derive your detector as class Mine(MultiViewMixin, ItsClass), "
                'and call it with data_samples',
            )
        return self._context


def _mask_shape(shape: tuple[int, int]) -> tuple[int, int]:
    return -(-shape[0] // MASK_STRIDE), -(-shape[1] // MASK_STRIDE)


def meta_of(sample: DetDataSample, key: str) -> object:
    """Metainfo of a data sample.

    Raises:
        MammoError: If it has none of this key.
    """
    if key not in sample.metainfo:
        raise MammoError(
            sample.metainfo.get('img_path', 'data sample'),
            field=key,
            found='no such metainfo',
            expected='what the exam pipeline provides',
            remedy=f'add {key!r} to meta_keys of the transform that packs the inputs',
        )
    return sample.metainfo[key]


def _nodes_of(sample: DetDataSample, count: int) -> np.ndarray | None:
    """The (count, 2) nodes, or ``None`` for an image that has none."""
    nodes = meta_of(sample, 'nodes')
    if nodes is None:
        return None
    nodes = np.asarray(nodes)
    if nodes.shape != (count, 2) or not np.isfinite(nodes).all():
        raise MammoError(
            sample.metainfo.get('img_path', 'data sample'),
            field='nodes',
            found=f'shape {nodes.shape} in a {meta_of(sample, "view")} view, finite: {bool(np.isfinite(nodes).all())}',
            expected=f'{count} finite (x, y) rows' if count else 'none outside CC and MLO',
            remedy='give the pipeline and the neck the same num_nodes',
        )
    return nodes


def _breast_of(sample: DetDataSample) -> np.ndarray:
    """The mask at stride 4 without padding; an image without one counts as breast throughout."""
    shape = _mask_shape(meta_of(sample, 'img_shape')[:2])
    mask = meta_of(sample, 'breast_mask')
    if mask is None:
        return np.ones(shape, dtype=bool)
    mask = np.asarray(mask, dtype=bool)
    if mask.shape != shape:
        raise MammoError(
            sample.metainfo.get('img_path', 'data sample'),
            field='breast_mask',
            found=f'shape {mask.shape}',
            expected=f'{shape}, a quarter of img_shape rounded up',
            remedy='compute the mask after the last transform that changes the size of the image',
        )
    return mask


def _partners(samples: Sequence[DetDataSample], has_nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pair the views, then cut every link at either end of which there are no nodes."""
    return tuple(np.where((p >= 0) & has_nodes & has_nodes[p], p, -1) for p in pair_samples(samples, has_nodes))


_LAST = -2.0
"""Below any quality, see :attr:`mmmammo.structures.PreparedImage.quality`."""


def pair_samples(samples: Sequence[DetDataSample], usable: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Ipsilateral and contralateral partner of each image of a batch, -1 for none; docs/conventions.md has the rule.

    Args:
        samples: The images.
        usable: Whether an image has what it takes; one that has not yields to any repeat that has.
    """
    columns = [[meta_of(s, key) for s in samples] for key in ('laterality', 'view')]
    qualities = [meta_of(s, 'quality') if use else _LAST for s, use in zip(samples, usable, strict=True)]
    # A sampler may draw an exam twice; the two copies, augmented apart, are not one exam.
    exams = [f'{s.metainfo.get("exam_slot", 0)}/{meta_of(s, "exam_id")}' for s in samples]
    return pair_views(exams, *columns, qualities)
