# IHRRB-DINO, ResNet-50, five scales (paper 0, Table 1, second row).
# The paper's: AP 58.3 / 56.9 / 55.5 / 53.7 / 49.5 / 37.7 / 21.9 at IoU 20 to 80, "Avg" 42.04 (mean of the seven:
# 47.64).
# Differs from the paper as ihrrb_dino_r50_4scale_birads.py does; there are no COCO weights of this model.
# Second stage: ihrrb_dino/ihrrb_dino_r50_5scale_birads_finetune.py.
_base_ = [
    './_base_/models/mammo_dino_r50_5scale.py',
    './_base_/datasets/birads_images.py',
    './_base_/schedules/mammo_dino_36e.py',
    './_base_/default_runtime.py',
]

randomness = dict(seed=0)
