# YOLOX-s on CBIS-DDSM, a single-view baseline (paper 3, FROC figure, whose YOLO is YOLOv3: ./yolov3_cbis.py).
_base_ = [
    './_base_/models/yolox_s_gray.py',
    './_base_/datasets/cbis_images.py',
    './_base_/schedules/single_stage.py',
    './_base_/default_runtime.py',
]

data_root = 'data/cbis_ddsm'
train_dataloader = dict(batch_size=8)  # Mask R-CNN: 2; its BatchNorm trains
randomness = dict(seed=0)
