#!/usr/bin/env python
"""Draw where an Attention model looks: the most salient pixels, their centre, and the window it judges.

Examples:
    python tools/analysis/plot_saliency.py configs/attention_phantom.py CHECKPOINT --out work_dirs/plots
    python tools/analysis/plot_saliency.py configs/ensemble_cohort.py CHECKPOINT --images 16 --kind positive --out plots

Writes saliency.png and .svg. Dashed boxes are annotated lesions, where the set has them. Exams have running numbers, as
in reports; tools/test.py --report draws the most suspicious images.
"""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmmammo import cli
from mmmammo.apis.arguments import add_config_options, make_parser
from mmmammo.apis.runs import for_testing, load_config, require_data
from mmmammo.apis.saliency_views import KINDS, choose_images, exam_names, look
from mmmammo.engine.checkpoint import load_checkpoint, require_checkpoint_of
from mmmammo.models import AttentionClassifier
from mmmammo.registry import DATASETS, MODELS
from mmmammo.structures import MammoError
from mmmammo.visualization.figures import Plot, save_plots
from mmmammo.visualization.saliency_panel import draw_saliency


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


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='config file of an Attention model or Ensemble')
    parser.add_argument('checkpoint', help='weights trained with it')
    parser.add_argument('--images', type=int, default=8, help='how many (8)')
    parser.add_argument('--kind', choices=KINDS, default='both', help='which (both, half of each)')
    parser.add_argument('--out', type=Path, required=True, help='folder of the picture')
    parser.add_argument('--show-exam-ids', action='store_true', help='name exams as the set does')
    add_config_options(parser)
    args = parser.parse_args()
    if args.images < 1:
        parser.error('--images: at least 1')
    cfg = for_testing(load_config(args.config, options=args.cfg_options))
    require_data(cfg, ('test',))
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    model = build_model(cfg, args.checkpoint)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    records = [dataset.get_data_info(i) for i in range(len(dataset))]
    names = exam_names(records, show_exam_ids=args.show_exam_ids)
    chosen = choose_images([record['gt_label'] for record in records], args.images, args.kind)
    views = [look(model, dataset[i], names[records[i]['exam_id']]) for i in chosen]
    for path in save_plots([Plot('saliency', draw_saliency(views), 'Saliency', 'Saliency')], args.out):
        print(path)
    return 0


if __name__ == '__main__':
    cli.run(main)
