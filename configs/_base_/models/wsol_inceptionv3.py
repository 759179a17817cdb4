# CAM on InceptionV3 up to Mixed_6e: two 3 x 3 convolutions to 1024 channels with dropout, then the map, 14 x 14 cells.
# Parent: ./wsol_resnet50.py
_base_ = ['./wsol_resnet50.py']

checkpoint = (
    'https://mmassets.onedl.ai/mmclassification/v0/inception-v3/inception-v3_3rdparty_8xb32_in1k_20220615-dcd4d910.pth'
)
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmmammo.StepwiseInceptionV3',
        init_cfg=dict(type='Pretrained', checkpoint=checkpoint, prefix='backbone'),
    ),
    head=dict(in_channels=768, hidden=(1024, 1024), dropout=0.5),
)
