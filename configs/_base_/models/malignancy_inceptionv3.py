# InceptionV3, for patches of findings.
model = dict(
    type='mmpretrain.ImageClassifier',
    # Three means for a grey image: it is broadcast to the three channels of the ImageNet weights.
    data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', mean=[0.459] * 3, std=[0.226] * 3),
    backbone=dict(
        type='mmpretrain.InceptionV3',
        num_classes=2,  # benign, malignant; the network has its own last layer
        aux_logits=False,
        dropout=0.5,
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone.',
            checkpoint='https://mmassets.onedl.ai/mmclassification/v0/inception-v3/'
            'inception-v3_3rdparty_8xb32_in1k_20220615-dcd4d910.pth',
        ),
    ),
    head=dict(type='mmpretrain.ClsHead', loss=dict(type='mmpretrain.CrossEntropyLoss', loss_weight=1.0)),
)
