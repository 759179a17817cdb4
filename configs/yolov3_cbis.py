# YOLOv3 on CBIS-DDSM, a single-view baseline of paper 3 (FROC figure: area up to 1 false positive per image .567).
# The paper names no size, weights or schedule; ours are in the bases.
_base_ = [
    './_base_/models/yolov3_d53_gray.py',
    './_base_/datasets/cbis_images.py',
    './_base_/schedules/single_stage.py',
    './_base_/default_runtime.py',
]

data_root = 'data/cbis_ddsm'
train_dataloader = dict(batch_size=8)  # Mask R-CNN: 2; its heads' BatchNorm trains
randomness = dict(seed=0)
