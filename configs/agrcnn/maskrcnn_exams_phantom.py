# Mask R-CNN that learns from one exam at a time, as AG-RCNN does: what exam batches alone change. Those of
# ../maskrcnn_phantom.py, whose model and schedule these are, are four images of any exams.
_base_ = [
    '../_base_/models/mask_rcnn_r18_small.py',
    '../_base_/datasets/phantom_decoy_exams.py',
    '../_base_/schedules/phantom_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom_decoys'
auto_scale_lr = dict(base_batch_size=1)  # an exam; parent: 4 images
randomness = dict(seed=0)
