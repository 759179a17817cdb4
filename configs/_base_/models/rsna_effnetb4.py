# One logit on EfficientNet-B4 of timm: 17,550,409 parameters.
model = dict(
    type='mmpretrain.ImageClassifier',
    # Three means for a grey image: it is broadcast to the three channels of the weights. 0 and 1 as published.
    data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3),
    backbone=dict(type='mmmammo.TimmBackbone', model_name='tf_efficientnet_b4.ns_jft_in1k', pretrained=True),
    neck=dict(type='mmpretrain.GlobalAveragePooling'),
    head=dict(
        type='mmpretrain.MultiLabelLinearClsHead',
        num_classes=1,
        in_channels=1792,
        # rare cancers may count more: loss=dict(type='mmmammo.MultiLabelFocalLoss', alpha=0.75)
        loss=dict(type='mmpretrain.CrossEntropyLoss', use_sigmoid=True),
    ),
)
