#!/usr/bin/env python
"""Draw the features of one exam before and after the graph neck, and its attention (paper 3's figure).

Example:
    python tools/analysis/plot_feature_maps.py configs/agrcnn_phantom.py CHECKPOINT --out work_dirs/plots

Shown is the mean magnitude over channels; blue to red is how much the neck weakens or strengthens a place. Green boxes
are annotated lesions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor, nn

from mmmammo import cli
from mmmammo.apis.arguments import add_config_options, make_parser
from mmmammo.apis.runs import for_testing, load_config, require_data
from mmmammo.engine.checkpoint import load_checkpoint, require_checkpoint_of
from mmmammo.registry import DATASETS, MODELS
from mmmammo.structures import MammoError
from mmmammo.visualization.analysis_plots import FeatureRow, draw_feature_maps
from mmmammo.visualization.figures import Plot, save_plots


def build_model(cfg: Config, checkpoint: str) -> nn.Module:
    """The trained model, its graph neck told to keep its attention."""
    if not isinstance(cfg.model.get('neck'), list):
        raise MammoError(
            cfg.filename,
            field='model.neck',
            found='one neck',
            expected='a list: the pyramid, then a neck over views',
            remedy='give a multi-view config, such as configs/agrcnn_phantom.py',
        )
    model = MODELS.build(cfg.model)
    weights = load_checkpoint(checkpoint)
    require_checkpoint_of(model, checkpoint)
    model.load_state_dict(weights.get('state_dict', weights))
    if hasattr(model.neck[1], 'store_attention'):
        model.neck[1].store_attention = True
    return model.eval()


def read_exam(dataset: Any, name: str | None) -> dict[str, Any]:
    """One sample by the id of its exam; without one, that with the most lesions."""
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    if name is None:
        counts = [sum(len(image['instances']) for image in info['images']) for info in infos]
        return dataset[counts.index(max(counts))]
    for i, info in enumerate(infos):
        if info['exam_id'] == name:
            return dataset[i]
    known = ', '.join(sorted(info['exam_id'] for info in infos)[:5])
    raise MammoError('--exam', field='exam', found=name, expected=f'one of {known}, …', remedy='give another id')


def run(model: nn.Module, sample: dict[str, Any], level: int) -> list[FeatureRow]:
    """A row per view."""
    batch = model.data_preprocessor(sample, training=False)
    caught: dict[str, Tensor] = {}
    hooks = [
        model.neck[0].register_forward_hook(lambda _, __, out: caught.update(before=out[level])),
        model.neck[1].register_forward_hook(lambda _, __, out: caught.update(after=out[level])),
    ]
    with torch.no_grad():
        model(**batch, mode='tensor')
    for hook in hooks:
        hook.remove()
    attention = getattr(model.neck[1], 'attention', None) if level == 0 else None
    return [row(batch, sample, caught, attention, i) for i in range(len(batch['inputs']))]


def row(
    batch: dict[str, Any], sample: dict[str, Any], caught: dict[str, Tensor], attention: Tensor | None, i: int
) -> FeatureRow:
    """One view, cut to its own size: the batch is padded."""
    image = sample['inputs'][i][0].numpy()
    view = batch['data_samples'][i]
    height, width = image.shape
    share = (height / batch['inputs'].shape[2], width / batch['inputs'].shape[3])

    def cut(values: Tensor) -> Any:
        rows, columns = (max(round(n * part), 1) for n, part in zip(values.shape, share, strict=True))
        return values[:rows, :columns].float().cpu().numpy()

    boxes = view.gt_instances.bboxes
    return FeatureRow(
        name=f'{view.laterality} {view.view}',
        image=image,
        before=cut(caught['before'][i].abs().mean(dim=0)),
        after=cut(caught['after'][i].abs().mean(dim=0)),
        attention=None if attention is None else cut(attention[i]),
        boxes=getattr(boxes, 'tensor', boxes).numpy() * ([width, height] * 2) / ([*view.ori_shape[::-1]] * 2),
    )


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='config file of a multi-view detector')
    parser.add_argument('checkpoint', help='weights trained with it')
    parser.add_argument('--exam', help='its id (default: the one with the most lesions)')
    parser.add_argument('--level', type=int, default=0, help='of the pyramid; 0 is the finest (0)')
    parser.add_argument('--out', type=Path, required=True, help='folder of the picture')
    add_config_options(parser)
    args = parser.parse_args()
    cfg = for_testing(load_config(args.config, options=args.cfg_options))
    require_data(cfg, ('test',))
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    model = build_model(cfg, args.checkpoint)
    rows = run(model, read_exam(DATASETS.build(cfg.test_dataloader.dataset), args.exam), args.level)
    for path in save_plots([Plot('features', draw_feature_maps(rows), 'Features', 'Features')], args.out):
        print(path)
    return 0


if __name__ == '__main__':
    cli.run(main)
