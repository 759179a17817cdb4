# Mask R-CNN on CBIS-DDSM, the single-view baseline of paper 3 (row "Our MaskRCNN+FPN").
# The paper's: recall 68.9 / 79.8 / 86.3 / 90.2 / 91.3 % at 0.5 / 1 / 2 / 3 / 4 false positives per image.
_base_ = [
    './_base_/models/mask_rcnn_r50_gray.py',
    './_base_/datasets/cbis_images.py',
    './_base_/schedules/mask_rcnn_staged.py',
    './_base_/default_runtime.py',
]

data_root = 'data/cbis_ddsm'
randomness = dict(seed=0)
