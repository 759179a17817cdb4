# IHRRB-DINO, ResNet-50, four scales (paper 0, Table 1, first row).
# The paper's: AP 60.0 / 58.7 / 56.9 / 54.8 / 50.7 / 37.0 / 19.0 at IoU 20 to 80, "Avg" 42.55 (its seven columns have
# the mean 48.16; 42.55 is a mean of eight, IoU 90 being the one not shown).
# Differs from the paper because:
#   * its BI-RADS set is private: any prepared set takes its place, by one line of _base_/datasets/birads_images.py;
#   * it gives neither classes ("mass" here), epochs, batch, queries, loss weights nor sizes: these are DINO's;
#   * chosen labels of denoising queries always change (label_noise='other'): DINO's own noise does nothing with one
#     class;
#   * it starts from ImageNet weights (ihrrb_dino/ihrrb_dino_r50_4scale_birads_coco.py from COCO's), as the paper's
#     backbones do; DINO's recipe for other sets starts from COCO;
#   * crops without a lesion are kept, as in DINO (allow_negative_crop): no lesion is moved into them.
# Second stage: ihrrb_dino/ihrrb_dino_r50_4scale_birads_finetune.py.
_base_ = [
    './_base_/models/mammo_dino_r50.py',
    './_base_/datasets/birads_images.py',
    './_base_/schedules/mammo_dino_36e.py',
    './_base_/default_runtime.py',
]

randomness = dict(seed=0)
