# CAM on VGG-16 without its last pooling: one 3 x 3 convolution to 1024 channels, then the map, 14 x 14 cells.
# Parent: ./wsol_resnet50.py
_base_ = ['./wsol_resnet50.py']

checkpoint = 'https://mmassets.onedl.ai/mmclassification/v0/vgg/vgg16_batch256_imagenet_20210208-db26f1a5.pth'
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmmammo.StepwiseVGG',
        depth=16,
        init_cfg=dict(type='Pretrained', checkpoint=checkpoint, prefix='backbone'),
    ),
    head=dict(in_channels=512, hidden=(1024,)),
)
