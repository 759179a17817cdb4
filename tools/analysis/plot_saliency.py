#!/usr/bin/env python
"""Draw where an Attention model looks: the most salient pixels, their centre, and the window it judges.

Examples:
    python tools/analysis/plot_saliency.py configs/attention_phantom.py CHECKPOINT --out work_dirs/plots
    python tools/analysis/plot_saliency.py configs/ensemble_cohort.py CHECKPOINT --images 16 --kind positive --out plots

Writes saliency.png and .svg. Dashed boxes are annotated lesions, where the set has them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

from mmmammo import cli
from mmmammo.apis.arguments import add_config_options, make_parser
from mmmammo.apis.runs import for_testing, load_config, require_data
from mmmammo.engine.checkpoint import load_checkpoint, require_checkpoint_of
from mmmammo.models import AttentionClassifier
from mmmammo.models.attention import top_pixels
from mmmammo.registry import DATASETS, MODELS
from mmmammo.structures import Affine, MammoError
from mmmammo.visualization.figures import Plot, save_plots
from mmmammo.visualization.saliency_panel import SaliencyView, draw_saliency

KINDS = ('both', 'positive', 'negative')


def build_model(cfg: Config, checkpoint: str) -> AttentionClassifier:
    """The trained model."""
    model = MODELS.build(cfg.model)
    if not isinstance(model, AttentionClassifier):
        raise MammoError(
            cfg.filename,
            field='model',
            found=type(model).__name__,
            expected='AttentionClassifier',
            remedy='give a config of an Attention model, such as configs/attention_phantom.py',
        )
    require_checkpoint_of(model, checkpoint)
    weights = load_checkpoint(checkpoint)
    model.load_state_dict(weights.get('state_dict', weights))
    return model.eval()


def choose(dataset: Any, count: int, kind: str) -> list[int]:
    """The first images of a kind; of both, half of each."""
    labels = np.array([dataset.get_data_info(i)['gt_label'] for i in range(len(dataset))])
    wanted = {'both': (1, 0), 'positive': (1,), 'negative': (0,)}[kind]
    each = -(-count // len(wanted))
    return [int(i) for label in wanted for i in np.flatnonzero(labels == label)[:each]][:count]


def look(model: AttentionClassifier, sample: dict[str, Any]) -> SaliencyView:
    """One image."""
    data = model.data_preprocessor(pseudo_collate([sample]))
    gradients = model.look(data['overview']).gradients
    with torch.no_grad():
        (judged,) = model(**data, mode='predict')
    width = gradients.shape[2]
    flat = top_pixels(gradients, model.share)[0].cpu().numpy()
    points = np.stack([flat % width, flat // width], axis=-1) + 0.5
    said = f'{judged.get("exam_id", "")} {judged.laterality} {judged.view}: {judged.pred_score[-1].item():.2f}'
    truth = judged.get('gt_instances')
    return SaliencyView(
        title=said + (' (cancer)' if int(judged.gt_label[0]) else ''),
        image=sample['inputs'][0].numpy(),
        pixels=Affine(judged.overview_affine).inverse().points(points),
        centre=judged.attention_centre,
        roi=judged.roi,
        lesions=np.empty((0, 4)) if truth is None else truth.bboxes.numpy(),
    )


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='config file of an Attention model or Ensemble')
    parser.add_argument('checkpoint', help='weights trained with it')
    parser.add_argument('--images', type=int, default=8, help='how many (8)')
    parser.add_argument('--kind', choices=KINDS, default='both', help='which (both, half of each)')
    parser.add_argument('--out', type=Path, required=True, help='folder of the picture')
    add_config_options(parser)
    args = parser.parse_args()
    if args.images < 1:
        parser.error('--images: at least 1')
    cfg = for_testing(load_config(args.config, options=args.cfg_options))
    require_data(cfg, ('test',))
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    model = build_model(cfg, args.checkpoint)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    views = [look(model, dataset[i]) for i in choose(dataset, args.images, args.kind)]
    for path in save_plots([Plot('saliency', draw_saliency(views), 'Saliency', 'Saliency')], args.out):
        print(path)
    return 0


if __name__ == '__main__':
    cli.run(main)
