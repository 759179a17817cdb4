# Two networks of the Holistic model's kind: a frozen one that says where to look, and one that looks.
# Parent: ./holistic_resnet101.py
_base_ = ['./holistic_resnet101.py']

model = dict(
    type='mmmammo.AttentionClassifier',  # parent: mmpretrain.ImageClassifier
    data_preprocessor=dict(type='mmmammo.AttentionPreprocessor'),
    backbone=dict(init_cfg=None),  # both networks start from `holistic`
    locator=dict(
        type='mmpretrain.ImageClassifier',
        data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor'),  # gets normalised overviews
        backbone=dict(
            type='mmmammo.GrayResNet', depth=101, out_indices=(3,), frozen_stages=-1, norm_eval=False, init_cfg=None
        ),
        neck=dict(type='mmpretrain.GlobalAveragePooling'),
        head=dict(type='mmmammo.RiskHead', in_channels=2048),
    ),
    roi_size=(976, 976),  # (width, height)
    share=0.01,  # of the overview's pixels make the centre of attention
    holistic=None,  # checkpoint of the Holistic model
)
