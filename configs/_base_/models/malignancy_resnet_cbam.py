# ResNet-50 with CBAM in every block, for patches of findings.
model = dict(
    type='mmpretrain.ImageClassifier',
    data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', mean=[0.459], std=[0.226]),  # of images in [0, 1]
    backbone=dict(
        type='mmmammo.GrayResNet',
        depth=50,
        num_stages=4,
        out_indices=(3,),
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=False,
        style='pytorch',
        plugins=[dict(cfg=dict(type='mmmammo.CBAM'), stages=(True, True, True, True), position='after_conv3')],
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    neck=dict(type='mmpretrain.GlobalAveragePooling'),
    head=dict(
        type='mmpretrain.LinearClsHead',
        num_classes=2,  # benign, malignant
        in_channels=2048,
        loss=dict(type='mmpretrain.CrossEntropyLoss', loss_weight=1.0),
    ),
)
