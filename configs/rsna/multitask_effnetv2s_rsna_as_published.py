# Experiments 6 and 7 as their notebooks ran them: both on EfficientNetV2-S, in batches of 10 and of 16
# (--cfg-options train_dataloader.batch_size=10). Images are mirrored and keep the side that is asked for, so that half
# of the training teaches it wrong. Parent: ./multitask_effnetv2s_rsna.py
_base_ = ['./multitask_effnetv2s_rsna.py']

_base_.multitask[0].type = 'RandomFlip'  # parent: mmmammo.FlipView

train_dataloader = dict(
    sampler=dict(shuffle=False),  # parent: True
    dataset=dict(pipeline=[*_base_.load_whole, _base_.resize, *_base_.multitask, _base_.pack]),
)
optim_wrapper = dict(optimizer=dict(weight_decay=0.0))  # parent: 1e-8
