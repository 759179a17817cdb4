# IHRRB-DINO, ResNet-50, four scales, from mmdet's COCO weights. That file has a head for each decoder layer, so this
# model has, too; its classifiers and label embeddings, of 80 classes, stay behind.
# Second stage: ihrrb_dino_r50_4scale_birads_coco_finetune.py. Parent: ../ihrrb_dino_r50_4scale_birads.py
_base_ = ['../ihrrb_dino_r50_4scale_birads.py']

load_from = (
    'https://download.openmmlab.com/mmdetection/v3.0/dino/dino-4scale_r50_8xb2-12e_coco/'
    'dino-4scale_r50_8xb2-12e_coco_20221202_182705-55b2bba2.pth'
)
model = dict(bbox_head=dict(share_layers=False))  # parent: True
