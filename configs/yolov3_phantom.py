# YOLOv3 on the phantom: the twin of yolov3_cbis.py that trains from scratch on a CPU.
_base_ = [
    './_base_/models/yolov3_r18_small.py',
    './_base_/datasets/phantom_decoy_images.py',
    './_base_/schedules/phantom_small.py',
    './_base_/default_runtime.py',
]

data_root = 'data/phantom_decoys'
randomness = dict(seed=0)
