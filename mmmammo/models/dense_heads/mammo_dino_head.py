"""The prediction heads of DINO, shared over the decoder layers if so wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmdet.models.dense_heads import DINOHead
from mmdet.structures import DetDataSample, SampleList
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy, bbox_xyxy_to_cxcywh
from mmdet.utils import InstanceList
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmmammo.registry import MODELS
from mmmammo.structures import MammoError


@MODELS.register_module()
class MammoDINOHead(DINOHead):
    """mmdet's head, with what paper 0 needs and it lacks.

    ``test_cfg`` may hold ``match_anchors=True``: samples that carry their truth then get ``matched_anchors``, what
    :class:`mmmammo.evaluation.metrics.ATDMetric` reads.

    Args:
        share_layers: One classifier and one box regressor for all decoder layers, as in paper 0 and the DINO paper;
            query selection keeps its own. mmdet has one per layer.
        **kwargs: As in :class:`mmdet.models.DINOHead`.

    Raises:
        MammoError: If more detections are asked for than queries and classes can give, or a shared head is given the
            weights of separate ones, whose names and shapes are the same.
    """

    def __init__(self, *args: Any, share_layers: bool = False, **kwargs: Any) -> None:
        self.share_layers = share_layers  # _init_layers, called by the parent, reads it
        super().__init__(*args, **kwargs)
        if share_layers:
            self.register_load_state_dict_pre_hook(_refuse_separate_heads)

    def forward(self, hidden_states: Tensor, references: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Logits and boxes of all layers, always in float32.

        A box of bfloat16 would have 8 bits: steps of 4 pixels in an image of 1000.

        Args:
            hidden_states: (num_layers, bs, num_queries, dim).
            references: Initial anchors and the boxes of each layer, (bs, num_queries, 4) cxcywh in [0, 1].
        """
        with torch.autocast(hidden_states.device.type, enabled=False):
            return super().forward(hidden_states.float(), [reference.float() for reference in references])

    def predict(
        self, hidden_states: Tensor, references: list[Tensor], batch_data_samples: SampleList, rescale: bool = True
    ) -> InstanceList:
        """As the parent's; with ``match_anchors`` it also tells each lesion the anchor it was found from.

        Args:
            hidden_states: (num_layers, bs, num_queries, dim).
            references: Their first are the initial anchors, what query selection gave.
            batch_data_samples: One per image.
            rescale: Whether boxes are wanted in prepared pixels instead of those of the network input.
        """
        scores, boxes = self(hidden_states, references)
        if self.test_cfg.get('match_anchors', False):
            for i, sample in enumerate(batch_data_samples):
                self._match_anchors(scores[-1, i], boxes[-1, i], references[0][i], sample)
        metas = [sample.metainfo for sample in batch_data_samples]
        return self.predict_by_feat(scores, boxes, batch_img_metas=metas, rescale=rescale)

    @staticmethod
    def split_outputs(
        all_layers_cls_scores: Tensor, all_layers_bbox_preds: Tensor, dn_meta: dict[str, int] | None
    ) -> tuple[Tensor | None, ...]:
        """Matching and denoising part of scores and boxes; there is no denoising part without ``dn_meta``."""
        if dn_meta is None:  # the parent asks for its entries before it asks whether it is there
            return all_layers_cls_scores, all_layers_bbox_preds, None, None
        return DINOHead.split_outputs(all_layers_cls_scores, all_layers_bbox_preds, dn_meta)

    def _init_layers(self) -> None:
        super()._init_layers()
        if self.share_layers:
            self.cls_branches, self.reg_branches = (
                nn.ModuleList([*[branches[0]] * (self.num_pred_layer - 1), branches[-1]])
                for branches in (self.cls_branches, self.reg_branches)
            )

    def _predict_by_feat_single(
        self, cls_score: Tensor, bbox_pred: Tensor, img_meta: dict[str, Any], rescale: bool = True
    ) -> InstanceData:
        wanted = self.test_cfg.get('max_per_img', len(cls_score))
        if wanted > cls_score.numel():
            raise MammoError(
                'MammoDINOHead',
                field='test_cfg.max_per_img',
                found=wanted,
                expected=f'at most {cls_score.numel()}, {len(cls_score)} queries of {self.num_classes} classes',
                remedy='lower it, or raise num_queries',
            )
        return super()._predict_by_feat_single(cls_score, bbox_pred, img_meta, rescale)

    def _match_anchors(self, scores: Tensor, boxes: Tensor, anchors: Tensor, sample: DetDataSample) -> None:
        """Add ``matched_anchors``: per lesion that has a query its ``anchors`` and ``boxes``, cxcywh in [0, 1]."""
        truth = sample.get('gt_instances')
        if truth is None or 'bboxes' not in truth:
            return
        height, width = sample.img_shape[:2]
        size = boxes.new_tensor([width, height, width, height])
        # truth at test time is in prepared pixels
        gt_boxes = truth.bboxes.to(boxes) * boxes.new_tensor(sample.scale_factor).repeat(2)
        found = self.assigner.assign(
            pred_instances=InstanceData(scores=scores, bboxes=bbox_cxcywh_to_xyxy(boxes) * size),
            gt_instances=InstanceData(bboxes=gt_boxes, labels=truth.labels.to(boxes.device)),
            img_meta=sample.metainfo,
        ).gt_inds
        queries = found.nonzero()[:, 0]
        lesions = found[queries] - 1
        sample.matched_anchors = InstanceData(
            anchors=anchors[queries],
            boxes=bbox_xyxy_to_cxcywh(gt_boxes / size)[lesions].clamp(0, 1),
            lesions=lesions,
        )


def _refuse_separate_heads(head: MammoDINOHead, state_dict: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Complain about weights of one head per layer; loaded into a shared one, all layers would get the last of them.

    Raises:
        MammoError: If those of two decoder layers differ.
    """
    for kind in ('cls_branches', 'reg_branches'):
        for name, value in state_dict.items():
            if not name.startswith(f'{prefix}{kind}.'):
                continue
            layer, rest = name.removeprefix(f'{prefix}{kind}.').split('.', 1)
            first = state_dict.get(f'{prefix}{kind}.0.{rest}')
            if int(layer) < head.num_pred_layer - 1 and first is not None and not torch.equal(first, value):
                raise MammoError(
                    'MammoDINOHead',
                    field=name,
                    found='other weights than those of layer 0: a head for each decoder layer',
                    expected='one head, because share_layers=True',
                    remedy='give --cfg-options model.bbox_head.share_layers=False, here and wherever this model is '
                    'used, or take configs/ihrrb_dino/…_coco.py',
                )
