# The twin of malignancy_resnet_cbam_cbis.py that trains from scratch on a CPU.
# Differs from it: a quarter of the width, patches of 64 pixels.
_base_ = [
    '../_base_/models/malignancy_resnet_cbam.py',
    '../_base_/datasets/phantom_findings.py',
    '../_base_/schedules/patch_classifier_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom'
model = dict(
    backbone=dict(stem_channels=16, base_channels=16, init_cfg=None),  # parent: 64, 64, pretrained
    head=dict(in_channels=512),  # parent: 2048
)
randomness = dict(seed=0)
