# The second stage of ihrrb_dino_r50_4scale_birads_coco.py. Parent: ihrrb_dino_r50_4scale_birads_finetune.py
_base_ = ['./ihrrb_dino_r50_4scale_birads_finetune.py']

load_from = 'work_dirs/ihrrb_dino_r50_4scale_birads_coco/epoch_36.pth'
model = dict(bbox_head=dict(share_layers=False))  # parent: True
crossval = dict(needs=dict(first='configs/ihrrb_dino/ihrrb_dino_r50_4scale_birads_coco.py'))
