# A classifier that yields class maps: CAM on ResNet-50 without the stride of its last stage, 14 x 14 cells.
mean = 0.459  # of ImageNet, luma-weighted
std = 0.226

model = dict(
    type='mmpretrain.ImageClassifier',
    # Three means for a grey image: it is broadcast to the three channels of the ImageNet weights.
    data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', mean=[mean] * 3, std=[std] * 3),
    backbone=dict(
        type='mmmammo.StepwiseResNet',
        depth=50,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    head=dict(type='mmmammo.ClassMapHead', in_channels=2048, num_classes=2),
)
