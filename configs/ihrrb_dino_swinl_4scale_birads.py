# IHRRB-DINO, Swin-L, four scales (paper 0, Table 1, third row, its best).
# The paper's: AP 63.2 / 62.4 / 61.1 / 59.5 / 56.4 / 46.3 / 22.6 at IoU 20 to 80, "Avg" 46.96 (mean of the seven:
# 53.07).
# Differs from the paper as ihrrb_dino_r50_4scale_birads.py does; mmdet has COCO weights of five scales only.
# Over several GPUs in shards: ihrrb_dino/ihrrb_dino_swinl_4scale_birads_fsdp.py.
# Second stage: ihrrb_dino/ihrrb_dino_swinl_4scale_birads_finetune.py.
_base_ = [
    './_base_/models/mammo_dino_swinl.py',
    './_base_/datasets/birads_images.py',
    './_base_/schedules/mammo_dino_36e.py',
    './_base_/default_runtime.py',
]

_base_.param_scheduler[0].milestones = [27, 33]  # parent: [30]; as mmdet for Swin-L
param_scheduler = _base_.param_scheduler
randomness = dict(seed=0)
