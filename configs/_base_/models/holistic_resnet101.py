# ResNet-101 for one grey channel and two outputs; 42,497,986 parameters.
mean = 0.459  # of ImageNet, luma-weighted
std = 0.226

model = dict(
    type='mmpretrain.ImageClassifier',
    data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', mean=[mean], std=[std]),
    backbone=dict(
        type='mmmammo.GrayResNet',  # its first filter is the sum of the three of RGB
        depth=101,
        out_indices=(3,),
        frozen_stages=-1,
        norm_eval=False,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet101'),
    ),
    neck=dict(type='mmpretrain.GlobalAveragePooling'),
    head=dict(type='mmmammo.RiskHead', in_channels=2048),
)
